"""The configuration file: its shape, and reading it with the line of every mistake."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.classify.llm import Account
from app.domain import templates
from app.domain.classification import Priority
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput
from app.domain.routing import Strategy
from app.domain.rules import Rule as RulePart
from app.services import connections, secrets
from connectors import registry

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Key = Field(pattern=connections.KEY.pattern)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class WorkspacePart(_Part):
    key: str = Key
    name: str = ""
    locale: str = "en"
    timezone: str = "UTC"
    join_window_min: int = Field(30, ge=0)


class BotPart(_Part):
    key: str = Key
    channel: str
    name: str = ""
    config: dict[str, Any]
    enabled: bool = True


class CategoryPart(_Part):
    key: str = Key
    name: str
    description: str = ""
    priority: Priority = Priority.NORMAL
    sla_min: int | None = Field(None, gt=0)


class DestinationPart(_Part):
    key: str = Key
    connector: str
    name: str = ""
    config: dict[str, Any]
    fields: dict[str, str] = {}
    rate_per_s: float | None = Field(None, gt=0)
    enabled: bool = True


class RoutePart(_Part):
    key: str = Key
    when: Condition = Condition()
    strategy: Strategy = Strategy.FAILOVER
    destinations: list[str] = Field(min_length=1)
    go_on: bool = Field(False, alias="continue")
    default: bool = False
    enabled: bool = True


class LocalPart(_Part):
    enabled: bool = True
    target_accuracy: float = Field(0.95, gt=0, lt=1)
    audit_share: float = Field(0.03, ge=0, le=1)
    learn_from_llm: bool = True


class ClassifyPart(_Part):
    llm: list[Account] = []
    local: LocalPart = LocalPart()
    bar: float = Field(0.6, ge=0, le=1)


class File(_Part):
    workspace: WorkspacePart
    bots: list[BotPart] = []
    categories: list[CategoryPart] = []
    rules: list[RulePart] = []
    classify: ClassifyPart = ClassifyPart()
    destinations: list[DestinationPart] = []
    routes: list[RoutePart] = []


# ---- reading the file


@dataclass
class _Source:
    """The file's text with the line of every value, for messages."""

    path: Path
    root: yaml.Node

    def line_of(self, place: tuple) -> int:
        node, line = self.root, self.root.start_mark.line
        for step in place:
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == str(step)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
            else:
                break
        return line + 1

    def wrong(self, place: tuple, what: str) -> InvalidInput:
        shown = ".".join(str(step) for step in place)
        return InvalidInput(f"{self.path}:{self.line_of(place)}: {shown}: {what}", shown)


def read(path: Path) -> File:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise InvalidInput(f"{path}:{line}: is not YAML: {getattr(error, 'problem', error)}") from error
    if root is None or not isinstance(content, dict):
        raise InvalidInput(f"{path}: is empty or not a mapping. It starts with: workspace: {{key: ...}}")
    source = _Source(path, root)
    filled = _filled(content, source, ())
    try:
        wanted = File.model_validate(filled)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise source.wrong(tuple(first["loc"]), first["msg"].removeprefix("Value error, ")) from error
    _check_references(wanted, source)
    return wanted


def _filled(value: Any, source: _Source, place: tuple) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, source, (*place, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, source, (*place, number)) for number, inner in enumerate(value)]
    if not isinstance(value, str):
        return value

    def from_environment(match: re.Match) -> str:
        if match[1] not in os.environ:
            raise source.wrong(place, f"the environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return PLACEHOLDER.sub(from_environment, value)


def _check_references(wanted: File, source: _Source) -> None:
    """Names that point to other parts, keys that stand twice, and configs of adapters."""
    for noun in ("bots", "categories", "rules", "destinations", "routes"):
        seen: set[str] = set()
        for number, part in enumerate(getattr(wanted, noun)):
            if part.key in seen:
                raise source.wrong((noun, number, "key"), f"'{part.key}' stands twice")
            seen.add(part.key)
    categories = {part.key for part in wanted.categories}
    destinations = {part.key for part in wanted.destinations}
    for number, rule in enumerate(wanted.rules):
        if rule.then.category and rule.then.category not in categories:
            raise source.wrong(("rules", number, "then", "category"), f"there is no category '{rule.then.category}'")
    for number, route in enumerate(wanted.routes):
        for position, key in enumerate(route.destinations):
            if key not in destinations:
                raise source.wrong(("routes", number, "destinations", position), f"there is no destination '{key}'")
        for key in route.when.category or []:
            if key not in categories:
                raise source.wrong(("routes", number, "when", "category"), f"there is no category '{key}'")
    if sum(route.default for route in wanted.routes) > 1:
        raise source.wrong(("routes",), "only one route can be the default")
    for noun, build in (("bots", bot_config), ("destinations", destination_config)):
        for number, part in enumerate(getattr(wanted, noun)):
            try:
                build(part)
                for field, template in getattr(part, "fields", {}).items():
                    templates.check(template, f"fields.{field}")
            except InvalidInput as error:
                inner = error.field if error.field in ("channel", "connector") else f"config.{error.field}"
                raise source.wrong((noun, number, *inner.split(".")), str(error)) from error


def bot_config(part: BotPart) -> BaseModel:
    return secrets.validated(registry.channel(part.channel).Config, part.config)


def destination_config(part: DestinationPart) -> BaseModel:
    return secrets.validated(registry.crm(part.connector).Config, part.config)

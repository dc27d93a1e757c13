"""The configuration file: its shape, and reading it with the line of every mistake."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.classify import prompt
from app.classify.llm import Account
from app.domain import templates
from app.domain.classification import Priority
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput
from app.domain.routing import Strategy, WhenWrong
from app.domain.rules import Rule as RulePart
from app.services import connections, references, secrets
from connectors import registry

PLACEHOLDER = re.compile(r"(\$*)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # one more $ before it: meant literally
Key = Field(pattern=connections.KEY.pattern)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class WorkspacePart(_Part):
    key: str = Key
    name: str = ""
    locale: str = "en"
    timezone: str = "UTC"
    join_window_min: int = Field(30, ge=0)

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone; write it as in Europe/Berlin") from error
        return name


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
    when_wrong: WhenWrong = WhenWrong.CLOSE
    reply: dict[str, str] = {}
    enabled: bool = True


class LocalPart(_Part):
    enabled: bool = True
    target_accuracy: float = Field(0.95, gt=0, lt=1)
    audit_share: float = Field(0.03, ge=0, le=1)
    learn_from_llm: bool = True
    double_share: float = Field(0.05, ge=0, le=1)
    golden_share: float = Field(0.1, ge=0, le=0.5)


class LlmPart(Account):
    enabled: bool = True


class ClassifyPart(_Part):
    llm: list[LlmPart] = []
    local: LocalPart = LocalPart()
    bar: float = Field(0.6, ge=0, le=1)
    instructions: str = Field("", max_length=prompt.LONGEST_INSTRUCTIONS)
    budget_usd: float | None = Field(None, ge=0)


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
        hint = " Put texts that hold ${...} or : into quotes." if isinstance(error, yaml.YAMLError) else ""
        raise InvalidInput(f"{path}:{line}: is not YAML: {getattr(error, 'problem', error)}.{hint}") from error
    if root is None or not isinstance(content, dict):
        raise InvalidInput(f"{path}: is empty or not a mapping. It starts with: workspace: {{key: ...}}")
    source = _Source(path, root)
    _check_nothing_twice(root, source, ())
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
        dollars, name = match.groups()
        if dollars:
            return f"{dollars}{{{name}}}"
        if name not in os.environ:
            raise source.wrong(place, f"the environment variable {name} is not set")
        return os.environ[name]

    return PLACEHOLDER.sub(from_environment, value)


def escaped(value: Any) -> Any:
    """The value as it must stand in a file, so that no part of it is taken for a variable."""
    if isinstance(value, dict):
        return {name: escaped(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [escaped(inner) for inner in value]
    return PLACEHOLDER.sub(lambda match: f"${match[0]}", value) if isinstance(value, str) else value


def _check_nothing_twice(node: yaml.Node, source: _Source, place: tuple) -> None:
    """YAML lets the last of two equal names win in silence; here it is a mistake."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, inner in node.value:
            if name.value in seen:
                raise source.wrong((*place, name.value), "stands twice")
            seen.add(name.value)
            _check_nothing_twice(inner, source, (*place, name.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            _check_nothing_twice(inner, source, (*place, number))


def _check_references(wanted: File, source: _Source) -> None:
    """What pydantic cannot see: keys that stand twice, names of other parts, configs of adapters."""
    _check_keys(wanted, source)
    categories, bots = {part.key for part in wanted.categories}, {part.key for part in wanted.bots}
    for noun in ("rules", "routes"):
        for number, part in enumerate(getattr(wanted, noun)):
            found = references.unknown(part.when, categories, bots, (noun, number, "when"))
            if found is not None:
                raise source.wrong(*found)
    for number, rule in enumerate(wanted.rules):
        if rule.then.category and rule.then.category not in categories:
            raise source.wrong(("rules", number, "then", "category"), f"There is no category '{rule.then.category}'.")
    _check_routes(wanted, source)
    _check_configs(wanted, source)


def _check_keys(wanted: File, source: _Source) -> None:
    lists = {(noun,): getattr(wanted, noun) for noun in ("bots", "categories", "rules", "destinations", "routes")}
    for place, parts in (lists | {("classify", "llm"): wanted.classify.llm}).items():
        seen: set[str] = set()
        for number, part in enumerate(parts):
            try:
                connections.checked_key(part.key)
            except InvalidInput as error:
                raise source.wrong((*place, number, "key"), str(error)) from error
            if part.key in seen:
                raise source.wrong((*place, number, "key"), f"'{part.key}' stands twice")
            seen.add(part.key)


def _check_routes(wanted: File, source: _Source) -> None:
    destinations, default = {part.key for part in wanted.destinations}, None
    for number, route in enumerate(wanted.routes):
        for position, key in enumerate(route.destinations):
            place = ("routes", number, "destinations", position)
            if key not in destinations:
                raise source.wrong(place, f"There is no destination '{key}'.")
            if key in route.destinations[:position]:
                raise source.wrong(place, f"'{key}' stands twice")
        if route.default and default is not None:
            raise source.wrong(("routes", number, "default"), f"'{default}' is the default already; there can be one")
        default = route.key if route.default else default


def _check_configs(wanted: File, source: _Source) -> None:
    for noun, build, kind in (("bots", bot_config, "channel"), ("destinations", destination_config, "connector")):
        for number, part in enumerate(getattr(wanted, noun)):
            try:
                build(part)
            except InvalidInput as error:
                inner = (kind,) if error.field == kind else ("config", *error.field.split("."))
                raise source.wrong((noun, number, *inner), str(error)) from error
    for number, part in enumerate(wanted.destinations):
        for field, template in part.fields.items():
            try:
                templates.check(template)
            except InvalidInput as error:
                raise source.wrong(("destinations", number, "fields", field), str(error)) from error


def bot_config(part: BotPart) -> BaseModel:
    return secrets.validated(registry.channel(part.channel).Config, part.config)


def destination_config(part: DestinationPart) -> BaseModel:
    return secrets.validated(registry.crm(part.connector).Config, part.config)

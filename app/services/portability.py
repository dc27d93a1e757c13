"""A workspace's configuration as a file: `apply` makes the workspace match it, `export` writes it.

The file is checked whole before anything changes, and everything changes in one transaction.
"""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import BaseModel, SecretStr
from sqlmodel import Session, SQLModel, col, select

from app.classify.llm import Account
from app.db.engine import in_system, in_workspace
from app.db.tables import Bot, Category, Destination, LlmAccount, Membership, Person, Route, Rule, Workspace
from app.db.tables.base import new_id, now
from app.db.tables.people import Role
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput, OctopusError, RemoteError
from app.domain.rules import Rule as RulePart
from app.services import audit, connections, secrets, workspace_file
from app.services.workspace_file import BotPart, CategoryPart, DestinationPart, File, RoutePart

ACTOR = "cli"
LOCK = 0x0C71  # one apply at a time


# ---- apply


def apply_file(path: Path, dry_run: bool = False, check: bool = False) -> list[str]:
    """Make the workspace match the file; returns a line for each change, none when it matched already.

    Raises InvalidInput as `file:line: path: what is wrong`, and nothing has changed then.
    """
    wanted = workspace_file.read(path)
    with in_system() as session:
        session.connection().exec_driver_sql("select pg_advisory_xact_lock(%(lock)s)", {"lock": LOCK})
        lines = _apply(session, wanted)
        if dry_run:
            session.rollback()
    return lines + (_checked(wanted.workspace.key) if check and not dry_run else [])


def _apply(session: Session, wanted: File) -> list[str]:
    workspace, lines = _workspace(session, wanted)
    session.flush()
    rows = [
        *((Bot, part, _bot) for part in wanted.bots),
        *((Category, part, _category) for part in wanted.categories),
        *((Rule, part, _rule) for part in wanted.rules),
        *((LlmAccount, part, _llm_account) for part in wanted.classify.llm),
        *((Destination, part, _destination) for part in wanted.destinations),
        *((Route, part, _route) for part in wanted.routes),
    ]
    positions: dict[type, int] = {}
    for table, part, values_of in rows:
        position = positions[table] = positions.get(table, -1) + 1
        lines += _match(session, workspace.id, table, part.key, values_of(part) | _position(table, position))
    for table in (Route, Rule, LlmAccount, Destination, Category, Bot):
        named = {part.key for of, part, _ in rows if of is table}
        lines += _remove_others(session, workspace.id, table, named)
    return lines


def _workspace(session: Session, wanted: File) -> tuple[Workspace, list[str]]:
    part = wanted.workspace
    row = session.exec(select(Workspace).where(Workspace.key == part.key).with_for_update()).one_or_none()
    lines = []
    if row is None:
        row = Workspace(key=part.key, name=part.name or part.key)
        session.add(row)
        session.flush()
        lines.append(f"+ workspace {part.key}")
        owner = session.exec(select(Person).order_by(col(Person.created_at)).limit(1)).first()
        if owner is not None:
            session.add(Membership(person_id=owner.id, workspace_id=row.id, role=Role.OWNER))
    classify = wanted.classify.model_dump(mode="json", exclude={"llm"})
    values = part.model_dump() | {"name": part.name or part.key, "settings": row.settings | {"classify": classify}}
    before = {name: getattr(row, name) for name in values}
    if before != values:
        for name, value in values.items():
            setattr(row, name, value)
        if not lines:
            lines += [f"~ workspace {part.key}: {change}" for change in _changes(before, values)]
        audit.record(session, ACTOR, row.id, "change", "workspace", part.key, before, values)
    return row, lines


def _match(session: Session, workspace_id: UUID, table: type[SQLModel], key: str, values: dict[str, Any]) -> list[str]:
    noun = str(table.__tablename__)
    query = select(table).where(table.workspace_id == workspace_id, table.key == key)
    row = session.exec(query.with_for_update()).one_or_none()
    id_ = row.id if row else new_id()
    config = values.pop("config", None)
    before = {name: getattr(row, name) for name in values} | _opened(row, noun) if row else None
    after = values | ({"config": _dumped(config)} if config is not None else {})
    if before == after:
        return []
    if row is None:
        row = table(id=id_, workspace_id=workspace_id, key=key, **values)
        if isinstance(row, Bot):
            row.hook_key = connections.token_urlsafe(24)
    for name, value in values.items():
        setattr(row, name, value)
    if config is not None:
        row.config = secrets.seal(config, workspace_id, f"{noun}/{id_}")
        row.config.pop("key", None)
    session.add(row)
    session.flush()
    audit.record(
        session, ACTOR, workspace_id, "change" if before else "add", noun, key,
        _masked(before, config), _masked(after, config),
    )  # fmt: skip
    if before is None:
        return [f"+ {noun} {key}"]
    return [f"~ {noun} {key}: {change}" for change in _changes(_masked(before, config), _masked(after, config))] or [
        f"~ {noun} {key}: a secret"
    ]


def _remove_others(session: Session, workspace_id: UUID, table: type[SQLModel], named: set[str]) -> list[str]:
    """What the file does not name goes; what history refers to is archived or switched off instead."""
    noun, lines = str(table.__tablename__), []
    for row in session.exec(select(table).where(table.workspace_id == workspace_id).order_by(table.key)):
        if row.key in named or getattr(row, "archived_at", None) or getattr(row, "enabled", True) is False:
            continue
        if isinstance(row, Category):
            row.archived_at = now()
        elif isinstance(row, Bot | Destination):
            row.enabled = False
        else:
            session.delete(row)
        audit.record(session, ACTOR, workspace_id, "remove", noun, row.key)
        lines.append(f"- {noun} {row.key}")
    session.flush()
    return lines


# ---- a part of the file as columns


def _position(table: type[SQLModel], position: int) -> dict[str, int]:
    return {"position": position} if "position" in table.model_fields else {}


def _bot(part: BotPart) -> dict[str, Any]:
    columns = part.model_dump(include={"channel", "name", "enabled"})
    return columns | {"config": workspace_file.bot_config(part)}


def _category(part: CategoryPart) -> dict[str, Any]:
    return part.model_dump(exclude={"key"}, mode="json") | {"archived_at": None}


def _rule(part: RulePart) -> dict[str, Any]:
    when, then = _set_values(part.when), part.then.model_dump(mode="json", exclude_defaults=True)
    return {"conditions": when, "actions": then, "go_on": part.go_on, "enabled": part.enabled}


def _llm_account(part: Account) -> dict[str, Any]:
    return {"enabled": True, "config": part}


def _destination(part: DestinationPart) -> dict[str, Any]:
    columns = part.model_dump(include={"connector", "name", "fields", "rate_per_s", "enabled"})
    return columns | {"config": workspace_file.destination_config(part)}


def _route(part: RoutePart) -> dict[str, Any]:
    return {
        "conditions": _set_values(part.when), "strategy": str(part.strategy), "destinations": part.destinations,
        "go_on": part.go_on, "is_default": part.default, "enabled": part.enabled,
    }  # fmt: skip


def _set_values(condition: Condition) -> dict[str, Any]:
    return condition.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


# ---- comparing


def _dumped(config: BaseModel) -> dict[str, Any]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else secrets.plain(value)
        for name, value in config
        if value is not None and not (isinstance(config, Account) and name == "key")
    }


def _opened(row: SQLModel, noun: str) -> dict[str, Any]:
    stored = getattr(row, "config", None)
    return {} if stored is None else {"config": secrets.opened(stored, row.workspace_id, f"{noun}/{row.id}")}


def _masked(values: dict[str, Any] | None, config: BaseModel | None) -> dict[str, Any] | None:
    if values is None or "config" not in values:
        return values
    hidden = {name for name, value in config if isinstance(value, SecretStr)} if config is not None else set()
    shown = {name: secrets.MASK if name in hidden else value for name, value in values["config"].items()}
    return values | {"config": shown}


def _changes(before: Any, after: Any, path: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for name in sorted(before.keys() | after.keys()):
            found += _changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        return found
    return [] if before == after else [f"{path} {_short(before)} -> {_short(after)}"]


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _checked(workspace_key: str) -> list[str]:
    """Ask each vendor whether the credentials work."""
    workspace_id, lines = _workspace_id(workspace_key), []
    rows = [*connections.bots(workspace_id), *connections.destinations(workspace_id)]
    for row in (row for row in rows if row.enabled):
        try:
            lines.append(f"ok {row.__tablename__} {row.key}: {connections.check(row)}")
        except (RemoteError, OctopusError) as error:
            lines.append(f"! {row.__tablename__} {row.key}: {error}")
    return lines


# ---- export


def export(workspace_key: str) -> str:
    """The workspace as YAML; each secret as `${OCTOPUS_<WORKSPACE>_<KEY>_<FIELD>}`, to be set where it is applied."""
    with in_workspace(_workspace_id(workspace_key)) as session:
        workspace = session.exec(select(Workspace)).one()
        classify = workspace.settings.get("classify", {})
        content = {
            "workspace": workspace.model_dump(include={"key", "name", "locale", "timezone", "join_window_min"}),
            "bots": [
                {"key": row.key, "channel": row.channel, **_named(row), "config": _exported(workspace, row)}
                for row in session.exec(select(Bot).where(Bot.enabled).order_by(Bot.key))
            ],
            "categories": [
                row.model_dump(include={"key", "name", "description", "priority", "sla_min"}, exclude_none=True)
                for row in _ordered(session, Category)
                if row.archived_at is None
            ],
            "rules": [
                {"key": row.key, "when": row.conditions, "then": row.actions} | _flags(row, row.go_on)
                for row in _ordered(session, Rule)
            ],
            "classify": {
                "llm": [{"key": row.key, **_exported(workspace, row)} for row in _ordered(session, LlmAccount)],
                **classify,
            },
            "destinations": [
                {"key": row.key, "connector": row.connector, **_named(row), "config": _exported(workspace, row)}
                | ({"fields": row.fields} if row.fields else {})
                | ({"rate_per_s": row.rate_per_s} if row.rate_per_s else {})
                for row in session.exec(select(Destination).where(Destination.enabled).order_by(Destination.key))
            ],
            "routes": [
                {"key": row.key, "when": row.conditions, "strategy": row.strategy, "destinations": row.destinations}
                | _flags(row, row.go_on)
                | ({"default": True} if row.is_default else {})
                for row in _ordered(session, Route)
            ],
        }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


def hooks(workspace_key: str) -> list[tuple[str, str]]:
    """(bot key, webhook URL) of each bot that is switched on."""
    rows = connections.bots(_workspace_id(workspace_key))
    return [(row.key, connections.hook_url(row)) for row in rows if row.enabled]


def _ordered(session: Session, table: type[SQLModel]) -> list:
    return list(session.exec(select(table).order_by(col(table.position), table.key)))


def _named(row: Bot | Destination) -> dict[str, str]:
    return {"name": row.name} if row.name else {}


def _flags(row: Rule | Route, go_on: bool) -> dict[str, bool]:
    return ({"continue": True} if go_on else {}) | ({} if row.enabled else {"enabled": False})


def _exported(workspace: Workspace, row: SQLModel) -> dict[str, Any]:
    shown = secrets.masked(row.config)
    return {name: _variable(workspace.key, row.key, name) if v == secrets.MASK else v for name, v in shown.items()}


def _variable(*parts: str) -> str:
    return "${OCTOPUS_" + "_".join(re.sub(r"[^A-Z0-9]", "_", part.upper()) for part in parts) + "}"


def _workspace_id(key: str) -> UUID:
    with in_system() as session:
        row = session.exec(select(Workspace).where(Workspace.key == key)).one_or_none()
        if row is None:
            known = ", ".join(session.exec(select(Workspace.key).order_by(Workspace.key))) or "none yet"
            raise InvalidInput(f"There is no workspace '{key}'. Known: {known}.", "workspace")
        return row.id

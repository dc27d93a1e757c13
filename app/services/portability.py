"""A workspace's configuration as a file: `apply` makes the workspace match it, `export` writes it.

The file is checked whole before anything changes, and everything changes in one transaction.
"""

from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretStr
from sqlmodel import Session, SQLModel, col, select

from app.classify.llm import Account
from app.db.engine import in_system
from app.db.tables import Bot, Category, Destination, LlmAccount, Membership, Person, Route, Rule, Workspace
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import InvalidInput, OctopusError
from app.services import audit, connections, releases, secrets, workspace_export, workspace_file
from app.services.release_content import category_columns, route_columns, rule_columns
from app.services.workspace_file import BotPart, DestinationPart, File, LlmPart

ACTOR = "cli"
LOCK = 0x0C71  # one apply at a time
FROM_A_FILE = "Applied from a file"
IN_FILE = {"conditions": "when", "actions": "then", "go_on": "continue", "is_default": "default"}


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
    workspace, new = _workspace(session, wanted)
    with releases.changing_live(session, workspace.id, ACTOR, FROM_A_FILE):
        return _match_workspace(session, workspace, new, wanted) + _match_parts(session, workspace, wanted)


def _match_parts(session: Session, workspace: Workspace, wanted: File) -> list[str]:
    rows = [
        *((Bot, part, _bot) for part in wanted.bots),
        *((Category, part, category_columns) for part in wanted.categories),
        *((Rule, part, rule_columns) for part in wanted.rules),
        *((LlmAccount, part, _llm_account) for part in wanted.classify.llm),
        *((Destination, part, _destination) for part in wanted.destinations),
        *((Route, part, route_columns) for part in wanted.routes),
    ]
    positions: dict[type, int] = {}
    lines = []
    for table, part, values_of in rows:
        position = positions[table] = positions.get(table, -1) + 1
        lines += _match(session, workspace.id, table, part.key, values_of(part) | _position(table, position))
    for table in (Route, Rule, LlmAccount, Destination, Category, Bot):
        named = {part.key for of, part, _ in rows if of is table}
        lines += _remove_others(session, workspace.id, table, named)
    return lines


def _workspace(session: Session, wanted: File) -> tuple[Workspace, bool]:
    """The file's workspace, and whether it is new."""
    part = wanted.workspace
    row = session.exec(select(Workspace).where(Workspace.key == part.key).with_for_update()).one_or_none()
    new = row is None
    if row is None:
        row = Workspace(key=part.key, name=part.name or part.key)
        session.add(row)
        session.flush()
        owner = session.exec(select(Person).order_by(col(Person.created_at)).limit(1)).first()
        if owner is not None:
            session.add(Membership(person_id=owner.id, workspace_id=row.id, role=Role.OWNER))
            session.flush()
    return row, new


def _match_workspace(session: Session, row: Workspace, new: bool, wanted: File) -> list[str]:
    part = wanted.workspace
    classify = wanted.classify.model_dump(mode="json", exclude={"llm"})
    values = part.model_dump() | {"name": part.name or part.key, "settings": row.settings | {"classify": classify}}
    before = None if new else {name: getattr(row, name) for name in values}
    if before == values:
        return []
    for name, value in values.items():
        setattr(row, name, value)
    row.config_version = Workspace.config_version + 1  # workers reload; the triggers watch the other tables only
    audit.record(session, ACTOR, row.id, "add" if new else "change", "workspace", part.key, before, values)
    return _lines("workspace", part.key, before, values, [])


def _match(session: Session, workspace_id: UUID, table: type[SQLModel], key: str, values: dict[str, Any]) -> list[str]:
    """Make one row what the file says. Secrets are compared decrypted, by `new_secrets` alone; the rest sees masks."""
    noun, config = str(table.__tablename__), values.pop("config", None)
    query = select(table).where(table.workspace_id == workspace_id, table.key == key)
    row = session.exec(query.with_for_update()).one_or_none()
    after = values | ({} if config is None else {"config": _shown(config)})
    before, renewed = None, []
    if row is not None:
        before = row.model_dump(mode="json", include=set(values))
        if config is not None:
            before, renewed = before | {"config": secrets.masked(row.config)}, connections.new_secrets(row, config)
    if before == after and not renewed:
        return []
    row = row or _new(table, workspace_id, key, values)
    for name, value in values.items():
        setattr(row, name, value)
    if config is not None:
        row.config = secrets.seal(config, workspace_id, f"{noun}/{row.id}")
        if isinstance(row, LlmAccount):
            row.config.pop("key", None)
    session.add(row)
    session.flush()
    if before is not None and isinstance(row, Destination | LlmAccount):
        connections.unpark(session, row)
    noted = after | ({"new_secrets": renewed} if renewed else {})
    audit.record(session, ACTOR, workspace_id, "change" if before else "add", noun, key, before, noted)
    return _lines(noun, key, before, after, renewed)


def _new(table: type[SQLModel], workspace_id: UUID, key: str, values: dict[str, Any]) -> SQLModel:
    hook = {"hook_key": token_urlsafe(24)} if table is Bot else {}
    return table(workspace_id=workspace_id, key=key, **values, **hook)


def _shown(config: BaseModel) -> dict[str, Any]:
    """As `secrets.masked` shows what is stored."""
    return {
        name: secrets.MASK if isinstance(value, SecretStr) else secrets.plain(value)
        for name, value in secrets.given(config)
        if not (isinstance(config, Account) and name == "key")
    }


def _remove_others(session: Session, workspace_id: UUID, table: type[SQLModel], named: set[str]) -> list[str]:
    """What the file does not name goes; what history refers to is archived or switched off instead."""
    noun, lines = str(table.__tablename__), []
    for row in session.exec(select(table).where(table.workspace_id == workspace_id).order_by(table.key)):
        before = connections.audited(row)
        if row.key in named or not _remove(session, row):
            continue
        after = None if row in session.deleted else connections.audited(row)
        audit.record(session, ACTOR, workspace_id, "remove", noun, row.key, before, after)
        lines.append(f"- {noun} {row.key}")
    session.flush()
    return lines


def _remove(session: Session, row: SQLModel) -> bool:
    """False when it had been archived or switched off before."""
    if isinstance(row, Category):
        gone, row.archived_at = row.archived_at is not None, row.archived_at or now()
        return not gone
    if connections.has_history(session, row):
        on, row.enabled = row.enabled, False
        return on
    session.delete(row)
    return True


# ---- a part of the file as columns


def _position(table: type[SQLModel], position: int) -> dict[str, int]:
    return {"position": position} if "position" in table.model_fields else {}


def _bot(part: BotPart) -> dict[str, Any]:
    columns = part.model_dump(include={"channel", "name", "enabled"})
    return columns | {"config": workspace_file.bot_config(part)}


def _llm_account(part: LlmPart) -> dict[str, Any]:
    return {"enabled": part.enabled, "config": Account.model_validate(part.model_dump(exclude={"enabled"}))}


def _destination(part: DestinationPart) -> dict[str, Any]:
    columns = part.model_dump(include={"connector", "name", "fields", "rate_per_s", "enabled"})
    return columns | {"config": workspace_file.destination_config(part)}


# ---- what to print


def _lines(noun: str, key: str, before: dict[str, Any] | None, after: dict[str, Any], renewed: list[str]) -> list[str]:
    if before is None:
        return [f"+ {noun} {key}"]
    changes = _changes(_as_in_file(before), _as_in_file(after)) + [f"config.{name} is new" for name in renewed]
    return [f"~ {noun} {key}: {change}" for change in changes]


def _as_in_file(values: dict[str, Any]) -> dict[str, Any]:
    return {IN_FILE.get(name, name): value for name, value in values.items()}


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
    rows = [
        *connections.bots(workspace_id), *connections.destinations(workspace_id),
        *connections.llm_accounts(workspace_id),
    ]  # fmt: skip
    for row in (row for row in rows if row.enabled):
        try:
            lines.append(f"ok {row.__tablename__} {row.key}: {connections.check(row)}")
        except OctopusError as error:
            lines.append(f"! {row.__tablename__} {row.key}: {error}")
    return lines


# ---- export


def export(workspace_key: str) -> str:
    """The workspace as YAML; each secret as `${OCTOPUS_<WORKSPACE>_<KEY>_<FIELD>}`, to be set where it is applied."""
    return workspace_export.written(_workspace_id(workspace_key))


def hooks(workspace_key: str) -> list[tuple[str, str]]:
    """(bot key, webhook URL) of each bot that is switched on."""
    rows = connections.bots(_workspace_id(workspace_key))
    return [(row.key, connections.hook_url(row)) for row in rows if row.enabled]


def _workspace_id(key: str) -> UUID:
    with in_system() as session:
        row = session.exec(select(Workspace).where(Workspace.key == key)).one_or_none()
        if row is None:
            known = ", ".join(session.exec(select(Workspace.key).order_by(Workspace.key))) or "none yet"
            raise InvalidInput(f"There is no workspace '{key}'. Known: {known}.", "workspace")
        return row.id

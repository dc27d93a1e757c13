"""Bots, destinations and LLM accounts: what connects a workspace to the outside. Every change is audited."""

import re
from dataclasses import dataclass
from secrets import token_urlsafe
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, SecretStr
from sqlmodel import Session, SQLModel, col, select

from app.classify import llm
from app.classify.prompt import Prompt
from app.db import crypto
from app.db.engine import in_draft, in_workspace
from app.db.tables import Bot, Destination, DestinationHealth, LlmAccount, LlmAccountHealth
from app.domain import templates
from app.domain.classification import Category
from app.domain.errors import InvalidInput, Rejected
from app.domain.tasks import Capability, RemoteField, Target
from app.services import audit, references, secrets, tokens
from app.services.members import Actor, Role, require
from app.settings import settings
from connectors import registry
from connectors.base import Channel, Connector

KEY = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")
HISTORY = {
    Bot: "select exists (select from raw_event where bot_id = %(id)s)",
    Destination: "select exists (select from delivery where destination_id = %(id)s)",
}
Connection = TypeVar("Connection", Bot, Destination, LlmAccount)


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion took away, to put it back. `kept`: the row was switched off, because history refers to it."""

    row: SQLModel
    kept: bool


# ---- reading


def bots(workspace_id: UUID) -> list[Bot]:
    return _all(workspace_id, select(Bot).order_by(Bot.key))


def destinations(workspace_id: UUID) -> list[Destination]:
    return _all(workspace_id, select(Destination).order_by(Destination.key))


def llm_accounts(workspace_id: UUID) -> list[LlmAccount]:
    return _all(workspace_id, select(LlmAccount).order_by(col(LlmAccount.position)))


def hook_url(bot: Bot) -> str:
    """Where the chat service sends events."""
    return f"{settings().hooks_url}/hooks/{bot.channel}/{bot.hook_key}"


def config_model(row: Bot | Destination | LlmAccount) -> type[BaseModel]:
    if isinstance(row, Bot):
        return registry.channel(row.channel).Config
    return registry.crm(row.connector).Config if isinstance(row, Destination) else llm.Account


def shown(row: Bot | Destination | LlmAccount) -> dict[str, Any]:
    """The stored values for a form or the audit log; secrets masked."""
    return secrets.masked(row.config)


def new_secrets(row: Bot | Destination | LlmAccount, config: BaseModel) -> list[str]:
    """Names of the secrets in `config` that differ from the row's; one that cannot be decrypted any more differs."""
    typed = {name: value.get_secret_value() for name, value in secrets.given(config) if isinstance(value, SecretStr)}
    return [name for name, secret in typed.items() if _stored_secret(row, name) != secret]


def _stored_secret(row: Bot | Destination | LlmAccount, name: str) -> str | None:
    kept = {name: row.config[name]} if name in row.config else {}
    try:
        return secrets.opened(kept, row.workspace_id, f"{row.__tablename__}/{row.id}").get(name)
    except crypto.SecretLost:
        return None


# ---- saving


def new_bot(workspace_id: UUID, key: str, channel: str) -> Bot:
    """Not stored. Some channels want the webhook address before they give out what `save_bot` needs."""
    return Bot(workspace_id=workspace_id, key=key, channel=channel, hook_key=token_urlsafe(24))


def save_bot(
    actor: Actor,
    key: str,
    channel: str,
    values: dict[str, Any],
    name: str = "",
    enabled: bool = True,
    hook_key: str = "",
) -> Bot:
    """Add or change a bot. Secrets left empty keep what is stored. Raises InvalidInput naming the field.

    hook_key: of a new bot whose webhook address was shown already.
    """
    registry.channel(channel)
    with _changing(actor) as session:
        row = _existing(session, Bot, key)
        if row is None:
            row = new_bot(actor.workspace_id, checked_key(key), channel)
            row.hook_key = hook_key or row.hook_key
        if row.channel != channel:
            raise InvalidInput(f"'{key}' is a {row.channel} bot. Give the new one another key.", "key")
        return _save(session, actor, "bot", row, values, name=name, enabled=enabled)


def save_destination(
    actor: Actor,
    key: str,
    connector: str,
    values: dict[str, Any],
    name: str = "",
    fields: dict[str, str] | None = None,
    rate_per_s: float | None = None,
    enabled: bool = True,
) -> Destination:
    """Add or change a destination; deliveries that waited for working credentials go out at once."""
    registry.crm(connector)
    for field, template in (fields or {}).items():
        templates.check(template, f"fields.{field}")
    with _changing(actor) as session:
        row = _existing(session, Destination, key) or Destination(
            workspace_id=actor.workspace_id, key=checked_key(key), connector=connector
        )
        if row.connector != connector:
            raise InvalidInput(f"'{key}' is a {row.connector} destination. Give the new one another key.", "key")
        changed = {"name": name, "rate_per_s": rate_per_s, "enabled": enabled}
        saved = _save(
            session, actor, "destination", row, values, fields=row.fields if fields is None else fields, **changed
        )
        unpark(session, saved)
        tokens.forget(session, saved.id)
        return saved


def save_llm_account(
    actor: Actor, key: str, values: dict[str, Any], position: int | None = None, enabled: bool = True
) -> LlmAccount:
    """Add or change an LLM account; accounts are asked in the order of `position`."""
    with _changing(actor) as session:
        row = _existing(session, LlmAccount, key)
        if row is None:
            position = len(session.exec(select(LlmAccount.id)).all()) if position is None else position
            row = LlmAccount(workspace_id=actor.workspace_id, key=checked_key(key), position=position)
        changed = {"enabled": enabled, "position": row.position if position is None else position}
        saved = _save(session, actor, "llm_account", row, values, **changed)
        unpark(session, saved)
        return saved


def _save(
    session: Session, actor: Actor, noun: str, row: Connection, values: dict[str, Any], **columns: Any
) -> Connection:
    before = audited(row) if row.config else None
    place = f"{noun}/{row.id}"
    config = _completed(config_model(row), row, values, place)
    renewed = new_secrets(row, config) if before else []
    row.config = secrets.seal(config, row.workspace_id, place)
    if isinstance(row, LlmAccount):
        row.config.pop("key", None)
    for name, value in columns.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    after = audited(row) | ({"new_secrets": renewed} if renewed else {})
    if before != after:
        audit.record(
            session, actor.email, actor.workspace_id, "change" if before else "add", noun, row.key, before, after
        )
    return row


def _completed(model: type[BaseModel], row: Connection, values: dict[str, Any], place: str) -> BaseModel:
    """The typed values, with stored secrets where the form left them empty.

    Not at another address: whoever may only change a connection could have its secrets sent to a server of their own.
    """
    given = {name: value for name, value in values.items() if value not in ("", None, secrets.MASK)}
    left = {name: row.config[name] for name in _secret_fields(model) if name in row.config and name not in given}
    old, new = (str(config.get("base_url") or "").rstrip("/") for config in (row.config, given))
    if left and old != new:
        raise InvalidInput(
            "With another address the secrets must be typed again: those that are stored are only for the old one. "
            "Nothing was changed or sent.",
            "base_url",
        )
    kept = secrets.opened(left, row.workspace_id, place)
    return secrets.validated(model, kept | given | ({"key": row.key} if isinstance(row, LlmAccount) else {}))


def _secret_fields(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if SecretStr in _parts(field.annotation)]


def _parts(annotation: Any) -> tuple:
    return (annotation, *getattr(annotation, "__args__", ()))


def unpark(session: Session, row: Destination | LlmAccount) -> None:
    """Forget past failures: what waited for working credentials is tried at once."""
    health = session.get(DestinationHealth if isinstance(row, Destination) else LlmAccountHealth, row.id)
    if health is not None:
        health.parked_reason, health.failures, health.pauses = "", 0, 0
        health.open_until = health.failing_since = None
    if isinstance(row, Destination):
        waiting = "destination_id = %(id)s and status in ('retrying', 'unknown')"
        session.connection().exec_driver_sql(
            f"update delivery set next_try_at = now() where {waiting}",  # noqa: S608  a constant of this function
            {"id": row.id},
        )


# ---- removing and putting back


def delete_bot(actor: Actor, key: str) -> Removed:
    """Its messages stay, so a bot that ever received one is switched off instead.

    Raises InvalidInput, naming the rules and routes, when the bot would go while they ask for it.
    """
    return _remove(actor, Bot, "bot", key)


def delete_destination(actor: Actor, key: str) -> Removed:
    require(actor, Role.MANAGER)
    if used := _users(actor.workspace_id, "destination", key):
        raise InvalidInput(
            f"The destination '{key}' is used by {', '.join(used)}. Take it out of there and publish that first.", "key"
        )
    return _remove(actor, Destination, "destination", key)


def delete_llm_account(actor: Actor, key: str) -> Removed:
    return _remove(actor, LlmAccount, "llm_account", key)


def restore(actor: Actor, removed: Removed) -> None:
    """Take a deletion back. Raises InvalidInput when something else has taken the key meanwhile."""
    with _changing(actor) as session:
        noun = str(removed.row.__tablename__)
        if not removed.kept and _existing(session, type(removed.row), removed.row.key) is not None:
            raise InvalidInput(f"There is another {noun} '{removed.row.key}' now; the old one was not restored.", "key")
        before = None
        if removed.kept:
            row = session.get_one(type(removed.row), removed.row.id)
            before = audited(row)
            row.enabled = True
        else:
            row = type(removed.row)(**removed.row.model_dump())
            session.add(row)
        audit.record(session, actor.email, actor.workspace_id, "restore", noun, removed.row.key, before, audited(row))


def has_history(session: Session, row: SQLModel) -> bool:
    """Whether messages or deliveries refer to the row, so that it can be switched off but not deleted."""
    sql = HISTORY.get(type(row))
    return sql is not None and session.connection().exec_driver_sql(sql, {"id": row.id}).scalar_one()


def _remove(actor: Actor, table: type[Connection], noun: str, key: str) -> Removed:
    with _changing(actor) as session:
        row = _existing(session, table, key)
        if row is None:
            raise InvalidInput(f"There is no {noun} '{key}' any more.", "key")
        kept = has_history(session, row)
        used = _users(actor.workspace_id, noun, key) if isinstance(row, Bot) and not kept else []
        if used:
            raise InvalidInput(
                f"The bot '{key}' is used by {', '.join(used)}. Change these and publish that first.", "key"
            )
        before, after = audited(row), None
        if kept:
            row.enabled = False
            after = audited(row)
        else:
            session.delete(row)
        action = "switch off" if kept else "delete"
        audit.record(session, actor.email, actor.workspace_id, action, noun, key, before, after)
        return Removed(table(**row.model_dump()), kept)


# ---- asking the vendors; no transaction is open meanwhile


def bot_adapter(row: Bot, values: dict[str, Any] | None = None) -> Channel:
    return _adapter(registry.channel(row.channel), "Channel", row, values or {}, f"bot/{row.id}")


def destination_adapter(row: Destination, values: dict[str, Any] | None = None) -> Connector:
    return _adapter(registry.crm(row.connector), "Connector", row, values or {}, f"destination/{row.id}")


def check(
    row: Bot | Destination | LlmAccount, values: dict[str, Any] | None = None, fields: dict[str, str] | None = None
) -> str:
    """Ask the vendor who we are; returns the name to show. Raises RemoteError or InvalidInput.

    row may be unsaved; values are what the form holds, fields the mapping: Rejected names a field the target lacks.
    """
    if isinstance(row, Bot):
        return bot_adapter(row, values).check()
    if isinstance(row, Destination):
        account = destination_adapter(row, values).check()
        _check_mapping(row, values, fields or {})
        return account
    account = _completed(llm.Account, row, values or _plain(row), f"llm_account/{row.id}")
    sample = Prompt((Category("greeting", "Greeting", "A greeting"), Category("other", "Other", "Anything else")))
    answer = llm.ask(account, sample, "Hello!")
    return f"{account.model}: {answer.took_ms:.0f} ms"


def targets(row: Destination, values: dict[str, Any] | None = None) -> list[Target]:
    return destination_adapter(row, values).targets()


def _check_mapping(row: Destination, values: dict[str, Any] | None, fields: dict[str, str]) -> None:
    if not fields or Capability.FIELDS not in registry.crm(row.connector).Connector.CAN:
        return
    for name in fields.keys() - {field.key for field in remote_fields(row, values)}:
        raise Rejected(f"The target has no field '{name}'. Read its fields and choose one.", name)


def remote_fields(row: Destination, values: dict[str, Any] | None = None) -> list[RemoteField]:
    return destination_adapter(row, values).fields()


def set_webhook(actor: Actor, key: str) -> str:
    """Tell the chat service where to send events; returns the URL that was set."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = session.exec(select(Bot).where(Bot.key == key)).one_or_none()
    if row is None:
        raise InvalidInput(f"There is no bot '{key}' any more.", "key")
    url = hook_url(row)
    bot_adapter(row).set_webhook(url)
    with in_workspace(actor.workspace_id) as session:
        audit.record(session, actor.email, actor.workspace_id, "set webhook", "bot", key)
    return url


def _adapter(module: ModuleType, name: str, row: Connection, values: dict[str, Any], place: str):
    config = _completed(module.Config, row, values or _plain(row), place)
    return getattr(module, name)(config)


def _plain(row: Connection) -> dict[str, Any]:
    return {name: value for name, value in secrets.masked(row.config).items() if value != secrets.MASK}


# ---- shared


def _all(workspace_id: UUID, query) -> list:
    with in_workspace(workspace_id) as session:
        return list(session.exec(query))


def _changing(actor: Actor):
    require(actor, Role.MANAGER)
    return in_workspace(actor.workspace_id)


def _users(workspace_id: UUID, noun: str, key: str) -> list[str]:
    """The rules and routes that name it, live or in the draft."""
    found: list[str] = []
    for scope in (in_workspace, in_draft):
        with scope(workspace_id) as session:
            found += references.users(session, noun, key)
    return list(dict.fromkeys(found))


def _existing(session: Session, table: type[Connection], key: str) -> Connection | None:
    return session.exec(select(table).where(table.key == key).with_for_update()).one_or_none()


def checked_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise InvalidInput("A key has small letters, digits, '-' and '_', and starts with a letter or digit.", "key")
    return key


def audited(row: SQLModel) -> dict[str, Any]:
    """Any row of the configuration for the audit log, without what never changes; secrets masked."""
    columns = row.model_dump(mode="json", exclude={"id", "workspace_id", "hook_key", "created_at"})
    return columns | ({"config": secrets.masked(columns["config"])} if "config" in columns else {})

"""Messages that a program sends in by the REST API: stored like a webhook's, so that they go the way of all others."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from redis import RedisError
from sqlmodel import Session, select

from app import enqueue
from app.db.engine import in_workspace
from app.db.tables import Bot, RawEvent
from app.db.tables.base import new_id, now
from app.domain.errors import InvalidInput, Malformed, NotFound
from app.domain.messages import RawRequest
from app.logs import log
from app.services import configuration
from app.services.members import Actor, Role, require
from connectors import registry

CHANNEL = "api"
HEAD_START = timedelta(seconds=15)  # before the sweeper takes it for forgotten


@dataclass(frozen=True, slots=True)
class Received:
    """known: it was here already, and nothing was changed."""

    event_id: UUID
    known: bool


def send_in(actor: Actor, bot_key: str, content: dict[str, Any]) -> Received:
    """content: a message as the channel API reads it. Raises InvalidInput naming the field, or NotFound.

    The same id in the same conversation is the same message, whatever else it says.
    """
    require(actor, Role.AGENT)
    with in_workspace(actor.workspace_id) as session:
        bot = _bot(session, bot_key)
        row = RawEvent(
            id=new_id(), workspace_id=actor.workspace_id, bot_id=bot.id, event_key=_event_key(content),
            headers={"content-type": "application/json", "user-agent": actor.email}, body=json.dumps(content).encode(),
            next_try_at=now() + HEAD_START,
        )  # fmt: skip
        event_id = _stored(session, row)
        known = event_id is None
        if known:
            query = select(RawEvent.id).where(RawEvent.bot_id == bot.id, RawEvent.event_key == row.event_key)
            event_id = session.exec(query).one()
    if not known:
        _wake(actor.workspace_id, event_id)
    return Received(event_id, known)


def read(workspace_id: UUID, raw_event_id: UUID) -> dict[str, Any]:
    """What became of an event: status, reason and message_ids. Raises NotFound."""
    with in_workspace(workspace_id) as session:
        row = session.exec(select(RawEvent).where(RawEvent.id == raw_event_id)).one_or_none()
        if row is None:
            raise NotFound("There is no such event, or it is no longer kept.", "event_id")
        bot = configuration.current(workspace_id, session).bots.get(row.bot_id)
        keys = _message_keys(bot.adapter, row) if bot else []
        ids = session.connection().exec_driver_sql(
            "select id from message where bot_id = %(bot)s and external_id = any(%(keys)s) order by id",
            {"bot": row.bot_id, "keys": keys},
        )  # fmt: skip
        return {"id": row.id, "status": row.status, "reason": row.reason, "message_ids": list(ids.scalars())}


def _bot(session: Session, key: str) -> Bot:
    bot = session.exec(select(Bot).where(Bot.key == key)).one_or_none()
    if bot is None:
        raise NotFound(f"There is no bot '{key}'. Nothing was stored.", "bot")
    if bot.channel != CHANNEL or not bot.enabled:
        raise InvalidInput(
            f"The bot '{key}' is switched off or of a chat service. Programs send messages in through a bot of the "
            "channel API; a manager adds one on the page Bots. Nothing was stored.",
            "bot",
        )
    return bot


def _event_key(content: dict[str, Any]) -> str:
    return registry.channel(CHANNEL).message_of(content).external_key


def _stored(session: Session, row: RawEvent) -> UUID | None:
    """None: the event is here already."""
    values = row.model_dump(include={"workspace_id", "bot_id", "event_key", "body", "next_try_at"})
    return session.connection().exec_driver_sql("""
        insert into raw_event
            (id, workspace_id, bot_id, event_key, received_at, headers, query, body, status, reason, next_try_at)
        values (%(id)s, %(workspace_id)s, %(bot_id)s, %(event_key)s, now(), %(headers)s, '', %(body)s, 'received', '',
                %(next_try_at)s)
        on conflict (bot_id, event_key) do nothing returning id""",
        values | {"id": row.id, "headers": json.dumps(row.headers)}).scalar()  # fmt: skip


def _message_keys(adapter, row: RawEvent) -> list[str]:
    try:
        messages = adapter.parse(RawRequest("POST", row.headers, row.body, row.query)).messages
    except Malformed:
        return []  # the event's own reason says so
    return [message.external_key for message in messages]


def _wake(workspace_id: UUID, event_id: UUID) -> None:
    try:
        enqueue.wake(enqueue.PROCESS, {workspace_id: [event_id]})
    except RedisError as error:
        log.warning("wake_failed", error=str(error), next_step="the sweeper queues it")

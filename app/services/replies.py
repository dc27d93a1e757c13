"""Telling a customer that their task is done, where its route says so: once, in their language, in the same chat.

Chats cannot be asked whether a message arrived. So a try whose end nobody saw is not repeated: hearing it twice is
worse than asking once more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from random import random
from uuid import UUID

from redis import RedisError
from sqlmodel import Session

from app import enqueue
from app.db import inbox
from app.db import replies as store
from app.db.engine import in_workspace
from app.db.replies import Claimed
from app.db.tables.base import now
from app.domain import retry
from app.domain.errors import Ambiguous, RemoteError, TransientError
from app.domain.lifecycle import DeliveryStatus
from app.domain.templates import render
from app.logs import log
from app.services import configuration
from app.services.configuration import Configuration

LEASE = timedelta(minutes=2)
GIVE_UP_AFTER_S = 24 * 3600.0  # as long as WhatsApp lets a business answer


@dataclass(frozen=True, slots=True)
class _End:
    status: DeliveryStatus
    error: str = ""
    wait_s: float | None = None
    external_id: str = ""


def plan(session: Session, config: Configuration, deliveries: Iterable[UUID]) -> list[UUID]:
    """Of deliveries whose tasks were just done; returns the replies to send, for `wake`."""
    templates = {route.key: route.reply for route in config.routes if route.reply}
    rows = []
    for task in store.done_tasks(session, deliveries) if templates else ():
        text = in_language(templates.get(task.route_key, {}), task.language)
        if text:
            values = {
                "message.title": task.title, "contact.name": task.contact_name, "category.name": task.category_name
            }  # fmt: skip
            rows.append({"task_id": task.task_id, "message_id": task.message_id, "text": render(text, values)})
    return store.plan(session, config.workspace.id, rows)


def in_language(templates: dict[str, str], language: str) -> str:
    """The template of this language, else the one for all others, else English, else none."""
    return templates.get(language[:2]) or templates.get("") or templates.get("en") or ""


def wake(workspace_id: UUID, ids: list[UUID]) -> None:
    if ids:
        try:
            enqueue.wake(enqueue.REPLY, {workspace_id: ids})
        except RedisError as error:
            log.warning("wake_failed", error=str(error), replies=len(ids), next_step="the sweeper queues them")


def send_all(workspace_id: UUID, ids: Iterable[UUID]) -> None:
    """Make the next try of each reply that is due. Safe to run twice."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        claimed = store.claim(session, ids, LEASE)
    for one in claimed:
        end = _try(one, config)
        with in_workspace(workspace_id) as session:
            due = now() + timedelta(seconds=end.wait_s) if end.wait_s is not None else None
            if store.finish(session, one.id, one.number, end.status, end.error, due, end.external_id):
                data = {"text": one.text} | ({"error": end.error} if end.error else {})
                entry = {"message_id": one.message_id, "event": f"reply_{end.status}", "data": data}
                inbox.record(session, workspace_id, [entry])


def _try(claimed: Claimed, config: Configuration) -> _End:
    bot = config.bots.get(claimed.bot_id)
    if bot is None:
        return _End(DeliveryStatus.FAILED, "The bot was removed or switched off; the customer was not told.")
    try:
        sent = bot.adapter.send(claimed.chat_id, claimed.text, claimed.thread_id, str(claimed.id))
        return _End(DeliveryStatus.DELIVERED, external_id=sent)
    except Ambiguous as error:
        return _End(DeliveryStatus.UNKNOWN, f"{error} It is not sent again, as the customer may have it.")
    except TransientError as error:
        if (now() - claimed.created_at).total_seconds() > GIVE_UP_AFTER_S:
            return _End(DeliveryStatus.FAILED, f"{error} Given up after a day; the customer was not told.")
        wait_s = max(retry.backoff_s(claimed.number, random), error.retry_after_s or 0.0)
        return _End(DeliveryStatus.RETRYING, str(error), wait_s)
    except RemoteError as error:
        return _End(DeliveryStatus.FAILED, str(error))

"""Who is told of what: addresses that subscribe to events, their secrets, and what they were told.

A secret is on a screen once, when it is made. Rotated, the old one goes on signing beside the new one for a day.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import HttpUrl, TypeAdapter, ValidationError
from redis import RedisError
from sqlmodel import Session, col, select

from app import enqueue
from app.db import crypto
from app.db import webhooks as store
from app.db.engine import in_workspace
from app.db.tables import WebhookEndpoint, WebhookEvent
from app.db.tables.base import now
from app.db.tables.webhooks import EventStatus
from app.domain.errors import InvalidInput, NotFound
from app.domain.events import TEST_EVENT, EventType
from app.logs import log
from app.services import audit, configuration, telling
from app.services.members import Actor, Role, require
from app.services.pool import LEASE
from app.settings import settings
from connectors import standard_webhooks

BOTH_FOR = timedelta(hours=24)
MOST_ENDPOINTS = 20  # each event is written once for each of them
LONGEST_NAME, LONGEST_URL = 60, 2000
PAGE = 50
MOST_COUNTED = 10_000
KEPT_DAYS = telling.KEPT_DAYS


@dataclass(frozen=True, slots=True)
class Page:
    """`older`, `newer`: cursors for `page`, None at the ends."""

    lines: list[WebhookEvent]
    older: UUID | None
    newer: UUID | None


# ---- the addresses


def endpoints(workspace_id: UUID) -> list[WebhookEndpoint]:
    """Oldest first. The secrets in the rows are sealed."""
    with in_workspace(workspace_id) as session:
        return list(session.exec(select(WebhookEndpoint).order_by(col(WebhookEndpoint.id))))


def endpoint(workspace_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Raises NotFound."""
    with in_workspace(workspace_id) as session:
        return _existing(session, endpoint_id)


def add(actor: Actor, url: str, events: Collection[str], name: str = "") -> tuple[WebhookEndpoint, str]:
    """Returns the row and the secret, which nobody can find out again. Raises InvalidInput naming the field."""
    require(actor, Role.MANAGER)
    row = WebhookEndpoint(workspace_id=actor.workspace_id, url="", events=[], secret="")
    _fill(row, url, events, name)
    secret = _give_secret(row)
    with in_workspace(actor.workspace_id) as session:
        if len(session.exec(select(WebhookEndpoint.id)).all()) >= MOST_ENDPOINTS:
            raise InvalidInput(f"A workspace has at most {MOST_ENDPOINTS} webhooks. Delete one first.", "url")
        session.add(row)
        _audit(session, actor, "add", row.url, None, _audited(row))
    return row, secret


def change(
    actor: Actor, endpoint_id: UUID, url: str, events: Collection[str], name: str, enabled: bool
) -> WebhookEndpoint:
    """What waited while it was off is sent when it is on again. Raises InvalidInput naming the field."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = _existing(session, endpoint_id, lock=True)
        before = _audited(row)
        _fill(row, url, events, name)
        if enabled != row.enabled:
            row.enabled, row.off_reason = enabled, ""
        if before != _audited(row):
            _audit(session, actor, "change", row.url, before, _audited(row))
    return row


def remove(actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """Returns what `restore` takes. What it was to be told waits until it is restored, or is deleted by age."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = _existing(session, endpoint_id, lock=True)
        session.delete(row)
        _audit(session, actor, "delete", row.url, _audited(row))
        return WebhookEndpoint(**row.model_dump())


def restore(actor: Actor, deleted: WebhookEndpoint) -> None:
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = WebhookEndpoint(**deleted.model_dump())
        session.add(row)
        _audit(session, actor, "restore", row.url, None, _audited(row))


def rotate(actor: Actor, endpoint_id: UUID) -> tuple[WebhookEndpoint, str]:
    """A new secret. For a day everything is signed with the one before as well; the one before that ends at once."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = _existing(session, endpoint_id, lock=True)
        row.previous_secret, row.previous_until = row.secret, now() + BOTH_FOR
        secret = _give_secret(row)
        _audit(session, actor, "rotate", row.url)
    return row, secret


def old_secret_ends_at(row: WebhookEndpoint) -> datetime | None:
    """None: only the newest secret signs."""
    return row.previous_until if row.previous_until and row.previous_until > now() else None


# ---- what they were told


def page(
    workspace_id: UUID, endpoint_id: UUID, failed: bool = False, before: UUID | None = None, after: UUID | None = None
) -> Page:
    """Newest first, 50 at a time. Keyset paging: the thousandth page costs what the first does."""
    id_ = col(WebhookEvent.id)
    query = select(WebhookEvent).where(
        WebhookEvent.workspace_id == workspace_id, WebhookEvent.endpoint_id == endpoint_id
    )
    if failed:
        query = query.where(WebhookEvent.status == EventStatus.FAILED)
    if before:
        query = query.where(id_ < before)
    if after:
        query = query.where(id_ > after)
    with in_workspace(workspace_id) as session:
        rows = list(session.exec(query.order_by(id_.asc() if after else id_.desc()).limit(PAGE + 1)))
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if after:
        rows.reverse()
    has_older, has_newer = (True, more) if after else (more, before is not None)
    return Page(rows, rows[-1].id if rows and has_older else None, rows[0].id if rows and has_newer else None)


def event(workspace_id: UUID, event_id: UUID) -> WebhookEvent:
    """Raises NotFound."""
    with in_workspace(workspace_id) as session:
        row = session.exec(select(WebhookEvent).where(WebhookEvent.id == event_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such event any more; they are kept for 30 days.", "event_id")
    return row


def body(row: WebhookEvent) -> str:
    """The request's body, as the address reads it."""
    return telling.body(row.type, row.at, row.data).decode()


def attempted_at(attempt: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(attempt["at"])


def count_failed(workspace_id: UUID, endpoint_id: UUID, since: datetime) -> int:
    """Counted up to 10,000."""
    with in_workspace(workspace_id) as session:
        return store.count_failed(session, endpoint_id, since, MOST_COUNTED)


def replay(actor: Actor, event_ids: Collection[UUID]) -> int:
    """Send these again at once, also what was delivered; returns how many. What is just being sent is left."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        concerned = store.send_again(session, list(event_ids))
    _wake(actor.workspace_id, set(concerned))
    return len(concerned)


def replay_failed(actor: Actor, endpoint_id: UUID, since: datetime) -> int:
    """Send again what failed since then; returns how many."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        _existing(session, endpoint_id)
        count = store.send_failed_again(session, endpoint_id, since)
    _wake(actor.workspace_id, {endpoint_id} if count else set())
    return count


def send_test(actor: Actor, endpoint_id: UUID) -> WebhookEvent:
    """Send an event that tells of nothing, at once and also while it is off; returns how that ended."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        webhook = configuration.webhook(_existing(session, endpoint_id))
        data = {"message": "A test: nothing has happened."}
        claimed = store.begin(session, actor.workspace_id, endpoint_id, TEST_EVENT, data, LEASE)
    sent = telling.Sent(telling.Batch(webhook, [claimed]), [telling.attempt(webhook, claimed)])
    with in_workspace(actor.workspace_id) as session:
        telling.save(session, [sent])
    return event(actor.workspace_id, claimed.id)


def _wake(workspace_id: UUID, endpoint_ids: set[UUID]) -> None:
    try:
        enqueue.wake(enqueue.TELL, {workspace_id: endpoint_ids} if endpoint_ids else {})
    except RedisError as error:
        log.warning("wake_failed", error=str(error), next_step="the sweeper queues them")


# ---- shared


def _existing(session: Session, endpoint_id: UUID, lock: bool = False) -> WebhookEndpoint:
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("There is no such webhook any more.", "webhook_id")
    return row


def _fill(row: WebhookEndpoint, url: str, events: Collection[str], name: str) -> None:
    name = name.strip()
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"A name has at most {LONGEST_NAME} characters.", "name")
    if not events or not set(events) <= set(EventType):
        raise InvalidInput(f"Choose what it is told of: {', '.join(EventType)}.", "events")
    row.url, row.name = _checked_url(url), name
    row.events = [event for event in EventType if event in events]


def _checked_url(url: str) -> str:
    """As it was typed; an address ends at once where a redirect would be needed."""
    url = url.strip()
    try:
        TypeAdapter(HttpUrl).validate_python(url)
    except ValidationError as error:
        raise InvalidInput("This is no web address. It begins with https://.", "url") from error
    parts = urlsplit(url)
    if len(url) > LONGEST_URL or parts.username is not None or parts.fragment:
        raise InvalidInput(f"An address has at most {LONGEST_URL} characters, no user name and no #.", "url")
    if parts.scheme != "https" and not settings().allow_private_hosts:
        raise InvalidInput("Only https:// keeps what is told from others. Use such an address.", "url")
    return url


def _give_secret(row: WebhookEndpoint) -> str:
    secret = standard_webhooks.new_secret()
    row.secret = crypto.encrypt(secret, row.workspace_id, f"webhook_endpoint/{row.id}/secret")
    return secret


def _audited(row: WebhookEndpoint) -> dict[str, Any]:
    return {"url": row.url, "name": row.name, "events": list(row.events), "enabled": row.enabled}


def _audit(session: Session, actor: Actor, action: str, url: str, before: Any = None, after: Any = None) -> None:
    audit.record(session, actor.email, actor.workspace_id, action, "webhook", url, before, after)

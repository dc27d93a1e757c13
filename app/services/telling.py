"""Telling webhooks of events: at least once, in no promised order, from the outbox that `events.announce` fills.

An address has a few of each process's threads, so that one that hangs holds up no delivery; one that fails again and
again is left alone for a while (each process finds that out for itself).
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from app.db import webhooks as store
from app.db.engine import in_system, in_workspace
from app.db.tables import WebhookEvent
from app.db.tables.base import new_id, now
from app.db.tables.webhooks import EventStatus
from app.db.webhooks import Claimed
from app.domain import breaker, events
from app.domain.breaker import Circuit
from app.domain.errors import PermanentError, RemoteError, TargetGone, TransientError
from app.logs import log
from app.services import audit, configuration
from app.services.configuration import ConfiguredWebhook
from app.services.pool import LEASE, pool
from connectors import standard_webhooks
from connectors.http import Exchanges, recording

THREADS = 4  # of one address, per process
BATCH, BATCH_S = 25, 5.0  # events a thread claims and saves at once; after so long the rest is given back
MOST_BATCHES = 20  # then the thread is free for other work; the sweeper wakes somebody again
ANSWER_KEPT = 1000  # characters
KEPT_DAYS = 30
DELETED_AT_ONCE, DELETING_S = 5000, 5.0
ACTOR = "worker"

_threads: Counter[UUID] = Counter()
_circuits: dict[UUID, Circuit] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one address that one thread sends one after the other. Never empty."""

    webhook: ConfiguredWebhook
    claimed: list[Claimed]


@dataclass(frozen=True, slots=True)
class Result:
    """How one try ended. attempt: what the screen shows of it. gone: by a 410."""

    claimed: Claimed
    status: EventStatus
    attempt: dict[str, Any]
    error: str = ""
    wait_s: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, how far it came, and whether its thread goes on with the next."""

    batch: Batch
    results: list[Result]
    go_on: bool = False


# ---- by the workers


def tell(workspace_id: UUID, endpoint_id: UUID) -> None:
    """Send what is due to this address. Safe to run twice: a row is claimed once."""
    with in_workspace(workspace_id) as session:
        webhook = _current(session, workspace_id, endpoint_id)
        free = _take_threads(endpoint_id) if webhook and not _is_left_alone(endpoint_id) else 0
        claimed = store.claim(session, endpoint_id, free * BATCH, new_id(), LEASE) if free else []
    batches = [Batch(webhook, part) for at in range(free) if (part := claimed[at::free])]
    _give_back(endpoint_id, free - len(batches))
    for batch in batches:
        _lease(batch)
    for batch in batches:
        pool().submit(_follow, batch)


def _follow(first: Batch) -> None:
    """Send one batch after the other, until nothing is due."""
    batch: Batch | None = first
    try:
        for left in reversed(range(MOST_BATCHES)):
            if batch is None:
                break
            batch = _send_all(batch, go_on=left > 0)
    finally:
        _give_back(first.webhook.id, 1)


def _send_all(batch: Batch, go_on: bool) -> Batch | None:
    """Returns the batch that follows."""
    results: list[Result] = []
    until = time.monotonic() + BATCH_S
    try:
        for claimed in batch.claimed:
            results.append(attempt(batch.webhook, claimed))
            if results[-1].gone or _is_left_alone(batch.webhook.id) or time.monotonic() > until:
                break
        go_on = go_on and not results[-1].gone and not _is_left_alone(batch.webhook.id)
        following = pool().writer.save(batch.webhook.workspace_id, save, Sent(batch, results, go_on))
        if following:
            _lease(following)
    finally:
        for claimed in batch.claimed:
            pool().release(WebhookEvent, claimed.id)
    return following


def _lease(batch: Batch) -> None:
    pool().lease(WebhookEvent, batch.webhook.workspace_id, batch.claimed[0].token, [one.id for one in batch.claimed])


def _take_threads(endpoint_id: UUID) -> int:
    with _lock:
        free = THREADS - _threads[endpoint_id]
        _threads[endpoint_id] += free
    return free


def _give_back(endpoint_id: UUID, threads: int) -> None:
    with _lock:
        _threads[endpoint_id] -= threads


def _current(session: Session, workspace_id: UUID, endpoint_id: UUID) -> ConfiguredWebhook | None:
    """None: it was deleted or switched off; what waits for it waits until it is switched on again."""
    webhooks = configuration.current(workspace_id, session).webhooks
    return next((webhook for webhook in webhooks if webhook.id == endpoint_id), None)


# ---- one try


def attempt(webhook: ConfiguredWebhook, claimed: Claimed) -> Result:
    """Tell the address. No transaction is open meanwhile."""
    at = now()
    with recording() as exchanges:
        try:
            text = body(claimed.type, claimed.at, claimed.data)
            signed = standard_webhooks.headers(webhook.keys(at), str(claimed.id), int(at.timestamp()), text)
            standard_webhooks.send(webhook.url, signed, text)
            error = None
        except RemoteError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  a fault of ours must end as a state somebody sees
            log.exception("telling_broken", event_id=str(claimed.id), endpoint_id=str(webhook.id))
            error = PermanentError(
                f"Octopus failed with {type(failure).__name__}; the log has the details. Send it again after an update."
            )
    _note(webhook.id, error)
    tried = _shown(at, exchanges, error)
    if error is None:
        return Result(claimed, EventStatus.DELIVERED, tried)
    wait_s = None
    if isinstance(error, TransientError):
        wait_s = events.wait_s(claimed.number, error.retry_after_s, random.random)
    status = EventStatus.FAILED if wait_s is None else EventStatus.RETRYING
    return Result(claimed, status, tried, str(error), wait_s, isinstance(error, TargetGone))


def body(type_: str, at: datetime, data: dict[str, Any]) -> bytes:
    """What the address reads, the same at every try."""
    return orjson.dumps({"type": type_, "timestamp": at, "data": data})


def _shown(at: datetime, exchanges: Exchanges, error: RemoteError | None) -> dict[str, Any]:
    exchange = exchanges.as_dicts()[-1] if exchanges.kept else {"status": None, "answer": "", "took_ms": 0.0}
    return {
        "at": at.isoformat(), "status": exchange["status"], "took_ms": exchange["took_ms"],
        "answer": exchange["answer"][:ANSWER_KEPT], "error": str(error or ""),
    }  # fmt: skip


def _is_left_alone(endpoint_id: UUID) -> bool:
    return _circuits.get(endpoint_id, Circuit()).is_open(time.time())


def _note(endpoint_id: UUID, error: RemoteError | None) -> None:
    with _lock:
        if error is None:
            _circuits.pop(endpoint_id, None)
        elif isinstance(error, TransientError):
            _circuits[endpoint_id] = breaker.after_failure(_circuits.get(endpoint_id, Circuit()), time.time())


# ---- saving


def save(session: Session, batches: list[Sent]) -> list[Batch | None]:
    """Save how tries ended; returns, for each batch, the one its thread sends next."""
    workspace_id = batches[0].batch.webhook.workspace_id
    results = [result for sent in batches for result in sent.results]
    store.finish(session, [_row(result) for result in results])
    for sent in batches:
        store.give_back(
            session, [one.id for one in sent.batch.claimed[len(sent.results) :]], sent.batch.claimed[0].token
        )
    for endpoint_id, why in {result.claimed.endpoint_id: result.error for result in results if result.gone}.items():
        if url := store.switch_off(session, endpoint_id, why):
            audit.record(session, ACTOR, workspace_id, "switch off", "webhook", url, None, {"why": why})
    return [_next(session, sent.batch.webhook) if sent.go_on else None for sent in batches]


def _next(session: Session, sent_to: ConfiguredWebhook) -> Batch | None:
    webhook = _current(session, sent_to.workspace_id, sent_to.id)
    claimed = store.claim(session, webhook.id, BATCH, new_id(), LEASE) if webhook else []
    return Batch(webhook, claimed) if webhook and claimed else None


def _row(result: Result) -> dict[str, Any]:
    return {
        "id": result.claimed.id, "token": result.claimed.token, "status": result.status, "error": result.error,
        "due": now() + timedelta(seconds=result.wait_s) if result.wait_s is not None else None,
        "attempt": [result.attempt],
    }  # fmt: skip


# ---- by the clock


def forget_old() -> int:
    """Delete events older than 30 days, delivered or not; returns how many."""
    deleted, deadline = 0, time.monotonic() + DELETING_S
    while time.monotonic() < deadline:
        with in_system() as session:
            batch = store.delete_old(session, now() - timedelta(days=KEPT_DAYS), DELETED_AT_ONCE)
        deleted += batch
        if batch < DELETED_AT_ONCE:
            break
    return deleted

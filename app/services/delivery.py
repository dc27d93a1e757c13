"""Making a task exist at its destination, exactly once.

An attempt is written before the call. What happened is saved by the claim that still holds the lease. After an end
nobody saw (time-out, crash, cut answer), the next attempt looks for the task's key before it creates anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import random
from typing import Any
from uuid import UUID

from redis import RedisError
from sqlmodel import Session

from app import enqueue, metrics
from app.db import bulk, inbox, work
from app.db.engine import in_workspace
from app.db.tables import Delivery, DestinationHealth
from app.db.tables.base import new_id, now
from app.db.work import Claimed
from app.domain import retry
from app.domain.classification import Priority
from app.domain.errors import PermanentError, RemoteError
from app.domain.lifecycle import DeliveryStatus
from app.domain.retry import Cause
from app.domain.routing import DeliveryKind, Strategy, WhenWrong
from app.domain.tasks import Capability, Link, Task, TaskRef
from app.domain.templates import render
from app.logs import log
from app.services import changes, circuits, configuration, events, limits
from app.services.configuration import Configuration, ConfiguredDestination
from app.services.limits import OurOwnLimit
from app.services.planning import Saved
from app.services.pool import LEASE, pool
from app.settings import settings
from connectors.http import recording


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended. `called` is False when nothing was sent (open circuit, our own limit)."""

    claimed: Claimed
    config: Configuration
    status: DeliveryStatus
    action: str
    cause: str = ""
    error: str = ""
    wait_s: float | None = None
    ref: TaskRef | None = None
    looks: int = 0
    called: bool = True
    fail_over: bool = False
    exchanges: list[dict[str, Any]] = field(default_factory=list)


def attempt_all(workspace_id: UUID, delivery_ids: Iterable[UUID]) -> None:
    """Make the next attempt of each delivery that is due. Safe to run twice: only one run can claim a row."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        claimed = work.claim(session, list(delivery_ids), new_id(), LEASE)
    _lease(claimed)
    for one in claimed:
        pool().submit(_follow, one, config)


def run(saved: Saved, config: Configuration) -> None:
    """Make the attempts that planning claimed for this thread, and wake workers for the rest."""
    _wake(config, saved.waiting)
    _lease(saved.claimed)
    for one in saved.claimed:
        _follow(one, config)


def _follow(claimed: Claimed, config: Configuration) -> None:
    """One attempt, and when it fails over, the next destination's at once. The delivery is leased already."""
    try:
        saved: Saved = pool().writer.save(claimed.workspace_id, save, attempt(claimed, config))
        _lease(saved.claimed)
    finally:
        pool().release(Delivery, claimed.id)
    _wake(config, saved.waiting)
    for following in saved.claimed:
        _follow(following, config)


def _lease(claimed: list[Claimed]) -> None:
    for one in claimed:
        pool().lease(Delivery, one.workspace_id, one.token, [one.id])


def _wake(config: Configuration, waiting: list[UUID]) -> None:
    if waiting:
        try:
            enqueue.wake(enqueue.DELIVER, {config.workspace.id: waiting})
        except RedisError as error:
            log.warning("wake_failed", error=str(error), deliveries=len(waiting), next_step="the sweeper queues them")


# ---- one attempt


def attempt(claimed: Claimed, config: Configuration) -> Result:
    """Call the destination. No transaction is open meanwhile."""
    destination = config.destinations_by_id.get(claimed.destination_id)
    if destination is None:
        gone = PermanentError("The destination was removed or switched off. Choose another on Routes and replay.")
        return _failed(claimed, config, frozenset(), gone, claimed.kind, called=False, certain=True)
    action, called, certain = str(claimed.kind), False, claimed.was is not DeliveryStatus.UNKNOWN
    can: frozenset[Capability] = frozenset()
    with recording() as exchanges:
        try:
            connector = destination.adapter
            can = connector.CAN
            limits.admit(destination)
            called = True
            if retry.must_look_first(claimed.was, can) and claimed.kind is DeliveryKind.CREATE:
                action = "find"
                ref = connector.find(str(claimed.task_id))
                if ref is not None:
                    return _delivered(claimed, config, destination, ref, "adopted", exchanges)
                if retry.must_look_again(claimed.looks + 1, can):
                    return _not_found_yet(claimed, config, exchanges)
                action, certain = "create", True
            ref = _perform(claimed, connector, destination, config)
            return _delivered(claimed, config, destination, ref, action, exchanges)
        except RemoteError as error:
            if called and not isinstance(error, OurOwnLimit):
                circuits.failed(DestinationHealth, claimed.workspace_id, destination.id, error)
            return _failed(claimed, config, can, error, action, called, certain, exchanges)
        except Exception as error:  # noqa: BLE001  a fault in an adapter must end as a state somebody sees
            log.exception("connector_broken", connector=destination.connector, delivery_id=str(claimed.id))
            return _broken(claimed, config, destination, error, action, exchanges)


def _perform(claimed: Claimed, connector, destination: ConfiguredDestination, config: Configuration) -> TaskRef:
    if claimed.kind is DeliveryKind.COMMENT:
        ref = TaskRef(claimed.ref_id, claimed.ref_url)
        connector.comment(ref, f"{claimed.contact_name}: {claimed.comment}", str(claimed.id))
        return ref
    task = task_of(claimed, destination)
    if claimed.kind is DeliveryKind.CREATE:
        return connector.create(task)
    ways = (route.when_wrong for route in config.routes if route.key == claimed.route_key)
    return changes.make(claimed, connector, task, next(ways, WhenWrong.CLOSE))


def task_of(claimed: Claimed, destination: ConfiguredDestination) -> Task:
    """The task as its connector gets it, with the manager's field mapping filled in."""
    link = message_link(claimed.message_id)
    values = {
        "message.title": claimed.title, "message.text": claimed.body, "message.id": str(claimed.message_id),
        "message.sent_at": f"{claimed.planned_at:%Y-%m-%d %H:%M} UTC", "message.link": link,
        "contact.name": claimed.contact_name, "channel": claimed.channel, "bot": claimed.bot,
        "category.key": claimed.category, "category.name": claimed.category_name, "priority": claimed.priority,
        "language": claimed.language, "sentiment": claimed.sentiment,
    }  # fmt: skip
    return Task(
        key=str(claimed.task_id), title=claimed.title, body=claimed.body, category=claimed.category,
        category_name=claimed.category_name, priority=Priority(claimed.priority), due_at=claimed.due_at, link=link,
        attachments=tuple(Link(file["name"], file["url"] or link) for file in claimed.attachments),
        labels=(claimed.category,), fields={name: render(text, values) for name, text in destination.fields.items()},
    )  # fmt: skip


def message_link(message_id: UUID) -> str:
    return f"{settings().app_url}/inbox?message={message_id}"


# ---- what it means


def _delivered(claimed, config, destination, ref: TaskRef, action: str, exchanges) -> Result:
    circuits.succeeded(DestinationHealth, claimed.workspace_id, destination.id)
    return Result(claimed, config, DeliveryStatus.DELIVERED, action, ref=ref, exchanges=exchanges.as_dicts())


def _not_found_yet(claimed, config, exchanges) -> Result:
    return Result(
        claimed, config, DeliveryStatus.UNKNOWN, "find", Cause.UNCERTAIN, wait_s=retry.SEARCH_LAG_S,
        error="Not found yet; a new task may show up late there, so it is looked for once more before creating it.",
        looks=claimed.looks + 1, exchanges=exchanges.as_dicts(),
    )  # fmt: skip


def _failed(
    claimed, config, can, error: RemoteError, action: str, called: bool, certain: bool, exchanges=None
) -> Result:
    """certain: this destination surely does not have the task. Until then it is not handed on to another."""
    if claimed.kind in (DeliveryKind.UPDATE, DeliveryKind.WITHDRAW):
        can = can | {Capability.FIND}  # the reference is known, and changing twice is harmless
    verdict = retry.after_error(
        error, tries=claimed.number, age_s=(now() - claimed.planned_at).total_seconds(), can=can,
        has_alternative=certain and _alternative_left(claimed, config), random=random,
    )  # fmt: skip
    if not certain and verdict.status is DeliveryStatus.RETRYING:
        verdict = replace(verdict, status=DeliveryStatus.UNKNOWN)
    if not certain and verdict.status is DeliveryStatus.FAILED:
        verdict = replace(verdict, cause=Cause.UNCERTAIN)  # a replay looks for it first
    return Result(
        claimed, config, verdict.status, action, verdict.cause, str(error), verdict.wait_s,
        looks=claimed.looks if action == "find" or not called else 0, called=called, fail_over=verdict.fail_over,
        exchanges=exchanges.as_dicts() if exchanges else [],
    )  # fmt: skip


def _broken(claimed, config, destination, error: Exception, action: str, exchanges) -> Result:
    text = (
        f"The {destination.connector} connector failed with {type(error).__name__}. The delivery waits as failed; "
        "the log has the details. Replay it after an update."
    )
    return Result(claimed, config, DeliveryStatus.FAILED, action, Cause.BROKEN, text, exchanges=exchanges.as_dicts())


def _alternative_left(claimed: Claimed, config: Configuration) -> bool:
    """Whether a failover has a destination behind this one."""
    if claimed.kind is not DeliveryKind.CREATE or claimed.strategy != Strategy.FAILOVER:
        return False
    here = config.destinations_by_id.get(claimed.destination_id)
    position = claimed.destinations.index(here.key) if here and here.key in claimed.destinations else 0
    return any(key in config.destinations for key in claimed.destinations[position + 1 :])


# ---- saving


def save(session: Session, results: list[Result]) -> list[Saved]:
    """Save how attempts ended; returns, for each, what follows at once."""
    config, workspace_id = results[0].config, results[0].claimed.workspace_id
    held = work.finish_deliveries(session, [_delivery_row(result) for result in results])
    for result in results:
        destination = config.destinations_by_id.get(result.claimed.destination_id)
        metrics.ATTEMPTS.labels(destination.connector if destination else "", result.status).inc()
    kept = [result for result in results if result.claimed.id in held]
    work.finish_attempts(session, [_attempt_row(result, result.claimed.id in held) for result in results])
    made = [
        r.claimed.id for r in kept if r.status is DeliveryStatus.DELIVERED and r.claimed.kind is DeliveryKind.CREATE
    ]
    comments = work.comments_now_possible(session, workspace_id, made)
    following = _next_destinations(session, config, [result for result in kept if result.fail_over])
    inbox.record(session, workspace_id, [_timeline_entry(config, result, following) for result in kept])
    events.announce(session, config, events.of_deliveries(config, kept))
    saved = [Saved([one for one in following if one.task_id == r.claimed.task_id and r.fail_over]) for r in results]
    saved[0].waiting.extend(id_ for id_, _ in comments)  # any one of the callers wakes the workers for all
    return saved


def _delivery_row(result: Result) -> dict[str, Any]:
    ref = result.ref or TaskRef("")
    return {
        "id": result.claimed.id, "token": result.claimed.token, "status": result.status, "cause": result.cause,
        "error": result.error, "looks": result.looks, "untried": 0 if result.called else 1,
        "due": now() + timedelta(seconds=result.wait_s) if result.wait_s is not None else None,
        "ref_id": ref.id, "ref_url": ref.url, "ref_status": ref.status if ref.id else "",
    }  # fmt: skip


def _attempt_row(result: Result, held: bool) -> dict[str, Any]:
    outcome = str(result.status) if held else "superseded"
    return {
        "id": result.claimed.attempt_id, "action": result.action if result.called else "wait", "outcome": outcome,
        "error": result.error, "exchanges": result.exchanges,
    }  # fmt: skip


def _next_destinations(session: Session, config: Configuration, failed: list[Result]) -> list[Claimed]:
    """Hand tasks on to the next destination of their failover that was not asked yet."""
    if not failed:
        return []
    asked = work.asked_destinations(session, [result.claimed.task_id for result in failed])
    rows = []
    for result in failed:
        claimed = result.claimed
        task = {"id": claimed.task_id, "workspace_id": claimed.workspace_id, "message_id": claimed.message_id}
        for key in claimed.destinations:
            following = config.destinations.get(key)
            if following is not None and (claimed.task_id, following.id) not in asked:
                rows.append(work.delivery_row(task, following.id, DeliveryKind.CREATE, True, LEASE))
                break
    bulk.insert(session, Delivery, rows)
    return work.begin_attempts(session, rows)


def _timeline_entry(config: Configuration, result: Result, following: list[Claimed]) -> dict[str, Any]:
    destination = config.destinations_by_id.get(result.claimed.destination_id)
    data = {
        "destination": destination.key if destination else str(result.claimed.destination_id),
        "kind": result.claimed.kind, "action": result.action, "attempt": result.claimed.number,
    }  # fmt: skip
    if result.ref:
        data |= {"ref": result.ref.id, "url": result.ref.url}
    if result.error:
        data |= {"cause": result.cause, "error": result.error}
    if result.wait_s is not None:
        data["next_try_in_s"] = round(result.wait_s, 1)
    handed_on = next((one for one in following if one.task_id == result.claimed.task_id), None)
    if handed_on:
        data["failed_over_to"] = config.destinations_by_id[handed_on.destination_id].key
    return {"message_id": result.claimed.message_id, "event": f"delivery_{result.status}", "data": data}

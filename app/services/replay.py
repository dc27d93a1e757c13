"""A person's hand on deliveries: replay what failed, cancel what should not happen. Both are safe to press twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from redis import RedisError

from app import enqueue
from app.db import inbox
from app.db.engine import in_workspace
from app.logs import log
from app.services.members import Actor, Role, require


@dataclass(frozen=True, slots=True)
class Done:
    """changed: rows that took the step. left: rows that did not, each with the reason in a few words."""

    changed: int
    left: dict[str, int]


def replay(actor: Actor, delivery_ids: Iterable[UUID]) -> Done:
    """Send failed, cancelled or waiting deliveries again, at once.

    A task that another destination of its failover has taken, or is just taking, is left alone: sending it here too
    would make a second one. So is one that a person withdrew.
    """
    require(actor, Role.MANAGER)
    ids = list(delivery_ids)
    with in_workspace(actor.workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            update delivery d set next_try_at = now(), created_at = now(),
                status = case when d.status in ('failed', 'cancelled')
                              then case when d.cause = 'uncertain' then 'unknown' else 'pending' end else d.status end,
                cause = '', error = ''
            from task t
            where d.id = any(%(ids)s) and t.id = d.task_id and (t.withdrawn_at is null or d.kind = 'withdraw')
              and d.status in ('failed', 'cancelled', 'retrying', 'unknown')
              and not (d.kind = 'create' and t.strategy = 'failover' and exists (
                  select from delivery o where o.task_id = d.task_id and o.kind = 'create' and o.id <> d.id
                  and o.status not in ('failed', 'cancelled')))
            returning d.id, d.message_id, d.workspace_id""", {"ids": ids}).all()  # fmt: skip
        entries = [
            {"message_id": r.message_id, "actor": actor.email, "event": "replayed", "data": {"delivery": str(r.id)}}
            for r in rows
        ]
        inbox.record(session, actor.workspace_id, entries)
    _wake(actor.workspace_id, [row.id for row in rows])
    return Done(
        len(rows), _left(len(ids) - len(rows), "delivered, under way, withdrawn, or taken by another destination")
    )


def cancel(actor: Actor, delivery_ids: Iterable[UUID]) -> Done:
    """Stop deliveries that are not under way. Replaying a cancelled one takes the step back."""
    require(actor, Role.MANAGER)
    ids = list(delivery_ids)
    with in_workspace(actor.workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            update delivery set status = 'cancelled', lease_token = null
            where id = any(%(ids)s) and status in ('pending', 'retrying', 'failed')
            returning id, message_id""", {"ids": ids}).all()  # fmt: skip
        entries = [
            {"message_id": r.message_id, "actor": actor.email, "event": "cancelled", "data": {"delivery": str(r.id)}}
            for r in rows
        ]
        inbox.record(session, actor.workspace_id, entries)
    return Done(len(rows), _left(len(ids) - len(rows), "delivered or under way"))


def _left(count: int, reason: str) -> dict[str, int]:
    return {reason: count} if count else {}


def _wake(workspace_id: UUID, ids: list[UUID]) -> None:
    try:
        enqueue.wake(enqueue.DELIVER, {workspace_id: ids} if ids else {})
    except RedisError as error:
        log.warning("wake_failed", error=str(error), deliveries=len(ids), next_step="the sweeper queues them")

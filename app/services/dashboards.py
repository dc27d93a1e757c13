"""Numbers for the Overview page. Every count is exact and reads an index, not the table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now
from app.domain.lifecycle import DeliveryStatus, MessageStatus


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the funnel. `stuck`: rows that should have moved on by now; `oldest_at`: the oldest row waiting."""

    count: int
    waiting: int = 0
    stuck: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    received: Stage
    classified: Stage
    review: Stage
    delivered: Stage
    ignored: int
    failed: int
    bots: list[dict[str, Any]]
    destinations: list[dict[str, Any]]


STUCK_AFTER = timedelta(minutes=5)


def overview(workspace_id: UUID, hours: int = 24) -> Overview:
    """The last hours' funnel, and what waits now, however old."""
    with in_workspace(workspace_id) as session:

        def rows(sql: str) -> list[dict[str, Any]]:
            values = {
                "workspace": workspace_id,
                "first": first_id_at(now() - timedelta(hours=hours)),
                "late": now() - STUCK_AFTER,
            }
            return [dict(row._mapping) for row in session.connection().exec_driver_sql(sql, values)]

        by_status = {
            row["status"]: row["count"]
            for row in rows("""
            select status, count(*) from message
            where workspace_id = %(workspace)s and id >= %(first)s group by status""")
        }
        waiting = {
            row["status"]: row
            for row in rows("""
            select status, count(*), min(received_at) as oldest_at,
                   count(*) filter (where received_at < %(late)s) as stuck
            from message where workspace_id = %(workspace)s and status in ('received', 'needs_review', 'failed')
            group by status""")
        }
        deliveries = {
            row["status"]: row["count"]
            for row in rows("""
            select status, count(*) from delivery where workspace_id = %(workspace)s and id >= %(first)s
            and kind = 'create' group by status""")
        }
        unread = rows("""
            select count(*), min(received_at) as oldest_at, count(*) filter (where received_at < %(late)s) as stuck
            from raw_event where workspace_id = %(workspace)s and status = 'received'""")[0]
        open_deliveries = rows("""
            select count(*), min(created_at) as oldest_at, count(*) filter (where created_at < %(late)s) as stuck
            from delivery where workspace_id = %(workspace)s
            and status in ('pending', 'sending', 'retrying', 'unknown', 'failed')""")[0]
        bots = rows("""
            select b.key, b.name, b.channel, b.enabled, h.last_event_at, h.refused, h.last_refused_at,
                   h.last_refused_reason
            from bot b left join bot_health h on h.bot_id = b.id order by b.key""")
        destinations = rows("""
            select d.key, d.name, d.connector, d.enabled, h.open_until, h.last_success_at, h.last_failure_at,
                   h.last_error, h.parked_reason, coalesce(w.waiting, 0) as waiting, w.oldest_at,
                   coalesce(w.failed, 0) as failed
            from destination d left join destination_health h on h.destination_id = d.id
            left join (
                select destination_id, count(*) filter (where status <> 'failed') as waiting,
                       count(*) filter (where status = 'failed') as failed, min(created_at) as oldest_at
                from delivery where workspace_id = %(workspace)s
                and status in ('pending', 'sending', 'retrying', 'unknown', 'failed')
                group by destination_id) w on w.destination_id = d.id
            order by d.key""")
    M = MessageStatus
    total = sum(by_status.values())
    return Overview(
        received=_stage(total + unread["count"], _added(waiting.get(M.RECEIVED), unread)),
        classified=Stage(sum(by_status.get(s, 0) for s in (M.CLASSIFIED, M.ROUTED, M.IGNORED))),
        review=_stage(by_status.get(M.NEEDS_REVIEW, 0), waiting.get(M.NEEDS_REVIEW)),
        delivered=_stage(deliveries.get(DeliveryStatus.DELIVERED, 0), open_deliveries),
        ignored=by_status.get(M.IGNORED, 0),
        failed=waiting.get(M.FAILED, {}).get("count", 0),
        bots=bots,
        destinations=destinations,
    )


def _stage(count: int, row: dict[str, Any] | None) -> Stage:
    return Stage(count, row["count"], row["stuck"], row["oldest_at"]) if row else Stage(count)


def _added(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    if one is None:
        return other
    oldest = [row["oldest_at"] for row in (one, other) if row["oldest_at"]]
    return {
        "count": one["count"] + other["count"],
        "stuck": one["stuck"] + other["stuck"],
        "oldest_at": min(oldest, default=None),
    }

"""Numbers for the Overview page. Every count is exact and reads an index, not the table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now
from app.domain.lifecycle import MessageStatus


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


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `at` on: how many messages and deliveries came to be then, by the status they have now."""

    at: datetime
    messages: dict[str, int]
    deliveries: dict[str, int]


@dataclass(frozen=True, slots=True)
class OverTime:
    since: datetime
    until: datetime
    buckets: list[Bucket]


STUCK_AFTER = timedelta(minutes=5)


# ---- what is asked; %(workspace)s, %(first)s: the first id of the period, %(late)s: older than this is stuck

_BY_STATUS = """
    select status, count(*) from message
    where workspace_id = %(workspace)s and id >= %(first)s group by status"""
_MESSAGES_OVER_TIME = """
    select width_bucket(id, %(bounds)s::uuid[]) as bucket, status, count(*) from message
    where workspace_id = %(workspace)s and id >= %(first)s group by 1, 2"""
_DELIVERIES_OVER_TIME = """
    select width_bucket(id, %(bounds)s::uuid[]) as bucket, status, count(*) from delivery
    where workspace_id = %(workspace)s and id >= %(first)s group by 1, 2"""
_WAITING = """
    select status, count(*), min(received_at) as oldest_at, count(*) filter (where received_at < %(late)s) as stuck
    from message where workspace_id = %(workspace)s and status in ('received', 'needs_review', 'failed')
    group by status"""
_UNREAD = """
    select count(*), min(received_at) as oldest_at, count(*) filter (where received_at < %(late)s) as stuck
    from raw_event where workspace_id = %(workspace)s and status = 'received'"""
_DELIVERED = """
    select count(*) from delivery
    where workspace_id = %(workspace)s and id >= %(first)s and kind = 'create' and status = 'delivered'"""
_OPEN_DELIVERIES = """
    select count(*), min(created_at) as oldest_at, count(*) filter (where created_at < %(late)s) as stuck
    from delivery where workspace_id = %(workspace)s
    and status in ('pending', 'sending', 'retrying', 'unknown', 'failed')"""
_BOTS = """
    select b.key, b.name, b.channel, b.enabled, h.last_event_at, h.refused, h.last_refused_at, h.last_refused_reason
    from bot b left join bot_health h on h.bot_id = b.id order by b.key"""
_DESTINATIONS = """
    select d.key, d.name, d.connector, d.enabled, h.open_until, h.last_success_at, h.last_failure_at, h.last_error,
           h.parked_reason, d.config->>'ends_on' as ends_on,
           coalesce(w.waiting, 0) as waiting, w.oldest_at, coalesce(w.failed, 0) as failed
    from destination d left join destination_health h on h.destination_id = d.id
    left join (
        select destination_id, count(*) filter (where status <> 'failed') as waiting,
               count(*) filter (where status = 'failed') as failed, min(created_at) as oldest_at
        from delivery where workspace_id = %(workspace)s
        and status in ('pending', 'sending', 'retrying', 'unknown', 'failed')
        group by destination_id) w on w.destination_id = d.id
    order by d.key"""


def overview(workspace_id: UUID, hours: int = 24) -> Overview:
    """The last hours' funnel, and what waits now, however old."""
    since, late = first_id_at(now() - timedelta(hours=hours)), now() - STUCK_AFTER
    values = {"workspace": workspace_id, "first": since, "late": late}
    with in_workspace(workspace_id) as session:

        def rows(sql: str) -> list[dict[str, Any]]:
            return [dict(row._mapping) for row in session.connection().exec_driver_sql(sql, values)]

        counts = {row["status"]: row["count"] for row in rows(_BY_STATUS)}
        waiting = {row["status"]: row for row in rows(_WAITING)}
        [unread], [delivered], [open_deliveries] = rows(_UNREAD), rows(_DELIVERED), rows(_OPEN_DELIVERIES)
        bots, destinations = rows(_BOTS), rows(_DESTINATIONS)
    status = MessageStatus
    return Overview(
        received=_stage(sum(counts.values()) + unread["count"], _added(waiting.get(status.RECEIVED), unread)),
        classified=Stage(sum(counts.get(each, 0) for each in (status.CLASSIFIED, status.ROUTED, status.IGNORED))),
        review=_stage(counts.get(status.NEEDS_REVIEW, 0), waiting.get(status.NEEDS_REVIEW)),
        delivered=_stage(delivered["count"], open_deliveries),
        ignored=counts.get(status.IGNORED, 0),
        failed=waiting.get(status.FAILED, {}).get("count", 0),
        bots=bots,
        destinations=destinations,
    )


def over_time(workspace_id: UUID, hours: int, bucket_h: int) -> OverTime:
    """Counts of the last hours in buckets of so many hours, the first one beginning at a full hour. Reads indexes only:
    ids rise with time, so a bucket is a range of ids."""
    end = now()
    first = end.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    starts = [first + timedelta(hours=at) for at in range(0, hours, bucket_h)]
    values = {"workspace": workspace_id, "first": first_id_at(first), "bounds": [first_id_at(at) for at in starts]}
    buckets = [Bucket(at, {}, {}) for at in starts]
    with in_workspace(workspace_id) as session:
        for sql, counts in ((_MESSAGES_OVER_TIME, "messages"), (_DELIVERIES_OVER_TIME, "deliveries")):
            for row in session.connection().exec_driver_sql(sql, values):
                getattr(buckets[row.bucket - 1], counts)[row.status] = row.count
    return OverTime(first, end, buckets)


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

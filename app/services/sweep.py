"""Finds what is committed but not queued, leased but dead, or due again, and queues it.

This is what makes a lost Redis, a killed worker or a lost job cost time and nothing else. Queuing a row twice is
harmless, since it is claimed once; shards that still have a backlog are left alone, so copies cannot pile up.
"""

from collections import defaultdict
from uuid import UUID

from app import enqueue, metrics
from app.db.engine import in_system
from app.logs import log

MOST_ROWS = 5000
LONG_QUEUE = 20  # jobs; each holds up to 200 rows

_DUE = {
    enqueue.PROCESS: "select workspace_id, id from raw_event where status = 'received'",
    enqueue.CLASSIFY: "select workspace_id, id from message where status = 'received'",
    enqueue.REPLY: "select workspace_id, id from customer_reply where status in ('pending', 'retrying')",
    enqueue.DELIVER: "select workspace_id, id from delivery where status in ('pending', 'retrying', 'unknown')",
    enqueue.TELL: """
        select workspace_id, id from (
            select workspace_id, id, (
                select min(v.next_try_at) from webhook_event v
                where v.endpoint_id = e.id and v.status in ('pending', 'sending', 'retrying')) as next_try_at
            from webhook_endpoint e where e.enabled) w
        where true""",
}

_OPEN = """
    select 'events', count(*) from raw_event where status = 'received'
    union all select 'messages', count(*) from message where status = 'received'
    union all select 'deliveries', count(*) from delivery
    where status in ('pending', 'sending', 'retrying', 'unknown')"""

_DEAD_SENDING = """
    with dead as (
        update delivery set status = 'unknown', lease_token = null, cause = 'uncertain', error = %(error)s
        where status = 'sending' and next_try_at <= now()
        returning id, workspace_id, message_id),
    lost as (
        update attempt set finished_at = now(), outcome = 'lost' from dead
        where attempt.delivery_id = dead.id and attempt.finished_at is null)
    insert into timeline_entry (id, workspace_id, message_id, at, actor, event, data)
    select gen_random_uuid(), workspace_id, message_id, now(), 'sweeper', 'delivery_unknown',
           jsonb_build_object('delivery', id, 'cause', 'uncertain', 'error', %(error)s::text) from dead"""

_DEAD_REPLIES = """
    update customer_reply set status = 'unknown', error = %(error)s
    where status = 'sending' and next_try_at <= now()"""
_LOST_REPLY = "The worker ended before the channel answered. It is not sent again, as the customer may have it."

_LOST = "The worker ended before it heard an answer. The task is looked for before anything is sent again."


def sweep() -> dict[str, int]:
    """Queue everything that is due; returns how many rows of each kind."""
    with in_system() as session:
        lost = session.connection().exec_driver_sql(_DEAD_SENDING, {"error": _LOST}).rowcount
        session.connection().exec_driver_sql(_DEAD_REPLIES, {"error": _LOST_REPLY})
    counts = {"lost_attempts": lost}
    backlog = enqueue.backlog()
    _measure(backlog)
    busy = {shard for shard, jobs in backlog.items() if jobs > LONG_QUEUE}
    for job, sql in _DUE.items():
        with in_system() as session:
            rows = (
                session.connection()
                .exec_driver_sql(f"{sql} and next_try_at <= now() order by next_try_at limit {MOST_ROWS}")
                .all()
            )
        due: dict[UUID, list[UUID]] = defaultdict(list)
        for row in rows:
            if enqueue.shard_of(row.workspace_id) not in busy:
                due[row.workspace_id].append(row.id)
        enqueue.wake(job, due)
        counts[job.rsplit(".", 1)[1]] = sum(map(len, due.values()))
    if any(counts.values()):
        log.info("swept", **counts)
    return counts


def _measure(backlog: dict[str, int]) -> None:
    for queue, jobs in backlog.items():
        metrics.JOBS.labels(queue).set(jobs)
    with in_system() as session:
        for kind, count in session.connection().exec_driver_sql(_OPEN).all():
            metrics.OPEN.labels(kind).set(count)

"""What the Deliveries page shows: counts by state and cause, and a page of deliveries. Reads only; plain SQL."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.db.engine import in_workspace
from app.domain.errors import NotFound
from app.domain.lifecycle import DeliveryStatus as Status

PAGE = 50
MOST_AT_ONCE = 5000


class State(StrEnum):
    """The states of a delivery as a manager thinks of them."""

    FAILED = "failed"
    WAITING = "waiting"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


STATUSES: dict[State, tuple[Status, ...]] = {
    State.FAILED: (Status.FAILED,),
    State.WAITING: (Status.PENDING, Status.SENDING, Status.RETRYING, Status.UNKNOWN),
    State.DELIVERED: (Status.DELIVERED,),
    State.CANCELLED: (Status.CANCELLED,),
}
UNDONE = (*STATUSES[State.FAILED], *STATUSES[State.WAITING])


@dataclass(frozen=True, slots=True)
class Filter:
    """`cause`, `destination` (keys): None means all of them."""

    state: State = State.FAILED
    cause: str | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of one state and cause. `cause` is empty while nothing went wrong."""

    state: State
    cause: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    message_id: UUID
    destination: str
    connector: str
    kind: str
    title: str
    status: str
    cause: str
    error: str
    tries: int
    next_try_at: datetime
    created_at: datetime
    delivered_at: datetime | None
    ref_id: str
    ref_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """`older`, `newer`: cursors for `page`, None at the ends."""

    lines: list[Line]
    older: UUID | None
    newer: UUID | None


def counts(workspace_id: UUID) -> list[Count]:
    """What is not done yet, the largest group first. What is done is not counted: that would read a million rows."""
    values = {"workspace": workspace_id, "statuses": list(UNDONE)}
    with in_workspace(workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            select case when status = 'failed' then 'failed' else 'waiting' end as state, cause, count(*),
                   min(created_at) as oldest_at
            from delivery where workspace_id = %(workspace)s and status = any(%(statuses)s)
            group by 1, 2 order by 1, 3 desc""", values)  # fmt: skip
        return [Count(State(row.state), row.cause, row.count, row.oldest_at) for row in rows]


def page(workspace_id: UUID, wanted: Filter, before: UUID | None = None, after: UUID | None = None) -> Page:
    """Newest first, 50 at a time. Keyset paging: the thousandth page costs what the first does."""
    order, most = "asc" if after else "desc", PAGE + 1
    # One ordered read of the index per status: asked for several at once, PostgreSQL would sort them all.
    parts, values = [], _values(workspace_id, wanted) | {"before": before, "after": after, "most": most}
    for position, status in enumerate(STATUSES[wanted.state]):
        values[f"status{position}"] = status
        where = _where(wanted) + (["d.id < %(before)s"] if before else []) + (["d.id > %(after)s"] if after else [])
        parts.append(f"""(select d.* from delivery d where d.status = %(status{position})s and {" and ".join(where)}
            order by d.id {order} limit %(most)s)""")  # noqa: S608  fixed fragments, bound values
    sql = f"""
        select d.id, d.message_id, coalesce(nullif(x.name, ''), x.key, '') as destination,
               coalesce(x.connector, '') as connector, d.kind, t.title, d.status, d.cause, left(d.error, 400) as error,
               d.tries, d.next_try_at, d.created_at, d.delivered_at, d.ref_id, d.ref_url
        from (select * from ({" union all ".join(parts)}) u order by id {order} limit %(most)s) d
        join task t on t.id = d.task_id left join destination x on x.id = d.destination_id
        order by d.id {order}"""  # noqa: S608  fixed fragments, bound values
    with in_workspace(workspace_id) as session:
        rows = [Line(**row._mapping) for row in session.connection().exec_driver_sql(sql, values)]
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if after:
        rows.reverse()
    has_older, has_newer = (True, more) if after else (more, before is not None)
    return Page(rows, rows[-1].id if rows and has_older else None, rows[0].id if rows and has_newer else None)


def read(workspace_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """One delivery as the database has it, with `attempts`, oldest first. Raises NotFound."""
    with in_workspace(workspace_id) as session:

        def rows(sql: str) -> list[dict[str, Any]]:
            found = session.connection().exec_driver_sql(sql, {"id": delivery_id})
            return [dict(row._mapping) for row in found]

        found = rows("""
            select d.*, t.title, t.route_key, coalesce(nullif(x.name, ''), x.key, '') as destination,
                   coalesce(x.connector, '') as connector
            from delivery d join task t on t.id = d.task_id left join destination x on x.id = d.destination_id
            where d.id = %(id)s""")
        if not found:
            raise NotFound("There is no such delivery.", "delivery_id")
        return found[0] | {"attempts": rows("select * from attempt where delivery_id = %(id)s order by id")}


def every_id(workspace_id: UUID, wanted: Filter) -> list[UUID]:
    """The whole list behind a filter, oldest first, at most 5,000."""
    values = _values(workspace_id, wanted) | {"statuses": list(STATUSES[wanted.state]), "most": MOST_AT_ONCE}
    where = ["d.status = any(%(statuses)s)", *_where(wanted)]
    sql = f"select d.id from delivery d where {' and '.join(where)} order by d.id limit %(most)s"  # noqa: S608
    with in_workspace(workspace_id) as session:
        return [row.id for row in session.connection().exec_driver_sql(sql, values)]


def whereabouts(workspace_id: UUID, message_id: UUID) -> list[str]:
    """The names of the destinations a message's tasks go to, in order of planning."""
    with in_workspace(workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            select coalesce(nullif(x.name, ''), x.key) as name from delivery d
            join destination x on x.id = d.destination_id
            where d.status <> 'cancelled' and d.message_id = %(message)s order by d.id""",
            {"message": message_id})  # fmt: skip
        return list(dict.fromkeys(row.name for row in rows))


def _values(workspace_id: UUID, wanted: Filter) -> dict[str, Any]:
    return {"workspace": workspace_id, "cause": wanted.cause, "destination": wanted.destination}


def _where(wanted: Filter) -> list[str]:
    where = ["d.workspace_id = %(workspace)s"]
    if wanted.cause is not None:
        where.append("d.cause = %(cause)s")
    if wanted.destination is not None:
        where.append("d.destination_id in (select id from destination where key = %(destination)s)")
    return where

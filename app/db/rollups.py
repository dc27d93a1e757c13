"""Counting messages by the hour. In the caller's transaction and workspace.

`_COUNTED` is the one definition of every number: the workers save what it gives, and for hours that changed since,
a screen asks it directly, in the same statement as the saved ones. So a screen is exact at any moment.

A message belongs to the hour in which it was stored, which its id tells, as on every other screen.
task      it opened a task that is delivered and not withdrawn; from when it was received to the first delivery
done      ... and that is done at one of its destinations; to the first of these
reopened  ... or was, and was opened again; with those that are done: ever done
approach  its customer had been silent for an hour before
repeat    an approach by a customer who had written in the seven days before
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection
from sqlmodel import Session

QUIET_MS, REPEAT_MS = 3_600_000, 7 * 86_400_000
DIMENSIONS = ("channel", "category_id", "priority", "sentiment", "language")
COUNTS = ("received", "tasks", "done", "ever_done", "reopened", "approaches", "repeats")
SPAN = np.dtype([("begin_ms", ">i8"), ("length_ms", ">i8")])  # begin: since 1970

# Row-level security lets an index be used for a comparison only if nothing in it could tell what a hidden row holds,
# and PostgreSQL does not know that of our functions: so the bounds are made before.
_HOUR = "hour, first_uuid7_at(hour) as first_id, first_uuid7_at(hour + interval '1 hour') as end_id"
# `offset 0` keeps PostgreSQL, which takes an hour for a ninth of all messages, from reading them all once instead.
_COUNTED = f"""
    select f.hour, f.minute, {", ".join(f"f.{name}" for name in DIMENSIONS)},
           count(*)::int as received, count(f.task_at)::int as tasks, count(f.done_at)::int as done,
           count(*) filter (where f.done_at is not null or f.reopened)::int as ever_done,
           count(*) filter (where f.reopened)::int as reopened,
           count(*) filter (where f.silent_ms is null or f.silent_ms >= {QUIET_MS})::int as approaches,
           count(*) filter (where f.silent_ms between {QUIET_MS} and {REPEAT_MS})::int as repeats,
           coalesce(string_agg(int8send(f.begin_ms) || int8send(f.to_task_ms), ''::bytea)
                    filter (where f.task_at is not null), '') as to_task,
           coalesce(string_agg(int8send(f.begin_ms) || int8send(f.to_done_ms), ''::bytea)
                    filter (where f.done_at is not null), '') as to_done
    from (
        select h.hour, (uuid7_ms(m.id) / 60000 %% 60 / %(step)s * %(step)s)::smallint as minute,
               {", ".join(f"m.{name}" for name in DIMENSIONS)}, t.task_at, t.done_at, t.reopened,
               uuid7_ms(m.id) - uuid7_ms(p.id) as silent_ms,
               (extract(epoch from m.received_at) * 1000)::bigint as begin_ms,
               greatest(0, (extract(epoch from t.task_at - m.received_at) * 1000)::bigint) as to_task_ms,
               greatest(0, (extract(epoch from t.done_at - m.received_at) * 1000)::bigint) as to_done_ms
        from stale h
        cross join lateral (
            select * from message m where m.workspace_id = %(workspace)s
            and m.id >= h.first_id and m.id < h.end_id offset 0) m
        left join lateral (
            select min(d.delivered_at) as task_at, min(d.done_at) as done_at,
                   bool_or(d.reopened_at is not null) as reopened
            from delivery d join task t on t.id = d.task_id and t.withdrawn_at is null
            where d.message_id = m.id and d.kind = 'create' and d.status = 'delivered') t on true
        left join lateral (
            select p.id from message p where p.contact_id = m.contact_id and p.id < m.id
            order by p.id desc limit 1) p on true) f
    group by {", ".join(str(n) for n in range(1, 3 + len(DIMENSIONS)))}"""  # noqa: S608  fixed names
_COLUMNS = ", ".join(("hour", "minute", *DIMENSIONS, *COUNTS, "to_task", "to_done"))

# The same for one message `m`, so that what a number counts can be listed.
_OPENED = """exists (
    select from delivery d join task t on t.id = d.task_id and t.withdrawn_at is null
    where d.message_id = m.id and d.kind = 'create' and d.status = 'delivered'"""
COUNTED_AS = {
    "task": f"{_OPENED})",
    "done": f"{_OPENED} and d.done_at is not null)",
    "reopened": f"{_OPENED} and d.reopened_at is not null)",
    "repeat": f"""(
        select uuid7_ms(m.id) - uuid7_ms(p.id) from message p where p.contact_id = m.contact_id and p.id < m.id
        order by p.id desc limit 1) between {QUIET_MS} and {REPEAT_MS}""",  # noqa: S608  constants
}


# ---- saving


def with_stale_hours(session: Session) -> list[UUID]:
    """Workspaces in which an hour that is over is to be counted. For a session that sees all of them."""
    sql = "select distinct workspace_id from stale_hour where hour < date_trunc('hour', now())"
    return list(session.connection().exec_driver_sql(sql).scalars())


def zone_for_counting(session: Session, workspace_id: UUID) -> str | None:
    """The workspace's time zone, which stays as it is until the transaction ends. None: somebody else is counting."""
    return session.connection().exec_driver_sql(
        "select timezone from workspace where id = %(id)s for no key update skip locked", {"id": workspace_id}
    ).scalar()  # fmt: skip


def take_stale(session: Session, workspace_id: UUID, most: int) -> list[datetime]:
    """The newest hours that are over and to be counted. A change that is committed after this marks its hour anew."""
    values: dict[str, Any] = {"workspace": workspace_id, "most": most}
    values["hours"] = list(session.connection().exec_driver_sql("""
        select distinct hour from stale_hour where workspace_id = %(workspace)s and hour < date_trunc('hour', now())
        order by hour desc limit %(most)s""", values).scalars())  # fmt: skip
    session.connection().exec_driver_sql(
        "delete from stale_hour where workspace_id = %(workspace)s and hour = any(%(hours)s)", values
    )
    return values["hours"]


def count_again(session: Session, workspace_id: UUID, hours: list[datetime], step_min: int) -> None:
    """Replace what is saved of these hours by what the rows say now. step_min: as `bucket_minutes` says."""
    values = {"workspace": workspace_id, "hours": hours, "step": step_min}
    connection = _planned_each_time(session)
    connection.exec_driver_sql(
        "delete from message_rollup where workspace_id = %(workspace)s and hour = any(%(hours)s)", values
    )
    connection.exec_driver_sql(f"""
        with stale as materialized (select {_HOUR} from unnest(%(hours)s::timestamptz[]) as hour)
        insert into message_rollup (workspace_id, part, {_COLUMNS})
        select %(workspace)s, row_number() over (partition by hour), {_COLUMNS} from ({_COUNTED}) counted""",  # noqa: S608  fixed names
        values)  # fmt: skip


def _planned_each_time(session: Session) -> Connection:
    """A plan made once for any hours reads whole tables: a repeated statement took ten times as long."""
    session.connection().exec_driver_sql("set local plan_cache_mode = force_custom_plan")
    return session.connection()


# ---- reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """days: when each day of the period begins, and when the last one ends. The rest narrows what is counted."""

    days: tuple[datetime, ...]
    step_min: int
    channel: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """by_day: (number of the day in the period, value of the dimension, received).

    by_time: (begin of an hour, or of a quarter, received). by_value: rows of value, the counts, to_task and to_done.
    """

    by_day: list[tuple[int, Any, int]]
    by_time: list[tuple[datetime, int]]
    by_value: list[Any]


def read(session: Session, workspace_id: UUID, wanted: Wanted, dimension: str) -> Counted:
    """One statement, and so one moment: what is saved, and what changed since."""
    if dimension not in DIMENSIONS:
        raise ValueError(dimension)
    where, values = _where(wanted)
    values |= {"workspace": workspace_id, "step": wanted.step_min, "days": list(wanted.days)}
    values |= {"begin": wanted.days[0], "end": wanted.days[-1]}
    within = "workspace_id = %(workspace)s and hour > %(begin)s - interval '1 hour' and hour < %(end)s"
    sums = ", ".join(f"sum({name})::int as {name}" for name in COUNTS)
    none = ", ".join("null" for _ in (*COUNTS[1:], "to_task", "to_done"))
    sql = f"""
        with stale as materialized (select distinct {_HOUR} from stale_hour where {within}),
        counted as materialized (
            select hour + minute * interval '1 minute' as at, {dimension} as value,
                   {", ".join(COUNTS)}, to_task, to_done
            from (select {_COLUMNS} from message_rollup where {within} and hour not in (select hour from stale)
                  union all select {_COLUMNS} from ({_COUNTED}) live) both_kinds
            where {" and ".join(where)})
        select 'value' as part, null::int as day, null::timestamptz as at, value::text as value, {sums},
               string_agg(to_task, ''::bytea) as to_task, string_agg(to_done, ''::bytea) as to_done
        from counted group by value
        union all
        select 'day', width_bucket(at, %(days)s::timestamptz[]) - 1, null, value::text, sum(received)::int, {none}
        from counted group by 2, value
        union all
        select 'time', null, at, null, sum(received)::int, {none} from counted group by at"""  # noqa: S608  fixed fragments
    rows = _planned_each_time(session).exec_driver_sql(sql, values).all()
    return Counted(
        by_day=[(row.day, row.value, row.received) for row in rows if row.part == "day"],
        by_time=[(row.at, row.received) for row in rows if row.part == "time"],
        by_value=[row for row in rows if row.part == "value"],
    )


def _where(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    begins = "hour + minute * interval '1 minute'"
    where, values = [f"{begins} >= %(begin)s and {begins} < %(end)s"], {}
    for column in ("channel", "priority", "language"):
        if chosen := getattr(wanted, column):
            where.append(f"{column} = any(%({column})s)")
            values[column] = list(chosen)
    if wanted.category:
        where.append("category_id in (select id from category where key = any(%(category)s))")
        values["category"] = list(wanted.category)
    return where, values


def spans(packed: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end of each span of a `to_task` or `to_done`, in seconds since 1970."""
    both = np.frombuffer(packed, SPAN)
    begins = both["begin_ms"] / 1000
    return begins, begins + both["length_ms"] / 1000

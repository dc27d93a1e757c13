"""Remote tasks as they were last seen. In the caller's transaction and workspace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import bulk
from app.db.tables import RemoteComment
from app.db.tables.base import new_id, now

GONE = "gone"  # ref_status of a task the vendor does not know any more
CLOSED = ("done", "cancelled", GONE)


@dataclass(frozen=True, slots=True)
class Remote:
    """A delivered task, as it was last seen."""

    id: UUID
    task_id: UUID
    message_id: UUID
    destination_id: UUID
    ref_id: str
    ref_url: str
    ref_status: str
    ref_assignee: str
    ref_changed_at: datetime | None


_REMOTE = """
    select id, task_id, message_id, destination_id, ref_id, ref_url, ref_status, ref_assignee, ref_changed_at
    from delivery where kind = 'create' and status = 'delivered' and ref_id <> '' and """


def by_ref(session: Session, destination_id: UUID, refs: Iterable[str]) -> list[Remote]:
    return _remotes(session, "destination_id = %(d)s and ref_id = any(%(refs)s)", d=destination_id, refs=list(refs))


def by_id(session: Session, ids: Iterable[UUID]) -> list[Remote]:
    return _remotes(session, "id = any(%(ids)s)", ids=list(ids))


def longest_unseen(session: Session, destination_id: UUID, most: int) -> list[Remote]:
    """Open tasks of the last 30 days, those not looked at for longest first."""
    return _remotes(
        session,
        f"""destination_id = %(d)s and ref_status <> all(%(closed)s) and delivered_at > now() - interval '30 days'
            order by ref_checked_at nulls first limit {most}""",
        d=destination_id, closed=list(CLOSED),
    )  # fmt: skip


def _remotes(session: Session, where: str, **values: Any) -> list[Remote]:
    return [Remote(**row._mapping) for row in session.connection().exec_driver_sql(_REMOTE + where, values)]


def save_seen(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
    """rows: id, status, assignee, url, changed_at. Returns the ids whose task was not seen in a newer state before.

    A task is done from the moment the vendor names, if that is past, and stays so when it is deleted there.
    """
    saved = bulk.update(session, """
        update delivery d set ref_status = v.status, ref_assignee = v.assignee, ref_checked_at = now(),
            ref_url = coalesce(nullif(v.url, ''), d.ref_url), ref_changed_at = coalesce(v.changed_at, d.ref_changed_at),
            done_at = case when v.status = 'done' then coalesce(d.done_at, least(v.changed_at, now()))
                           when v.status in ('gone', 'unknown') then d.done_at end,
            reopened_at = case when d.done_at is not null and v.status in ('open', 'in_progress')
                               then coalesce(d.reopened_at, least(v.changed_at, now())) else d.reopened_at end
        from json_to_recordset(%(rows)s)
            as v(id uuid, status text, assignee text, url text, changed_at timestamptz)
        where d.id = v.id and (d.ref_changed_at is null or v.changed_at is null or v.changed_at >= d.ref_changed_at)
        returning d.id""", rows)  # fmt: skip
    return {row.id for row in saved}


def add_comments(session: Session, workspace_id: UUID, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """rows: delivery_id, external_id, author, text, written_at, ours. Returns those that were not known."""
    full = [{"id": new_id(), "workspace_id": workspace_id, "seen_at": now(), **row} for row in rows]
    new = {row.id for row in bulk.insert_new(session, RemoteComment, full, "id")} if full else set()
    return [row for row in full if row["id"] in new]


def our_comments(session: Session, delivery_id: UUID) -> list[str]:
    """Texts of messages that went to the same remote task as comments."""
    return list(session.connection().exec_driver_sql("""
        select m.text from delivery made join delivery said on said.task_id = made.task_id
             and said.destination_id = made.destination_id and said.kind = 'comment'
        join message m on m.id = said.message_id where made.id = %(id)s""", {"id": delivery_id}).scalars())  # fmt: skip


def polled_until(session: Session, destination_id: UUID) -> datetime | None:
    return (
        session.connection()
        .exec_driver_sql(
            "select changes_until from destination_sync where destination_id = %(id)s", {"id": destination_id}
        )
        .scalar()
    )


def save_state(session: Session, workspace_id: UUID, destination_id: UUID, **changed: Any) -> None:
    """changed: columns of destination_sync."""
    columns = {"destination_id": destination_id, "workspace_id": workspace_id, "token": "", "last_error": ""} | changed
    names, values = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    updated = ", ".join(f"{name} = excluded.{name}" for name in changed)
    session.connection().exec_driver_sql(
        f"insert into destination_sync ({names}) values ({values}) "  # noqa: S608  names of columns, from our callers
        f"on conflict (destination_id) do update set {updated}", columns,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentAndFound:
    """Of a destination: tasks made in the last days, how many of them were seen there, and how many are gone."""

    destination: str
    sent: int
    found: int
    gone: int

    @property
    def unseen(self) -> int:
        return self.sent - self.found - self.gone


def sent_and_found(session: Session, workspace_id: UUID, first: UUID) -> list[SentAndFound]:
    """first: the first id of the period."""
    rows = session.connection().exec_driver_sql("""
        select coalesce(nullif(x.name, ''), x.key, '') as destination, count(*) as sent,
               count(*) filter (where d.ref_checked_at is not null and d.ref_status <> 'gone') as found,
               count(*) filter (where d.ref_status = 'gone') as gone
        from delivery d left join destination x on x.id = d.destination_id
        where d.workspace_id = %(workspace)s and d.status = 'delivered' and d.id >= %(first)s and d.kind = 'create'
        group by 1 order by 1""", {"workspace": workspace_id, "first": first})  # fmt: skip
    return [SentAndFound(**row._mapping) for row in rows]

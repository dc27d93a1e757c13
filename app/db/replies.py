"""Telling customers that their task is done. In the caller's transaction and workspace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import bulk
from app.db.tables import CustomerReply
from app.db.tables.base import new_id, now


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reply whose next try is this process's to make. number: this try's, from 1."""

    id: UUID
    message_id: UUID
    bot_id: UUID
    chat_id: str
    thread_id: str | None
    text: str
    number: int
    created_at: datetime


def done_tasks(session: Session, deliveries: Iterable[UUID]) -> list[Any]:
    """Rows of task_id, message_id, route_key, language and what a reply may mention, of tasks with these deliveries."""
    return session.connection().exec_driver_sql("""
        select distinct t.id as task_id, t.message_id, t.route_key, coalesce(m.language, '') as language, t.title,
               coalesce(nullif(p.name, ''), p.external_id) as contact_name, coalesce(c.name, '') as category_name
        from delivery d join task t on t.id = d.task_id and t.withdrawn_at is null
        join message m on m.id = t.message_id join contact p on p.id = m.contact_id
        left join category c on c.id = t.category_id
        where d.id = any(%(ids)s)""", {"ids": list(deliveries)}).all()  # fmt: skip


def plan(session: Session, workspace_id: UUID, rows: list[dict[str, Any]]) -> list[UUID]:
    """rows: task_id, message_id, text. Returns the new ones: a task is answered for once, however often it is done."""
    full = [{"id": new_id(), "workspace_id": workspace_id, "created_at": now(), **row} for row in rows]
    return [row.id for row in bulk.insert_new(session, CustomerReply, full, "id")] if full else []


def claim(session: Session, ids: Iterable[UUID], lease: timedelta) -> list[Claimed]:
    rows = session.connection().exec_driver_sql("""
        with due as (
            select id from customer_reply
            where id = any(%(ids)s) and status in ('pending', 'retrying') and next_try_at <= now()
            order by id for update skip locked)
        update customer_reply r set status = 'sending', tries = r.tries + 1, next_try_at = %(until)s
        from due, message m, conversation v
        where r.id = due.id and m.id = r.message_id and v.id = m.conversation_id
        returning r.id, r.message_id, m.bot_id, v.chat_id, v.thread_id, r.text, r.tries as number, r.created_at""",
        {"ids": list(ids), "until": now() + lease})  # fmt: skip
    return [Claimed(**row._mapping) for row in rows]


def finish(
    session: Session, id_: UUID, number: int, status: str, error: str, due: datetime | None, external_id: str
) -> bool:
    """False: another try has taken over, and its word counts."""
    return bool(session.connection().exec_driver_sql("""
        update customer_reply set status = %(status)s, error = %(error)s, external_id = %(external_id)s,
            next_try_at = coalesce(%(due)s, next_try_at)
        where id = %(id)s and status = 'sending' and tries = %(number)s""",
        {"id": id_, "number": number, "status": status, "error": error, "due": due, "external_id": external_id},
    ).rowcount)  # fmt: skip

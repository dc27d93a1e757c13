"""Deleting what is too old to keep, and everything about one contact. Inside the caller's transaction and workspace.

`_DONE` holds the promise: a message in review, or with a task that is not delivered, is not touched.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db.tables.base import first_id_at


class DataClass(StrEnum):
    """What can be kept for a time of its own."""

    RAW_EVENTS = "raw_events"
    TEXTS = "texts"
    EXCHANGES = "exchanges"
    TIMELINE = "timeline"
    AUDIT = "audit"


_UNSENT = "status not in ('delivered', 'cancelled')"
_DONE = f"""m.status in ('routed', 'ignored')
    and not exists (select from delivery d where d.message_id = m.id and d.{_UNSENT})
    and not exists (select from task t join delivery d on d.task_id = t.id
                    where t.message_id = m.id and d.{_UNSENT})"""  # noqa: S608  a constant

# Rows of each class that are old enough and done; `limit` bounds each.
_OLD = {
    DataClass.RAW_EVENTS: "select id from raw_event r where workspace_id = %(workspace)s and status <> 'received'"
    " and received_at < %(until)s order by received_at limit %(most)s",
    DataClass.TEXTS: f"""select m.id from message m where m.workspace_id = %(workspace)s and m.cleared_at is null
        and m.received_at < %(until)s and {_DONE} order by m.received_at limit %(most)s""",  # noqa: S608  constants
    DataClass.EXCHANGES: f"""select a.id from attempt a join delivery d on d.id = a.delivery_id
        where a.workspace_id = %(workspace)s and a.exchanges <> '[]' and a.started_at < %(until)s
        and not d.{_UNSENT} order by a.started_at limit %(most)s""",  # noqa: S608  a constant
    DataClass.TIMELINE: f"""select e.id from timeline_entry e join message m on m.id = e.message_id
        where e.workspace_id = %(workspace)s and e.at < %(until)s and {_DONE} order by e.at limit %(most)s""",  # noqa: S608  a constant
    DataClass.AUDIT: "select id from audit_entry where workspace_id = %(workspace)s and id < %(until_id)s"
    " order by id limit %(most)s",
}
_DELETE = {
    DataClass.RAW_EVENTS: "delete from raw_event where id = any(%(ids)s)",
    DataClass.EXCHANGES: "update attempt set exchanges = '[]' where id = any(%(ids)s)",
    DataClass.TIMELINE: "delete from timeline_entry where id = any(%(ids)s)",
    DataClass.AUDIT: "delete from audit_entry where id = any(%(ids)s)",
}

# Every place that holds words of a message, apart from the message itself.
_CLEAR = (
    "delete from attachment where message_id = any(%(ids)s)",
    """update raw_event r set headers = '{}', query = '', body = '' from message m
       where m.id = any(%(ids)s) and r.id = m.raw_event_id and r.status <> 'received'""",
    "update classification set steps = '[]', reason = case when source = 'llm' then '' else reason end "
    "where message_id = any(%(ids)s)",
    "update timeline_entry set data = data - 'before' - 'text' - 'reason' - 'error' where message_id = any(%(ids)s)",
    "update task set title = '', body = '' where message_id = any(%(ids)s)",
    """update customer_reply set text = ''
       where message_id = any(%(ids)s) and status not in ('pending', 'retrying', 'sending')""",
    """with d as (
           update delivery set error = '' where message_id = any(%(ids)s)
           or task_id in (select id from task where message_id = any(%(ids)s)) returning id),
       a as (update attempt set exchanges = '[]', error = '' from d where attempt.delivery_id = d.id)
       update remote_comment set text = '', author = '' from d where remote_comment.delivery_id = d.id""",
)


def count(session: Session, workspace_id: UUID, data: DataClass, until: datetime, most: int) -> int:
    """How many rows of a class may be deleted, at most `most`."""
    values = _values(workspace_id, until, most)
    sql = f"select count(*) from ({_OLD[data]}) old"  # noqa: S608  fixed fragments, bound values
    return session.connection().exec_driver_sql(sql, values).scalar_one()


def delete_old(session: Session, workspace_id: UUID, data: DataClass, until: datetime, most: int) -> int:
    """Delete the oldest of a class, at most `most`; returns how many."""
    values = _values(workspace_id, until, most)
    ids = list(session.connection().exec_driver_sql(_OLD[data], values).scalars())
    if not ids:
        return 0
    if data is DataClass.TEXTS:
        clear(session, ids)
    else:
        session.connection().exec_driver_sql(_DELETE[data], {"ids": ids})
    return len(ids)


def _values(workspace_id: UUID, until: datetime, most: int) -> dict[str, Any]:
    return {"workspace": workspace_id, "until": until, "until_id": first_id_at(until), "most": most}


def clear(session: Session, message_ids: list[UUID]) -> None:
    """Delete the words of messages everywhere; that there was a message, its category and its task refs stay."""
    for sql in _CLEAR:
        session.connection().exec_driver_sql(sql, {"ids": message_ids})
    session.connection().exec_driver_sql("""
        update message set text = '', title = '', search = null, cleared_at = now()
        where id = any(%(ids)s)""", {"ids": message_ids})  # fmt: skip


# ---- erasing a contact


@dataclass(frozen=True, slots=True)
class Found:
    """A contact somebody looks for."""

    id: UUID
    name: str
    external_id: str
    bot: str
    created_at: datetime
    erasure_asked_at: datetime | None
    erased_at: datetime | None


_CONTACT = """
    select c.id, c.name, c.external_id, coalesce(nullif(b.name, ''), b.key, '') as bot, c.created_at,
           c.erasure_asked_at, c.erased_at
    from contact c left join bot b on b.id = c.bot_id where """


def contacts(session: Session, workspace_id: UUID, words: str, most: int) -> list[Found]:
    """Whose name begins like `words`, or whose id at the channel it is. For a session that sees all workspaces: only
    there the index of names is used, because row-level security comes before operators not known to be leakproof.
    """
    prefix = words.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    sql = f"""
        select * from ({_CONTACT} c.workspace_id = %(workspace)s and lower(c.name) like %(prefix)s limit %(most)s) a
        union
        select * from ({_CONTACT} c.workspace_id = %(workspace)s and c.external_id = %(words)s and c.bot_id in
            (select id from bot where workspace_id = %(workspace)s) limit %(most)s) b
        order by name, created_at limit %(most)s"""  # noqa: S608  a constant
    values = {"workspace": workspace_id, "prefix": prefix, "words": words, "most": most}
    return [Found(**row._mapping) for row in session.connection().exec_driver_sql(sql, values)]


def contact(session: Session, contact_id: UUID) -> Found | None:
    sql = f"{_CONTACT} c.id = %(id)s for update of c"
    row = session.connection().exec_driver_sql(sql, {"id": contact_id}).one_or_none()
    return Found(**row._mapping) if row else None


def count_messages(session: Session, contact_id: UUID) -> int:
    sql = "select count(*) from message where contact_id = %(id)s"
    return session.connection().exec_driver_sql(sql, {"id": contact_id}).scalar_one()


def task_addresses(session: Session, contact_id: UUID, most: int) -> list[str]:
    """Where the tasks of a contact stand at the vendors, the newest first."""
    return list(session.connection().exec_driver_sql("""
        select d.ref_url from message m join delivery d on d.message_id = m.id
        where m.contact_id = %(id)s and d.kind = 'create' and d.ref_url <> '' order by m.id desc limit %(most)s""",
        {"id": contact_id, "most": most}).scalars())  # fmt: skip


def begin_erasure(session: Session, contact_id: UUID) -> None:
    """From now on the person who writes is somebody new, and nothing leads from here to them."""
    session.connection().exec_driver_sql("""
        update contact set erasure_asked_at = now(), erased_at = null, name = '', tags = '{}',
               external_id = 'erased:' || id where id = %(id)s""", {"id": contact_id})  # fmt: skip


def erase_some(session: Session, contact_id: UUID, actor: str, after: UUID, most: int) -> tuple[int, UUID | None]:
    """Erase the next messages of a contact after `after`; returns how many, and the last one looked at, None at the
    end. One with a task that is just being sent is left for later.
    """
    ids = list(
        session.connection()
        .exec_driver_sql(
            """
        select id from message where contact_id = %(id)s and id > %(after)s and external_id not like 'erased:%%'
        order by id limit %(most)s for update""",
            {"id": contact_id, "after": after, "most": most},
        )
        .scalars()
    )
    session.connection().exec_driver_sql(
        """
        update delivery set status = 'cancelled', lease_token = null
        where message_id = any(%(ids)s) and status in ('pending', 'retrying', 'failed')""",
        {"ids": ids},
    )
    session.connection().exec_driver_sql("""
        update customer_reply set status = 'cancelled'
        where message_id = any(%(ids)s) and status in ('pending', 'retrying')""", {"ids": ids})  # fmt: skip
    free = list(session.connection().exec_driver_sql("""
        select m.id from message m where m.id = any(%(ids)s)
          and not exists (select from delivery d where d.message_id = m.id and d.status in ('sending', 'unknown'))
          and not exists (select from task t join delivery d on d.task_id = t.id
                          where t.message_id = m.id and d.status in ('sending', 'unknown'))""",
        {"ids": ids}).scalars())  # fmt: skip
    clear(session, free)
    _anonymise(session, free, contact_id, actor)
    return len(free), ids[-1] if len(ids) == most else None


def _anonymise(session: Session, ids: list[UUID], contact_id: UUID, actor: str) -> None:
    values = {"ids": ids, "contact": contact_id, "actor": actor}
    for sql in (
        "delete from review_hold where message_id = any(%(ids)s)",
        """update conversation v set external_id = 'erased:' || v.id, chat_id = '', thread_id = null
           where v.id in (select conversation_id from message where id = any(%(ids)s))
             and not exists (select from message o where o.conversation_id = v.id
                             and o.contact_id <> %(contact)s)""",
        """update message set external_id = 'erased:' || id, lease_token = null, status_reason = 'erased',
               status = case when status in ('received', 'classified', 'needs_review') then 'ignored' else status end
           where id = any(%(ids)s)""",
        """insert into timeline_entry (id, workspace_id, message_id, at, actor, event, data)
           select gen_random_uuid(), workspace_id, id, now(), %(actor)s, 'erased', '{}'
           from message where id = any(%(ids)s)""",
    ):
        session.connection().exec_driver_sql(sql, values)


def finish_erasure(session: Session, contact_id: UUID) -> bool:
    """Mark the contact as erased, once nothing is left and no message under way can still arrive."""
    return session.connection().exec_driver_sql("""
        update contact set erased_at = now() where id = %(id)s and erasure_asked_at < now() - interval '10 minutes'
          and not exists (select from message where contact_id = %(id)s and external_id not like 'erased:%%')""",
        {"id": contact_id}).rowcount == 1  # fmt: skip


def being_erased(session: Session) -> list[tuple[UUID, UUID]]:
    """(workspace, contact) of each that is not finished."""
    sql = "select workspace_id, id from contact where erasure_asked_at is not null and erased_at is null"
    return [(row.workspace_id, row.id) for row in session.connection().exec_driver_sql(sql)]


def with_limits(session: Session) -> list[UUID]:
    """Workspaces that do not keep everything for ever."""
    return list(session.connection().exec_driver_sql("select id from workspace where settings ? 'retention'").scalars())

"""What the Inbox page shows: a page of messages, and one message's passport. Reads only; plain SQL."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import rollups
from app.db.engine import in_system, in_workspace
from app.db.tables.base import first_id_at, now
from app.domain import search

PAGE = 50
HAS_WORDS = "m.search @@ %(terms)s::tsquery"
NEAREST = 4_000  # messages looked at for a common word


@dataclass(frozen=True, slots=True)
class Filter:
    """Every value that is set narrows the list. `days`: messages of the last so many days.

    since, until: stored from then on, and before then. counted_as: a key of `rollups.COUNTED_AS`.
    """

    text: str = ""
    status: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    bot: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    days: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    counted_as: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    received_at: datetime
    channel: str
    bot: str
    contact_name: str
    text: str
    title: str
    status: str
    status_reason: str
    category: str | None
    category_name: str | None
    priority: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """`older`, `newer`: cursors for `page`, None at the ends."""

    lines: list[Line]
    older: UUID | None
    newer: UUID | None


def page(workspace_id: UUID, wanted: Filter, before: UUID | None = None, after: UUID | None = None) -> Page:
    """Newest first, 50 at a time. Keyset paging: the thousandth page costs what the first does."""
    where, values = _where(workspace_id, wanted)
    if before:
        where.append("m.id < %(before)s")
        values["before"] = before
    if after:
        where.append("m.id > %(after)s")
        values["after"] = after
    with in_workspace(workspace_id) as session:
        find = _find_words if HAS_WORDS in where else _find
        rows = find(session, where, values, "asc" if after else "desc")
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if after:
        rows.reverse()
    has_older, has_newer = (True, more) if after else (more, before is not None)
    return Page(rows, rows[-1].id if rows and has_older else None, rows[0].id if rows and has_newer else None)


def _find(session: Session, where: list[str], values: dict[str, Any], order: str) -> list[Line]:
    """One more than a page, if there are so many."""
    sql = f"""
        select m.id, m.received_at, m.channel, b.key as bot,
               coalesce(nullif(p.name, ''), p.external_id) as contact_name, left(m.text, 400) as text,
               m.title, m.status, m.status_reason, c.key as category,
               c.name as category_name, m.priority, m.confidence
        from (select * from message m where {" and ".join(where)} order by m.id {order} limit {PAGE + 1}) m
        join contact p on p.id = m.contact_id join bot b on b.id = m.bot_id
        left join category c on c.id = m.category_id order by m.id {order}"""  # noqa: S608  fixed fragments, bound values
    return [Line(**row._mapping) for row in session.connection().exec_driver_sql(sql, values)]


def _find_words(session: Session, where: list[str], values: dict[str, Any], order: str) -> list[Line]:
    """Common words fill a page from the nearest messages; of rarer ones the index of words finds all, to be sorted.

    PostgreSQL cannot tell which it is: it reads the whole history for a rare word, or sorts half of it for a common
    one. Measured with a million messages: 900 ms either way.
    """
    nearest = [part for part in where if part != HAS_WORDS]
    last = session.connection().exec_driver_sql(f"""
        select m.id from message m where {" and ".join(nearest)}
        order by m.id {order} offset {NEAREST} limit 1""", values).scalar()  # noqa: S608  fixed fragments  # fmt: skip
    within = [f"m.id {'>' if order == 'desc' else '<'} %(last)s"] if last else []
    found = _find(session, where + within, values | {"last": last}, order)
    if len(found) > PAGE or last is None:
        return found
    return _find(session, ["m.id = any(%(ids)s)"], {"ids": _with_words(where, values, order)}, order)


def _with_words(where: list[str], values: dict[str, Any], order: str) -> list[UUID]:
    """Asked over all workspaces, for the one in `where`: within one, row-level security comes before any operator that
    PostgreSQL does not know to be leakproof, and the index of words would not be used."""
    with in_system() as session:
        return list(session.connection().exec_driver_sql(f"""
            with found as materialized (select m.id from message m where {" and ".join(where)})
            select id from found order by id {order} limit {PAGE + 1}""", values).scalars())  # noqa: S608  # fmt: skip


def _where(workspace_id: UUID, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    where, values = ["m.workspace_id = %(workspace)s"], {"workspace": workspace_id}
    for column in ("status", "priority", "channel", "language"):
        if chosen := getattr(wanted, column):
            where.append(f"m.{column} = any(%({column})s)")
            values[column] = list(chosen)
    if wanted.category:
        where.append("m.category_id in (select id from category where key = any(%(category)s))")
        values["category"] = list(wanted.category)
    if wanted.bot:
        where.append("m.bot_id in (select id from bot where key = any(%(bot)s))")
        values["bot"] = list(wanted.bot)
    if wanted.days:
        where.append("m.id >= %(first)s")
        values["first"] = first_id_at(now() - timedelta(days=wanted.days))
    for name, moment, comparison in (("since", wanted.since, ">="), ("until", wanted.until, "<")):
        if moment:
            where.append(f"m.id {comparison} %({name})s")
            values[name] = first_id_at(moment)
    if wanted.counted_as:
        where.append(rollups.COUNTED_AS[wanted.counted_as])
    if terms := search.query(wanted.text):
        where.append(HAS_WORDS)
        values["terms"] = terms
    return where, values


# ---- one message


@dataclass(frozen=True, slots=True)
class Passport:
    """Everything known about one message, each list oldest first. Rows are mappings as the database gives them."""

    message: dict[str, Any]
    thread: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    classifications: list[dict[str, Any]]
    timeline: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    attempts: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    raw_event: dict[str, Any] | None = None


def passport(workspace_id: UUID, message_id: UUID) -> Passport | None:
    """None when there is no such message in this workspace."""
    with in_workspace(workspace_id) as session:

        def rows(sql: str, **values: Any) -> list[dict[str, Any]]:
            found = session.connection().exec_driver_sql(sql, {"id": message_id} | values)
            return [dict(row._mapping) for row in found]

        found = rows("""
            select m.*, b.key as bot, b.name as bot_name, c.key as category, c.name as category_name,
                   coalesce(nullif(p.name, ''), p.external_id) as contact_name, p.tags as contact_tags,
                   v.external_id as conversation, v.type as conversation_type
            from message m join bot b on b.id = m.bot_id join contact p on p.id = m.contact_id
            join conversation v on v.id = m.conversation_id left join category c on c.id = m.category_id
            where m.id = %(id)s""")  # fmt: skip
        if not found:
            return None
        message = found[0]
        deliveries = rows("""
            select d.*, t.title, t.route_key, t.strategy, x.key as destination, x.connector, x.name as destination_name
            from delivery d join task t on t.id = d.task_id left join destination x on x.id = d.destination_id
            where d.id in (
                select id from delivery where message_id = %(id)s union
                select other.id from delivery other join task_message j on j.task_id = other.task_id
                where j.message_id = %(id)s)
            order by d.id""")  # fmt: skip
        attempts: dict[UUID, list[dict[str, Any]]] = {}
        ids = [row["id"] for row in deliveries]
        for attempt in rows("select * from attempt where delivery_id = any(%(ids)s) order by id", ids=ids):
            attempts.setdefault(attempt["delivery_id"], []).append(attempt)
        events = rows("select * from raw_event where id = %(event)s", event=message["raw_event_id"])
        return Passport(
            message=message,
            thread=_thread(rows, message),
            attachments=rows("select * from attachment where message_id = %(id)s order by id"),
            classifications=rows("""
                select k.*, c.key as category, c.name as category_name from classification k
                left join category c on c.id = k.category_id where k.message_id = %(id)s order by k.id"""),
            timeline=rows("select * from timeline_entry where message_id = %(id)s order by at, id"),
            deliveries=deliveries,
            attempts=attempts,
            raw_event=events[0] if events else None,
        )  # fmt: skip


def _thread(rows, message: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of the conversation up to this one, and a few after it."""
    conversation = message["conversation_id"]
    earlier = rows("""
        select id, text, received_at, status, kind from message
        where conversation_id = %(c)s and id <= %(id)s order by id desc limit 20""", c=conversation)  # fmt: skip
    later = rows("""
        select id, text, received_at, status, kind from message
        where conversation_id = %(c)s and id > %(id)s order by id limit 5""", c=conversation)  # fmt: skip
    return earlier[::-1] + later

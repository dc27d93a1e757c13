"""Events and messages in bulk. Every function works inside the caller's transaction and workspace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.db import bulk
from app.db.tables import Attachment, Contact, Conversation, Message, RawEvent, TimelineEntry
from app.db.tables.base import new_id, now
from app.db.tables.inbox import EventStatus
from app.domain import search
from app.domain.messages import InboundMessage


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new message about to be stored."""

    bot_id: UUID
    raw_event_id: UUID
    channel: str
    received_at: datetime
    message: InboundMessage
    language: str | None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    id: UUID
    bot_id: UUID
    conversation_id: UUID
    channel: str
    kind: str
    text: str
    language: str | None
    received_at: datetime
    tries: int
    contact_name: str
    contact_tags: list[str]
    conversation_label: str
    has_attachment: bool


# ---- events


def claim_events(session: Session, ids: list[UUID]) -> list[RawEvent]:
    """Lock the events nobody has processed yet, for the rest of the transaction; others skip them."""
    waiting = (
        select(RawEvent)
        .where(col(RawEvent.id).in_(ids), RawEvent.status == EventStatus.RECEIVED)
        .order_by(col(RawEvent.id))
        .with_for_update(skip_locked=True)
    )
    return list(session.exec(waiting))


def finish_events(session: Session, outcomes: list[dict[str, Any]]) -> None:
    """outcomes: id, status, reason."""
    bulk.update(session, """
        update raw_event e set status = v.status, reason = v.reason
        from json_to_recordset(%(rows)s) as v(id uuid, status text, reason text)
        where e.id = v.id returning e.id""", outcomes)  # fmt: skip


# ---- messages


def add_messages(
    session: Session, workspace_id: UUID, arrivals: list[Arrival], token: UUID, lease_until: datetime
) -> list[StoredMessage]:
    """Store messages that are new, leased to `token`; those already known are left out."""
    if not arrivals:
        return []
    contacts = _contacts(session, workspace_id, arrivals)
    conversations = _conversations(session, workspace_id, arrivals)
    rows, stored = [], {}
    for arrival in arrivals:
        message = arrival.message
        contact_id, tags = contacts[arrival.bot_id, message.sender_id]
        row = {
            "id": new_id(), "workspace_id": workspace_id, "bot_id": arrival.bot_id,
            "conversation_id": conversations[arrival.bot_id, message.conversation_key], "contact_id": contact_id,
            "raw_event_id": arrival.raw_event_id, "external_id": message.external_key, "channel": arrival.channel,
            "kind": message.kind, "text": message.text_clean or message.text, "sent_at": message.sent_at,
            "received_at": arrival.received_at, "language": arrival.language, "next_try_at": lease_until,
            "lease_token": token, "search": search.vector(message.text_clean or message.text),
        }  # fmt: skip
        rows.append(row)
        stored[row["id"]] = StoredMessage(
            row["id"], arrival.bot_id, row["conversation_id"], arrival.channel, message.kind, row["text"],
            arrival.language, arrival.received_at, 0, message.sender_name or message.sender_id, tags,
            message.conversation_key, bool(message.attachments),
        )  # fmt: skip
    new = {row.id for row in bulk.insert_new(session, Message, rows, "id")}
    by_id = dict(zip(stored, arrivals, strict=True))
    _add_attachments(session, workspace_id, [(id_, by_id[id_].message) for id_ in stored if id_ in new])
    record(
        session, workspace_id, [{"message_id": id_, "event": "received", "data": {}} for id_ in stored if id_ in new]
    )
    return [message for id_, message in stored.items() if id_ in new]


def claim_messages(session: Session, ids: list[UUID], token: UUID, lease_until: datetime) -> list[StoredMessage]:
    """Take over messages that wait to be classified and are due."""
    rows = session.connection().exec_driver_sql("""
        with claimed as (
            update message set lease_token = %(token)s, next_try_at = %(until)s, tries = tries + 1
            where id in (
                select id from message
                where id = any(%(ids)s) and status = 'received' and next_try_at <= now()
                order by id for update skip locked)
            returning *)
        select m.id, m.bot_id, m.conversation_id, m.channel, m.kind, m.text, m.language, m.received_at, m.tries,
               coalesce(nullif(c.name, ''), c.external_id) as contact_name, c.tags as contact_tags,
               v.external_id as conversation_label,
               exists (select from attachment a where a.message_id = m.id) as has_attachment
        from claimed m join contact c on c.id = m.contact_id join conversation v on v.id = m.conversation_id
        order by m.id""", {"token": token, "until": lease_until, "ids": ids})  # fmt: skip
    return [StoredMessage(**row._mapping) for row in rows]


def postpone_messages(session: Session, rows: list[dict[str, Any]]) -> None:
    """rows: id, token, due. Gives the lease back; the sweeper wakes a worker when they are due."""
    bulk.update(session, """
        update message m set lease_token = null, next_try_at = v.due
        from json_to_recordset(%(rows)s) as v(id uuid, token uuid, due timestamptz)
        where m.id = v.id and m.lease_token = v.token and m.status = 'received' returning m.id""", rows)  # fmt: skip


def apply_edits(
    session: Session, workspace_id: UUID, edits: list[tuple[UUID, InboundMessage]]
) -> set[tuple[UUID, str]]:
    """Change the text of messages their senders edited; returns the keys of those that exist here."""
    texts = [(bot_id, m.external_key, m.text_clean or m.text) for bot_id, m in edits]
    rows = [{"bot_id": bot, "key": key, "text": text, "search": search.vector(text)} for bot, key, text in texts]
    changed = bulk.update(session, """
        update message m set text = v.text, edited_at = now(), search = v.search
        from json_to_recordset(%(rows)s) as v(bot_id uuid, key text, text text, search tsvector), message before
        where m.bot_id = v.bot_id and m.external_id = v.key and before.id = m.id
        returning m.id, m.bot_id, m.external_id, before.text as before""", rows)  # fmt: skip
    record(session, workspace_id, [
        {"message_id": row.id, "event": "edited", "data": {"before": row.before}} for row in changed
    ])  # fmt: skip
    return {(row.bot_id, row.external_id) for row in changed}


def mark_deleted(session: Session, workspace_id: UUID, deleted: list[tuple[UUID, str]]) -> None:
    """The sender took messages back. Those nobody decided on yet need no decision any more."""
    rows = [{"bot_id": bot_id, "key": key} for bot_id, key in deleted]
    changed = bulk.update(session, """
        update message m set deleted_at = now(),
            status = case when m.status in ('received', 'needs_review') then 'ignored' else m.status end,
            status_reason = case when m.status in ('received', 'needs_review') then 'deleted by the sender'
                            else m.status_reason end
        from json_to_recordset(%(rows)s) as v(bot_id uuid, key text)
        where m.bot_id = v.bot_id and m.external_id = v.key and m.deleted_at is null
        returning m.id""", rows)  # fmt: skip
    record(session, workspace_id, [{"message_id": row.id, "event": "deleted", "data": {}} for row in changed])


def record(session: Session, workspace_id: UUID, entries: list[dict[str, Any]]) -> None:
    """Append to the timelines of messages. entries: message_id, event, data, and optionally actor (all or none)."""
    bulk.insert(session, TimelineEntry, [{"workspace_id": workspace_id, "at": now(), **entry} for entry in entries])


# ---- who and where


def _contacts(
    session: Session, workspace_id: UUID, arrivals: list[Arrival]
) -> dict[tuple[UUID, str], tuple[UUID, list]]:
    names = {(a.bot_id, a.message.sender_id): a.message.sender_name or "" for a in arrivals}

    def known():
        found = session.connection().exec_driver_sql("""
            select c.id, c.bot_id, c.external_id, c.tags, c.name from contact c
            join unnest(%(bots)s::uuid[], %(keys)s::text[]) as v(bot_id, key)
              on c.bot_id = v.bot_id and c.external_id = v.key""", _pairs(names))  # fmt: skip
        return {(row.bot_id, row.external_id): row for row in found}

    rows = known()
    missing = [key for key in names if key not in rows]
    if missing:
        bulk.insert(session, Contact, [
            {"workspace_id": workspace_id, "bot_id": bot_id, "external_id": key, "name": names[bot_id, key], "tags": []}
            for bot_id, key in sorted(missing)
        ], "on conflict do nothing")  # fmt: skip
        rows = known()
    renamed = [{"id": row.id, "name": names[key]} for key, row in rows.items() if names[key] not in ("", row.name)]
    bulk.update(session, """
        update contact c set name = v.name from json_to_recordset(%(rows)s) as v(id uuid, name text)
        where c.id = v.id returning c.id""", sorted(renamed, key=lambda row: row["id"]))  # fmt: skip
    return {key: (row.id, row.tags) for key, row in rows.items()}


def _conversations(session: Session, workspace_id: UUID, arrivals: list[Arrival]) -> dict[tuple[UUID, str], UUID]:
    wanted = {(a.bot_id, a.message.conversation_key): a.message for a in arrivals}

    def known():
        found = session.connection().exec_driver_sql("""
            select c.id, c.bot_id, c.external_id from conversation c
            join unnest(%(bots)s::uuid[], %(keys)s::text[]) as v(bot_id, key)
              on c.bot_id = v.bot_id and c.external_id = v.key""", _pairs(wanted))  # fmt: skip
        return {(row.bot_id, row.external_id): row.id for row in found}

    ids = known()
    missing = sorted(key for key in wanted if key not in ids)
    if missing:
        bulk.insert(session, Conversation, [
            {"workspace_id": workspace_id, "bot_id": bot_id, "external_id": key,
             "chat_id": wanted[bot_id, key].conversation_id, "thread_id": wanted[bot_id, key].thread_id,
             "type": wanted[bot_id, key].conversation_type}
            for bot_id, key in missing
        ], "on conflict do nothing")  # fmt: skip
        ids = known()
    return ids


def _pairs(keys) -> dict[str, list]:
    return {"bots": [bot_id for bot_id, _ in keys], "keys": [key for _, key in keys]}


def _add_attachments(session: Session, workspace_id: UUID, messages: list[tuple[UUID, InboundMessage]]) -> None:
    bulk.insert(session, Attachment, [
        {"workspace_id": workspace_id, "message_id": id_, "kind": a.kind, "external_id": a.external_id, "url": a.url,
         "name": a.name, "mime_type": a.mime_type, "size_bytes": a.size_bytes}
        for id_, message in messages
        for a in message.attachments
    ])  # fmt: skip

"""The outbox of events for webhooks. Every function works inside the caller's transaction and workspace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import bulk
from app.db.tables import WebhookEvent
from app.db.tables.base import first_id_at, new_id, now
from app.domain.events import Event


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event whose next try is this process's to make. number: this try's, from 1."""

    id: UUID
    workspace_id: UUID
    endpoint_id: UUID
    token: UUID
    type: str
    at: datetime
    data: dict[str, Any]
    number: int


def add(session: Session, workspace_id: UUID, events: Iterable[tuple[UUID, Event]]) -> None:
    """events: each with the endpoint that is told of it."""
    bulk.insert(session, WebhookEvent, [
        {"id": new_id(), "workspace_id": workspace_id, "endpoint_id": endpoint_id, "type": event.type,
         "data": event.data, "at": now(), "next_try_at": now()}
        for endpoint_id, event in events
    ])  # fmt: skip


def claim(session: Session, endpoint_id: UUID, most: int, token: UUID, lease: timedelta) -> list[Claimed]:
    """Take what is due, the longest waiting first; what another process is sending counts once its lease has run out.

    Others that want the same rows skip them.
    """
    rows = session.connection().exec_driver_sql("""
        with due as (
            select id from webhook_event
            where endpoint_id = %(endpoint)s and status in ('pending', 'sending', 'retrying') and next_try_at <= now()
            order by next_try_at limit %(most)s for update skip locked)
        update webhook_event e
        set status = 'sending', lease_token = %(token)s, next_try_at = %(until)s, tries = e.tries + 1
        from due where e.id = due.id
        returning e.id, e.workspace_id, e.endpoint_id, e.lease_token as token, e.type, e.at, e.data,
                  e.tries as number""",
        {"endpoint": endpoint_id, "most": most, "token": token, "until": now() + lease})  # fmt: skip
    return [Claimed(**row._mapping) for row in rows]


def begin(session: Session, workspace_id: UUID, endpoint_id: UUID, type_: str, data: dict, lease: timedelta) -> Claimed:
    """Write an event that the caller sends at once."""
    row = WebhookEvent(
        workspace_id=workspace_id, endpoint_id=endpoint_id, type=type_, data=data, status="sending", tries=1,
        lease_token=new_id(), next_try_at=now() + lease,
    )  # fmt: skip
    session.add(row)
    return Claimed(row.id, workspace_id, endpoint_id, row.lease_token, type_, row.at, data, 1)


def finish(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
    """rows: id, token, status, error, due, attempt (a list of one, of which the last 20 are kept).

    Returns the ids whose lease still held.
    """
    held = bulk.update(session, """
        update webhook_event e set status = v.status, error = v.error, lease_token = null,
            next_try_at = coalesce(v.due, e.next_try_at),
            delivered_at = case when v.status = 'delivered' then now() end,
            attempts = case when jsonb_array_length(e.attempts) < 20 then e.attempts else e.attempts - 0 end
                       || v.attempt
        from json_to_recordset(%(rows)s)
            as v(id uuid, token uuid, status text, error text, due timestamptz, attempt jsonb)
        where e.id = v.id and e.lease_token = v.token and e.status = 'sending' returning e.id""", rows)  # fmt: skip
    return {row.id for row in held}


def give_back(session: Session, ids: list[UUID], token: UUID) -> None:
    """These were claimed and not sent."""
    if ids:
        session.connection().exec_driver_sql("""
            update webhook_event set status = case when tries > 1 then 'retrying' else 'pending' end, tries = tries - 1,
                lease_token = null, next_try_at = now()
            where id = any(%(ids)s) and lease_token = %(token)s""", {"ids": ids, "token": token})  # fmt: skip


def switch_off(session: Session, endpoint_id: UUID, reason: str) -> str | None:
    """Returns the address; None: somebody was quicker."""
    return session.connection().exec_driver_sql("""
        update webhook_endpoint set enabled = false, off_reason = %(reason)s where id = %(id)s and enabled
        returning url""", {"id": endpoint_id, "reason": reason}).scalar()  # fmt: skip


_AGAIN = "update webhook_event set status = 'pending', tries = 0, next_try_at = now(), error = ''"


def send_again(session: Session, ids: list[UUID]) -> list[UUID]:
    """Also what was delivered; not what is under way. Returns the endpoints concerned."""
    rows = session.connection().exec_driver_sql(
        f"{_AGAIN} where id = any(%(ids)s) and status <> 'sending' returning endpoint_id", {"ids": ids}
    )
    return [row.endpoint_id for row in rows]


def send_failed_again(session: Session, endpoint_id: UUID, since: datetime) -> int:
    return session.connection().exec_driver_sql(
        f"{_AGAIN} where endpoint_id = %(endpoint)s and status = 'failed' and id >= %(since)s",
        {"endpoint": endpoint_id, "since": first_id_at(since)},
    ).rowcount  # fmt: skip


def count_failed(session: Session, endpoint_id: UUID, since: datetime, most: int) -> int:
    """Counted up to `most`."""
    return session.connection().exec_driver_sql("""
        select count(*) from (select from webhook_event where endpoint_id = %(endpoint)s and status = 'failed'
                              and id >= %(since)s limit %(most)s) failed""",
        {"endpoint": endpoint_id, "since": first_id_at(since), "most": most}).scalar_one()  # fmt: skip


def delete_old(session: Session, until: datetime, most: int) -> int:
    """In all workspaces: the oldest first, at most `most`; returns how many."""
    return session.connection().exec_driver_sql("""
        delete from webhook_event where id = any(array(
            select id from webhook_event where id < %(until)s order by id limit %(most)s))""",
        {"until": first_id_at(until), "most": most}).rowcount  # fmt: skip

"""Tasks, deliveries and attempts in bulk. Every function works inside the caller's transaction and workspace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import Session

from app.db import bulk
from app.db.tables import Attempt, Delivery
from app.db.tables.base import new_id, now
from app.domain.lifecycle import DeliveryStatus
from app.domain.routing import DeliveryKind, OpenTask


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery whose next attempt is this process's to make, with all the attempt needs.

    `was`: its state before the claim. `ref_*`: the remote task, where there is one. `number`: this attempt's, from 1.
    `attachments`: name and url of each; the url is empty where only the channel's API gives the file out.
    `is_shared`: messages of others joined the task. `reopens`: the last change withdrew it.
    """

    id: UUID
    workspace_id: UUID
    message_id: UUID
    task_id: UUID
    destination_id: UUID
    kind: DeliveryKind
    was: DeliveryStatus
    token: UUID
    attempt_id: UUID
    number: int
    looks: int
    planned_at: datetime
    strategy: str
    destinations: list[str]
    title: str
    body: str
    priority: str
    due_at: datetime | None
    category: str
    category_name: str
    contact_name: str
    channel: str
    bot: str
    language: str
    sentiment: str
    attachments: list[dict[str, str]]
    ref_id: str
    ref_url: str
    comment: str
    route_key: str = ""
    decided: str = ""  # the message's category now, by name; empty: nothing is to be done about it
    is_shared: bool = False
    reopens: bool = False


# ---- planning


def task_id(message_id: UUID, route_key: str) -> UUID:
    return uuid5(message_id, route_key)


def open_tasks(session: Session, conversations: Iterable[UUID], window: timedelta) -> dict[UUID, list[OpenTask]]:
    """Tasks a further message may join, newest first. Locks the conversations: two workers plan one after the other."""
    ids = sorted(conversations)
    connection = session.connection()
    connection.exec_driver_sql(
        "select id from conversation where id = any(%(ids)s) order by id for update", {"ids": ids}
    )
    rows = connection.exec_driver_sql("""
        select t.id, t.conversation_id, t.route_key, c.key as category
        from task t left join category c on c.id = t.category_id
        where t.conversation_id = any(%(ids)s) and t.last_message_at > now() - %(window)s and t.withdrawn_at is null
        order by t.created_at desc""", {"ids": ids, "window": window})  # fmt: skip
    found: dict[UUID, list[OpenTask]] = {}
    for row in rows:
        found.setdefault(row.conversation_id, []).append(OpenTask(row.id, row.route_key, row.category))
    return found


_DECIDED = """
    update message m set status = v.status, status_reason = v.reason, category_id = v.category_id,
        priority = v.priority, sentiment = v.sentiment, language = v.language, confidence = v.confidence,
        title = v.title, lease_token = null
    from json_to_recordset(%(rows)s) as v(id uuid, token uuid, status text, reason text, category_id uuid,
        priority text, sentiment text, language text, confidence float, title text)
    where m.id = v.id and """


def finish_classification(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
    """Save results of leased messages; returns the ids whose lease still held."""
    held = "m.lease_token = v.token and m.status = 'received' returning m.id"
    return {row.id for row in bulk.update(session, _DECIDED + held, rows)}


def set_classification(session: Session, row: dict[str, Any]) -> None:
    """Save a person's decision on a message the caller has locked."""
    bulk.update(session, _DECIDED + "true returning m.id", [row])


def add_tags(session: Session, tagged: list[dict[str, Any]]) -> None:
    """tagged: message_id, tag. The message's contact bears the tag from now on."""
    if tagged:
        session.connection().exec_driver_sql("""
            update contact c set tags = c.tags || v.tags
            from (select p.id, array_agg(distinct r.tag) as tags
                  from json_to_recordset(%(rows)s) as r(message_id uuid, tag text)
                  join message m on m.id = r.message_id join contact p on p.id = m.contact_id
                  where r.tag <> all(p.tags) group by p.id) v
            where c.id = v.id""", {"rows": bulk.as_json(tagged)})  # fmt: skip


def delivery_row(
    task: dict[str, Any], destination_id: UUID, kind: DeliveryKind, claimed: bool, lease: timedelta
) -> dict:
    return {
        "id": new_id(), "workspace_id": task["workspace_id"], "task_id": task["id"], "destination_id": destination_id,
        "message_id": task["message_id"], "kind": kind,
        "status": DeliveryStatus.SENDING if claimed else DeliveryStatus.PENDING, "tries": int(claimed),
        "lease_token": new_id() if claimed else None, "next_try_at": now() + (lease if claimed else timedelta()),
        "created_at": now(),
    }  # fmt: skip


def add_comments(session: Session, workspace_id: UUID, joined: list[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    """For each (task, message) a comment at every destination that has the task already.

    Locks the tasks: a delivery that succeeds at this moment either sees the joined message or is seen here.
    Returns (delivery, message) of the comments made.
    """
    if not joined:
        return []
    tasks = sorted({task for task, _ in joined})
    connection = session.connection()
    connection.exec_driver_sql("select id from task where id = any(%(ids)s) order by id for update", {"ids": tasks})
    connection.exec_driver_sql("update task set last_message_at = now() where id = any(%(ids)s)", {"ids": tasks})
    rows = connection.exec_driver_sql("""
        select d.task_id, d.destination_id, v.message_id
        from unnest(%(tasks)s::uuid[], %(messages)s::uuid[]) as v(task_id, message_id)
        join delivery d on d.task_id = v.task_id and d.kind = 'create' and d.status = 'delivered'""",
        {"tasks": [t for t, _ in joined], "messages": [m for _, m in joined]}).all()  # fmt: skip
    return _insert_comments(session, workspace_id, rows)


def comments_now_possible(session: Session, workspace_id: UUID, deliveries: list[UUID]) -> list[tuple[UUID, UUID]]:
    """These creations were just delivered: the messages that joined meanwhile become comments. Locks the tasks."""
    if not deliveries:
        return []
    connection = session.connection()
    connection.exec_driver_sql("""
        select t.id from task t join delivery d on d.task_id = t.id
        where d.id = any(%(ids)s) order by t.id for update of t""", {"ids": deliveries})  # fmt: skip
    rows = connection.exec_driver_sql("""
        select d.task_id, d.destination_id, j.message_id from delivery d join task_message j on j.task_id = d.task_id
        where d.id = any(%(ids)s) and d.kind = 'create'""", {"ids": deliveries}).all()  # fmt: skip
    return _insert_comments(session, workspace_id, rows)


def _insert_comments(session: Session, workspace_id: UUID, rows) -> list[tuple[UUID, UUID]]:
    comments = [
        {"id": new_id(), "workspace_id": workspace_id, "task_id": row.task_id, "destination_id": row.destination_id,
         "message_id": row.message_id, "kind": DeliveryKind.COMMENT, "created_at": now()}
        for row in rows
    ]  # fmt: skip
    made = {row.id for row in bulk.insert_new(session, Delivery, comments, "id")}
    return [(row["id"], row["message_id"]) for row in comments if row["id"] in made]


# ---- attempts


def claim(session: Session, ids: list[UUID], token: UUID, lease: timedelta) -> list[Claimed]:
    """Take deliveries that are due; others that want the same rows skip them.

    A change of a task waits for what was begun on the task before it.
    """
    rows = session.connection().exec_driver_sql("""
        with due as (
            select id, status from delivery c
            where id = any(%(ids)s) and status in ('pending', 'retrying', 'unknown') and next_try_at <= now()
            and (kind in ('create', 'comment') or not exists (
                select from delivery o where o.task_id = c.task_id and o.destination_id = c.destination_id
                and o.id < c.id and o.kind <> 'comment' and o.status in ('pending', 'sending', 'retrying', 'unknown')))
            order by id for update skip locked)
        update delivery d set status = 'sending', lease_token = %(token)s, next_try_at = %(until)s, tries = d.tries + 1
        from due where d.id = due.id returning d.id, due.status""",
        {"ids": ids, "token": token, "until": now() + lease}).all()  # fmt: skip
    return _begun(session, {row.id: row.status for row in rows})


def begin_attempts(session: Session, deliveries: list[dict[str, Any]]) -> list[Claimed]:
    """The same for deliveries just inserted as claimed."""
    return _begun(session, {row["id"]: DeliveryStatus.PENDING for row in deliveries})


def _begun(session: Session, was: dict[UUID, str]) -> list[Claimed]:
    """Write the attempts, before any call is made, and read what they need."""
    if not was:
        return []
    rows = session.connection().exec_driver_sql("""
        select d.id, d.workspace_id, d.message_id, d.task_id, d.destination_id, d.kind, d.lease_token as token,
               d.tries as number, d.looks, d.created_at as planned_at, t.strategy, t.destinations, t.title, t.body,
               t.priority, t.due_at, c.key as category, c.name as category_name,
               coalesce(nullif(p.name, ''), p.external_id) as contact_name, m.channel,
               coalesce(nullif(b.name, ''), b.key, '') as bot, coalesce(m.language, '') as language,
               coalesce(m.sentiment, '') as sentiment, coalesce(files.list, '[]') as attachments,
               coalesce(made.ref_id, '') as ref_id, coalesce(made.ref_url, '') as ref_url,
               case when d.kind = 'comment' then m.text else '' end as comment,
               t.route_key, coalesce(now_in.name, '') as decided,
               d.kind = 'withdraw' and exists (select from task_message j where j.task_id = d.task_id
                                               and j.message_id <> t.message_id) as is_shared,
               d.kind = 'update' and coalesce((
                   select e.kind = 'withdraw' from delivery e where e.task_id = d.task_id and e.id < d.id
                   and e.destination_id = d.destination_id and e.kind in ('update', 'withdraw')
                   and e.status = 'delivered' order by e.id desc limit 1), false) as reopens
        from delivery d join task t on t.id = d.task_id join message m on m.id = d.message_id
        join contact p on p.id = m.contact_id join category c on c.id = t.category_id
        left join category now_in on now_in.id = m.category_id
        left join delivery made on d.kind <> 'create' and made.kind = 'create'
             and made.task_id = d.task_id and made.destination_id = d.destination_id
        left join bot b on b.id = m.bot_id
        left join lateral (
            select json_agg(json_build_object('name', coalesce(nullif(a.name, ''), a.kind), 'url', a.url)) as list
            from attachment a where a.message_id = m.id) files on d.kind = 'create'
        where d.id = any(%(ids)s) order by d.id""", {"ids": list(was)})  # fmt: skip
    claimed = [
        Claimed(
            **{**row._mapping, "kind": DeliveryKind(row.kind)}, was=DeliveryStatus(was[row.id]), attempt_id=new_id()
        )
        for row in rows
    ]
    bulk.insert(session, Attempt, [
        {"id": one.attempt_id, "workspace_id": one.workspace_id, "delivery_id": one.id, "number": one.number,
         "action": one.kind, "started_at": now()}
        for one in claimed
    ])  # fmt: skip
    return claimed


def finish_deliveries(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
    """rows: id, token, status, cause, error, due, looks, ref_id, ref_url, ref_status.

    Returns the ids whose lease still held; the others were taken over, and their new holder's word counts.
    """
    held = bulk.update(session, """
        update delivery d set status = v.status, cause = v.cause, error = v.error, looks = v.looks, lease_token = null,
            next_try_at = coalesce(v.due, d.next_try_at), tries = d.tries - v.untried,
            delivered_at = case when v.status = 'delivered' then now() end,
            ref_id = v.ref_id, ref_url = v.ref_url, ref_status = v.ref_status
        from json_to_recordset(%(rows)s) as v(id uuid, token uuid, status text, cause text, error text,
            due timestamptz, looks int, untried int, ref_id text, ref_url text, ref_status text)
        where d.id = v.id and d.lease_token = v.token and d.status = 'sending' returning d.id""", rows)  # fmt: skip
    return {row.id for row in held}


def finish_attempts(session: Session, rows: list[dict[str, Any]]) -> None:
    """rows: id, action, outcome, error, exchanges."""
    bulk.update(session, """
        update attempt a set finished_at = now(), action = v.action, outcome = v.outcome, error = v.error,
            exchanges = v.exchanges
        from json_to_recordset(%(rows)s)
            as v(id uuid, action text, outcome text, error text, exchanges jsonb)
        where a.id = v.id returning a.id""", rows)  # fmt: skip


def asked_destinations(session: Session, tasks: list[UUID]) -> set[tuple[UUID, UUID]]:
    """(task, destination) of every creation planned so far."""
    rows = session.connection().exec_driver_sql(
        "select task_id, destination_id from delivery where kind = 'create' and task_id = any(%(ids)s)", {"ids": tasks}
    )
    return {(row.task_id, row.destination_id) for row in rows}

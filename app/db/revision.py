"""Tasks of a message that was decided anew. In the caller's transaction, which has locked the message.

What was not sent yet is cancelled or sent as it is now. What exists, or may exist, gets a delivery that changes it;
`work.claim` lets that wait until the creation has ended one way or the other.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import bulk
from app.db.tables import Delivery
from app.db.tables.base import new_id, now
from app.domain.routing import DeliveryKind


def withdraw(session: Session, workspace_id: UUID, message_id: UUID, keep: Iterable[UUID]) -> list[UUID]:
    """The message's tasks besides `keep` should not be. Returns the deliveries that will see to it.

    A task that other messages joined stays for these, and a comment says what was decided about this one.
    """
    tasks = _locked(session, message_id) - set(keep)
    if not tasks:
        return []
    connection, values = session.connection(), {"tasks": sorted(tasks), "message": message_id}
    shared = set(connection.exec_driver_sql(
        "select task_id from task_message where task_id = any(%(tasks)s) and message_id <> %(message)s", values
    ).scalars())  # fmt: skip
    values["alone"] = sorted(tasks - shared)
    connection.exec_driver_sql(
        "update task set withdrawn_at = now() where id = any(%(alone)s) and withdrawn_at is null", values
    )
    connection.exec_driver_sql("""
        update delivery set status = 'cancelled', cause = 'withdrawn', lease_token = null
        where task_id = any(%(alone)s) and (
            status in ('pending', 'retrying') or (status = 'failed' and kind = 'create' and cause <> 'uncertain'))""",
        values)  # fmt: skip
    return _change(session, workspace_id, tasks, message_id, DeliveryKind.WITHDRAW)


def leave(session: Session, message_id: UUID, joined: Iterable[UUID]) -> None:
    """The message belongs to these tasks of earlier messages only; comments that were not sent are cancelled."""
    values = {"message": message_id, "joined": list(joined)}
    connection = session.connection()
    connection.exec_driver_sql(
        "delete from task_message where message_id = %(message)s and task_id <> all(%(joined)s)", values
    )
    connection.exec_driver_sql("""
        update delivery set status = 'cancelled', cause = 'withdrawn'
        where message_id = %(message)s and kind = 'comment' and task_id <> all(%(joined)s)
        and status in ('pending', 'retrying', 'failed')""", values)  # fmt: skip


def renew(session: Session, workspace_id: UUID, message_id: UUID, tasks: list[dict[str, Any]]) -> list[UUID]:
    """These tasks exist already, and what was decided about them may have changed. Returns deliveries to make.

    tasks: id, category_id, title, body, priority, due_at.
    """
    _locked(session, message_id)
    changed = {row.id for row in bulk.update(session, """
        update task t set category_id = v.category_id, title = v.title, body = v.body, priority = v.priority,
            due_at = v.due_at, withdrawn_at = null
        from json_to_recordset(%(rows)s)
            as v(id uuid, category_id uuid, title text, body text, priority text, due_at timestamptz)
        where t.id = v.id and (t.withdrawn_at is not null
            or (t.category_id, t.title, t.body, t.priority)
                is distinct from (v.category_id, v.title, v.body, v.priority))
        returning t.id""", tasks)}  # fmt: skip
    if not changed:
        return []
    sent = session.connection().exec_driver_sql("""
        update delivery set status = 'pending', cause = '', error = '', next_try_at = now(), created_at = now()
        where task_id = any(%(tasks)s) and kind = 'create'
        and ((status = 'cancelled' and cause = 'withdrawn') or (status = 'failed' and cause <> 'uncertain'))
        returning id""", {"tasks": sorted(changed)}).scalars()  # fmt: skip
    return [*sent, *_change(session, workspace_id, changed, message_id, DeliveryKind.UPDATE)]


def _locked(session: Session, message_id: UUID) -> set[UUID]:
    """The tasks of the message; whoever is delivering one at this moment has ended, or is seen as `sending`."""
    return set(session.connection().exec_driver_sql("""
        select d.task_id from delivery d join task t on t.id = d.task_id
        where t.message_id = %(message)s and d.kind = 'create' order by d.id for update of d""",
        {"message": message_id}).scalars())  # fmt: skip


def _change(
    session: Session, workspace_id: UUID, tasks: Iterable[UUID], message_id: UUID, kind: DeliveryKind
) -> list[UUID]:
    """One delivery of this kind for each destination that has the task, or may have it."""
    rows = session.connection().exec_driver_sql(
        """
        select task_id, destination_id from delivery
        where task_id = any(%(tasks)s) and kind = 'create'
        and (status in ('delivered', 'sending', 'unknown') or (status = 'failed' and cause = 'uncertain'))""",
        {"tasks": sorted(tasks)},
    )
    changes = [
        {"id": new_id(), "workspace_id": workspace_id, "task_id": row.task_id, "destination_id": row.destination_id,
         "message_id": message_id, "kind": kind, "created_at": now()}
        for row in rows
    ]  # fmt: skip
    bulk.insert(session, Delivery, changes)
    return [row["id"] for row in changes]

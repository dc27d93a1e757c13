"""Messages the machine was unsure about, and the topics found among them. In the caller's transaction."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.tables import NewTopic
from app.db.tables.base import first_id_at, now


def unsure(session: Session, workspace_id: UUID, lasts: timedelta, most: int) -> list[Any]:
    """Rows of id, text and conversation_id: messages nothing decided alone, spam left out, newest first."""
    return session.connection().exec_driver_sql("""
        select m.id, m.text, m.conversation_id
        from (select distinct message_id from (
                  select message_id from classification where workspace_id = %(workspace)s and source is null
                  and review_rate = 1 and id >= %(first)s order by id desc limit %(most)s) newest) k
        join message m on m.id = k.message_id
        where m.text <> '' and not (m.status = 'ignored' and m.status_reason = 'spam') order by m.id desc""",
        {"workspace": workspace_id, "first": first_id_at(now() - lasts), "most": most}).all()  # fmt: skip


def topics(session: Session, workspace_id: UUID) -> list[NewTopic]:
    mine = select(NewTopic).where(NewTopic.workspace_id == workspace_id).order_by(col(NewTopic.first_seen_at))
    return list(session.exec(mine))


def with_unsure(session: Session, lasts: timedelta) -> list[UUID]:
    """Workspaces that have a model and in which something was unsure within that time."""
    rows = session.connection().exec_driver_sql("""
        select w.id from workspace w join model_version v on v.workspace_id = w.id and v.is_current
        where exists (select from classification k where k.workspace_id = w.id and k.source is null
                      and k.review_rate = 1 and k.id >= %(first)s)""",
        {"first": first_id_at(now() - lasts)})  # fmt: skip
    return list(rows.scalars())

"""Tasks, newest first, each with where it stands: what programs list and read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import in_workspace
from app.domain.errors import NotFound

PAGE = 50

_TASKS = """
    select t.*, c.key as category,
           (select coalesce(json_agg(json_build_object(
                'id', d.id, 'destination', x.key, 'connector', x.connector, 'status', d.status, 'ref_id', d.ref_id,
                'ref_url', d.ref_url, 'ref_status', d.ref_status, 'ref_assignee', d.ref_assignee,
                'delivered_at', d.delivered_at) order by d.id), '[]')
            from delivery d left join destination x on x.id = d.destination_id
            where d.task_id = t.id and d.kind = 'create') as deliveries
    from task t left join category c on c.id = t.category_id
    where t.workspace_id = %(workspace)s and """


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the database gives them. `older`: the cursor for `page`, None at the end."""

    lines: list[dict[str, Any]]
    older: UUID | None


def page(workspace_id: UUID, since: datetime | None = None, before: UUID | None = None) -> Page:
    """Made at or after `since`, 50 at a time. Raises NotFound for a cursor whose task is gone."""
    values = {"workspace": workspace_id, "since": since, "most": PAGE + 1}
    where = ["true"] + (["t.created_at >= %(since)s"] if since else [])
    with in_workspace(workspace_id) as session:
        if before:
            values |= {"id": before, "at": _made_at(session, before)}
            where.append("(t.created_at, t.id) < (%(at)s, %(id)s)")
        sql = f"{_TASKS} {' and '.join(where)} order by t.created_at desc, t.id desc limit %(most)s"
        rows = [dict(row._mapping) for row in session.connection().exec_driver_sql(sql, values)]
    more, rows = len(rows) > PAGE, rows[:PAGE]
    return Page(rows, rows[-1]["id"] if more else None)


def read(workspace_id: UUID, task_id: UUID) -> dict[str, Any]:
    """Raises NotFound."""
    with in_workspace(workspace_id) as session:
        sql, values = f"{_TASKS} t.id = %(id)s", {"workspace": workspace_id, "id": task_id}
        row = session.connection().exec_driver_sql(sql, values).one_or_none()
    if row is None:
        raise NotFound("There is no such task.", "task_id")
    return dict(row._mapping)


def _made_at(session, task_id: UUID) -> datetime:
    sql = "select created_at from task where id = %(id)s"
    at = session.connection().exec_driver_sql(sql, {"id": task_id}).scalar()
    if at is None:
        raise NotFound("The task of the cursor is gone. Begin with the first page.", "cursor")
    return at

"""Who decided what about which message, newest first: what programs that measure or train read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import in_workspace
from app.db.tables.base import first_id_at
from app.domain.classification import Source

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the database gives them. `older`: the cursor for `page`, None at the end."""

    lines: list[dict[str, Any]]
    older: UUID | None


def page(workspace_id: UUID, source: Source, since: datetime | None = None, before: UUID | None = None) -> Page:
    """Of one source, 50 at a time. Keyset paging: the thousandth page costs what the first does."""
    values = {
        "workspace": workspace_id, "source": source, "first": since and first_id_at(since), "before": before,
        "most": PAGE + 1,
    }  # fmt: skip
    where = (["k.id >= %(first)s"] if since else []) + (["k.id < %(before)s"] if before else [])
    sql = f"""
        select k.*, c.key as category from classification k left join category c on c.id = k.category_id
        where k.workspace_id = %(workspace)s and k.source = %(source)s and {" and ".join(where or ["true"])}
        order by k.id desc limit %(most)s"""  # noqa: S608  fixed fragments, bound values
    with in_workspace(workspace_id) as session:
        rows = [dict(row._mapping) for row in session.connection().exec_driver_sql(sql, values)]
    more, rows = len(rows) > PAGE, rows[:PAGE]
    return Page(rows, rows[-1]["id"] if more else None)

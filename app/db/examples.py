"""Imported tickets that persons labelled elsewhere. In the caller's transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, delete, select

from app.db import bulk
from app.db.learning import Decision
from app.db.tables import ExampleImport, LabelledExample


def known(session: Session, workspace_id: UUID, hashes: Sequence[str]) -> set[str]:
    """Those of the hashes whose text is known already."""
    rows = session.connection().exec_driver_sql(
        "select text_hash from labelled_example where workspace_id = %(workspace)s and text_hash = any(%(hashes)s)",
        {"workspace": workspace_id, "hashes": list(hashes)},
    )
    return set(rows.scalars())


def add(session: Session, rows: list[dict[str, Any]]) -> int:
    """Add what is not known yet; returns how many were."""
    return len(bulk.insert_new(session, LabelledExample, rows, "id"))


def decisions(session: Session, workspace_id: UUID, most: int) -> list[Decision]:
    """As decisions of persons, which they are. Of more than `most`, as many of each category as there is room for.

    Which ones is left to chance, but always the same: the hash of a text is as good as a dice.
    """
    rows = session.connection().exec_driver_sql("""
        select e.id, e.id as message_id, e.text, t.key as category, 'person' as source, false as taken_back,
               e.priority, null as sentiment
        from (select x.id, c.key, row_number() over (partition by c.id order by x.text_hash) as place
              from labelled_example x join category c on c.id = x.category_id and c.archived_at is null
              where x.workspace_id = %(workspace)s order by place, x.text_hash limit %(most)s) t
        join labelled_example e on e.id = t.id order by e.id""", {"workspace": workspace_id, "most": most})  # fmt: skip
    return [Decision(**row._mapping) for row in rows]


def imports(session: Session, workspace_id: UUID) -> list[ExampleImport]:
    """Newest first."""
    mine = select(ExampleImport).where(ExampleImport.workspace_id == workspace_id)
    return list(session.exec(mine.order_by(col(ExampleImport.id).desc())))


def import_ids(session: Session, workspace_id: UUID) -> list[str]:
    """Ascending, as `ModelVersion.imports` holds them."""
    return sorted(str(row.id) for row in imports(session, workspace_id))


def remove(session: Session, import_id: UUID) -> bool:
    """With its examples. False: it is gone already."""
    return session.exec(delete(ExampleImport).where(col(ExampleImport.id) == import_id)).rowcount == 1


def learnt_imports(session: Session, workspace_id: UUID) -> list[str]:
    """Those the newest version was fitted on; an older one that answers again does not count: it was chosen so."""
    return (
        session.connection()
        .exec_driver_sql(
            "select imports from model_version where workspace_id = %(id)s order by id desc limit 1",
            {"id": workspace_id},
        )
        .scalar()
        or []
    )

"""The two copies of what decides, live and draft, and the releases. In the caller's transaction.

The workspace is named in every statement: `./octopus apply` works across workspaces.
"""

from typing import Any
from uuid import UUID

from sqlmodel import Session, SQLModel, col, func, select

from app.db import bulk
from app.db.tables import Category, OpenDraft, Release, Route, Rule

LIVE, DRAFT = "public", "draft"
TABLES: tuple[type[SQLModel], ...] = (Category, Rule, Route)
COPIED = {str(table.__tablename__): "workspace_id" for table in TABLES} | {"workspace": "id"}


def lock(session: Session, workspace_id: UUID) -> None:
    """Whoever changes or publishes a workspace's configuration waits here for the one before. Readers do not."""
    session.connection().exec_driver_sql(
        "select from public.workspace where id = %(id)s for no key update", {"id": workspace_id}
    )


# ---- the draft


def open_draft(session: Session, workspace_id: UUID) -> OpenDraft | None:
    return session.exec(select(OpenDraft).where(OpenDraft.workspace_id == workspace_id)).one_or_none()


def copy_to_draft(session: Session, workspace_id: UUID) -> None:
    for table, column in COPIED.items():
        session.connection().exec_driver_sql(
            f"insert into draft.{table} select * from public.{table} where {column} = %(id)s",  # noqa: S608  constants
            {"id": workspace_id},
        )


def clear_draft(session: Session, workspace_id: UUID) -> None:
    for table, column in COPIED.items():
        session.connection().exec_driver_sql(
            f"delete from draft.{table} where {column} = %(id)s",  # noqa: S608  constants of this module
            {"id": workspace_id},
        )
    session.delete(session.exec(select(OpenDraft).where(OpenDraft.workspace_id == workspace_id)).one())
    session.flush()


def draft_rows(session: Session, workspace_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every row of the draft as it is stored, by table."""
    return {
        table: list(session.connection().exec_driver_sql(
            f"select to_jsonb(t) from draft.{table} t where {column} = %(id)s", {"id": workspace_id}  # noqa: S608
        ).scalars())
        for table, column in COPIED.items()
    }  # fmt: skip


def put_draft_rows(session: Session, rows: dict[str, list[dict[str, Any]]]) -> None:
    for table in COPIED:
        session.connection().exec_driver_sql(
            f"insert into draft.{table} select * from "  # noqa: S608  constants of this module
            f"jsonb_populate_recordset(null::draft.{table}, cast(%(rows)s as jsonb))",
            {"rows": bulk.as_json(rows[table])},
        )


# ---- what decides, in one of the two copies


def rows(session: Session, schema: str, table: type[SQLModel], workspace_id: UUID) -> list[Any]:
    return session.connection().exec_driver_sql(
        f"select * from {schema}.{table.__tablename__} where workspace_id = %(id)s order by position, key",  # noqa: S608
        {"id": workspace_id},
    ).all()  # fmt: skip


def classify_settings(session: Session, schema: str, workspace_id: UUID) -> dict[str, Any]:
    stored = session.connection().exec_driver_sql(
        f"select settings -> 'classify' from {schema}.workspace where id = %(id)s", {"id": workspace_id}  # noqa: S608
    ).scalar_one()  # fmt: skip
    return stored or {}


def put(session: Session, schema: str, made: list[SQLModel]) -> None:
    """Insert these rows, or change those of the same key; their ids stay."""
    if not made:
        return
    name, fields = str(made[0].__tablename__), list(type(made[0]).model_fields)
    changed = ", ".join(f"{field} = excluded.{field}" for field in fields if field not in ("id", "workspace_id", "key"))
    listed = ", ".join(fields)
    session.connection().exec_driver_sql(
        f"insert into {schema}.{name} ({listed}) select {listed} "  # noqa: S608  names of tables and columns
        f"from json_populate_recordset(null::{schema}.{name}, %(rows)s) "
        f"on conflict (workspace_id, key) do update set {changed}",
        {"rows": bulk.as_json([row.model_dump(mode="json") for row in made])},
    )


def take_away(session: Session, schema: str, table: type[SQLModel], workspace_id: UUID, keys: list[str]) -> None:
    """Messages refer to categories, so these are archived."""
    name = f"{schema}.{table.__tablename__}"
    what = "update {} set archived_at = now()" if table is Category else "delete from {}"
    session.connection().exec_driver_sql(
        what.format(name) + " where workspace_id = %(id)s and key = any(%(keys)s)", {"id": workspace_id, "keys": keys}
    )


def set_order(session: Session, schema: str, table: type[SQLModel], workspace_id: UUID, keys: list[str]) -> None:
    name = f"{schema}.{table.__tablename__}"
    session.connection().exec_driver_sql(
        f"update {name} set position = place - 1 "  # noqa: S608  a schema and a table
        "from unnest(cast(%(keys)s as text[])) with ordinality as wanted (wanted_key, place) "
        f"where workspace_id = %(id)s and {name}.key = wanted_key and position <> place - 1",
        {"id": workspace_id, "keys": keys},
    )


def set_classify_settings(session: Session, schema: str, workspace_id: UUID, classify: dict[str, Any]) -> None:
    session.connection().exec_driver_sql(
        f"update {schema}.workspace set config_version = config_version + 1, "  # noqa: S608  a schema
        "settings = settings || jsonb_build_object('classify', cast(%(classify)s as jsonb)) where id = %(id)s",
        {"id": workspace_id, "classify": bulk.as_json(classify)},
    )


# ---- releases


def newest_number(session: Session, workspace_id: UUID) -> int:
    """0 before the first."""
    newest = select(func.max(Release.number)).where(Release.workspace_id == workspace_id)
    return session.exec(newest).one() or 0


def release(session: Session, workspace_id: UUID, number: int) -> Release | None:
    query = select(Release).where(Release.workspace_id == workspace_id, Release.number == number)
    return session.exec(query).one_or_none()


def releases(session: Session, workspace_id: UUID, before: int | None, most: int) -> list[Any]:
    """Newest first, without their content."""
    query = select(Release.number, Release.at, Release.actor, Release.note, Release.changes).where(
        Release.workspace_id == workspace_id
    )
    if before is not None:
        query = query.where(col(Release.number) < before)
    return list(session.exec(query.order_by(col(Release.number).desc()).limit(most)))

"""Who changed which configuration when, and what it was before and after."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.engine import in_workspace, is_in_draft
from app.db.tables import AuditEntry
from app.db.tables.base import first_id_at

PAGE = 50
EXPORTED_AT_ONCE = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets would run


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every value that is set narrows the list."""

    actor: str = ""
    noun: str = ""
    key: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`older`, `newer`: cursors for `page`, None at the ends."""

    entries: list[AuditEntry]
    older: UUID | None
    newer: UUID | None


def record(
    session: Session,
    actor_email: str,
    workspace_id: UUID,
    action: str,
    noun: str,
    key: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an entry in the caller's transaction, so that no change is without one. Secrets come masked.

    A change in the draft says so: it works with the release only, which has an entry of its own.
    """
    action = f"{action} in draft" if is_in_draft(session) else action
    session.add(
        AuditEntry(
            workspace_id=workspace_id, actor=actor_email, action=action, noun=noun, key=key, before=before, after=after
        )
    )


def entries(workspace_id: UUID, wanted: Wanted, before: UUID | None = None, most: int = PAGE) -> list[AuditEntry]:
    """Newest first; `before` is the last id of the page above."""
    return _read(workspace_id, wanted, before, None, most)


def page(workspace_id: UUID, wanted: Wanted, before: UUID | None = None, after: UUID | None = None) -> Page:
    """Newest first, 50 at a time. Keyset paging: the thousandth page costs what the first does."""
    rows = _read(workspace_id, wanted, before, after, PAGE + 1)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if after:
        rows.reverse()
    has_older, has_newer = (True, more) if after else (more, before is not None)
    return Page(rows, rows[-1].id if rows and has_older else None, rows[0].id if rows and has_newer else None)


def _read(
    workspace_id: UUID, wanted: Wanted, before: UUID | None, after: UUID | None, most: int
) -> list[AuditEntry]:  # fmt: skip
    id_ = col(AuditEntry.id)
    query = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id)
    for column in ("actor", "noun", "key"):
        if value := getattr(wanted, column):
            query = query.where(getattr(AuditEntry, column) == value)
    if wanted.since:
        query = query.where(id_ >= first_id_at(wanted.since))  # ids rise with time, and all lists are sorted by them
    if before:
        query = query.where(id_ < before)
    if after:
        query = query.where(id_ > after)
    with in_workspace(workspace_id) as session:
        return list(session.exec(query.order_by(id_.asc() if after else id_.desc()).limit(most)))


def known(workspace_id: UUID, column: str) -> list[str]:
    """Each value of `actor` or `noun` that stands in an entry, sorted. Hops over the index from value to value."""
    if column not in ("actor", "noun"):
        raise ValueError(column)
    sql = f"""
        with recursive hop as (
            (select {column} from audit_entry where workspace_id = %(workspace)s order by {column} limit 1)
            union all
            select (select a.{column} from audit_entry a
                    where a.workspace_id = %(workspace)s and a.{column} > h.{column} order by a.{column} limit 1)
            from hop h where h.{column} is not null)
        select {column} from hop where {column} is not null"""  # noqa: S608  one of two fixed names
    with in_workspace(workspace_id) as session:
        return list(session.connection().exec_driver_sql(sql, {"workspace": workspace_id}).scalars())


def export(workspace_id: UUID, wanted: Wanted) -> bytes:
    """All entries of a filter as CSV, newest first; times in UTC. Starts with the mark by which Excel knows UTF-8."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(["at", "who", "action", "kind", "name", "before", "after"])
    for entry in _all(workspace_id, wanted):
        words = [entry.actor, entry.action, entry.noun, entry.key]
        states = [json.dumps(state, ensure_ascii=False) if state else "" for state in (entry.before, entry.after)]
        table.writerow([entry.at.astimezone(UTC).isoformat(), *map(_harmless, words), *states])
    return file.getvalue().encode("utf-8-sig")


def _all(workspace_id: UUID, wanted: Wanted) -> Iterator[AuditEntry]:
    before = None
    while batch := entries(workspace_id, wanted, before, EXPORTED_AT_ONCE):
        yield from batch
        before = batch[-1].id


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell

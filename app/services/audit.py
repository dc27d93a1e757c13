"""Who changed which configuration when, and what it was before and after."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.engine import in_workspace, is_in_draft
from app.db.tables import AuditEntry

PAGE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every value that is set narrows the list."""

    actor: str = ""
    noun: str = ""
    key: str = ""
    since: datetime | None = None


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


def entries(workspace_id: UUID, wanted: Wanted, before: UUID | None = None) -> list[AuditEntry]:
    """Newest first, 50 at a time; `before` is the last id of the page above."""
    query = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id).order_by(col(AuditEntry.id).desc())
    for column in ("actor", "noun", "key"):
        if value := getattr(wanted, column):
            query = query.where(getattr(AuditEntry, column) == value)
    if wanted.since:
        query = query.where(col(AuditEntry.at) >= wanted.since)
    if before:
        query = query.where(col(AuditEntry.id) < before)
    with in_workspace(workspace_id) as session:
        return list(session.exec(query.limit(PAGE)))

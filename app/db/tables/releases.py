"""What goes live together, and the one draft a workspace may have open. The draft's rows are in the schema `draft`."""

from datetime import datetime

from sqlalchemy import UniqueConstraint

from app.db.tables.base import WorkspaceRow, json_column, now, utc


class Release(WorkspaceRow, table=True):
    """`content`: what was live from then on, as in the configuration file; `changes`: against what was live before."""

    __table_args__ = (UniqueConstraint("workspace_id", "number", name="uq_release_workspace_id_number"),)

    number: int
    at: datetime = utc(default_factory=now, nullable=False)
    actor: str
    note: str = ""
    content: dict = json_column()
    changes: list = json_column(list)


class OpenDraft(WorkspaceRow, table=True):
    """`base`: what was live when the draft was opened, so that only what the draft itself changes is published."""

    __tablename__ = "open_draft"
    __table_args__ = (UniqueConstraint("workspace_id", name="uq_open_draft_workspace_id"),)

    opened_by: str
    opened_at: datetime = utc(default_factory=now, nullable=False)
    changed_by: str
    changed_at: datetime = utc(default_factory=now, nullable=False)
    base: dict = json_column()

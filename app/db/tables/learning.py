"""What a workspace has learnt."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from app.db.tables.base import WorkspaceRow, json_column, now, utc


class ModelVersion(WorkspaceRow, table=True):
    """A local model as fitted. `is_current`: the one that answers, at most one a workspace.

    weights: as `app.classify.model_file` writes them. learnt_until: the newest classification it was fitted on.
    """

    __tablename__ = "model_version"
    __table_args__ = (
        Index("uq_model_version_current", "workspace_id", unique=True, postgresql_where=text("is_current")),
        Index("ix_model_version_list", "workspace_id", "id"),
    )

    created_at: datetime = utc(default_factory=now, nullable=False)
    is_current: bool = True
    metrics: dict = json_column()
    thresholds: dict = json_column()
    weights: bytes = b""
    learnt_until: UUID | None = Field(default=None)

"""Topics nobody has a category for."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from app.db.tables.base import WorkspaceRow, json_column, now, utc


class NewTopic(WorkspaceRow, table=True):
    """words: what its messages speak of. message_ids: newest first. dismissed_by: who said that it is none."""

    __tablename__ = "new_topic"
    __table_args__ = (Index("ix_new_topic_workspace_id", "workspace_id"),)

    words: list = json_column(list)
    message_ids: list = json_column(list)
    first_seen_at: datetime = utc(default_factory=now, nullable=False)
    last_seen_at: datetime = utc(default_factory=now, nullable=False)
    dismissed_by: str = Field(default="")

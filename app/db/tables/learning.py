"""What a workspace has learnt."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from app.db.tables.base import WorkspaceRow, json_column, now, one_of, utc
from app.domain.classification import Priority


class ModelVersion(WorkspaceRow, table=True):
    """A local model as fitted. `is_current`: the one that answers, at most one a workspace.

    weights: as `app.classify.model_file` writes them. learnt_until: the newest classification it was fitted on.
    imports: ids of the imports it was fitted on.
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
    imports: list = json_column(list)


class ExampleImport(WorkspaceRow, table=True):
    """A file of tickets that persons labelled elsewhere. rows: how many of it were new."""

    __tablename__ = "example_import"
    __table_args__ = (Index("ix_example_import_workspace_id", "workspace_id"),)

    at: datetime = utc(default_factory=now, nullable=False)
    actor: str
    file_name: str
    rows: int


class LabelledExample(WorkspaceRow, table=True):
    """One ticket of an import. text_hash: of the text as the model reads it, so that each is known once."""

    __tablename__ = "labelled_example"
    __table_args__ = (
        UniqueConstraint("workspace_id", "text_hash", name="uq_labelled_example_workspace_id_text_hash"),
        Index("ix_labelled_example_import_id", "import_id"),
        one_of("priority", Priority),
    )

    import_id: UUID = Field(foreign_key="example_import.id", ondelete="CASCADE")
    category_id: UUID = Field(foreign_key="category.id", ondelete="CASCADE")
    text: str
    text_hash: str
    priority: str | None = None
    language: str | None = None

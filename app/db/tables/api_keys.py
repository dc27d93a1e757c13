from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import Field

from app.db.tables.base import WorkspaceRow, now, utc


class Scope(StrEnum):
    """What a key may be used for. None includes another."""

    READ = "read"
    WRITE = "write"
    DECIDE = "decide"
    DELIVER = "deliver"
    CONFIGURE = "configure"


class ApiKey(WorkspaceRow, table=True):
    """A program's way in. Only the SHA-256 of the key is kept, in hex; `prefix` is its part that is no secret."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("workspace_id", "prefix", name="uq_api_key_workspace_id_prefix"),)

    name: str
    prefix: str
    key_hash: str = Field(unique=True)
    scopes: list[str] = Field(sa_column=Column(ARRAY(TEXT), nullable=False))
    created_by: str
    created_at: datetime = utc(default_factory=now, nullable=False)
    last_used_at: datetime | None = utc()
    revoked_at: datetime | None = utc()

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.db.tables.base import Row, WorkspaceRow, json_column, now, one_of, utc


class Role(StrEnum):
    """From the most to the least powerful."""

    OWNER = "owner"
    MANAGER = "manager"
    AGENT = "agent"
    VIEWER = "viewer"


class Person(Row, table=True):
    """Somebody who can sign in. Belongs to the installation; memberships say to which workspaces."""

    email: str = Field(unique=True)
    name: str = ""
    password_hash: str
    must_change_password: bool = False
    locale: str | None = None
    failed_logins: int = 0
    locked_until: datetime | None = utc()
    created_at: datetime = utc(default_factory=now, nullable=False)


class Membership(SQLModel, table=True):
    __table_args__ = (one_of("role", Role),)

    person_id: UUID = Field(primary_key=True, foreign_key="person.id", ondelete="CASCADE")
    workspace_id: UUID = Field(primary_key=True, foreign_key="workspace.id", ondelete="CASCADE")
    role: str


class LoginSession(Row, table=True):
    """The server's side of a sign-in cookie: revoking the row ends it, wherever the cookie was copied to."""

    __tablename__ = "login_session"

    person_id: UUID = Field(foreign_key="person.id", ondelete="CASCADE", index=True)
    created_at: datetime = utc(default_factory=now, nullable=False)
    expires_at: datetime = utc(nullable=False)
    revoked_at: datetime | None = utc()
    last_seen_at: datetime | None = utc()
    ip: str = ""
    user_agent: str = ""


class Invitation(WorkspaceRow, table=True):
    """A link with which one person, and once, becomes a member. Only the hash of its token is kept."""

    __table_args__ = (one_of("role", Role), Index("ix_invitation_list", "workspace_id", "id"))

    email: str
    role: str
    token_hash: str = Field(unique=True)
    invited_by: UUID = Field(foreign_key="person.id", ondelete="CASCADE")
    created_at: datetime = utc(default_factory=now, nullable=False)
    expires_at: datetime = utc(nullable=False)
    accepted_at: datetime | None = utc()
    revoked_at: datetime | None = utc()


class AuditEntry(WorkspaceRow, table=True):
    """One change of configuration: who, when, what it was before and after (secrets masked). Append-only."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_list", "workspace_id", "id"),
        Index("ix_audit_entry_actor", "workspace_id", "actor", "id"),
        Index("ix_audit_entry_noun", "workspace_id", "noun", "id"),
        Index("ix_audit_entry_key", "workspace_id", "key", "id"),
    )

    at: datetime = utc(default_factory=now, nullable=False)
    actor: str
    action: str
    noun: str
    key: str
    before: dict | None = json_column(lambda: None, nullable=True)
    after: dict | None = json_column(lambda: None, nullable=True)

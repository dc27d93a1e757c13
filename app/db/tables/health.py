"""What workers and the receiver observe. Apart from the configuration, so that an observation reloads nothing."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.db.tables.base import utc


class BotHealth(SQLModel, table=True):
    __tablename__ = "bot_health"

    bot_id: UUID = Field(primary_key=True, foreign_key="bot.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    last_event_at: datetime | None = utc()
    refused: int = 0
    last_refused_at: datetime | None = utc()
    last_refused_reason: str = ""


class _Circuit(SQLModel):
    """`open_until`: no call before then. `parked_reason`: the credentials are dead; calls wait for a person."""

    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    failures: int = 0
    failing_since: datetime | None = utc()
    open_until: datetime | None = utc()
    pauses: int = 0
    last_success_at: datetime | None = utc()
    last_failure_at: datetime | None = utc()
    last_error: str = ""
    parked_reason: str = ""


class DestinationHealth(_Circuit, table=True):
    __tablename__ = "destination_health"

    destination_id: UUID = Field(primary_key=True, foreign_key="destination.id", ondelete="CASCADE")


class DestinationSync(SQLModel, table=True):
    """What is known of a destination's remote tasks. token: sealed, the newest of an account whose tokens end."""

    __tablename__ = "destination_sync"

    destination_id: UUID = Field(primary_key=True, foreign_key="destination.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    token: str = ""
    changes_until: datetime | None = utc()
    last_notice_at: datetime | None = utc()
    hook_set_at: datetime | None = utc()
    last_error: str = ""


class LlmAccountHealth(_Circuit, table=True):
    __tablename__ = "llm_account_health"

    llm_account_id: UUID = Field(primary_key=True, foreign_key="llm_account.id", ondelete="CASCADE")

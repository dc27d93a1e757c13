"""From the webhook request to the classified message. These tables grow with traffic."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TSVECTOR
from sqlmodel import Field, SQLModel

from app.db.tables.base import TrafficRow, json_column, now, one_of, utc
from app.domain.classification import Priority, Sentiment, Source
from app.domain.lifecycle import MessageStatus


class EventStatus(StrEnum):
    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"


class RawEvent(TrafficRow, table=True):
    """One verified webhook request. `body` is the bytes as received, so nothing a sender puts in can be refused."""

    __tablename__ = "raw_event"
    __table_args__ = (
        UniqueConstraint("bot_id", "event_key"),
        one_of("status", EventStatus),
        Index("ix_raw_event_waiting", "next_try_at", postgresql_where=text("status = 'received'")),
        Index("ix_raw_event_kept", "workspace_id", "received_at", postgresql_where=text("status <> 'received'")),
    )

    bot_id: UUID
    event_key: str
    received_at: datetime = utc(default_factory=now, nullable=False)
    headers: dict = json_column()
    query: str = ""
    body: bytes = b""
    status: str = EventStatus.RECEIVED
    reason: str = ""
    next_try_at: datetime = utc(default_factory=now, nullable=False)


class Contact(TrafficRow, table=True):
    """`erasure_asked_at`: a person wants everything about the contact gone; `erased_at`: it is."""

    __table_args__ = (
        UniqueConstraint("bot_id", "external_id"),
        Index("ix_contact_name", "workspace_id", func.lower(text("name")).label("lower_name"),
              postgresql_ops={"lower_name": "text_pattern_ops"}),
        Index("ix_contact_erasing", "workspace_id",
              postgresql_where=text("erasure_asked_at is not null and erased_at is null")),
    )  # fmt: skip

    bot_id: UUID
    external_id: str
    name: str = ""
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(TEXT), nullable=False, server_default="{}"))
    created_at: datetime = utc(default_factory=now, nullable=False)
    erasure_asked_at: datetime | None = utc()
    erased_at: datetime | None = utc()


class Conversation(TrafficRow, table=True):
    __table_args__ = (UniqueConstraint("bot_id", "external_id"),)

    bot_id: UUID
    external_id: str
    chat_id: str
    thread_id: str | None = None
    type: str


class Message(TrafficRow, table=True):
    """`lease_token` says which claim owns the row; a result is saved only by the claim that still does.

    cleared_at: its words and attachments were deleted then, by retention or an erasure.
    """

    __table_args__ = (
        UniqueConstraint("bot_id", "external_id"),
        one_of("status", MessageStatus),
        one_of("priority", Priority),
        one_of("sentiment", Sentiment),
        Index("ix_message_inbox", "workspace_id", "id"),
        Index("ix_message_inbox_status", "workspace_id", "status", "id"),
        Index("ix_message_inbox_category", "workspace_id", "category_id", "id"),
        Index("ix_message_inbox_priority", "workspace_id", "priority", "id"),
        Index("ix_message_inbox_language", "workspace_id", "language", "id"),
        Index("ix_message_conversation", "conversation_id", "id"),
        Index("ix_message_open", "next_try_at", postgresql_where=text("status in ('received', 'classified')")),
        Index("ix_message_search", "search", postgresql_using="gin"),
        Index("ix_message_kept", "workspace_id", "received_at", postgresql_where=text("cleared_at is null")),
        Index("ix_message_contact", "contact_id", "id"),
    )

    bot_id: UUID
    conversation_id: UUID
    contact_id: UUID
    raw_event_id: UUID | None = None
    external_id: str
    channel: str
    kind: str
    text: str = ""
    sent_at: datetime | None = utc()
    received_at: datetime = utc(default_factory=now, nullable=False)
    edited_at: datetime | None = utc()
    deleted_at: datetime | None = utc()
    status: str = MessageStatus.RECEIVED
    status_reason: str = ""
    category_id: UUID | None = None
    priority: str | None = None
    sentiment: str | None = None
    language: str | None = None
    confidence: float | None = None
    title: str = ""
    tries: int = 0
    next_try_at: datetime = utc(default_factory=now, nullable=False)
    lease_token: UUID | None = None
    search: str | None = Field(default=None, sa_column=Column(TSVECTOR))
    cleared_at: datetime | None = utc()


class Attachment(TrafficRow, table=True):
    __table_args__ = (Index("ix_attachment_message_id", "message_id"),)

    message_id: UUID
    kind: str
    external_id: str = ""
    url: str = ""
    name: str = ""
    mime_type: str = ""
    size_bytes: int | None = None


class Classification(TrafficRow, table=True):
    """Append-only. The newest by a person wins over any machine's.

    review_rate: how likely it was that a person would look at this message, 0..1: 1 where nobody was sure, the audit
    share where it was picked by chance; empty where no person was asked. active_s: seconds the person looked at it.
    """

    __table_args__ = (
        Index("ix_classification_message_id", "message_id", "id"),
        Index("ix_classification_learning", "workspace_id", "source", "id"),
        one_of("source", Source),
    )

    message_id: UUID
    at: datetime = utc(default_factory=now, nullable=False)
    category_id: UUID | None = None
    priority: str
    sentiment: str | None = None
    language: str | None = None
    confidence: float | None = None
    source: str | None = None
    reason: str = ""
    review_reason: str = ""
    review_rate: float | None = None
    actor: str = "worker"
    steps: list = json_column(list)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    active_s: float | None = None


class ReviewHold(SQLModel, table=True):
    """A message waiting for review that somebody has in hand, so that nobody else decides on it at the same time.

    asked_by: the e-mail address of the colleague who asked this person to decide. skipped: how often it was put off.
    """

    __tablename__ = "review_hold"

    message_id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    person_id: UUID
    until: datetime = utc(nullable=False)
    asked_by: str = ""
    note: str = ""
    skipped: int = 0


class SecondLook(SQLModel, table=True):
    """A message two persons decided about without knowing of each other. It changes nothing but what we know of us.

    first, second: category (a key or null), priority and sentiment.
    """

    __tablename__ = "second_look"
    __table_args__ = (Index("ix_second_look_list", "workspace_id", "at"),)

    message_id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    at: datetime = utc(default_factory=now, nullable=False)
    first_actor: str
    second_actor: str
    first: dict = json_column()
    second: dict = json_column()


class TimelineEntry(TrafficRow, table=True):
    """What happened to a message, with time and actor. Append-only."""

    __tablename__ = "timeline_entry"
    __table_args__ = (
        Index("ix_timeline_entry_message_id", "message_id", "id"),
        Index("ix_timeline_entry_kept", "workspace_id", "at"),
    )

    message_id: UUID
    at: datetime = utc(default_factory=now, nullable=False)
    actor: str = "worker"
    event: str
    data: dict = json_column()

"""Tasks and their delivery."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.db.tables.base import TrafficRow, json_column, now, one_of, utc
from app.domain.classification import Priority
from app.domain.lifecycle import DeliveryStatus
from app.domain.routing import DeliveryKind, Strategy


class Task(TrafficRow, table=True):
    """The work item for a message under a route. `id` in text form is the key vendors get.

    withdrawn_at: a person decided differently about the message, and this task should not be.
    """

    __table_args__ = (
        UniqueConstraint("message_id", "route_key"),
        one_of("strategy", Strategy),
        one_of("priority", Priority),
        Index("ix_task_open", "conversation_id", "category_id", "last_message_at"),
        Index("ix_task_list", "workspace_id", "created_at", "id"),
    )

    message_id: UUID
    conversation_id: UUID
    category_id: UUID | None = None
    route_key: str
    strategy: str
    destinations: list = json_column(list)
    title: str
    body: str
    priority: str
    due_at: datetime | None = utc()
    created_at: datetime = utc(default_factory=now, nullable=False)
    last_message_at: datetime = utc(default_factory=now, nullable=False)
    withdrawn_at: datetime | None = utc()


class TaskMessage(SQLModel, table=True):
    """A message that joined a task of an earlier one, to be added there as a comment."""

    __tablename__ = "task_message"

    task_id: UUID = Field(primary_key=True)
    message_id: UUID = Field(primary_key=True, index=True)
    workspace_id: UUID


class Delivery(TrafficRow, table=True):
    """One task, or a comment on it or change of it, to one destination. `ref_*` is the remote task once it exists.

    ref_changed_at: by the vendor's clock. ref_checked_at: when the remote task was last read.
    done_at: since when the remote task is done, empty while it is not. reopened_at: when it was first opened again.
    """

    __table_args__ = (
        one_of("status", DeliveryStatus),
        one_of("kind", DeliveryKind),
        Index(
            "uq_delivery_one_create", "task_id", "destination_id", unique=True, postgresql_where=text("kind = 'create'")
        ),
        Index(
            "uq_delivery_one_comment",
            "task_id",
            "destination_id",
            "message_id",
            unique=True,
            postgresql_where=text("kind = 'comment'"),
        ),
        Index("ix_delivery_task_id", "task_id", "destination_id"),
        Index(
            "ix_delivery_due",
            "next_try_at",
            postgresql_where=text("status in ('pending', 'sending', 'retrying', 'unknown')"),
        ),
        Index("ix_delivery_list", "workspace_id", "status", "id"),
        Index("ix_delivery_message_id", "message_id"),
        Index("ix_delivery_done_at", "workspace_id", "message_id", postgresql_where=text("done_at is not null")),
        Index(
            "ix_delivery_reopened_at", "workspace_id", "message_id", postgresql_where=text("reopened_at is not null")
        ),
        Index("ix_delivery_ref", "destination_id", "ref_id", postgresql_where=text("ref_id <> ''")),
    )

    task_id: UUID
    destination_id: UUID
    message_id: UUID
    kind: str = DeliveryKind.CREATE
    status: str = DeliveryStatus.PENDING
    tries: int = 0
    looks: int = 0
    next_try_at: datetime = utc(default_factory=now, nullable=False)
    lease_token: UUID | None = None
    error: str = ""
    cause: str = ""
    created_at: datetime = utc(default_factory=now, nullable=False)
    delivered_at: datetime | None = utc()
    ref_id: str = ""
    ref_url: str = ""
    ref_status: str = ""
    ref_assignee: str = ""
    ref_changed_at: datetime | None = utc()
    ref_checked_at: datetime | None = utc()
    done_at: datetime | None = utc()
    reopened_at: datetime | None = utc()


class CustomerReply(TrafficRow, table=True):
    """What the customer is told when a task is done: once per task, and never twice after an end nobody saw."""

    __tablename__ = "customer_reply"
    __table_args__ = (
        UniqueConstraint("task_id"),
        one_of("status", DeliveryStatus),
        Index(
            "ix_customer_reply_due",
            "next_try_at",
            postgresql_where=text("status in ('pending', 'sending', 'retrying')"),
        ),
    )

    task_id: UUID
    message_id: UUID
    text: str
    status: str = DeliveryStatus.PENDING
    tries: int = 0
    next_try_at: datetime = utc(default_factory=now, nullable=False)
    error: str = ""
    created_at: datetime = utc(default_factory=now, nullable=False)
    external_id: str = ""


class RemoteComment(TrafficRow, table=True):
    """What somebody wrote on a remote task. `ours`: it is one of our own comments, come back."""

    __tablename__ = "remote_comment"
    __table_args__ = (UniqueConstraint("delivery_id", "external_id"),)

    delivery_id: UUID
    external_id: str
    author: str = ""
    text: str
    written_at: datetime | None = utc()
    seen_at: datetime = utc(default_factory=now, nullable=False)
    ours: bool = False


class Attempt(TrafficRow, table=True):
    """One try, written before the call. `finished_at` empty after the lease ran out: nobody knows how it ended."""

    __table_args__ = (
        Index("ix_attempt_delivery_id", "delivery_id", "id"),
        Index("ix_attempt_kept", "workspace_id", "started_at", postgresql_where=text("exchanges <> '[]'")),
    )

    delivery_id: UUID
    number: int
    action: str
    started_at: datetime = utc(default_factory=now, nullable=False)
    finished_at: datetime | None = utc()
    outcome: str = ""
    error: str = ""
    exchanges: list = json_column(list)

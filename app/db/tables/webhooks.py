"""Outgoing webhooks: who is told what, and the outbox of what is to be told."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import Field

from app.db.tables.base import TrafficRow, WorkspaceRow, json_column, now, one_of, utc


class EventStatus(StrEnum):
    """A receiver may hear of an event twice, so an end nobody saw is an ordinary failure."""

    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookEndpoint(WorkspaceRow, table=True):
    """An address that is told of events. The secrets are sealed; the previous one signs until `previous_until`.

    off_reason: why it was switched off, where a person did not do it.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("ix_webhook_endpoint_workspace_id", "workspace_id"),)

    url: str
    name: str = ""
    events: list[str] = Field(sa_column=Column(ARRAY(TEXT), nullable=False))
    secret: str
    previous_secret: str = ""
    previous_until: datetime | None = utc()
    enabled: bool = True
    off_reason: str = ""
    created_at: datetime = utc(default_factory=now, nullable=False)


class WebhookEvent(TrafficRow, table=True):
    """One event on its way to one address. `id` is the webhook-id: the same at every try.

    attempts: the last 20, oldest first: at, status, took_ms, answer, error. While it is sent, `next_try_at` is the
    lease's end.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        one_of("status", EventStatus),
        Index(
            "ix_webhook_event_due",
            "endpoint_id",
            "next_try_at",
            postgresql_where=text("status in ('pending', 'sending', 'retrying')"),
        ),
        Index("ix_webhook_event_list", "endpoint_id", "id"),
        Index("ix_webhook_event_failed", "endpoint_id", "id", postgresql_where=text("status = 'failed'")),
    )

    endpoint_id: UUID
    type: str
    at: datetime = utc(default_factory=now, nullable=False)
    data: dict[str, Any] = json_column()
    status: str = EventStatus.PENDING
    tries: int = 0
    next_try_at: datetime = utc(default_factory=now, nullable=False)
    lease_token: UUID | None = None
    error: str = ""
    delivered_at: datetime | None = utc()
    attempts: list = json_column(list)

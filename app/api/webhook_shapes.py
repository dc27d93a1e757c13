"""What the API answers about webhooks; promises like those of `shapes`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.api import shapes
from app.db.tables.webhooks import EventStatus
from app.domain.events import EventType


class Webhook(shapes.Shape):
    """`off_reason`: why it was switched off, where no person did it. `old_secret_ends_at`: until then both sign."""

    id: UUID
    url: str
    name: str
    events: list[EventType]
    enabled: bool
    off_reason: str
    created_at: datetime
    old_secret_ends_at: datetime | None = None


class WebhookWithSecret(Webhook):
    """`secret`: keep it; it is shown this once."""

    secret: str


class WebhookAttempt(shapes.Shape):
    at: datetime
    status: int | None
    took_ms: float
    answer: str
    error: str


class WebhookEvent(shapes.Shape):
    """`id` is the webhook-id its receiver reads. `attempts`: the last 20, oldest first."""

    id: UUID
    type: str
    at: datetime
    data: dict[str, Any]
    status: EventStatus
    tries: int
    next_try_at: datetime
    delivered_at: datetime | None
    error: str
    attempts: list[WebhookAttempt]


class Replayed(shapes.Shape):
    changed: int

"""What the API answers. A field here is a promise to the programs that read it; what is not here stays inside."""

from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.domain.classification import Priority, Sentiment, Source
from app.domain.lifecycle import DeliveryStatus, MessageStatus
from app.domain.routing import DeliveryKind, Strategy, WhenWrong


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


Item = TypeVar("Item", bound=Shape)


class Page(Shape, Generic[Item]):
    """Newest first. `next`: give it as `cursor` to get the page that follows; null at the end."""

    items: list[Item]
    next: str | None


class Problem(Shape):
    """RFC 9457. `detail` is a sentence for a person; `field` names the part of the request at fault, if one is."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


# ---- messages


class Message(Shape):
    id: UUID
    received_at: datetime
    channel: str
    bot: str
    contact_name: str
    text: str
    title: str
    status: MessageStatus
    status_reason: str
    category: str | None
    priority: Priority | None
    confidence: float | None


class Attachment(Shape):
    kind: str
    name: str
    mime_type: str
    size_bytes: int | None
    url: str


class Classification(Shape):
    """`category`: null where nobody was sure (`review_reason`) or nothing is to be done (`reason`)."""

    at: datetime
    actor: str
    category: str | None
    priority: Priority
    sentiment: Sentiment | None
    language: str | None
    confidence: float | None
    source: Source | None
    reason: str
    review_reason: str
    cost_usd: float


class TimelineEntry(Shape):
    at: datetime
    actor: str
    event: str
    data: dict[str, Any]


class Attempt(Shape):
    number: int
    action: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    error: str


class DeliveryOfMessage(Shape):
    """`task_id` is the key the task has at its destination."""

    id: UUID
    task_id: UUID
    route: str = Field(validation_alias="route_key")
    destination: str | None
    connector: str | None
    kind: DeliveryKind
    title: str
    status: DeliveryStatus
    cause: str
    error: str
    tries: int
    next_try_at: datetime
    created_at: datetime
    delivered_at: datetime | None
    ref_id: str
    ref_url: str
    ref_status: str
    ref_assignee: str
    attempts: list[Attempt] = []


class ThreadMessage(Shape):
    id: UUID
    received_at: datetime
    text: str
    status: MessageStatus


class Passport(Message):
    """Everything known about one message, each list oldest first."""

    conversation: str
    contact_tags: list[str]
    sentiment: Sentiment | None
    language: str | None
    sent_at: datetime | None
    edited_at: datetime | None
    deleted_at: datetime | None
    thread: list[ThreadMessage]
    attachments: list[Attachment]
    classifications: list[Classification]
    deliveries: list[DeliveryOfMessage]
    timeline: list[TimelineEntry]


class Accepted(Shape):
    """`known`: the message was here already; nothing was changed."""

    event_id: UUID
    known: bool


class Event(Shape):
    """`status`: received, processed, ignored or failed; `reason` says why of the last two."""

    id: UUID
    status: str
    reason: str
    message_ids: list[UUID]


class Decided(Shape):
    status: MessageStatus


# ---- deliveries


class Delivery(Shape):
    id: UUID
    message_id: UUID
    destination: str
    connector: str
    kind: DeliveryKind
    title: str
    status: DeliveryStatus
    cause: str
    error: str
    tries: int
    next_try_at: datetime
    created_at: datetime
    delivered_at: datetime | None
    ref_id: str
    ref_url: str


class Exchange(Shape):
    """One request and its answer, secrets masked."""

    method: str
    url: str
    request: str
    status: int | None
    answer: str
    took_ms: float
    error: str


class AttemptRead(Attempt):
    exchanges: list[Exchange]


class DeliveryRead(Delivery):
    """`cause` and `error` say what is wrong, each attempt what was sent and answered while that is kept."""

    task_id: UUID
    route: str = Field(validation_alias="route_key")
    ref_status: str
    ref_assignee: str
    attempts: list[AttemptRead]


class DeliveryCount(Shape):
    state: str
    cause: str
    count: int
    oldest_at: datetime


class Changed(Shape):
    """`changed`: how many took the step. `left`: how many did not, by reason."""

    changed: int
    left: dict[str, int]


# ---- tasks and classifications


class DeliveryOfTask(Shape):
    id: UUID
    destination: str | None
    connector: str | None
    status: DeliveryStatus
    delivered_at: datetime | None
    ref_id: str
    ref_url: str
    ref_status: str
    ref_assignee: str


class Task(Shape):
    """`id` is the key the task has at its destinations. `withdrawn_at`: a person decided that it should not be."""

    id: UUID
    message_id: UUID
    conversation_id: UUID
    route: str = Field(validation_alias="route_key")
    strategy: Strategy
    category: str | None
    priority: Priority
    title: str
    due_at: datetime | None
    created_at: datetime
    withdrawn_at: datetime | None
    deliveries: list[DeliveryOfTask]


class TaskRead(Task):
    body: str
    last_message_at: datetime


class ClassificationOfMessage(Classification):
    id: UUID
    message_id: UUID


# ---- configuration


class Category(Shape):
    key: str
    name: str
    description: str
    priority: Priority
    sla_min: int | None
    archived_at: datetime | None


class Rule(Shape):
    key: str
    when: dict[str, Any] = Field(validation_alias="conditions")
    then: dict[str, Any] = Field(validation_alias="actions")
    continue_: bool = Field(validation_alias="go_on", serialization_alias="continue")
    enabled: bool


class Route(Shape):
    key: str
    when: dict[str, Any] = Field(validation_alias="conditions")
    strategy: Strategy
    destinations: list[str]
    continue_: bool = Field(validation_alias="go_on", serialization_alias="continue")
    default: bool = Field(validation_alias="is_default")
    when_wrong: WhenWrong
    reply: dict[str, str]
    enabled: bool


class Bot(Shape):
    """Secrets in `config` are masked."""

    key: str
    channel: str
    name: str
    config: dict[str, Any]
    enabled: bool
    created_at: datetime


class Destination(Shape):
    """Secrets in `config` are masked. `fields` maps the vendor's field names to templates."""

    key: str
    connector: str
    name: str
    config: dict[str, Any]
    fields: dict[str, str]
    rate_per_s: float | None
    enabled: bool


# ---- figures


class Bucket(Shape):
    """What came to be from `at` on, counted by the status it has now."""

    at: datetime
    messages: dict[MessageStatus, int]
    deliveries: dict[DeliveryStatus, int]


class Metrics(Shape):
    since: datetime
    until: datetime
    buckets: list[Bucket]


class Stage(Shape):
    """`stuck`: what should have moved on by now. `oldest_at`: when the oldest that waits came in."""

    count: int
    waiting: int
    stuck: int
    oldest_at: datetime | None


class BotFigures(Shape):
    key: str
    name: str
    channel: str
    enabled: bool
    last_event_at: datetime | None
    refused: int | None
    last_refused_at: datetime | None
    last_refused_reason: str | None


class DestinationFigures(Shape):
    key: str
    name: str
    connector: str
    enabled: bool
    open_until: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    parked_reason: str | None
    ends_on: date | None
    waiting: int
    failed: int
    oldest_at: datetime | None


class Figures(Shape):
    """What came in during the hours asked for, and what waits now, however old."""

    received: Stage
    classified: Stage
    review: Stage
    delivered: Stage
    ignored: int
    failed: int
    bots: list[BotFigures]
    destinations: list[DestinationFigures]

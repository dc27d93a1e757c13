"""Messages, their passports, and what is decided about them."""

from typing import Annotated, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from app.api import shapes
from app.api.guard import Decider, Guarded, Reader, Writer
from app.domain.classification import Priority, Sentiment
from app.domain.errors import NotFound
from app.domain.lifecycle import MessageStatus
from app.services import inbox, review, sending_in

LONGEST_PERIOD_DAYS = 3650
router = APIRouter(route_class=Guarded, tags=["messages"])


class Wanted(BaseModel):
    """Every value that is set narrows the list."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=500, description="Words, as in the Inbox")
    status: list[MessageStatus] = []
    category: list[str] = []
    priority: list[Priority] = []
    channel: list[str] = []
    bot: list[str] = []
    language: list[str] = []
    days: int | None = Field(None, ge=1, le=LONGEST_PERIOD_DAYS, description="Only the last so many days")
    cursor: UUID | None = Field(None, description="`next` of the page before")


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@+-]{1,80}$")]


class File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: HttpUrl
    name: str = Field("", max_length=300)
    mime_type: str = Field("", max_length=100)


class NewMessage(BaseModel):
    """`text`, `attachments` or both. Without `conversation_id` all messages of a sender are one conversation."""

    model_config = ConfigDict(extra="forbid")

    bot: str = Field(description="The key of a bot of the channel API")
    id: Id = Field(default_factory=lambda: uuid4().hex, description="Your own; tells resends from new messages")
    sender_id: Id
    sender_name: str = Field("", max_length=200)
    conversation_id: Id | None = None
    text: str = Field("", max_length=100_000)
    sent_at: AwareDatetime | None = None
    attachments: list[File] = Field([], max_length=50)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and not self.attachments:
            raise ValueError("a message has a text or an attachment")
        return self


class Decision(BaseModel):
    """`category`: null when nothing is to be done, `spam` then says why."""

    model_config = ConfigDict(extra="forbid")

    category: str | None
    priority: Priority | None = None
    sentiment: Sentiment | None = None
    spam: bool = False

    @model_validator(mode="after")
    def _spam_has_no_category(self) -> Self:
        if self.spam and self.category is not None:
            raise ValueError("spam has no category")
        return self


@router.get("/messages")
def list_messages(actor: Reader, wanted: Annotated[Wanted, Query()]) -> shapes.Page[shapes.Message]:
    """Newest first, 50 at a time; the first 400 characters of each text."""
    narrowed = wanted.model_dump(exclude={"cursor"})
    filters = {name: tuple(value) if isinstance(value, list) else value for name, value in narrowed.items()}
    page = inbox.page(actor.workspace_id, inbox.Filter(**filters), before=wanted.cursor)
    items = [shapes.Message.model_validate(line) for line in page.lines]
    return shapes.Page(items=items, next=str(page.older) if page.older else None)


@router.post("/messages", status_code=202)
def send_message(actor: Writer, new: NewMessage) -> shapes.Accepted:
    """Send a customer's message in, through a bot of the channel API: it goes the way of all messages.

    It is stored when this answers; what became of it is at `/events/{event_id}`. The same `id` in the same conversation
    is the same message, however often it is sent.
    """
    content = new.model_dump(mode="json", exclude={"bot"}, exclude_none=True)
    received = sending_in.send_in(actor, new.bot, content)
    return shapes.Accepted(event_id=received.event_id, known=received.known)


@router.get("/events/{event_id}")
def read_event(actor: Reader, event_id: UUID) -> shapes.Event:
    """What became of a request of a chat service or of `POST /messages`."""
    return shapes.Event.model_validate(sending_in.read(actor.workspace_id, event_id))


@router.get("/messages/{message_id}")
def read_message(actor: Reader, message_id: UUID) -> shapes.Passport:
    """One message with its passport: conversation, classifications, deliveries with their attempts, timeline."""
    found = inbox.passport(actor.workspace_id, message_id)
    if found is None:
        raise NotFound("There is no such message.", "message_id")
    deliveries = [row | {"attempts": found.attempts.get(row["id"], [])} for row in found.deliveries]
    return shapes.Passport.model_validate(found.message | {
        "thread": found.thread, "attachments": found.attachments, "classifications": found.classifications,
        "deliveries": deliveries, "timeline": found.timeline,
    })  # fmt: skip


@router.post("/messages/{message_id}/decision")
def decide(actor: Decider, message_id: UUID, decision: Decision) -> shapes.Decided:
    """Decide or correct: the message resumes at planning, and tasks that exist are brought in line."""
    reason = review.SPAM if decision.spam else review.NOTHING_TO_DO
    status = review.decide(actor, message_id, decision.category, decision.priority, decision.sentiment, reason)
    return shapes.Decided(status=status)


@router.delete("/messages/{message_id}/decision", status_code=204)
def take_back(actor: Decider, message_id: UUID) -> None:
    """Take back the key's own decision while it is the last one: the message waits again, its task is withdrawn."""
    review.take_back(actor, message_id)

"""Messages, their passports, and what is decided about them."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api import shapes
from app.api.guard import Decider, Guarded, Reader
from app.domain.classification import Priority, Sentiment
from app.domain.errors import NotFound
from app.domain.lifecycle import MessageStatus
from app.services import inbox, review

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

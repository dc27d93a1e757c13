"""Deliveries: each is a task, a comment on it or a change of it, on its way to one destination."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api import shapes
from app.api.guard import Deliverer, Guarded, Reader
from app.services import deliveries, replay
from app.services.deliveries import State

MOST_AT_ONCE = 500
router = APIRouter(route_class=Guarded, tags=["deliveries"])


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: State = State.FAILED
    cause: str | None = Field(None, description="Why it failed or waits, as in the counts")
    destination: str | None = Field(None, description="A destination's key")
    cursor: UUID | None = Field(None, description="`next` of the page before")


class Chosen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


@router.get("/deliveries")
def list_deliveries(actor: Reader, wanted: Annotated[Wanted, Query()]) -> shapes.Page[shapes.Delivery]:
    """Newest first, 50 at a time, of one state: what failed, unless another is asked for."""
    chosen = deliveries.Filter(wanted.state, wanted.cause, wanted.destination)
    page = deliveries.page(actor.workspace_id, chosen, before=wanted.cursor)
    items = [shapes.Delivery.model_validate(line) for line in page.lines]
    return shapes.Page(items=items, next=str(page.older) if page.older else None)


@router.get("/deliveries/counts")
def count_deliveries(actor: Reader) -> list[shapes.DeliveryCount]:
    """What is not done yet, by state and cause, the largest group first."""
    return [shapes.DeliveryCount.model_validate(count) for count in deliveries.counts(actor.workspace_id)]


@router.get("/deliveries/{delivery_id}")
def read_delivery(actor: Reader, delivery_id: UUID) -> shapes.DeliveryRead:
    """One delivery with its attempts, each with request and answer."""
    return shapes.DeliveryRead.model_validate(deliveries.read(actor.workspace_id, delivery_id))


@router.post("/deliveries/replay")
def replay_deliveries(actor: Deliverer, chosen: Chosen) -> shapes.Changed:
    """Send what failed, was cancelled or waits again, at once. Never makes a second task."""
    return shapes.Changed.model_validate(replay.replay(actor, chosen.ids))


@router.post("/deliveries/cancel")
def cancel_deliveries(actor: Deliverer, chosen: Chosen) -> shapes.Changed:
    """Stop what is not under way. A replay takes this back."""
    return shapes.Changed.model_validate(replay.cancel(actor, chosen.ids))

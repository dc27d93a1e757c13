"""Webhooks: addresses that are told of events, as on the page of that name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api import shapes
from app.api import webhook_shapes as told
from app.api.guard import Configurer, Deliverer, Guarded, Reader
from app.db.tables import WebhookEndpoint
from app.domain.events import EventType
from app.services import webhooks

MOST_AT_ONCE = 500
router = APIRouter(route_class=Guarded, tags=["webhooks"])


class _Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewWebhook(_Whole):
    url: str = Field(max_length=webhooks.LONGEST_URL, description="https://…; it answers 2xx within 15 seconds")
    events: list[EventType] = Field(min_length=1)
    name: str = Field("", max_length=webhooks.LONGEST_NAME)


class WebhookPut(NewWebhook):
    enabled: bool = True


class Wanted(_Whole):
    failed: bool = Field(False, description="Only those that failed for good")
    cursor: UUID | None = Field(None, description="`next` of the page before")


class Chosen(_Whole):
    ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Since(_Whole):
    since: AwareDatetime


def _shown(row: WebhookEndpoint) -> dict:
    return row.model_dump() | {"old_secret_ends_at": webhooks.old_secret_ends_at(row)}


@router.get("/webhooks")
def list_webhooks(actor: Reader) -> list[told.Webhook]:
    return [told.Webhook.model_validate(_shown(row)) for row in webhooks.endpoints(actor.workspace_id)]


@router.post("/webhooks", status_code=201)
def add_webhook(actor: Configurer, new: NewWebhook) -> told.WebhookWithSecret:
    """The answer holds the secret, this once."""
    row, secret = webhooks.add(actor, new.url, new.events, new.name)
    return told.WebhookWithSecret.model_validate(_shown(row) | {"secret": secret})


@router.get("/webhooks/{webhook_id}")
def read_webhook(actor: Reader, webhook_id: UUID) -> told.Webhook:
    return told.Webhook.model_validate(_shown(webhooks.endpoint(actor.workspace_id, webhook_id)))


@router.put("/webhooks/{webhook_id}")
def change_webhook(actor: Configurer, webhook_id: UUID, put: WebhookPut) -> told.Webhook:
    row = webhooks.change(actor, webhook_id, put.url, put.events, put.name, put.enabled)
    return told.Webhook.model_validate(_shown(row))


@router.delete("/webhooks/{webhook_id}", status_code=204)
def delete_webhook(actor: Configurer, webhook_id: UUID) -> None:
    webhooks.remove(actor, webhook_id)


@router.post("/webhooks/{webhook_id}/secret")
def rotate_secret(actor: Configurer, webhook_id: UUID) -> told.WebhookWithSecret:
    """A new secret, in the answer this once. For 24 hours everything is signed with the old one as well."""
    row, secret = webhooks.rotate(actor, webhook_id)
    return told.WebhookWithSecret.model_validate(_shown(row) | {"secret": secret})


@router.post("/webhooks/{webhook_id}/test")
def test_webhook(actor: Configurer, webhook_id: UUID) -> told.WebhookEvent:
    """Send an event of type `webhook.test` now; the answer says how that ended."""
    return told.WebhookEvent.model_validate(webhooks.send_test(actor, webhook_id))


@router.get("/webhooks/{webhook_id}/events")
def list_events(actor: Reader, webhook_id: UUID, wanted: Annotated[Wanted, Query()]) -> shapes.Page[told.WebhookEvent]:
    """What it was told in the last 30 days, newest first, 50 at a time."""
    page = webhooks.page(actor.workspace_id, webhook_id, wanted.failed, before=wanted.cursor)
    items = [told.WebhookEvent.model_validate(line) for line in page.lines]
    return shapes.Page(items=items, next=str(page.older) if page.older else None)


@router.post("/webhooks/{webhook_id}/replay")
def replay_failed(actor: Deliverer, webhook_id: UUID, since: Since) -> told.Replayed:
    """Send again what failed since a time."""
    return told.Replayed(changed=webhooks.replay_failed(actor, webhook_id, since.since))


@router.post("/webhook-events/replay")
def replay_events(actor: Deliverer, chosen: Chosen) -> told.Replayed:
    """Send these again, also what was delivered, under their old ids."""
    return told.Replayed(changed=webhooks.replay(actor, chosen.ids))

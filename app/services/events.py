"""What webhooks are told, written in the transaction of what they are told of. One door: `announce`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from app.db import webhooks as store
from app.domain.classification import Source
from app.domain.events import Event, EventType
from app.domain.lifecycle import DeliveryStatus, MessageStatus
from app.services.configuration import Configuration

if TYPE_CHECKING:
    from app.db.sync import Remote
    from app.services.configuration import ConfiguredDestination
    from app.services.delivery import Result
    from app.services.planning import Decision


def announce(session: Session, config: Configuration, events: Iterable[Event]) -> None:
    """Write the events into the outbox of who asked for them; the sweeper wakes the workers within seconds.

    events: an iterator, so that nothing is even built where nobody asks.
    """
    if config.webhooks:
        store.add(session, config.workspace.id, [
            (webhook.id, event) for event in events for webhook in config.webhooks if event.type in webhook.events
        ])  # fmt: skip


def of_decisions(decisions: Iterable["Decision"], decided_by: str) -> Iterator[Event]:
    """What became of messages. decided_by: `worker`, or a person."""
    for decision in decisions:
        subject, result = decision.subject, decision.result
        data = {
            "message_id": str(subject.id), "conversation_id": str(subject.conversation_id),
            "channel": subject.facts.channel, "bot": subject.facts.bot,
            "received_at": subject.received_at.isoformat(), "status": decision.status,
        }  # fmt: skip
        if decision.status is MessageStatus.NEEDS_REVIEW:
            yield Event(EventType.MESSAGE_NEEDS_REVIEW, data)
        else:
            yield Event(EventType.MESSAGE_CLASSIFIED, data | {
                "category": result.category, "priority": result.priority, "sentiment": result.sentiment,
                "language": result.language or subject.facts.language, "confidence": result.confidence,
                "source": result.source, "decided_by": decided_by if result.source is Source.PERSON else None,
            })  # fmt: skip


def of_tasks(tasks: Iterable[dict[str, Any]], categories: dict[Any, str]) -> Iterator[Event]:
    """tasks: rows just inserted. categories: keys by id."""
    for task in tasks:
        yield Event(EventType.TASK_CREATED, {
            "task_id": str(task["id"]), "message_id": str(task["message_id"]), "route": task["route_key"],
            "strategy": task["strategy"], "destinations": task["destinations"],
            "category": categories.get(task["category_id"]), "priority": task["priority"],
            "due_at": task["due_at"].isoformat() if task["due_at"] else None,
        })  # fmt: skip


def of_deliveries(config: Configuration, results: Iterable["Result"]) -> Iterator[Event]:
    """Of those that have ended: a try that is repeated is none of a receiver's business."""
    for result in results:
        claimed, destination = result.claimed, config.destinations_by_id.get(result.claimed.destination_id)
        data = {
            "delivery_id": str(claimed.id), "task_id": str(claimed.task_id), "message_id": str(claimed.message_id),
            "kind": claimed.kind, "destination": destination.key if destination else None,
            "connector": destination.connector if destination else None, "tries": claimed.number,
        }  # fmt: skip
        if result.status is DeliveryStatus.DELIVERED and result.ref:
            ref = {"ref_id": result.ref.id, "ref_url": result.ref.url}
            yield Event(EventType.DELIVERY_DELIVERED, data | ref)
        elif result.status is DeliveryStatus.FAILED:
            yield Event(EventType.DELIVERY_FAILED, data | {"cause": result.cause})


def of_statuses(
    destination: "ConfiguredDestination", changed: Iterable[tuple["Remote", dict[str, Any]]]
) -> Iterator[Event]:
    """changed: remote tasks as they were last seen, each with what is new about it: status, assignee or both."""
    for remote, row in changed:
        if row["status"] == remote.ref_status:
            continue
        yield Event(EventType.TASK_STATUS_CHANGED, {
            "task_id": str(remote.task_id), "message_id": str(remote.message_id), "delivery_id": str(remote.id),
            "destination": destination.key, "connector": destination.connector, "ref_id": remote.ref_id,
            "ref_url": row["url"] or remote.ref_url, "from": remote.ref_status, "to": row["status"],
            "assignee": row["assignee"],
        })  # fmt: skip

"""The jobs: ids in, nothing out. Each only hands rows to a service, which claims them, so running twice is safe."""

from uuid import UUID

from app.services import crm_hooks, delivery, intake, learning, retention, rollups, telling, topics
from app.services import replies as customer_replies
from app.services import sweep as sweeper
from app.services import sync as synchronise

Batch = dict[str, list[str]]  # workspace id -> ids


def process(events: Batch) -> None:
    """Turn received webhook requests into messages, classify and plan them, and make the first attempts."""
    for workspace_id, ids in events.items():
        intake.process(UUID(workspace_id), map(UUID, ids))


def classify(messages: Batch) -> None:
    """Classify messages that were left waiting."""
    for workspace_id, ids in messages.items():
        intake.classify_again(UUID(workspace_id), map(UUID, ids))


def deliver(deliveries: Batch) -> None:
    """Make the next attempt of each delivery that is due."""
    for workspace_id, ids in deliveries.items():
        delivery.attempt_all(UUID(workspace_id), map(UUID, ids))


def learn(workspaces: Batch) -> None:
    """Watch and refit each workspace's local model."""
    for workspace_id in workspaces:
        learning.learn(UUID(workspace_id))


def watch_topics(workspaces: Batch) -> None:
    """Look for topics no category stands for."""
    for workspace_id in workspaces:
        topics.watch(UUID(workspace_id))


def roll_up(workspaces: Batch) -> None:
    """Count the hours that changed, for dashboards."""
    for workspace_id in workspaces:
        rollups.roll_up(UUID(workspace_id))


def reply(replies: Batch) -> None:
    """Tell customers that their tasks are done."""
    for workspace_id, ids in replies.items():
        customer_replies.send_all(UUID(workspace_id), map(UUID, ids))


def tell(endpoints: Batch) -> None:
    """Tell webhooks of the events that are due."""
    for workspace_id, ids in endpoints.items():
        for endpoint_id in ids:
            telling.tell(UUID(workspace_id), UUID(endpoint_id))


def sync(deliveries: Batch) -> None:
    """Read remote tasks again that a vendor's webhook spoke of."""
    for workspace_id, ids in deliveries.items():
        synchronise.refresh(UUID(workspace_id), map(UUID, ids))


def poll(workspaces: Batch) -> None:
    """Ask each destination of the workspaces what changed."""
    for workspace_id in workspaces:
        synchronise.poll(UUID(workspace_id))


def wake_pollers() -> None:
    """Queue a poll of every workspace that has a destination."""
    synchronise.wake_pollers()


def renew_hooks() -> None:
    """Set webhooks again that their vendors would end."""
    crm_hooks.renew()


def wake_learners() -> None:
    """Queue the learning of workspaces where persons decided something new."""
    learning.wake_learners()


def wake_topic_watchers() -> None:
    """Queue a look for new topics in every workspace."""
    topics.wake_watchers()


def wake_counters() -> None:
    """Queue the counting of workspaces with hours that changed."""
    rollups.wake_counters()


def retain() -> None:
    """Delete what workspaces do not want to keep any longer, and finish erasures."""
    retention.run()
    telling.forget_old()


def sweep() -> None:
    """Queue what was lost or is due again."""
    sweeper.sweep()

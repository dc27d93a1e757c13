"""All tables. Importing this package fills `SQLModel.metadata`."""

from app.db.tables.api_keys import ApiKey, Scope
from app.db.tables.configuration import Bot, Category, Destination, LlmAccount, Route, Rule
from app.db.tables.health import BotHealth, DestinationHealth, DestinationSync, LlmAccountHealth
from app.db.tables.inbox import (
    Attachment,
    Classification,
    Contact,
    Conversation,
    Message,
    RawEvent,
    ReviewHold,
    SecondLook,
    TimelineEntry,
)
from app.db.tables.learning import ExampleImport, LabelledExample, ModelVersion
from app.db.tables.people import AuditEntry, Invitation, LoginSession, Membership, Person
from app.db.tables.releases import OpenDraft, Release
from app.db.tables.rollups import MessageRollup, StaleHour
from app.db.tables.topics import NewTopic
from app.db.tables.webhooks import WebhookEndpoint, WebhookEvent
from app.db.tables.work import Attempt, CustomerReply, Delivery, RemoteComment, Task, TaskMessage
from app.db.tables.workspaces import Workspace

__all__ = [
    "ApiKey", "Attachment", "Attempt", "AuditEntry", "Bot", "BotHealth", "Category", "Classification", "Contact",
    "Conversation", "CustomerReply", "Delivery", "Destination", "DestinationHealth", "DestinationSync",
    "ExampleImport", "Invitation", "LabelledExample", "LlmAccount", "LlmAccountHealth", "LoginSession", "Membership",
    "Message", "MessageRollup", "ModelVersion", "NewTopic", "OpenDraft", "Person", "RawEvent", "Release",
    "RemoteComment", "ReviewHold", "Route", "Rule", "Scope", "SecondLook", "StaleHour", "Task", "TaskMessage",
    "TimelineEntry", "WebhookEndpoint", "WebhookEvent", "Workspace",
]  # fmt: skip

"""The work item Octopus wants to exist, and what a connector can say about its own system. Pure data."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.classification import Priority


class Capability(StrEnum):
    """What a vendor can do. What is missing is shown to the manager and never faked."""

    IDEMPOTENT_CREATE = "idempotent_create"  # repeating create with the same key cannot make a second task
    FIND = "find"  # a task can be looked up by our key
    FIND_LAGS = "find_lags"  # ... but a new one may show up late: look twice, with a wait between
    UPDATE = "update"
    COMMENT = "comment"
    STATUS = "status"
    TARGETS = "targets"
    FIELDS = "fields"
    PEOPLE = "people"
    TRANSITION = "transition"  # a task can be closed and opened again
    COMMENTS = "comments"  # what people wrote on a task can be read
    CHANGES = "changes"  # tasks changed since a moment can be listed, for polling
    HOOK = "hook"  # the vendor can tell us of changes by webhook
    SETS_HOOK = "sets_hook"  # ... and the webhook is set by an API call; else HOOK_STEPS tell the manager what to click


class TaskStatus(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Task:
    """One work item, ready to send. `key` is stable over all tries and unique in the installation.

    `key` is a UUID in text form: vendors that take an id of the caller's take this one.
    `fields` holds the manager's field mapping, already rendered: the vendor's field name -> text.
    """

    key: str
    title: str
    body: str
    category: str = ""
    category_name: str = ""
    priority: Priority = Priority.NORMAL
    due_at: datetime | None = None
    assignee: str = ""
    labels: tuple[str, ...] = ()
    attachments: tuple[Link, ...] = ()
    link: str = ""  # back to the message in Octopus
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRef:
    """The remote end of a delivered task."""

    id: str
    url: str = ""
    status: TaskStatus = TaskStatus.OPEN
    assignee: str = ""  # the name to show
    changed_at: datetime | None = None  # by the vendor's clock: an older answer never overwrites a newer one


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a task can be assigned to. `id` is what the vendor takes as assignee."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class RemoteComment:
    """What somebody wrote on a task. `author` is the name to show."""

    id: str
    text: str
    author: str = ""
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A place tasks can go: a project, board, list, table, object type. `config` is merged into the destination's."""

    name: str
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RemoteField:
    """A field of the target. `options` is empty unless the vendor has a closed list."""

    key: str
    name: str
    type: str
    required: bool = False
    options: tuple[str, ...] = ()

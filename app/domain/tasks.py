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

"""What the contract suite asks of a vendor's case, and the task it sends."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import RemoteError
from app.domain.tasks import Link, Task, TaskRef

SECRET = "s3cret-word"
KEY = "da6d6fe2-138f-5f35-99a3-01d9b2aa6e5c"
TASK = Task(
    key=KEY,
    title="Saving shows error 5 😀",
    body="Jedes Mal beim Speichern: Fehler 5. 一打开就崩溃 😀\n\nCustomer: Zoë\nCategory: bug (Bug)\nPriority: high",
    category="bug",
    category_name="Bug",
    priority=Priority.HIGH,
    due_at=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
    labels=("bug",),
    attachments=(Link("screen.png", "https://files.example/screen.png"),),
    link="https://octopus.example/inbox?message=1",
)


@dataclass(frozen=True)
class Reply:
    """status, JSON body and headers of a vendor's answer, and what must become of it."""

    status: int
    body: Any
    error: type[RemoteError] | None = None
    field: str = ""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    wait_s: float | None = None


@dataclass(frozen=True)
class Case:
    """create, lookup: method and path. found: the lookup's answer when it is there; nothing: when it is not.

    around: other calls a create makes, and their answers. lookup is None where the vendor cannot search.
    """

    config: dict[str, Any]
    create: tuple[str, str]
    created: Any
    ref: TaskRef
    names_a_field: Reply
    conflict: Reply
    asked_too_often: Reply
    lookup: tuple[str, str] | None = None
    found: Any = None
    nothing: Any = None
    around: dict[tuple[str, str], Any] = dataclasses.field(default_factory=dict)
    spoken: str = "message"  # where the vendor puts its words
    secrets: tuple[str, ...] = (SECRET,)

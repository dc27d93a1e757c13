"""A task as ClickUp takes and gives it. Pure.
Source: https://developer.clickup.com/reference/createtask (read 2026-11).
"""

from datetime import datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line
from connectors.clickup_fields import PRIORITIES, STATUS, listed, member_ids, moment_ms, numeral, refusal
from connectors.payloads import answered, moment

LONGEST_NAME, LONGEST_TEXT = 500, 30_000  # ours: ClickUp publishes none
URGENCIES = {Priority.URGENT: "urgent", Priority.HIGH: "high", Priority.NORMAL: "normal", Priority.LOW: "low"}
STATUSES = {  # by the type of a status: its name is chosen by people, for each list
    "open": TaskStatus.OPEN, "unstarted": TaskStatus.OPEN, "custom": TaskStatus.IN_PROGRESS,
    "done": TaskStatus.DONE, "closed": TaskStatus.DONE,
}  # fmt: skip
# "closed" first: each list has exactly one of it, while "done" ones may be several ("shipped", "rejected").
FINISHED, BEGINNING = ("closed", "done"), ("open", "unstarted", "custom")


def content_of(task: Task) -> dict[str, Any]:
    """What a create and an update have in common. The key stands at the end of the description, to be found by."""
    named = "markdown_content" if task.fields.get("markdown_content") else "description"
    text = clipped(task.fields.get(named, body_of(task)), LONGEST_TEXT)
    wanted: dict[str, Any] = {
        "name": one_line(task.fields.get("name") or task.title, LONGEST_NAME),
        named: f"{text}\n\n{_marker(task.key)}",
    }
    priority = task.fields.get("priority", URGENCIES[task.priority])
    if priority:
        wanted["priority"] = _priority(priority)
    due = task.fields.get("due_date", task.due_at.isoformat() if task.due_at else "")
    for name, when in (("due_date", due), ("start_date", task.fields.get("start_date", ""))):
        if when:
            wanted[name], wanted[f"{name}_time"] = moment_ms(name, when)
    if task.fields.get("points"):
        wanted["points"] = numeral("points", task.fields["points"])
    return wanted


def given_at_first(task: Task) -> dict[str, Any]:
    """What a create has besides, and people may change afterwards."""
    wanted = {
        "assignees": assignees_of(task),
        "tags": listed(task.fields["tags"]) if "tags" in task.fields else list(task.labels),
        "status": task.fields.get(STATUS, ""),
    }
    return {name: value for name, value in wanted.items() if value}


def assignees_of(task: Task) -> list[int]:
    return member_ids("assignees", task.fields.get("assignees", task.assignee))


def is_made_with(key: str, task: dict[str, Any]) -> bool:
    return any(_marker(key) in str(task.get(name)) for name in ("description", "text_content"))


def ref_of(task: Any) -> TaskRef:
    changed_ms = inside(task, "date_updated")
    return TaskRef(
        answered("ClickUp", task, "id"),
        inside(task, "url") or "",
        STATUSES.get(inside(task, "status", "type"), TaskStatus.UNKNOWN),
        ", ".join(_name_of(person) for person in inside(task, "assignees") or ()),
        _moment(changed_ms) if changed_ms else None,
    )


def comment_of(comment: dict[str, Any]) -> RemoteComment:
    written_ms = comment.get("date")
    return RemoteComment(
        answered("ClickUp", comment, "id"),
        str(comment.get("comment_text") or "").rstrip("\n"),
        _name_of(comment.get("user")),
        _moment(written_ms) if written_ms else None,
    )


def status_for(wanted: TaskStatus, statuses: list[dict[str, Any]]) -> str:
    """The name of the list's status that means `wanted`. Raises Rejected where the list has none."""
    for kind in BEGINNING if wanted is TaskStatus.OPEN else FINISHED:
        for one in statuses:
            if one.get("type") == kind:
                return str(one["status"])
    raise Rejected(
        f"The ClickUp list has no status that means '{wanted}'; nothing was changed. Add one to the list and replay.",
        STATUS,
    )


def _name_of(person: Any) -> str:
    """A member who was invited but never signed in has no name yet."""
    return str(inside(person, "username") or inside(person, "email") or inside(person, "id") or "")


def _priority(text: str) -> int:
    text = text.strip().lower()
    if text in PRIORITIES:
        return PRIORITIES.index(text) + 1
    if text in ("1", "2", "3", "4"):
        return int(text)
    raise refusal("priority", "takes urgent, high, normal or low")


def _moment(unix_ms: Any) -> datetime:
    """ClickUp writes milliseconds since 1970, as a text."""
    return moment(f"{int(unix_ms) // 1000}.{int(unix_ms) % 1000:03}")


def _marker(key: str) -> str:
    return f"octopus-{key}"

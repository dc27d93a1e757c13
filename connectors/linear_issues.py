"""Issues as Linear writes them, and tasks as Linear takes them. Pure."""

from typing import Any
from uuid import UUID

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, day, inside, one_line
from connectors.payloads import answered, iso_moment

LONGEST_TITLE, LONGEST_TEXT = 255, 100_000  # ours: Linear publishes none
PRIORITY = {Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4}
STATUS = {
    "triage": TaskStatus.OPEN, "backlog": TaskStatus.OPEN, "unstarted": TaskStatus.OPEN,
    "started": TaskStatus.IN_PROGRESS, "completed": TaskStatus.DONE, "canceled": TaskStatus.CANCELLED,
    "duplicate": TaskStatus.CANCELLED,
}  # fmt: skip
STATE_TYPES = {  # the best first
    TaskStatus.OPEN: ("unstarted", "backlog", "triage"),
    TaskStatus.DONE: ("completed",),
    TaskStatus.CANCELLED: ("canceled", "completed"),
}
NUMBERS = ("priority", "estimate")
LISTS = ("labelIds", "subscriberIds", "releaseIds")
FIELDS = (
    RemoteField("title", "Title", "text", required=True),
    RemoteField("description", "Description", "markdown"),
    RemoteField("priority", "Priority", "number", options=tuple(PRIORITY)),
    RemoteField("dueDate", "Due date", "date"),
    RemoteField("estimate", "Estimate", "number"),
    RemoteField("assigneeId", "Assignee", "id"),
    RemoteField("stateId", "Status", "id"),
    RemoteField("projectId", "Project", "id"),
    RemoteField("labelIds", "Labels", "ids, separated by commas"),
)


def id_of(key: str) -> str:
    """Linear wants version 4: the same bits with another version number, so equal keys give equal ids."""
    return str(UUID(hex=key, version=4))


def content_of(task: Task) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "title": one_line(task.title, LONGEST_TITLE),
        "description": clipped(body_of(task), LONGEST_TEXT),
        "priority": PRIORITY[task.priority],
    }
    if task.due_at:
        wanted["dueDate"] = day(task.due_at)
    if task.assignee:
        wanted["assigneeId"] = task.assignee
    for name, text in task.fields.items():
        if text:
            wanted[name] = _typed(name, text)
        else:  # mapped to nothing: the manager wants it left out
            wanted.pop(name, None)
    return wanted


def _typed(name: str, text: str) -> Any:
    """A mapped text in the type of IssueCreateInput."""
    if name == "priority" and text in PRIORITY:
        return PRIORITY[Priority(text)]
    if name in NUMBERS:
        try:
            return int(text)
        except ValueError as error:
            text = (
                f"Linear's field {name} takes a whole number; nothing was sent. Correct the field mapping and replay."
            )
            raise Rejected(text, name) from error
    if name in LISTS:
        return [part.strip() for part in text.split(",")]
    return one_line(text, LONGEST_TITLE) if name == "title" else clipped(text, LONGEST_TEXT)


def ref_of(issue: dict[str, Any]) -> TaskRef:
    changed_at = issue.get("updatedAt")
    return TaskRef(
        answered("Linear", issue, "id"),
        issue.get("url") or "",
        status_of(issue),
        name_of(issue.get("assignee")),
        iso_moment(changed_at) if changed_at else None,
    )


def status_of(issue: Any) -> TaskStatus:
    kind = inside(issue, "state", "type")
    return STATUS.get(kind, TaskStatus.UNKNOWN) if kind else TaskStatus.OPEN


def state_for(status: TaskStatus, states: list[dict[str, Any]]) -> str:
    """The id of the team's first state that means `status`. Raises Rejected."""
    for kind in STATE_TYPES[status]:
        fitting = [state for state in states if state.get("type") == kind]
        if fitting:
            return answered("Linear", min(fitting, key=lambda state: state.get("position") or 0.0), "id")
    raise Rejected(
        f"The Linear team has no state of the kind {' or '.join(STATE_TYPES[status])}; the issue was left as it is. "
        "Add one in the team's settings under Issue statuses & automations, and try again.",
        "stateId",
    )


def comment_of(comment: dict[str, Any]) -> RemoteComment:
    written_at = comment.get("createdAt")
    return RemoteComment(
        answered("Linear", comment, "id"),
        comment.get("body") or "",
        name_of(comment.get("user")),
        iso_moment(written_at) if written_at else None,
    )


def name_of(user: Any) -> str:
    return inside(user, "displayName") or inside(user, "name") or ""

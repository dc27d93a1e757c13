"""A task as a Jira issue, and what an issue says back. Pure, but for people who are named by e-mail.
Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ and .../api-group-issue-comments/
(read 2026-11).
"""

import re
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, day, inside, one_line
from connectors.jira_documents import document, text_of
from connectors.jira_fields import CUSTOM, LONGEST_SUMMARY, LONGEST_TEXT, AccountId, typed
from connectors.payloads import iso_moment

LONGEST_LABEL = 255
ISSUE = ["status", "resolution", "assignee", "updated"]  # what is asked of an issue to make a TaskRef of it
STATUS = {"new": TaskStatus.OPEN, "indeterminate": TaskStatus.IN_PROGRESS, "done": TaskStatus.DONE}
CLOSED = (TaskStatus.DONE, TaskStatus.CANCELLED)
# Jira counts what was not done as done too; only the names its sites give to statuses and resolutions tell.
NOT_DONE = re.compile(r"cancel|won.?t|declin|reject|duplicate|abandon|cannot reproduce|取消|拒绝|重复", re.IGNORECASE)
WAYS = {  # where a step should lead, the best first; what is in progress lies on the way to a closed status
    TaskStatus.OPEN: (TaskStatus.OPEN, TaskStatus.IN_PROGRESS),
    TaskStatus.DONE: (TaskStatus.DONE, TaskStatus.IN_PROGRESS, TaskStatus.CANCELLED),
    TaskStatus.CANCELLED: (TaskStatus.CANCELLED, TaskStatus.DONE, TaskStatus.IN_PROGRESS),
}


def label_of(key: str) -> str:
    """The label an issue is found by."""
    return f"octopus-{key}"


def labels_of(task: Task) -> list[str]:
    """Jira's labels have no blanks."""
    if "labels" in task.fields:
        return [label_of(task.key), *task.fields["labels"].split()]
    return [label_of(task.key), *(re.sub(r"\s+", "_", label)[:LONGEST_LABEL] for label in task.labels)]


def has_custom_fields(task: Task) -> bool:
    return any(text and name.startswith(CUSTOM) for name, text in task.fields.items())


def content_of(task: Task, described: list[dict[str, Any]], account_id: AccountId) -> dict[str, Any]:
    """What a create and an update have in common. described, account_id: as for `typed`.

    Priority is sent only when mapped: many projects have no such field and refuse the whole issue.
    """
    fields: dict[str, Any] = {
        "summary": one_line(task.title, LONGEST_SUMMARY),
        "description": document(clipped(body_of(task), LONGEST_TEXT)),
    }
    if task.due_at:
        fields["duedate"] = day(task.due_at)
    if task.assignee and "assignee" not in task.fields:
        fields["assignee"] = {"accountId": account_id("assignee", task.assignee)}
    for name, text in task.fields.items():
        if not text:  # mapped to nothing: the manager wants it left out
            fields.pop(name, None)
        elif name != "labels":
            fields[name] = typed(name, text, described, account_id)
    return fields


def status_of(status: Any, resolution: Any = None) -> TaskStatus:
    """By the status's category: new, indeterminate or done; a status nobody sent is that of a new issue."""
    category = inside(status, "statusCategory", "key")
    if category == "done" and any(NOT_DONE.search(str(inside(one, "name"))) for one in (status, resolution)):
        return TaskStatus.CANCELLED
    return STATUS.get(category, TaskStatus.UNKNOWN) if category else TaskStatus.OPEN


def ref_of(key: str, site: str, issue: Any = None) -> TaskRef:
    """key: the issue's key when it was made; Jira follows it even when the issue was moved to another project."""
    fields = inside(issue, "fields")
    moment = inside(fields, "updated")
    return TaskRef(
        key,
        f"{site}/browse/{key}",
        status_of(inside(fields, "status"), inside(fields, "resolution")),
        inside(fields, "assignee", "displayName") or "",
        iso_moment(moment) if moment else None,
    )


def comment_of(comment: dict[str, Any]) -> RemoteComment:
    moment = comment.get("created")
    return RemoteComment(
        comment["id"],
        text_of(comment.get("body")),
        inside(comment, "author", "displayName") or "",
        iso_moment(moment) if moment else None,
    )


# ---- transitions


def step_to(status: TaskStatus, steps: list[dict[str, Any]], passed: set[str]) -> dict[str, Any]:
    """The transition that brings an issue to `status`, or nearer to it. Raises Rejected when there is none.

    steps: what the workflow lets this user do now. passed: ids of the statuses the issue has been in.
    """
    fresh = [step for step in steps if inside(step, "to", "id") not in passed]
    for wanted in WAYS[status]:
        for step in fresh:
            if status_of(inside(step, "to")) is wanted:
                return step
    names = ", ".join(str(inside(step, "to", "name")) for step in steps) or "none"
    raise Rejected(
        f"Jira's workflow lets this user take the issue only to: {names}; none of these is '{status}'. The issue was "
        "left where it is. Move it in Jira, or let an administrator add such a transition to the workflow.",
        "status",
    )


def transition_of(step: dict[str, Any], status: TaskStatus) -> dict[str, Any]:
    """What is sent to take a step. Where its screen asks how the issue ended, it is answered."""
    wanted: dict[str, Any] = {"transition": {"id": step["id"]}}
    endings = inside(step, "fields", "resolution", "allowedValues")
    if endings and status_of(inside(step, "to")) in CLOSED:
        is_cancelled = status is TaskStatus.CANCELLED
        fitting = [one for one in endings if bool(NOT_DONE.search(str(one.get("name")))) is is_cancelled]
        wanted["fields"] = {"resolution": {"id": (fitting or endings)[0]["id"]}}
    return wanted

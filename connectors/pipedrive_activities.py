"""A task as a Pipedrive activity, and what Pipedrive's answers and refusals mean. Pure.
Source: https://developers.pipedrive.com/docs/api/v1/Activities and
https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting (read 2026-11).
"""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from app.domain.tasks import RemoteField, Task
from connectors.answers import body_of, clipped, inside, one_line
from connectors.waits import number, retry_after_s, within_reason

LONGEST_SUBJECT, LONGEST_NOTE = 255, 30_000  # the second is ours: Pipedrive publishes none
BLOCKED_S = 60.0  # ours: the edge does not say how long it refuses who asked too often
NUMBERS = ("owner_id", "deal_id", "org_id", "project_id", "person_id")
FIELDS = (
    RemoteField("subject", "Subject", "text", required=True),
    RemoteField("note", "Note", "text"),
    RemoteField("type", "Type", "option"),
    RemoteField("priority", "Priority", "option"),
    RemoteField("owner_id", "Assignee", "number of the user"),
    RemoteField("due_date", "Due date", "date"),
    RemoteField("due_time", "Due time (UTC)", "HH:MM"),
    RemoteField("duration", "Duration", "HH:MM"),
    RemoteField("deal_id", "Deal", "number"),
    RemoteField("lead_id", "Lead", "id"),
    RemoteField("person_id", "Person", "number"),
    RemoteField("org_id", "Organisation", "number"),
    RemoteField("project_id", "Project", "number"),
    RemoteField("location", "Location", "text"),
    RemoteField("public_description", "Description for guests", "text"),
)
LABELS = {Priority.URGENT: "high", Priority.HIGH: "high", Priority.NORMAL: "medium", Priority.LOW: "low"}
Priorities = dict[str, int]  # label in lower case -> id


def fields_with(types: tuple[str, ...], priorities: Priorities) -> list[RemoteField]:
    options = {"type": types, "priority": tuple(priorities)}
    return [replace(field, options=options.get(field.key, ())) for field in FIELDS]


def content_of(task: Task, priorities: Priorities) -> dict[str, Any]:
    """What a create and an update have in common: everything but the note. Raises Rejected."""
    wanted: dict[str, Any] = {"subject": one_line(task.title, LONGEST_SUBJECT)}
    if task.due_at:
        moment = task.due_at.astimezone(UTC)
        wanted |= {"due_date": f"{moment:%Y-%m-%d}", "due_time": f"{moment:%H:%M}"}
    if task.assignee:
        wanted["owner_id"] = _number("owner_id", task.assignee)
    if LABELS[task.priority] in priorities:
        wanted["priority"] = priorities[LABELS[task.priority]]
    for name, text in task.fields.items():
        if name == "due_date":
            wanted.pop("due_time", None)  # it belonged to our day
        if not text:  # mapped to nothing: the manager wants it left out
            wanted.pop(name, None)
        elif name == "person_id":
            wanted["participants"] = [{"person_id": _number(name, text), "primary": True}]
        elif name != "note":
            wanted[name] = _typed(name, text, priorities)
    if task.fields.get("due_time"):
        wanted["due_time"] = task.fields["due_time"]
    return wanted


def note_of(task: Task, marker: str) -> str:
    return as_html(f"{clipped(task.fields.get('note') or body_of(task), LONGEST_NOTE)}\n\n{marker}")


def as_html(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"success": false, "error", "error_info", "code"}`, or the edge's own page in front of Pipedrive."""
    error, said = inside(body, "error"), str(inside(body, "error") or "")[:300]
    if error in ("invalid_grant", "invalid_client", "unauthorized_client"):
        return Unauthorized(
            "Pipedrive ended the connection or does not know the app; nothing was sent. Connect it again."
        )
    if status == 403 and not error:  # no words of Pipedrive's own
        return TransientError("Pipedrive's edge blocks us for asking too often. It is tried again.", BLOCKED_S)
    if status == 429:
        wish_s = retry_after_s(headers) or within_reason(number(headers.get("x-ratelimit-reset", "")) or 0)
        return TransientError(f'Pipedrive is asked too often: "{said}". It is tried again.', wish_s or None)
    if status in (402, 403):
        return Refused(
            f'Pipedrive says that the plan, this user or the app may not do that: "{said}". Nothing was done. Give the '
            "app the scopes activities:full, users:read and webhooks:full, or the user the right, and replay."
        )
    if status in (404, 410):
        return TargetGone(
            f'Pipedrive does not know the activity: "{said}". It may have been deleted. Nothing was done.'
        )
    is_refused = status == 400 or (status < 300 and inside(body, "success") is False)
    if not is_refused:
        return None
    known = "|".join([*(field.key for field in FIELDS), "participants"])
    named = re.search(rf"\b({known})\b", f"{said} {inside(body, 'error_info') or ''}")
    field = named[1] if named else ""
    place = f"the field '{field}'" if field else "the activity"
    return Rejected(
        f'Pipedrive refused {place}: "{said}". Nothing was done. Correct the field mapping, or map the field to an '
        "empty text to leave it out, and replay.",
        field,
    )


def _typed(name: str, text: str, priorities: Priorities) -> Any:
    if name not in {field.key for field in FIELDS}:
        raise _refusal(name, "does not exist")
    if name in NUMBERS:
        return _number(name, text)
    if name == "subject":
        return one_line(text, LONGEST_SUBJECT)
    if name == "location":
        return {"value": text}
    if name == "priority":
        if text.strip().lower() not in priorities:
            raise _refusal(name, f"takes one of: {', '.join(priorities)}")
        return priorities[text.strip().lower()]
    return text.strip()


def _number(name: str, text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise _refusal(name, "takes a number, the id in Pipedrive")
    return int(text)


def _refusal(name: str, what: str) -> Rejected:
    return Rejected(
        f"The field '{name}' of Pipedrive's activities {what}. Nothing was sent. Correct the mapping and replay.", name
    )

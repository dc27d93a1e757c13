"""The object types of HubSpot a task can become, and a task as they take it. Pure.
Source: https://developers.hubspot.com/docs/guides/api/crm/objects (read 2026-11).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from uuid import UUID

from app.domain.classification import Priority
from app.domain.tasks import RemoteComment, RemoteField, Task
from connectors.answers import body_of, clipped, day, inside, one_line, without_markup
from connectors.payloads import iso_moment

LABEL, OWNER = "HubSpot", "hubspot_owner_id"
LONGEST_TITLE, LONGEST_TEXT = 255, 60_000  # a property takes 65,536 characters
LONGEST_MARKED_UP = LONGEST_TEXT // 5  # markup grows a text at most fivefold
PRIORITY = {Priority.LOW: "LOW", Priority.NORMAL: "MEDIUM", Priority.HIGH: "HIGH", Priority.URGENT: "URGENT"}


@dataclass(frozen=True)
class Kind:
    """The names of an object type: in webhooks (type_id, singular), and of its properties.

    due: empty where HubSpot has no due date. note: the type id of the association from a note to it; None: HubSpot
    has no notes on it. is_html: the body is shown as markup, so what customers write must be escaped.
    """

    type_id: str
    singular: str
    title: str
    body: str
    stage: str
    pipeline: str = ""
    priority: str = ""
    due: str = ""
    note: int | None = None
    is_html: bool = False


KINDS = {
    "tickets": Kind(
        "0-5", "ticket", "subject", "content", "hs_pipeline_stage", "hs_pipeline", "hs_ticket_priority", note=228
    ),
    "deals": Kind("0-3", "deal", "dealname", "description", "dealstage", "pipeline", due="closedate", note=214),
    "tasks": Kind(
        "0-27", "task", "hs_task_subject", "hs_task_body", "hs_task_status", priority="hs_task_priority",
        due="hs_timestamp", is_html=True,
    ),
}  # fmt: skip


def content_of(task: Task, kind: Kind, due_property: str) -> dict[str, str]:
    """What a create and an update have in common. due_property: takes the due date's day instead of the kind's own."""
    wanted = {OWNER: task.assignee}
    if task.due_at and (due_property or kind.due):
        wanted[due_property or kind.due] = day(task.due_at) if due_property else time_of(task.due_at)
    if kind.priority:
        wanted[kind.priority] = PRIORITY[task.priority]
        if kind is KINDS["tasks"] and task.priority is Priority.URGENT:
            wanted[kind.priority] = PRIORITY[Priority.HIGH]  # the most a task takes
    wanted |= {name: clipped(text, LONGEST_TEXT) for name, text in task.fields.items()}
    wanted[kind.title] = one_line(task.fields.get(kind.title) or task.title, LONGEST_TITLE)
    text = clipped(task.fields.get(kind.body, body_of(task)), LONGEST_MARKED_UP if kind.is_html else LONGEST_TEXT)
    text = f"{text}\n\n{mark_of(task.key)}"
    wanted[kind.body] = as_html(text) if kind.is_html else text
    return {name: value for name, value in wanted.items() if value}  # mapped to nothing: wished to be left out


def mark_of(key: str) -> str:
    """The key as one word: HubSpot's search takes hyphens for spaces."""
    return f"octopus{UUID(key).hex}"


def time_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_html(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def is_writable(described: dict[str, Any]) -> bool:
    return not (inside(described, "modificationMetadata", "readOnlyValue") or described.get("hidden"))


def field_of(described: dict[str, Any], kind: Kind) -> RemoteField:
    return RemoteField(
        described["name"],
        described.get("label") or described["name"],
        described.get("type") or "",
        described["name"] in (kind.title, kind.stage),
        tuple(option["value"] for option in described.get("options") or ()),
    )


def comment_of(note: dict[str, Any], author: str) -> RemoteComment:
    written_at = note.get("createdAt")
    return RemoteComment(
        note["id"],
        without_markup(inside(note, "properties", "hs_note_body") or ""),
        author,
        iso_moment(written_at) if written_at else None,
    )

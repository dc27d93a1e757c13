"""A task as a page of a Notion data source, and what Notion tells of a page and its comments. Pure but for the
functions given.

Source: https://developers.notion.com/reference/page and https://developers.notion.com/reference/comment-object
(read 2026-11).
"""

from collections.abc import Callable
from typing import Any

from app.domain.tasks import RemoteComment, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line
from connectors.notion_properties import (
    LONGEST_BODY,
    PEOPLE,
    PIECE,
    Schema,
    first_of,
    known,
    paragraph,
    pieces,
    plain,
    refusal,
    rich_text,
    title_of,
    typed,
)
from connectors.notion_status import StatusProperty
from connectors.payloads import answered, iso_moment

# Properties that are filled where the data source has them, in the order they are looked for, and their types.
DUE = ("Due", "Due date", "Deadline"), ("date",)
PRIORITY = ("Priority",), ("select", "status")
LABELS = ("Labels", "Tags"), ("multi_select",)
ASSIGNEE = ("Assignee", "Assign", "Owner"), (PEOPLE,)

PersonIds = Callable[[str], list[str]]


def properties_of(task: Task, schema: Schema, person_ids: PersonIds) -> dict[str, Any]:
    """What a create and an update have in common: property -> value. Raises Rejected.

    schema: empty when it may not be read; mapped fields then stand in the text, see `children_of`.
    """
    title = title_of(schema)
    values: dict[str, Any] = {title: {"title": rich_text(one_line(task.title, PIECE))}}
    due, assignee = first_of(schema, *DUE), first_of(schema, *ASSIGNEE)
    if task.due_at and due:
        values[due] = {"date": {"start": task.due_at.isoformat()}}
    if task.assignee and assignee:
        values[assignee] = _people(task.assignee, person_ids)
    priority, labels = first_of(schema, *PRIORITY), first_of(schema, *LABELS)
    # Only options the property has: nobody wants a new one for each word of ours.
    for option in known(schema, priority, (task.priority.value,)):
        values[priority] = {schema[priority]["type"]: {"name": option}}
    if found := known(schema, labels, task.labels):
        values[labels] = {"multi_select": [{"name": option} for option in found]}
    for name, text in task.fields.items():
        if not text:  # mapped to nothing: the manager wants it left out
            values.pop(name, None)
        elif name in schema:
            is_people = schema[name]["type"] == PEOPLE
            values[name] = _people(text, person_ids) if is_people else typed(name, schema[name], text)
        elif name == title:
            values[title] = {"title": rich_text(one_line(text, PIECE))}
        elif schema:
            raise refusal(name, "is not in the database")
    return values


def children_of(task: Task, schema: Schema, has_key: bool) -> list[dict[str, Any]]:
    """The page's text; it ends with the key where there is no property for it."""
    beside = [] if schema else [f"{name}: {text}" for name, text in task.fields.items() if text and name != "Name"]
    text = clipped("\n".join([clipped(body_of(task), LONGEST_BODY), *beside]), LONGEST_BODY)
    marker = [] if has_key else [f"Octopus: {task.key}"]
    return [paragraph(piece) for piece in (*pieces(text), *marker)]


def ref_of(page: Any, status: StatusProperty, schema: Schema, name_of: Callable[[Any], str]) -> TaskRef:
    page_id, properties = answered("Notion", page, "id"), inside(page, "properties")
    is_trashed = inside(page, "archived") or inside(page, "in_trash")
    people = inside(properties, first_of(schema, *ASSIGNEE), PEOPLE) or ()
    edited_at = inside(page, "last_edited_time")
    return TaskRef(
        page_id,
        inside(page, "url") or f"https://www.notion.so/{page_id.replace('-', '')}",
        TaskStatus.CANCELLED if is_trashed else status.read(properties),
        ", ".join(filter(None, map(name_of, people))),
        iso_moment(edited_at) if edited_at else None,
    )


def comment_of(comment: dict[str, Any], name_of: Callable[[Any], str]) -> RemoteComment:
    written_at = comment.get("created_time")
    return RemoteComment(
        answered("Notion", comment, "id"),
        plain(comment.get("rich_text")),
        inside(comment, "display_name", "resolved_name") or name_of(comment.get("created_by")),
        iso_moment(written_at) if written_at else None,
    )


def _people(text: str, person_ids: PersonIds) -> dict[str, Any]:
    return {PEOPLE: [{"id": person} for person in person_ids(text)]}

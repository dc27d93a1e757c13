"""Items as monday.com writes them, and tasks as monday.com takes them. Pure.
Source: https://developer.monday.com/api-reference/reference/items and
https://developer.monday.com/api-reference/reference/updates (read 2026-11).
"""

from html import escape
from typing import Any

from app.domain.classification import Priority
from app.domain.tasks import RemoteComment, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, one_line, without_markup
from connectors.monday_columns import LONGEST_LONG_TEXT, Columns, moment_value, people_value, refusal, typed
from connectors.payloads import answered, iso_moment
from connectors.statuses import Statuses

LONGEST_NAME, LONGEST_UPDATE = 255, 10_000  # the second is ours: monday.com publishes none
PRIORITY = {Priority.URGENT: "Urgent", Priority.HIGH: "High", Priority.NORMAL: "Medium", Priority.LOW: "Low"}


def name_of(task: Task) -> str:
    return one_line(task.fields.get("name") or task.title, LONGEST_NAME)


def content_of(task: Task, columns: Columns, described: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Column id -> value: what a create and an update have in common.

    described: the board's columns by id; needed for mapped fields only. Raises Rejected before anything is sent.
    """
    wanted: dict[str, Any] = {columns.text: clipped(body_of(task), LONGEST_LONG_TEXT)}
    if columns.due and task.due_at:
        wanted[columns.due] = moment_value(task.due_at)
    if columns.people and task.assignee:
        wanted[columns.people] = people_value(columns.people, task.assignee)
    if columns.priority:
        wanted[columns.priority] = {"label": PRIORITY[task.priority]}
    for name, text in mapped(task).items():
        if not text:  # mapped to nothing: the manager wants it left out
            wanted.pop(name, None)
        elif name in described and name != columns.key:
            wanted[name] = typed(described[name], text)
        else:
            raise refusal(name, "is not on the board, or holds the key")
    return wanted


def given_at_first(task: Task, columns: Columns, open_label: str) -> dict[str, Any]:
    """What only a create gives: people may change it afterwards."""
    wanted: dict[str, Any] = {}
    if columns.status and open_label:
        wanted[columns.status] = {"label": open_label}
    if columns.labels and task.labels:
        wanted[columns.labels] = {"labels": [label.replace(",", " ") for label in task.labels]}
    return {name: value for name, value in wanted.items() if name not in task.fields} | {columns.key: task.key}


def mapped(task: Task) -> dict[str, str]:
    """The mapped fields that are columns; an item's name is given besides them."""
    return {name: text for name, text in task.fields.items() if name != "name"}


def is_clipped(task: Task, columns: Columns) -> bool:
    return columns.text not in task.fields and len(body_of(task)) > LONGEST_LONG_TEXT


def html_of(text: str) -> str:
    """An update's body is HTML, and a customer's text must not become any."""
    return escape(clipped(text, LONGEST_UPDATE), quote=False).replace("\n", "<br>")


def ref_of(item: dict[str, Any], columns: Columns, statuses: Statuses) -> TaskRef:
    changed_at = item.get("updated_at")
    return TaskRef(
        answered("monday.com", item, "id"),
        item.get("url") or "",
        status_of(item, columns, statuses),
        _cell(item, columns.people).get("text") or "",
        iso_moment(changed_at) if changed_at else None,
    )


def status_of(item: dict[str, Any], columns: Columns, statuses: Statuses) -> TaskStatus:
    """By the label; one of another name that the board counts as done is done as well."""
    if item.get("state") == "archived":
        return TaskStatus.CANCELLED
    cell = _cell(item, columns.status)
    status = statuses.of(cell.get("label"))
    return TaskStatus.DONE if status is TaskStatus.IN_PROGRESS and cell.get("is_done") else status


def comments_of(update: dict[str, Any]) -> list[RemoteComment]:
    """An update and the replies to it."""
    return [_comment_of(one) for one in (update, *(update.get("replies") or ()))]


def _comment_of(note: dict[str, Any]) -> RemoteComment:
    written_at = note.get("created_at")
    return RemoteComment(
        answered("monday.com", note, "id"),
        note.get("text_body") or without_markup(note.get("body") or ""),
        (note.get("creator") or {}).get("name") or "",
        iso_moment(written_at) if written_at else None,
    )


def _cell(item: dict[str, Any], column: str) -> dict[str, Any]:
    return next((one for one in item.get("column_values") or () if column and one.get("id") == column), {})

"""A table's columns, a task as a record in it, and what Airtable's answers and refusals mean. Pure.
Source: https://airtable.com/developers/web/api/field-model and https://airtable.com/developers/web/api/errors
(read 2026-11).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from app.domain.tasks import RemoteComment, RemoteField, Task
from connectors.answers import body_of, clipped, day, inside, one_line
from connectors.payloads import iso_moment
from connectors.waits import number, retry_after_s

LONGEST_TITLE, LONGEST_TEXT = 500, 50_000  # Airtable's own end of a long text is 100,000 UTF-16 units
PENALTY_S = 30.0  # https://airtable.com/developers/web/api/rate-limits
MONTH_IS_USED_UP_S = 3_600.0
# Columns that are filled where the table has them, in the order they are looked for, and their types.
DUE = ("Due", "Due date", "Deadline"), ("date", "dateTime")
PRIORITY = ("Priority",), ("singleSelect",)
LABELS = ("Labels", "Tags"), ("multipleSelects",)
ASSIGNEE = ("Assignee", "Owner"), ("singleCollaborator", "multipleCollaborators")
FILLED_BY_AIRTABLE = (
    "formula", "rollup", "count", "lookup", "multipleLookupValues", "autoNumber", "createdTime", "lastModifiedTime",
    "createdBy", "lastModifiedBy", "button", "externalSyncSource", "aiText",
)  # fmt: skip
NUMBERS = ("number", "currency", "percent", "duration", "rating")
GONE = ("NOT_FOUND", "TABLE_NOT_FOUND", "MODEL_ID_NOT_FOUND", "ROW_DOES_NOT_EXIST")


@dataclass(frozen=True, slots=True)
class Table:
    """columns: by name, as Airtable describes them. title: the primary column's name."""

    name: str
    title: str
    columns: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Table":
        fields = described.get("fields") or []
        title = next((one["name"] for one in fields if one.get("id") == described.get("primaryFieldId")), "Name")
        return cls(str(described.get("name") or described.get("id")), title, {one["name"]: one for one in fields})

    def kind(self, name: str) -> str:
        return inside(self.columns, name, "type") or ""

    def options(self, name: str) -> tuple[str, ...]:
        choices = inside(self.columns, name, "options", "choices") or ()
        return tuple(str(choice.get("name")) for choice in choices)

    def column(self, wanted: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
        """The first of these columns the table has; empty when it has none."""
        names, kinds = wanted
        return next((name for name in names if self.kind(name) in kinds), "")

    def modified_column(self) -> str:
        """The column that tells when anything in a record was changed; empty when there is none."""
        for name, column in self.columns.items():
            options = column.get("options") or {}
            is_for_all = not options.get("referencedFieldIds")
            if self.kind(name) == "lastModifiedTime" and is_for_all and inside(options, "result", "type") == "dateTime":
                return name
        return ""


def remote_fields(table: Table, key_field: str) -> list[RemoteField]:
    return [
        RemoteField(name, name, table.kind(name), name == table.title, table.options(name))
        for name in table.columns
        if name != key_field and table.kind(name) not in FILLED_BY_AIRTABLE
    ]


def cells_of(task: Task, table: Table, body_field: str) -> dict[str, Any]:
    """What a create and an update have in common: column name -> value. Raises Rejected."""
    title, body = one_line(task.title, LONGEST_TITLE), clipped(body_of(task), LONGEST_TEXT)
    cells: dict[str, Any] = {table.title: title, body_field: body}
    if table.kind(table.title) in FILLED_BY_AIRTABLE:  # a number or formula: the text is all there is
        cells = {body_field: f"{title}\n{body}"}
    due, assignee = table.column(DUE), table.column(ASSIGNEE)
    if task.due_at and due:
        is_a_day = table.kind(due) == "date"
        cells[due] = day(task.due_at) if is_a_day else f"{task.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if task.assignee and assignee:
        cells[assignee] = _typed(assignee, table.kind(assignee), task.assignee)
    priority, labels = table.column(PRIORITY), table.column(LABELS)
    # Only options the table has: a new one needs a right most tokens lack, and the whole task would be refused.
    for option in _known(table, priority, [task.priority.value]):
        cells[priority] = option
    if _known(table, labels, task.labels):
        cells[labels] = _known(table, labels, task.labels)
    for name, text in task.fields.items():
        if not text:  # mapped to nothing: the manager wants it left out
            cells.pop(name, None)
        elif name in table.columns:
            cells[name] = _typed(name, table.kind(name), text)
        else:
            raise _refusal(name, "is not in the table")
    return cells


def names_in(value: Any) -> str:
    """Of a collaborator's cell, or of several collaborators'."""
    people = value if isinstance(value, list) else [value]
    names = [inside(person, "name") or inside(person, "email") or "" for person in people]
    return ", ".join(name for name in names if name)


def comment_of(comment: dict[str, Any]) -> RemoteComment:
    author, written_at = comment.get("author") or {}, comment.get("createdTime")
    return RemoteComment(
        comment["id"],
        comment.get("text") or "",
        author.get("name") or author.get("email") or "",
        iso_moment(written_at) if written_at else None,
    )


def key_is(key_field: str, key: str) -> str:
    return f'{_named(key_field)}="{key}"'


def changed_since(key_field: str, since: datetime) -> str:
    """Of Octopus' own records those changed at or after `since`. Airtable has "after" only, so a second more."""
    moment = f"{since.astimezone(UTC) - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}.000Z"
    return f'AND({_named(key_field)}!="", IS_AFTER(LAST_MODIFIED_TIME(), DATETIME_PARSE("{moment}")))'


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"error": {"type", "message"}}`, `{"error": "NOT_FOUND"}`, or `{"errors": [{"error", "message"}]}`."""
    error = inside(body, "error")
    kind = str(inside(error, "type") or inside(body, "errors", 0, "error") or error)
    said = str(inside(error, "message") or inside(body, "errors", 0, "message") or kind)[:300]
    if kind in ("invalid_grant", "invalid_client", "unauthorized_client"):
        return Unauthorized(
            "Airtable ended the connection or does not know the app; nothing was sent. Connect it again."
        )
    if status == 429 and "BILLING" in kind:
        text = (
            f'Airtable says that the month\'s calls are used up: "{said}". Nothing was done. It is tried again hourly.'
        )
        return TransientError(text, retry_after_s(headers) or MONTH_IS_USED_UP_S)
    if status == 429:
        text = "Airtable is asked too often and wants half a minute of silence. It is tried again."
        return TransientError(text, retry_after_s(headers) or PENALTY_S)
    if kind in GONE:
        return TargetGone(
            f'Airtable does not know the record, table or base: "{said}". Nothing was done. Choose another table and '
            "replay."
        )
    if status == 403 and error:
        return Refused(
            f'Airtable says that this token or user may not do that, or the table is gone: "{said}". Nothing was done. '
            "Give the token the base and the scopes named on Destinations, the user the right to edit, and replay."
        )
    if status != 422 or not error:
        return None
    named = re.search(r'[Ff]ield(?: name:)? "([^"]+)"', said)
    field = named[1] if named else ""
    place = f"the field '{field}'" if field else "the record"
    return Rejected(
        f'Airtable refused {place}: "{said}". Nothing was done. Correct the field mapping, or map the field to an '
        "empty text to leave it out, and replay.",
        field,
    )


def _known(table: Table, column: str, wanted: Iterable[str]) -> list[str]:
    lower = {name.casefold() for name in wanted}
    return [option for option in table.options(column) if option.casefold() in lower]


def _named(column: str) -> str:
    """The column in a formula. Source: https://support.airtable.com/docs/formula-field-overview"""
    return "{" + column.replace("\\", "\\\\").replace("}", "\\}") + "}"


def _typed(name: str, kind: str, text: str) -> Any:
    """A mapped text as the value of a column of this type."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if kind in FILLED_BY_AIRTABLE:
        raise _refusal(name, "is filled by Airtable itself")
    if kind in NUMBERS:
        value = number(text)
        if value is None:
            raise _refusal(name, "takes a number")
        return int(value) if value.is_integer() else value
    if kind == "checkbox":
        return text.strip().lower() in ("true", "yes", "1")
    if kind in ("multipleSelects", "multipleRecordLinks"):
        return parts
    if kind == "multipleAttachments":
        return [{"url": part} for part in parts]
    if kind == "singleCollaborator":
        return _person(text.strip())
    if kind == "multipleCollaborators":
        return [_person(part) for part in parts]
    if kind == "barcode":
        return {"text": text}
    return clipped(text, LONGEST_TEXT)


def _person(text: str) -> dict[str, str]:
    return {"email" if "@" in text else "id": text}


def _refusal(name: str, what: str) -> Rejected:
    return Rejected(f"Airtable's field '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name)

"""Rows as Dataverse writes and takes them, table by table. Pure.

Source: https://learn.microsoft.com/dynamics365/developer/reference/entities/incident and the pages of task and lead
beside it (read 2026-11).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line, without_markup
from connectors.payloads import answered, iso_moment

LABEL = "Dynamics 365"
BODY, LONGEST_BODY = "description", 2_000  # characters, as the tables come
LONGEST_NOTE = 50_000  # a note takes 100,000, and may count an emoji as two
SHOWN = "@OData.Community.Display.V1.FormattedValue"  # beside a field: its value for people
BIND = "@odata.bind"  # ends the name of a field that points to another row
TEXTS, WHOLE_NUMBERS, NUMBERS = ("String", "Memo"), ("Integer", "BigInt"), ("Decimal", "Double", "Money")
TYPES = (*TEXTS, *WHOLE_NUMBERS, *NUMBERS, "Picklist", "Boolean", "DateTime")  # what can be mapped
YES, NO = ("true", "yes", "1"), ("false", "no", "0")
STATES = {0: TaskStatus.OPEN, 1: TaskStatus.DONE, 2: TaskStatus.CANCELLED}  # statecode of all three tables


@dataclass(frozen=True, slots=True)
class Table:
    """rows: the table's name in addresses. id, title, due: columns. started: values of statuscode.

    reasons: the statuscode that goes with each status. privileges: the word in their names.
    needed: what a new row must have besides.
    """

    rows: str
    id: str
    title: str
    longest_title: int
    privileges: str
    due: str = ""
    needed: dict[str, str] = field(default_factory=dict)
    priorities: dict[Priority, int] = field(default_factory=dict)
    started: tuple[int, ...] = ()
    reasons: dict[TaskStatus, int] = field(default_factory=dict)


OPEN, DONE, CANCELLED = TaskStatus.OPEN, TaskStatus.DONE, TaskStatus.CANCELLED
TABLES = {
    "task": Table(
        "tasks", "activityid", "subject", 200, "Activity", due="scheduledend",
        priorities={Priority.URGENT: 2, Priority.HIGH: 2, Priority.NORMAL: 1, Priority.LOW: 0},
        started=(3, 4, 7), reasons={OPEN: 2, DONE: 5, CANCELLED: 6},
    ),
    "incident": Table(
        "incidents", "incidentid", "title", 200, "Incident",
        priorities={Priority.URGENT: 1, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3},
        started=(2, 3, 4), reasons={OPEN: 1, DONE: 5, CANCELLED: 6},
    ),
    "lead": Table(
        "leads", "leadid", "subject", 300, "Lead", needed={"lastname": "[not provided]"},
        started=(2,), reasons={OPEN: 1, DONE: 3, CANCELLED: 7},
    ),
}  # fmt: skip


def content_of(
    task: Task, table: Table, described: list[dict[str, Any]], options: dict[str, dict[str, int]]
) -> dict[str, Any]:
    """described, options: the table's columns and the values of its choices, needed where fields are mapped."""
    row: dict[str, Any] = {
        table.title: one_line(task.title, table.longest_title),
        BODY: clipped(body_of(task), LONGEST_BODY),
    }
    if task.due_at and table.due:
        row[table.due] = moment_literal(task.due_at)
    if task.assignee:
        row[f"ownerid{BIND}"] = f"/systemusers({task.assignee})"
    if table.priorities:
        row["prioritycode"] = table.priorities[task.priority]
    types = {one.get("LogicalName"): one.get("AttributeType") for one in described}
    for name, text in task.fields.items():
        if not text:  # mapped to nothing: the manager wants it left out
            row.pop(name, None)
        elif name.endswith(BIND):
            row[name] = "/" + text.strip().lstrip("/")
        elif name == table.title:
            row[name] = one_line(text, table.longest_title)
        else:
            row[name] = _typed(name, text, types.get(name), options.get(name, {}))
    return row


def _typed(name: str, text: str, kind: str | None, options: dict[str, int]) -> Any:
    """A mapped text in the type of the column."""
    word = text.strip()
    if kind not in TYPES:
        raise _wrong(name, "is not in the table, or cannot be mapped")
    if kind == "Picklist":
        by_label = {label.casefold(): value for label, value in options.items()}
        if word.casefold() in by_label:
            return by_label[word.casefold()]
        if word.isdecimal():
            return int(word)
        raise _wrong(name, f"takes one of {', '.join(options)}")
    if kind in WHOLE_NUMBERS or kind in NUMBERS:
        try:
            return int(word) if kind in WHOLE_NUMBERS else float(word)
        except ValueError as error:
            raise _wrong(name, "takes a number") from error
    if kind == "Boolean":
        if word.lower() not in YES + NO:
            raise _wrong(name, "takes true or false")
        return word.lower() in YES
    return clipped(text, LONGEST_BODY) if kind == "Memo" else text


def _wrong(name: str, why: str) -> Rejected:
    text = f"Dynamics 365's field '{name}' {why}. Nothing was sent. Correct the field mapping and replay."
    return Rejected(text, name)


def remote_fields(described: list[dict[str, Any]], options: dict[str, dict[str, int]]) -> list[RemoteField]:
    """Those that can be mapped."""
    return [
        RemoteField(
            one["LogicalName"],
            label_of(one),
            one["AttributeType"],
            inside(one, "RequiredLevel", "Value") in ("ApplicationRequired", "SystemRequired"),
            tuple(options.get(one["LogicalName"], ())),
        )
        for one in described
        if one.get("IsValidForCreate") and one.get("IsValidForUpdate") and one.get("AttributeType") in TYPES
    ]


def label_of(described: dict[str, Any]) -> str:
    """What people call a table or column."""
    return inside(described, "DisplayName", "UserLocalizedLabel", "Label") or described["LogicalName"]


def status_of(row: dict[str, Any], table: Table) -> TaskStatus:
    status = STATES.get(row.get("statecode"), TaskStatus.UNKNOWN) if "statecode" in row else OPEN
    return TaskStatus.IN_PROGRESS if status is OPEN and row.get("statuscode") in table.started else status


def ref_of(row: Any, table: Table, url: str) -> TaskRef:
    """url: with `{id}` in it."""
    row_id, changed_at = answered(LABEL, row, table.id), row.get("modifiedon")
    return TaskRef(
        row_id,
        url.replace("{id}", row_id),
        status_of(row, table),
        row.get(f"_ownerid_value{SHOWN}") or "",
        iso_moment(changed_at) if changed_at else None,
    )


def comment_of(note: dict[str, Any]) -> RemoteComment:
    text, written_at = note.get("notetext") or note.get("subject") or "", note.get("createdon")
    return RemoteComment(
        answered(LABEL, note, "annotationid"),
        without_markup(text) if text.startswith("<") else text,  # notes of the new editor are HTML
        note.get(f"_createdby_value{SHOWN}") or "",
        iso_moment(written_at) if written_at else None,
    )


def moment_literal(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

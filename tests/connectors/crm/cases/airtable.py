from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

BASE, TABLE, RECORD = "appLkNDICXNqxSDhG", "tbltp8DGLhqbUmjK1", "rec560UJdUtocSouk"
RECORDS = f"/v0/{BASE}/{TABLE}"
SCHEMA = ("GET", f"/v0/meta/bases/{BASE}/tables")


def choices(*names: str) -> dict[str, object]:
    return {"choices": [{"id": f"sel{number}", "name": name} for number, name in enumerate(names)]}


STATES = ("Todo", "In progress", "Done", "Dropped")
COLUMNS = [
    {"id": "fld1", "name": "Name", "type": "singleLineText"},
    {"id": "fld2", "name": "Notes", "type": "multilineText"},
    {"id": "fld3", "name": "Octopus key", "type": "singleLineText"},
    {"id": "fld4", "name": "Status", "type": "singleSelect", "options": choices(*STATES)},
    {"id": "fld5", "name": "Due", "type": "date"},
    {"id": "fld6", "name": "Priority", "type": "singleSelect", "options": choices("High", "Low")},
    {"id": "fld7", "name": "Tags", "type": "multipleSelects", "options": choices("Bug", "Wish")},
    {"id": "fld8", "name": "Assignee", "type": "singleCollaborator"},
    {"id": "fld9", "name": "Size", "type": "number"},
    {"id": "fld10", "name": "Seen", "type": "checkbox"},
    {"id": "fld11", "name": "Number", "type": "autoNumber"},
    {
        "id": "fld12", "name": "Changed", "type": "lastModifiedTime",
        "options": {"isValid": True, "referencedFieldIds": [], "result": {"type": "dateTime"}},
    },
]  # fmt: skip


def schema(*columns: dict[str, object]) -> dict[str, object]:
    return {"tables": [{"id": TABLE, "name": "Tasks", "primaryFieldId": "fld1", "fields": [*(columns or COLUMNS)]}]}


def record(**cells: object) -> dict[str, object]:
    return {"id": RECORD, "createdTime": "2026-09-12T21:03:48.000Z", "fields": {"Octopus key": KEY, **cells}}


CASE = Case(
    config={"token": SECRET, "base": BASE, "table": TABLE},
    create=("PATCH", RECORDS),
    created={"records": [record()], "createdRecords": [RECORD], "updatedRecords": []},
    ref=TaskRef(RECORD, f"https://airtable.com/{BASE}/{TABLE}/{RECORD}"),
    lookup=("GET", RECORDS),
    found={"records": [record()]},
    nothing={"records": []},
    around={SCHEMA: schema()},
    names_a_field=Reply(
        422, {"error": {"type": "UNKNOWN_FIELD_NAME", "message": 'Unknown field name: "Notes"'}}, Rejected, "Notes"
    ),
    conflict=Reply(409, {"error": {"type": "CONFLICT", "message": "conflict"}}, Rejected),
    asked_too_often=Reply(
        429, {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded"}]}, wait_s=30.0
    ),
)

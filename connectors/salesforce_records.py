"""Records as Salesforce writes and takes them, object by object. Pure.

Source: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/ (read 2026-11).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, day, inside, one_line, without_markup
from connectors.payloads import answered, iso_moment

LONGEST_TEXT = 16_000  # a long text area takes 32,000, and counts an emoji as two
BODY = "Description"
WHOLE_NUMBERS, NUMBERS = ("int", "long"), ("double", "currency", "percent")
YES, NO = ("true", "yes", "1"), ("false", "no", "0")
CHATTER, CONVERTED = "FeedItem", "IsConverted"
OPEN, STARTED, DONE, CANCELLED = TaskStatus.OPEN, TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class Kind:
    """An object that can hold a task. title, due: its own fields. ended: the field that says that it is over.

    states: the object that lists its statuses; statuses: Salesforce's own values. note, note_text: the object that
    holds comments, and its text. needed: what a new record must have besides.
    """

    title: str
    longest_title: int
    ended: str
    states: str
    note: str = CHATTER
    note_text: str = "Body"
    longest_note: int = 5_000  # characters; Chatter takes 10,000, and counts an emoji as two
    due: str = ""
    needed: dict[str, str] = field(default_factory=dict)
    priorities: dict[Priority, str] = field(default_factory=dict)
    statuses: dict[str, TaskStatus] = field(default_factory=dict)


KINDS = {
    "Task": Kind(
        "Subject", 255, "IsClosed", "TaskStatus", due="ActivityDate",
        priorities={Priority.URGENT: "High", Priority.HIGH: "High", Priority.NORMAL: "Normal", Priority.LOW: "Low"},
        statuses={
            "Not Started": OPEN, "Deferred": OPEN, "In Progress": STARTED, "Waiting on someone else": STARTED,
            "Completed": DONE,
        },
    ),
    "Case": Kind(
        "Subject", 255, "IsClosed", "CaseStatus", "CaseComment", "CommentBody", 1_300,  # 4,000 bytes
        priorities={Priority.URGENT: "High", Priority.HIGH: "High", Priority.NORMAL: "Medium", Priority.LOW: "Low"},
        statuses={"New": OPEN, "On Hold": STARTED, "Working": STARTED, "Escalated": STARTED, "Closed": DONE},
    ),
    "Lead": Kind(
        "LastName", 80, CONVERTED, "LeadStatus",
        needed={"Company": "[not provided]"},
        statuses={
            "Open - Not Contacted": OPEN, "New": OPEN, "Working - Contacted": STARTED, "Contacted": STARTED,
            "Nurturing": STARTED, "Qualified": STARTED, "Closed - Converted": DONE, "Converted": DONE,
            "Closed - Not Converted": CANCELLED, "Unqualified": CANCELLED,
        },
    ),
}  # fmt: skip


def content_of(task: Task, kind: Kind, described: list[dict[str, Any]], mark: str) -> dict[str, Any]:
    """described: the object's fields as Salesforce describes them, needed where fields are mapped.

    mark: stands at the end of the body; empty where the key has a field of its own.
    """
    record: dict[str, Any] = {
        kind.title: one_line(task.title, kind.longest_title),
        BODY: clipped(body_of(task), LONGEST_TEXT),
    }
    if task.due_at and kind.due:
        record[kind.due] = day(task.due_at)
    if task.assignee:
        record["OwnerId"] = task.assignee
    if kind.priorities:
        record["Priority"] = kind.priorities[task.priority]
    known = {one.get("name"): one for one in described}
    for name, text in task.fields.items():
        if name not in known:
            raise _wrong(name, "is not in the object, or the user does not see it")
        if text:
            record[name] = _typed(name, text, known[name])
        else:  # mapped to nothing: the manager wants it left out
            record.pop(name, None)
    if mark:
        record[BODY] = f"{record.get(BODY, '')}\n\n{mark}".lstrip()
    return record


def mark_of(key: str) -> str:
    """How a key stands in the description."""
    return f"octopus-{key}"


def _typed(name: str, text: str, described: dict[str, Any]) -> Any:
    """A mapped text in the type of the field."""
    kind, word = described.get("type"), text.strip()
    if kind in WHOLE_NUMBERS or kind in NUMBERS:
        try:
            return int(word) if kind in WHOLE_NUMBERS else float(word)
        except ValueError as error:
            raise _wrong(name, "takes a number") from error
    if kind == "boolean":
        if word.lower() not in YES + NO:
            raise _wrong(name, "takes true or false")
        return word.lower() in YES
    if kind == "multipicklist":
        return ";".join(part.strip() for part in text.split(",") if part.strip())
    if kind == "textarea":
        return clipped(text, min(int(described.get("length") or LONGEST_TEXT), LONGEST_TEXT))
    return one_line(text, int(described.get("length") or LONGEST_TEXT))


def _wrong(name: str, why: str) -> Rejected:
    text = f"Salesforce's field '{name}' {why}. Nothing was sent. Correct the field mapping and replay."
    return Rejected(text, name)


def remote_fields(described: list[dict[str, Any]], key_field: str) -> list[RemoteField]:
    """Those that can be mapped."""
    return [
        RemoteField(
            one["name"],
            one.get("label") or one["name"],
            one.get("type") or "",
            one.get("nillable") is False and not one.get("defaultedOnCreate"),
            tuple(str(value["value"]) for value in one.get("picklistValues") or () if value.get("active") is not False),
        )
        for one in described
        if one.get("createable") and one.get("updateable") is not False and one["name"] != key_field
    ]


def check_key_field(name: str, key_field: str, described: list[dict[str, Any]]) -> None:
    """Raise Rejected unless records of the object called `name` can be upserted by their key."""
    known = next((one for one in described if one.get("name") == key_field), {})
    if not known.get("externalId"):
        raise Rejected(
            f"Salesforce's object {name} has no field {key_field} marked 'External ID', or the user does not see it; "
            "nothing was changed. Make it in Setup, Object Manager, or leave 'Field for the key' empty, and connect "
            "again.",
            key_field,
        )
    if not known.get("unique") and name != "Task":  # fields of activities cannot be made unique everywhere
        raise Rejected(
            f"Salesforce's field {key_field} takes the same value twice, so a task could be made twice; nothing was "
            "changed. Edit it in Setup, Object Manager, tick 'Unique', and connect again.",
            key_field,
        )


def status_of(record: dict[str, Any], kind: Kind, done_value: str) -> TaskStatus:
    """record: with `Status` and the field that says that it is over. A status an admin made is at least open or not."""
    value, is_over = record.get("Status"), record.get(kind.ended)
    known = kind.statuses.get(value, TaskStatus.UNKNOWN) if value else OPEN
    if is_over or (value and value == done_value):
        return CANCELLED if known is CANCELLED else DONE
    if kind.ended == CONVERTED or is_over is None:  # a lead can be given up without being converted
        return known
    return STARTED if known is STARTED else OPEN


def value_for(status: TaskStatus, kind: Kind, done_value: str, states: list[dict[str, Any]]) -> str:
    """The value of `Status` that means `status`. Raises Rejected. states: the org's own, in their order."""
    meaning = {
        one["ApiName"]: status_of(one | {"Status": one["ApiName"]}, kind, done_value)
        for one in states
        if not one.get(CONVERTED)  # only Salesforce's own dialog converts a lead
    }
    defaults = [one["ApiName"] for one in states if one.get("IsDefault")]
    best = [done_value, *defaults, *kind.statuses, *meaning]
    for wanted in (status, DONE) if status is CANCELLED else (status,):
        for value in best:
            if meaning.get(value) is wanted:
                return value
    raise Rejected(
        f"Salesforce has no status that means {status.value} here, only {', '.join(meaning)}; the record was left as "
        "it is. Name the one for finished records in 'Value of finished records' on Destinations.",
        "Status",
    )


def ref_of(record: dict[str, Any], url: str, status: TaskStatus) -> TaskRef:
    changed_at = record.get("SystemModstamp")
    return TaskRef(
        answered("Salesforce", record, "Id"),
        url,
        status,
        inside(record, "Owner", "Name") or "",
        iso_moment(changed_at) if changed_at else None,
    )


def comment_of(note: dict[str, Any], kind: Kind) -> RemoteComment:
    text, written_at = note.get(kind.note_text) or "", note.get("CreatedDate")
    return RemoteComment(
        answered("Salesforce", note, "Id"),
        without_markup(text) if note.get("IsRichText") else text,
        inside(note, "CreatedBy", "Name") or "",
        iso_moment(written_at) if written_at else None,
    )


def literal(text: str) -> str:
    """A text in SOQL. Source: .../soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def moment_literal(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

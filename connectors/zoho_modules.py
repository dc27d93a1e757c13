"""Records as Zoho CRM writes and takes them, module by module. Pure.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html and the default values of a new account
(read 2026-11).
"""

from dataclasses import dataclass, field
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, day, inside, one_line
from connectors.payloads import answered, iso_moment

LONGEST_TEXT = 16_000  # a text area takes 32,000, and may count an emoji as two
LONGEST_TAG = 25
BODY = "Description"
WHOLE_NUMBERS, NUMBERS = ("integer", "bigint"), ("double", "currency", "percent")
LOOKUPS = ("lookup", "ownerlookup", "userlookup")
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Module:
    """title, due, status: API names of the module's own fields. statuses: Zoho's own values, the best first."""

    title: str = "Name"
    longest_title: int = 120
    due: str = ""
    status: str = ""
    tab: str = ""  # its name in the browser's address
    is_upserted: bool = True
    priorities: dict[Priority, str] = field(default_factory=dict)
    statuses: dict[str, TaskStatus] = field(default_factory=dict)


OPEN, STARTED, DONE, CANCELLED = TaskStatus.OPEN, TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.CANCELLED
MODULES = {
    "Tasks": Module(
        "Subject", 255, "Due_Date", "Status", "Tasks", is_upserted=False,
        priorities={
            Priority.URGENT: "Highest", Priority.HIGH: "High", Priority.NORMAL: "Normal", Priority.LOW: "Low",
        },
        statuses={
            "Not Started": OPEN, "Deferred": OPEN, "In Progress": STARTED, "Waiting for input": STARTED,
            "Completed": DONE,
        },
    ),
    "Cases": Module(
        "Subject", 255, status="Status", tab="Cases",
        priorities={
            Priority.URGENT: "High", Priority.HIGH: "High", Priority.NORMAL: "Medium", Priority.LOW: "Low",
        },
        statuses={"New": OPEN, "On Hold": STARTED, "Escalated": STARTED, "Closed": DONE},
    ),
    "Leads": Module(
        "Last_Name", 80, status="Lead_Status", tab="Leads",
        statuses={
            "Not Contacted": OPEN, "Attempted to Contact": STARTED, "Contact in Future": STARTED, "Contacted": STARTED,
            "Pre-Qualified": STARTED, "Junk Lead": CANCELLED, "Lost Lead": CANCELLED, "Not Qualified": CANCELLED,
        },
    ),
    "Deals": Module(
        "Deal_Name", 120, "Closing_Date", "Stage", "Potentials",
        statuses={
            "Qualification": OPEN, "Needs Analysis": STARTED, "Value Proposition": STARTED,
            "Identify Decision Makers": STARTED, "Proposal/Price Quote": STARTED, "Negotiation/Review": STARTED,
            "Closed Won": DONE, "Closed Lost": CANCELLED, "Closed-Lost to Competition": CANCELLED,
        },
    ),
}  # fmt: skip
OWN = Module()  # a module the customer made


def content_of(task: Task, module: Module, described: list[dict[str, Any]]) -> dict[str, Any]:
    """described: the module's fields as Zoho describes them, needed where fields are mapped."""
    record: dict[str, Any] = {
        module.title: one_line(task.title, module.longest_title),
        BODY: clipped(body_of(task), LONGEST_TEXT),
    }
    if task.due_at and module.due:
        record[module.due] = day(task.due_at)
    if task.assignee:
        record["Owner"] = {"id": task.assignee}
    if module.priorities:
        record["Priority"] = module.priorities[task.priority]
    known = {one.get("api_name"): one for one in described}
    for name, text in task.fields.items():
        if name not in known:
            raise _wrong(name, "is not in the module")
        if text:
            record[name] = _typed(name, text, known[name])
        else:  # mapped to nothing: the manager wants it left out
            record.pop(name, None)
    return record


def tags_of(task: Task) -> list[dict[str, str]]:
    return [{"name": one_line(label, LONGEST_TAG)} for label in task.labels]


def _typed(name: str, text: str, described: dict[str, Any]) -> Any:
    """A mapped text in the type of the field."""
    kind, word = described.get("data_type"), text.strip()
    if kind in WHOLE_NUMBERS or kind in NUMBERS:
        try:
            return int(word) if kind in WHOLE_NUMBERS else float(word)
        except ValueError as error:
            raise _wrong(name, "takes a number") from error
    if kind == "boolean":
        if word.lower() not in YES + NO:
            raise _wrong(name, "takes true or false")
        return word.lower() in YES
    if kind in LOOKUPS:
        return {"id": word}
    if kind == "multiselectpicklist":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "textarea":
        return clipped(text, LONGEST_TEXT)
    return one_line(text, int(described.get("length") or LONGEST_TEXT))


def _wrong(name: str, why: str) -> Rejected:
    text = f"Zoho CRM's field '{name}' {why}. Nothing was sent. Correct the field mapping and replay."
    return Rejected(text, name)


def check_fields(name: str, module: Module, key_field: str, described: list[dict[str, Any]]) -> None:
    """Raise Rejected unless a task can be written, and found again by its key, in the module called `name`."""
    known = {one.get("api_name"): one for one in described}
    missing = [one for one in (module.title, BODY, key_field) if one not in known]
    if missing:
        raise Rejected(
            f"Zoho CRM's module {name} has no field {' and no field '.join(missing)}, or the user does not see it; "
            "nothing was changed. Add it in Setup, Modules and Fields, and connect again.",
            missing[0],
        )
    if module.is_upserted and not known[key_field].get("unique"):
        raise Rejected(
            f"Zoho CRM's field {key_field} takes the same value twice, so a task could be made twice; nothing was "
            "changed. Edit it in Setup, Modules and Fields, tick 'Do not allow duplicate values', and connect again.",
            key_field,
        )


def remote_fields(described: list[dict[str, Any]], key_field: str) -> list[RemoteField]:
    """Those that can be mapped."""
    return [
        RemoteField(
            one["api_name"],
            one.get("field_label") or one["api_name"],
            one.get("data_type") or "",
            bool(one.get("system_mandatory")),
            tuple(options_of(one)),
        )
        for one in described
        if _is_writable(one) and one["api_name"] != key_field
    ]


def _is_writable(described: dict[str, Any]) -> bool:
    is_read_only = described.get("read_only") or described.get("field_read_only")
    return not is_read_only and inside(described, "operation_type", "api_create") is not False


def options_of(described: dict[str, Any]) -> list[str]:
    values = described.get("pick_list_values") or []
    return [str(one.get("actual_value") or one.get("display_value")) for one in values]


def status_of(value: Any, module: Module, done_value: str) -> TaskStatus:
    if value and value == done_value:
        return TaskStatus.DONE
    return module.statuses.get(value, TaskStatus.UNKNOWN) if value else TaskStatus.OPEN


def value_for(status: TaskStatus, module: Module, done_value: str, described: dict[str, Any]) -> str:
    """The value of the status field that means `status`. Raises Rejected. described: the field, as Zoho does it."""
    options, name = options_of(described), described.get("api_name") or "status"
    for wanted in (status, TaskStatus.DONE) if status is TaskStatus.CANCELLED else (status,):
        ours = [done_value] if wanted is TaskStatus.DONE and done_value else []
        theirs = [value for value, meaning in module.statuses.items() if meaning is wanted]
        for value in ours + theirs:
            if value in options:
                return value
    raise Rejected(
        f"Zoho CRM's field '{name}' has no value that means {status.value}, only {', '.join(options)}; the record was "
        "left as it is. Name the one for finished records in 'Value of finished records' on Destinations.",
        name,
    )


def ref_of(record: Any, url: str, status: TaskStatus) -> TaskRef:
    changed_at = inside(record, "Modified_Time")
    return TaskRef(
        answered("Zoho CRM", record, "id"),
        url,
        status,
        inside(record, "Owner", "name") or "",
        iso_moment(changed_at) if changed_at else None,
    )


def comment_of(note: dict[str, Any]) -> RemoteComment:
    written_at = note.get("Created_Time")
    return RemoteComment(
        answered("Zoho CRM", note, "id"),
        note.get("Note_Content") or note.get("Note_Title") or "",
        inside(note, "Created_By", "name") or "",
        iso_moment(written_at) if written_at else None,
    )

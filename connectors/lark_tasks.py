"""Tasks as Lark and Feishu write and take them. Pure. Source: https://open.larksuite.com/document/task-v2/overview."""

from datetime import UTC, datetime
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line
from connectors.payloads import answered

LONGEST_TITLE, LONGEST_TEXT = 3_000, 3_000
STATUS = {"todo": TaskStatus.OPEN, "done": TaskStatus.DONE}
FIELDS = (
    RemoteField("summary", "Title", "text", required=True),
    RemoteField("description", "Description", "text"),
    RemoteField("assignee", "Assignee", "open_id"),
    RemoteField("follower", "Follower", "open_id"),
)
KNOWN = tuple(field.key for field in FIELDS)


def content_of(task: Task, custom_fields: list[dict[str, Any]]) -> dict[str, Any]:
    """custom_fields: those of the task list, as Lark describes them. Lark has no priorities and no labels."""
    wanted: dict[str, Any] = {
        "summary": one_line(task.fields.get("summary") or task.title, LONGEST_TITLE),
        "description": clipped(task.fields.get("description", body_of(task)), LONGEST_TEXT),
    }
    if task.due_at:
        wanted["due"] = {"timestamp": _milliseconds(task.due_at), "is_all_day": False}
    values = [_custom_value(name, text, custom_fields) for name, text in task.fields.items() if name not in KNOWN]
    if values:
        wanted["custom_fields"] = values
    return wanted


def members_of(task: Task) -> list[dict[str, str]]:
    ids = {"assignee": task.fields.get("assignee") or task.assignee, "follower": task.fields.get("follower")}
    return [{"id": one, "type": "user", "role": role} for role, one in ids.items() if one]


def custom_field(field: dict[str, Any]) -> RemoteField:
    options = tuple(option.get("name") or "" for option in _options(field))
    return RemoteField(field["guid"], field.get("name") or field["guid"], field.get("type") or "", options=options)


def _options(field: dict[str, Any]) -> list[dict[str, Any]]:
    setting = inside(field, f"{field.get('type')}_setting", "options") or []
    return [option for option in setting if not option.get("is_hidden")]


def _custom_value(name: str, text: str, custom_fields: list[dict[str, Any]]) -> dict[str, Any]:
    """A mapped text in the type of the custom field, which is named by its guid. An empty text empties the field."""
    field = next((field for field in custom_fields if field.get("guid") == name), None)
    if field is None:
        known = [*KNOWN, *(str(field.get("name")) for field in custom_fields)]
        raise _wrong(name, f"is no field of Lark's task list, which has {', '.join(known)}")
    kind = field.get("type")
    if kind in ("single_select", "multi_select"):
        ids = {option.get("name"): option.get("guid") for option in _options(field)}
        names = [part.strip() for part in text.split(",") if part.strip()] if kind == "multi_select" else [text.strip()]
        chosen = [ids.get(one) for one in names if one]
        if None in chosen:
            raise _wrong(name, f"has only the options {', '.join(map(str, ids))}")
        value: Any = chosen if kind == "multi_select" else next(iter(chosen), "")
    elif kind == "datetime":
        value = _moment_text(name, text)
    elif kind == "member":
        value = [{"id": part.strip(), "type": "user"} for part in text.split(",") if part.strip()]
    elif kind in ("number", "text"):
        value = text.strip() if kind == "number" else clipped(text, LONGEST_TEXT)
    else:
        raise _wrong(name, f"is of the type {kind}, which Octopus cannot fill")
    return {"guid": name, f"{kind}_value": value}


def _moment_text(name: str, text: str) -> str:
    if not text.strip():
        return ""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _wrong(name, "takes a date such as 2026-12-01") from error
    return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _wrong(name: str, why: str) -> Rejected:
    return Rejected(f"The field '{name}' {why}. Nothing was sent. Correct the field mapping and replay.", name)


def ref_of(task: Any) -> TaskRef:
    assignees = [one for one in inside(task, "members") or [] if one.get("role") == "assignee"]
    return TaskRef(
        answered("Lark", task, "guid"),
        inside(task, "url") or "",
        STATUS.get(inside(task, "status") or "todo", TaskStatus.UNKNOWN),
        ", ".join(name_of(one) for one in assignees),
        moment_of(inside(task, "updated_at")),
    )


def comment_of(comment: dict[str, Any]) -> RemoteComment:
    return RemoteComment(
        answered("Lark", comment, "id"),
        comment.get("content") or "",
        name_of(comment.get("creator")),
        moment_of(comment.get("created_at")),
    )


def name_of(member: Any) -> str:
    return inside(member, "name") or inside(member, "id") or ""


def moment_of(milliseconds: Any) -> datetime | None:
    """Lark writes times as text; "0" is none."""
    value = int(milliseconds) if str(milliseconds).isdigit() else 0
    return datetime.fromtimestamp(value / 1000, UTC) if value else None


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))

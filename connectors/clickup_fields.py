"""Values for ClickUp's fields, made of the manager's mapped texts. Pure.
Source: https://developer.clickup.com/docs/customfields (read 2026-11).
"""

from datetime import UTC, datetime
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteField, Task
from connectors.waits import number

PRIORITIES = ("urgent", "high", "normal", "low")  # ClickUp's numbers for them are 1 to 4
FIELDS = (
    RemoteField("name", "Title", "text", required=True),
    RemoteField("description", "Description", "text"),
    RemoteField("markdown_content", "Description in Markdown, instead of the plain one", "markdown"),
    RemoteField("priority", "Priority", "1 to 4 or a name", options=PRIORITIES),
    RemoteField("assignees", "Assignees", "ids, separated by commas"),
    RemoteField("due_date", "Due date", "date or date and time"),
    RemoteField("start_date", "Start date", "date or date and time"),
    RemoteField("tags", "Tags", "names, separated by commas"),
    RemoteField("points", "Sprint points", "number"),
)
STATUS = "status"  # the only field of ClickUp's own whose options differ by list
TEXTS = ("short_text", "text", "url", "email", "phone")
WRITABLE = (
    *TEXTS, "number", "currency", "emoji", "manual_progress", "checkbox", "date", "drop_down", "labels", "users",
    "tasks", "list_relationship",
)  # fmt: skip
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")
NOON_H = 12


def custom_names(task: Task) -> list[str]:
    """The mapped fields that are not ClickUp's own."""
    known = [STATUS, *(field.key for field in FIELDS)]
    return [name for name, text in task.fields.items() if text and name not in known]


def custom_field(described: dict[str, Any]) -> RemoteField:
    return RemoteField(
        described["id"],
        str(described.get("name")),
        str(described.get("type")),
        options=tuple(_name_of(option) for option in _options(described)),
    )


def custom_values(task: Task, described: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Id of each mapped custom field -> `{"value": ...}` as ClickUp takes it. Raises Rejected before anything is sent.

    described: the fields of the list that can be written.
    """
    by_id = {one.get("id"): one for one in described}
    values = {}
    for name in custom_names(task):
        if name not in by_id:
            raise refusal(name, "is not in the list or cannot be written")
        values[name] = _value(by_id[name], task.fields[name].strip())
    return values


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def member_ids(name: str, text: str) -> list[int]:
    ids = listed(text)
    if not all(one.isascii() and one.isdigit() for one in ids):
        raise refusal(name, "takes members by their ids, which are numbers")
    return [int(one) for one in ids]


def numeral(name: str, text: str) -> float:
    value = number(text)
    if value is None:
        raise refusal(name, "takes a number")
    return value


def moment_ms(name: str, text: str) -> tuple[int, bool]:
    """Milliseconds since 1970, and whether the time of day counts.

    A day without time is given as its noon in UTC, which is that day nearly everywhere on earth.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refusal(name, "takes a date such as 2026-11-30 or 2026-11-30T09:30:00+01:00") from error
    has_time = len(text) > len("2026-11-30")
    if not has_time:
        moment = moment.replace(hour=NOON_H)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000), has_time


def refusal(name: str, what: str) -> Rejected:
    return Rejected(f"ClickUp's field '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name)


def _value(described: dict[str, Any], text: str) -> dict[str, Any]:
    name, kind = described["id"], described.get("type")
    if kind in ("number", "currency"):
        return {"value": numeral(name, text)}
    if kind == "emoji":
        return {"value": round(numeral(name, text))}
    if kind == "manual_progress":
        return {"value": {"current": numeral(name, text)}}
    if kind == "checkbox":
        if text.casefold() not in TRUE + FALSE:
            raise refusal(name, "takes true or false")
        return {"value": text.casefold() in TRUE}
    if kind == "date":
        value_ms, has_time = moment_ms(name, text)
        return {"value": value_ms, "value_options": {"time": has_time}}
    if kind == "drop_down":
        return {"value": _option_id(described, text)}
    if kind == "labels":
        return {"value": [_option_id(described, part) for part in listed(text)]}
    if kind == "users":
        return {"value": {"add": member_ids(name, text)}}
    if kind in ("tasks", "list_relationship"):
        return {"value": {"add": listed(text)}}
    return {"value": text}


def _options(described: dict[str, Any]) -> list[dict[str, Any]]:
    config = described.get("type_config")
    return (config.get("options") or []) if isinstance(config, dict) else []


def _name_of(option: dict[str, Any]) -> str:
    """Drop-downs name their options, labels label them."""
    return str(option.get("name") or option.get("label"))


def _option_id(described: dict[str, Any], text: str) -> str:
    for option in _options(described):
        if _name_of(option).casefold() == text.casefold():
            return option["id"]
    raise refusal(described["id"], "has no such option")

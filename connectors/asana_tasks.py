"""A task as Asana takes it, and what its answers and refusals mean. Pure.
Source: https://developers.asana.com/reference/tasks, https://developers.asana.com/docs/custom-fields-guide and
https://developers.asana.com/docs/errors (read 2026-11).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, Unauthorized
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line
from connectors.payloads import answered, iso_moment
from connectors.waits import number

LONGEST_NAME, LONGEST_TEXT = 500, 30_000  # ours: Asana publishes none
FIELDS = (
    RemoteField("name", "Title", "text", required=True),
    RemoteField("notes", "Description", "text"),
    RemoteField("assignee", "Assignee", "id or e-mail"),
    RemoteField("due_on", "Due date", "date"),
    RemoteField("due_at", "Due time", "date and time"),
    RemoteField("start_on", "Start date", "date"),
    RemoteField("followers", "Collaborators", "ids or e-mails, separated by commas"),
    RemoteField("tags", "Tags", "names, separated by commas"),
)
TASK = "completed,permalink_url,assignee.name,modified_at"  # what is asked of a task to make a TaskRef of it
CUSTOM_FIELD = ",".join(
    f"custom_field.{name}"
    for name in ("name", "resource_subtype", "enum_options.name", "enum_options.enabled", "is_value_read_only")
)


class PlanLacks(Refused):
    """The workspace's plan does not include what was asked for."""


def content_of(task: Task, marker: str) -> dict[str, Any]:
    """What a create and an update have in common. marker: stands below the text; empty where it is not needed."""
    text = clipped(task.fields.get("notes", body_of(task)), LONGEST_TEXT)
    due_at = f"{task.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if task.due_at else ""
    wanted = {
        "name": one_line(task.fields.get("name") or task.title, LONGEST_NAME),
        "notes": f"{text}\n\n{marker}" if marker else text,
        "assignee": task.fields.get("assignee", task.assignee),
        "due_on": task.fields.get("due_on", ""),
        "due_at": "" if "due_on" in task.fields else task.fields.get("due_at", due_at),  # Asana takes one of the two
        "start_on": task.fields.get("start_on", ""),
    }
    return {name: value for name, value in wanted.items() if value}


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def tags_of(task: Task) -> list[str]:
    return listed(task.fields["tags"]) if "tags" in task.fields else list(task.labels)


def custom_names(task: Task) -> list[str]:
    """The mapped fields that are not Asana's own."""
    known = [field.key for field in FIELDS]
    return [name for name, text in task.fields.items() if text and name not in known]


def custom_field(described: dict[str, Any]) -> RemoteField:
    options = tuple(str(option.get("name")) for option in _options(described))
    return RemoteField(
        described["gid"], str(described.get("name")), str(described.get("resource_subtype")), options=options
    )


def custom_values(task: Task, described: list[dict[str, Any]]) -> dict[str, Any]:
    """Id of each mapped custom field -> its value as Asana takes it. Raises Rejected."""
    by_id = {one.get("gid"): one for one in described}
    for name in custom_names(task):
        if name not in by_id:
            raise _refusal(name, "is not in the project or cannot be written")
    return {name: _value(by_id[name], task.fields[name]) for name in custom_names(task)}


def ref_of(task: Any) -> TaskRef:
    moment = inside(task, "modified_at")
    return TaskRef(
        answered("Asana", task, "gid"),
        inside(task, "permalink_url") or "",
        TaskStatus.DONE if inside(task, "completed") else TaskStatus.OPEN,
        inside(task, "assignee", "name") or "",
        iso_moment(moment) if moment else None,
    )


def comment_of(story: dict[str, Any]) -> RemoteComment:
    written_at = story.get("created_at")
    return RemoteComment(
        story["gid"],
        story.get("text") or "",
        inside(story, "created_by", "name") or "",
        iso_moment(written_at) if written_at else None,
    )


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"errors": [{"message", "help"}]}`; a message about a field begins with its name and a colon."""
    if inside(body, "error") in ("invalid_grant", "invalid_client", "unauthorized_client"):
        return Unauthorized("Asana ended the connection or does not know the app; nothing was sent. Connect it again.")
    said = str(inside(body, "errors", 0, "message") or "")[:300]
    if status == 402:
        return PlanLacks(
            f'Asana says that the plan does not include this: "{said}". Nothing was done; change and replay.'
        )
    if status == 403:
        return Refused(
            f'Asana says that this user or app may not do that: "{said}". Nothing was done. Give the user the right '
            "to edit the project, or the app the scope, and replay."
        )
    if status in (404, 410):
        return TargetGone(f'Asana does not know the task or project: "{said}". Choose another project and replay.')
    field = re.match(r"(\w+): ", said)
    if status != 400 or not said:
        return None
    if field is None:
        return Rejected(f'Asana refused the request: "{said}". Nothing was done. Correct the mapping and replay.')
    if field[1] in ("projects", "project", "memberships", "section"):
        return TargetGone(f'Asana does not know the project or section: "{said}". Choose another one and replay.')
    return Rejected(
        f"Asana refused the field '{field[1]}': \"{said}\". Nothing was done. Correct the field mapping, or map the "
        "field to an empty text to leave it out, and replay.",
        field[1],
    )


def _options(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [option for option in described.get("enum_options") or () if option.get("enabled", True)]


def _value(described: dict[str, Any], text: str) -> Any:
    name, kind = described["gid"], described.get("resource_subtype")
    if kind == "number":
        value = number(text)
        if value is None:
            raise _refusal(name, "takes a number")
        return value
    if kind == "enum":
        return _option_id(described, text.strip())
    if kind == "multi_enum":
        return [_option_id(described, part) for part in listed(text)]
    if kind == "people":
        return listed(text)
    if kind == "date":
        return {"date_time" if "T" in text else "date": text.strip()}
    return text


def _option_id(described: dict[str, Any], text: str) -> str:
    for option in _options(described):
        if str(option.get("name")).casefold() == text.casefold():
            return option["gid"]
    raise _refusal(described["gid"], "has no such option")


def _refusal(name: str, what: str) -> Rejected:
    return Rejected(
        f"Asana's custom field '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name
    )

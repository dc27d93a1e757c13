"""A task as a Trello card. Pure. Source: https://developer.atlassian.com/cloud/trello/rest/api-group-cards/ and
https://developer.atlassian.com/cloud/trello/guides/rest-api/getting-started-with-custom-fields/ (read 2026-11).
"""

from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteComment, RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, inside, one_line
from connectors.payloads import answered, iso_moment
from connectors.waits import number

LONGEST_NAME, LONGEST_TEXT = 500, 8_000  # a text may have 16,384 units of UTF-16, and an emoji takes two
FIELDS = (
    RemoteField("name", "Title", "text", required=True),
    RemoteField("desc", "Description", "markdown"),
    RemoteField("due", "Due date", "date"),
    RemoteField("start", "Start date", "date"),
    RemoteField("idMembers", "Members", "ids, separated by commas"),
    RemoteField("idLabels", "Labels", "names, separated by commas"),
)
CARD = {  # what is asked of a card to make a TaskRef of it
    "fields": "closed,dueComplete,idList,dateLastActivity,shortUrl", "members": "true", "member_fields": "fullName",
}  # fmt: skip
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


def content_of(task: Task) -> dict[str, str]:
    """What a create and an update have in common. The key stands at the end of the description, to be found by."""
    wanted = {
        "name": one_line(task.fields.get("name") or task.title, LONGEST_NAME),
        "desc": f"{clipped(task.fields.get('desc', body_of(task)), LONGEST_TEXT)}\n\n{_marker(task.key)}",
        "due": task.fields.get("due", task.due_at.isoformat() if task.due_at else ""),
        "start": task.fields.get("start", ""),
        "idMembers": ",".join(listed(task.fields.get("idMembers", task.assignee))),
    }
    return {name: text for name, text in wanted.items() if text}


def ref_of(card: Any, list_id: str, done_list: str) -> TaskRef:
    """A card in another list than the one it was made in is being worked on; one that is archived is cancelled."""
    place, moment = inside(card, "idList"), inside(card, "dateLastActivity")
    if inside(card, "dueComplete") or (done_list and place == done_list):
        status = TaskStatus.DONE
    elif inside(card, "closed"):
        status = TaskStatus.CANCELLED
    else:
        status = TaskStatus.OPEN if place == list_id else TaskStatus.IN_PROGRESS
    return TaskRef(
        answered("Trello", card, "id"),
        inside(card, "shortUrl") or "",
        status,
        ", ".join(str(member.get("fullName")) for member in inside(card, "members") or ()),
        iso_moment(moment) if moment else None,
    )


def comment_of(action: dict[str, Any]) -> RemoteComment:
    return RemoteComment(
        action["id"],
        str(inside(action, "data", "text") or ""),
        str(inside(action, "memberCreator", "fullName") or ""),
        iso_moment(action["date"]) if action.get("date") else None,
    )


def is_made_with(key: str, card: dict[str, Any]) -> bool:
    return _marker(key) in str(card.get("desc"))


def labels_of(task: Task) -> list[str]:
    """The names of the labels the card gets."""
    return listed(task.fields["idLabels"]) if "idLabels" in task.fields else list(task.labels)


def custom_names(task: Task) -> list[str]:
    """The mapped fields that are not Trello's own."""
    known = [field.key for field in FIELDS]
    return [name for name, text in task.fields.items() if text and name not in known]


def custom_field(described: dict[str, Any]) -> RemoteField:
    options = tuple(str(inside(option, "value", "text")) for option in described.get("options") or ())
    return RemoteField(described["id"], str(described.get("name")), str(described.get("type")), options=options)


def custom_values(task: Task, described: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Id of each mapped custom field -> the body that sets it.

    Raises Rejected before anything is sent, as a card that is made already cannot be taken back.
    """
    by_id = {one.get("id"): one for one in described}
    values = {}
    for name in custom_names(task):
        if name not in by_id:
            raise _refusal(name, "is not on the board")
        values[name] = _value(by_id[name], task.fields[name])
    return values


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _value(described: dict[str, Any], text: str) -> dict[str, Any]:
    name, kind = described["id"], described.get("type")
    if kind == "list":
        for option in described.get("options") or ():
            if str(inside(option, "value", "text")).casefold() == text.casefold():
                return {"idValue": option["id"]}
        raise _refusal(name, "has no such option")
    if kind == "number":
        if number(text) is None:
            raise _refusal(name, "takes a number")
        return {"value": {"number": text.strip()}}
    if kind == "checkbox":
        if text.casefold() not in TRUE + FALSE:
            raise _refusal(name, "takes true or false")
        return {"value": {"checked": "true" if text.casefold() in TRUE else "false"}}
    return {"value": {"date" if kind == "date" else "text": text}}


def _refusal(name: str, what: str) -> Rejected:
    return Rejected(
        f"Trello's custom field '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name
    )


def _marker(key: str) -> str:
    return f"octopus-{key}"

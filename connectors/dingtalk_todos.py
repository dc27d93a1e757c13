"""To-dos as DingTalk takes and writes them. Pure.

Source: https://open.dingtalk.com/document/development/add-dingtalk-to-do-task. What an app makes are work to-dos: they
show title, due date, priority and a card of named lines, and a click opens the address in `detailUrl`. Their
description is kept but not shown, so the card holds the text as well.
"""

from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteField, Task, TaskRef, TaskStatus
from connectors.answers import CLIPPED, body_of, clipped, inside, one_line
from connectors.payloads import answered

LONGEST_TITLE, LONGEST_TEXT = 512, 2_000  # characters: of DingTalk's 1,024 and 4,096 an emoji takes two
LONGEST_LINE, KEPT_AT_END = 1_024, 400  # bytes of a card's line
LINE = "Message"
UPDATES = "\n\n— Updates —"  # what follows was added later
KEPT_OF_UPDATES = 600  # characters of a text too long: the newest
NO_PAGE = "https://www.dingtalk.com"  # a to-do without an address is refused
PRIORITIES = {Priority.LOW: 10, Priority.NORMAL: 20, Priority.HIGH: 30, Priority.URGENT: 40}
STATUS = {True: TaskStatus.DONE, False: TaskStatus.OPEN}
FIELDS = (
    RemoteField("subject", "Title", "text", required=True),
    RemoteField("description", "Text", "text"),
    RemoteField("executorIds", "Executors", "unionIds or mobile numbers, with commas between"),
    RemoteField("participantIds", "Participants", "unionIds or mobile numbers, with commas between"),
    RemoteField("priority", "Priority", "number", options=tuple(map(str, PRIORITIES.values()))),
)
KNOWN = {field.key for field in FIELDS}


def content_of(task: Task, updates: str = "") -> dict[str, Any]:
    """What a to-do says, in a form that can be sent again. updates: those of the to-do as it is."""
    if unknown := sorted(set(task.fields) - KNOWN):
        raise _wrong(unknown[0], f"is no field of a DingTalk to-do, which has {', '.join(sorted(KNOWN))}")
    content: dict[str, Any] = {"subject": one_line(task.fields.get("subject") or task.title, LONGEST_TITLE)}
    content |= text_of(task.fields.get("description", body_of(task)) + updates)
    if task.due_at:
        content["dueTime"] = int(task.due_at.timestamp() * 1000)
    return content


def text_of(text: str) -> dict[str, Any]:
    """The text, whole and as the card shows it."""
    body, separator, updates = text.partition(UPDATES)
    if len(text) > LONGEST_TEXT and separator:
        body, updates = clipped(body, LONGEST_TEXT - KEPT_OF_UPDATES - len(separator)), updates[-KEPT_OF_UPDATES:]
    whole = clipped(body + separator + updates, LONGEST_TEXT)
    return {"description": whole, "contentFieldList": [{"fieldKey": LINE, "fieldValue": _line(whole)}]}


def updates_of(todo: Any) -> str:
    _, separator, after = (inside(todo, "description") or "").partition(UPDATES)
    return separator + after


def with_update(todo: Any, update: str) -> str:
    """The text of the to-do with an update at its end; as it is where the update stands there already."""
    before = inside(todo, "description") or ""
    if before.endswith(f"\n{update}"):
        return before
    return f"{before}{'' if UPDATES in before else UPDATES}\n{update}"


def given_at_first(task: Task, owner: str) -> dict[str, Any]:
    """What DingTalk takes only with a new to-do."""
    page = task.link or NO_PAGE
    return {
        "sourceId": task.key, "creatorId": owner, "detailUrl": {"appUrl": page, "pcUrl": page},
        "priority": _priority(task),
    }  # fmt: skip


def ref_of(todo: Any, assignee: str = "") -> TaskRef:
    """Without an address: DingTalk documents none that opens a to-do."""
    status = STATUS.get(inside(todo, "done"), TaskStatus.UNKNOWN)
    return TaskRef(answered("DingTalk", todo, "id"), "", status, assignee, _moment(inside(todo, "modifiedTime")))


def parts(names: str) -> list[str]:
    return [part.strip() for part in names.split(",") if part.strip()]


def _priority(task: Task) -> int:
    text = task.fields.get("priority", "").strip()
    if not text:
        return PRIORITIES[task.priority]
    if text not in map(str, PRIORITIES.values()):
        raise _wrong("priority", "has only the values 10 (low), 20 (normal), 30 (high) and 40 (urgent)")
    return int(text)


def _line(text: str) -> str:
    """text in at most as many bytes as a card's line takes: of a longer one the middle is left out."""
    encoded = text.encode()
    if len(encoded) <= LONGEST_LINE:
        return text
    begin = encoded[: LONGEST_LINE - KEPT_AT_END - len(CLIPPED.encode())]
    return begin.decode(errors="ignore") + CLIPPED + encoded[-KEPT_AT_END:].decode(errors="ignore")


def _moment(milliseconds: Any) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if isinstance(milliseconds, int) and milliseconds else None


def _wrong(name: str, why: str) -> Rejected:
    return Rejected(f"The field '{name}' {why}. Nothing was sent. Correct the field mapping and replay.", name)

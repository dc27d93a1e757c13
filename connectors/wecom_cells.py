"""A smart sheet's columns, a task as a row in it, and a row read back. Pure.

Source: https://developer.work.weixin.qq.com/document/path/99904 (columns) and
https://developer.work.weixin.qq.com/document/path/99907 (cells).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected
from app.domain.tasks import RemoteField, Task
from connectors.answers import body_of, clipped, inside, one_line
from connectors.waits import number

LONGEST_TITLE, LONGEST_TEXT = 500, 10_000  # ours: WeCom publishes none
TEXT, TICK, DAY, SELECT, SELECTS, PERSON = "TEXT", "CHECKBOX", "DATE_TIME", "SINGLE_SELECT", "SELECT", "USER"
NUMBERS = ("NUMBER", "PROGRESS", "CURRENCY", "PERCENTAGE")
PLAIN = ("PHONE_NUMBER", "EMAIL", "BARCODE")
FILLABLE = (
    TEXT,
    TICK,
    DAY,
    SELECT,
    SELECTS,
    PERSON,
    "URL",
    *NUMBERS,
    *PLAIN,
)  # the others WeCom fills, or they hold files
# Columns that are filled where the sheet has them, in the order they are looked for, and their type.
DUE = ("Due", "Due date", "Deadline", "截止", "截止日期", "截止时间"), DAY
PRIORITY = ("Priority", "优先级"), SELECT
LABELS = ("Labels", "Tags", "标签"), SELECTS
ASSIGNEE = ("Assignee", "Owner", "负责人"), PERSON
PRIORITIES = {
    Priority.URGENT: ("urgent", "紧急"),
    Priority.HIGH: ("high", "高"),
    Priority.NORMAL: ("normal", "medium", "中", "普通"),
    Priority.LOW: ("low", "低"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """A sub-sheet's columns by title, in the sheet's order, as WeCom describes them."""

    described: dict[str, dict[str, Any]]

    def kind(self, title: str) -> str:
        """As in the constants above; empty when there is no such column."""
        return str(inside(self.described, title, "field_type") or "").removeprefix("FIELD_TYPE_")

    def options(self, title: str) -> tuple[str, ...]:
        settings = inside(self.described, title, f"property_{self.kind(title).lower()}", "options") or ()
        return tuple(str(option.get("text")) for option in settings)

    def column(self, wanted: tuple[tuple[str, ...], str]) -> str:
        """The first of these columns the sheet has; empty when it has none."""
        titles, kind = wanted
        return next((title for title in titles if self.kind(title) == kind), "")

    def for_title(self, taken: tuple[str, ...]) -> str:
        """The first text column that is not taken by something else; empty when there is none."""
        return next((title for title in self.described if self.kind(title) == TEXT and title not in taken), "")

    def fields(self, besides: tuple[str, ...]) -> list[RemoteField]:
        return [
            RemoteField(title, title, self.kind(title).lower(), options=self.options(title))
            for title in self.described
            if self.kind(title) in FILLABLE and title not in besides
        ]


def cells_of(task: Task, columns: Columns, body_column: str, taken: tuple[str, ...]) -> dict[str, Any]:
    """What a create and an update have in common: column title -> cell. Raises Rejected.

    taken: the columns for the key and the like, which hold no title.
    """
    title, body = one_line(task.title, LONGEST_TITLE), clipped(body_of(task), LONGEST_TEXT)
    title_column = columns.for_title((*taken, body_column))
    cells = {title_column: _text(title), body_column: _text(body)} if title_column else {
        body_column: _text(f"{title}\n{body}")
    }  # fmt: skip
    due, priority, labels = columns.column(DUE), columns.column(PRIORITY), columns.column(LABELS)
    if task.due_at and due:
        cells[due] = _milliseconds(task.due_at)
    for option in columns.options(priority):
        if option.casefold() in PRIORITIES[task.priority]:
            cells[priority] = [{"text": option}]
    if task.labels and labels:
        cells[labels] = [{"text": label} for label in task.labels]
    for name, text in task.fields.items():
        if not text:  # mapped to nothing: the manager wants it left out
            cells.pop(name, None)
        else:
            cells[name] = typed(name, columns.kind(name), text)
    return cells


def typed(name: str, kind: str, text: str) -> Any:
    """A mapped text as the cell of a column of this type."""
    if kind == TEXT:
        return _text(clipped(text, LONGEST_TEXT))
    if kind in (SELECT, SELECTS):
        names = [text.strip()] if kind == SELECT else parts(text)
        return [{"text": one} for one in names]
    if kind == PERSON:
        return [{"user_id": one} for one in parts(text)]
    if kind == TICK:
        return text.strip().lower() in ("true", "yes", "1", "是")
    if kind == DAY:
        return _moment(name, text.strip())
    if kind == "URL":
        return [{"type": "url", "text": text.strip(), "link": text.strip()}]
    if kind in NUMBERS:
        value = number(text)
        if value is None:
            raise _refusal(name, "takes a number")
        return int(value) if value.is_integer() else value
    if kind in PLAIN:
        return text.strip()
    raise _refusal(name, "is filled by WeCom itself or cannot be filled" if kind else "is not in the smart sheet")


def shown(cell: Any) -> str:
    """The text of a cell: of a text its pieces, of selects and people their names."""
    if isinstance(cell, list):
        parts = [str(inside(one, "text") or inside(one, "user_id") or "") for one in cell]
        is_text = any(inside(one, "type") for one in cell)
        return ("" if is_text else ", ").join(part for part in parts if part)
    return "" if cell is None else str(cell)


def moment_of(milliseconds: Any) -> datetime | None:
    value = int(milliseconds) if str(milliseconds).isdecimal() else 0
    return datetime.fromtimestamp(value / 1000, UTC) if value else None


def parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]


def added_to(cell: Any, text: str) -> Any:
    """A text cell with `text` at its end, the same cell when it stands there already. Links in it are kept."""
    before, text = shown(cell), clipped(text, LONGEST_TEXT)
    if before.endswith(text):
        return cell
    added = f"\n\n{text}" if before else text
    if len(before) + len(added) > LONGEST_TEXT:
        return _text(clipped(before + added, LONGEST_TEXT))
    return [*(cell if isinstance(cell, list) else ()), *_text(added)]


def _text(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def _moment(name: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refusal(name, "takes a date such as 2026-12-01") from error
    return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _milliseconds(moment: datetime) -> str:
    """As text: WeCom takes a number without a word and leaves the cell empty."""
    return str(int(moment.timestamp() * 1000))


def _refusal(name: str, what: str) -> Rejected:
    return Rejected(f"WeCom's column '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name)

"""Which column of a smart sheet holds what of a task, so that rows can be read back and new sheets be made. Pure.

Source: https://developer.work.weixin.qq.com/document/path/99904 (columns).
"""

from dataclasses import dataclass
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef, TaskStatus
from connectors.answers import inside
from connectors.payloads import answered
from connectors.statuses import Statuses
from connectors.wecom_cells import (
    ASSIGNEE,
    DAY,
    DUE,
    LABELS,
    PERSON,
    PRIORITY,
    SELECT,
    SELECTS,
    TEXT,
    TICK,
    Columns,
    moment_of,
    shown,
    typed,
)

NEW_PRIORITIES = ("Urgent", "High", "Normal", "Low")


@dataclass(frozen=True, slots=True)
class Layout:
    """The titles of columns: `updates` and `status` may be empty. link: where a task's link leads."""

    key: str
    body: str
    updates: str
    status: str
    statuses: Statuses
    link: str

    @property
    def ours(self) -> tuple[str, ...]:
        """The columns nobody maps a field to."""
        return tuple(filter(None, (self.key, self.updates)))

    def read(self, columns: Columns) -> list[str]:
        """The columns a task's state stands in, as far as the sheet has them."""
        return [title for title in (self.key, self.status, columns.column(ASSIGNEE)) if columns.kind(title)]

    def key_of(self, row: dict[str, Any]) -> str:
        return shown(inside(row, "values", self.key))

    def ref_of(self, row: dict[str, Any], columns: Columns) -> TaskRef:
        state = inside(row, "values", self.status)
        return TaskRef(
            answered("WeCom", row, "record_id"),
            self.link,
            self.statuses.of(state if isinstance(state, bool) else shown(state)),
            shown(inside(row, "values", columns.column(ASSIGNEE))),
            moment_of(row.get("update_time")),
        )

    def given_at_first(self, key: str, columns: Columns) -> dict[str, Any]:
        cells: dict[str, Any] = {self.key: typed(self.key, TEXT, key)}
        if self.statuses.open in columns.options(self.status):
            cells[self.status] = typed(self.status, SELECT, self.statuses.open)
        return cells

    def nearest(self, status: TaskStatus, columns: Columns) -> tuple[TaskStatus, Any]:
        """The status the column can tell, and its cell. Raises Rejected when the column has no such option."""
        wanted, value = self.statuses.nearest(status)
        if columns.kind(self.status) == TICK:
            is_done = wanted is not TaskStatus.OPEN
            return (TaskStatus.DONE if is_done else TaskStatus.OPEN), is_done
        options = columns.options(self.status)
        if value in options:
            return wanted, typed(self.status, SELECT, str(value))
        raise Rejected(
            f"WeCom's column '{self.status}' has no option '{value}'; nothing was changed. Name one it has on "
            f"Destinations: {', '.join(options)}.",
            self.status,
        )

    def new_columns(self) -> list[dict[str, Any]]:
        """Those a new smart sheet gets besides its first one, as WeCom takes them."""
        states = (self.statuses.open, "In progress", self.statuses.done, self.statuses.cancelled)
        texts = [_column(title, TEXT) for title in (self.key, self.body, self.updates) if title]
        status = [_column(self.status, SELECT, options=_options(*states))] if self.status else []
        return [
            *texts,
            *status,
            _column(DUE[0][0], DAY, format="yyyy-mm-dd hh:mm"),
            _column(PRIORITY[0][0], SELECT, options=_options(*NEW_PRIORITIES)),
            _column(LABELS[0][0], SELECTS, options=[]),
            _column(ASSIGNEE[0][0], PERSON, is_multiple=True, is_notified=True),
        ]


def _column(title: str, kind: str, **settings: Any) -> dict[str, Any]:
    column: dict[str, Any] = {"field_title": title, "field_type": f"FIELD_TYPE_{kind}"}
    if "options" in settings:
        settings["is_quick_add"] = True
    return column | ({f"property_{kind.lower()}": settings} if settings else {})


def _options(*texts: str) -> list[dict[str, str]]:
    return [{"text": text} for text in texts if text]

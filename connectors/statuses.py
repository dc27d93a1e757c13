"""Statuses in a column whose options the manager named: where a vendor's tasks are rows of a table."""

from dataclasses import dataclass
from typing import Any

from app.domain.tasks import TaskStatus


@dataclass(frozen=True, slots=True)
class Statuses:
    """What the status column says of a task that is open, done or cancelled; `cancelled` may be empty."""

    open: str
    done: str
    cancelled: str

    def of(self, value: Any) -> TaskStatus:
        """value: a select's option, a tick, or nothing. Another option than ours is a task somebody works on."""
        if value is True:
            return TaskStatus.DONE
        ours = {
            self.cancelled.casefold(): TaskStatus.CANCELLED,
            self.done.casefold(): TaskStatus.DONE,
            self.open.casefold(): TaskStatus.OPEN,
            "": TaskStatus.OPEN,
        }
        return ours.get(str(value or "").casefold(), TaskStatus.IN_PROGRESS)

    def nearest(self, status: TaskStatus) -> tuple[TaskStatus, str | bool]:
        """The status the column can tell, and its option."""
        if status is TaskStatus.OPEN:
            return status, self.open
        if status is TaskStatus.CANCELLED and self.cancelled:
            return status, self.cancelled
        return TaskStatus.DONE, self.done

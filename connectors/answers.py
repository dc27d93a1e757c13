"""Reading what CRMs answer, and writing texts they take. Pure but for the clock and a lock in `Kept`."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from threading import Lock
from typing import Any, Generic, TypeVar

from app.domain.errors import TransientError
from app.domain.tasks import Task

Value = TypeVar("Value")
CLIPPED = "\n[…]\n"
KEPT_AT_END = 600  # characters: a task's body ends with its category and the link back
LINE_END, TAG = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE), re.compile(r"<[^>]*>")
LONGEST_WAIT_S = 30.0  # longer than one call may take


def clipped(text: str, most: int) -> str:
    """text in at most `most` characters (above 2 * KEPT_AT_END): of a longer one the middle is left out."""
    if len(text) <= most:
        return text
    return text[: most - KEPT_AT_END - len(CLIPPED)] + CLIPPED + text[-KEPT_AT_END:]


def body_of(task: Task) -> str:
    """The task's text with its attachments and the way back to the message in Octopus."""
    lines = [f"{attachment.name}: {attachment.url}" for attachment in task.attachments]
    if task.link:
        lines.append(f"In Octopus: {task.link}")
    return "\n".join([task.body, *lines])


def one_line(text: str, most: int) -> str:
    """For titles: vendors refuse line breaks, empty texts and too long ones there."""
    line = " ".join(text.split()) or "(no title)"
    return line if len(line) <= most else line[: most - 1] + "…"


def without_markup(html: str) -> str:
    """The text of a comment written in HTML, its lines kept."""
    return unescape(TAG.sub("", LINE_END.sub("\n", html))).strip()


def day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def inside(answer: Any, *path: str | int) -> Any:
    """What stands at `path`, or None where the answer has another shape."""
    for step in path:
        try:
            answer = answer[step]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


def rows(label: str, answer: Any, *path: str) -> list[dict[str, Any]]:
    """The list of objects at `path`. Raises TransientError when it is not there: that is not an empty list."""
    found = inside(answer, *path)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise TransientError(
            f"{label} answered without '{path[-1]}'; nothing was changed. It is asked again by itself."
        )
    return found


class Kept(Generic[Value]):
    """A value asked for once and shared by all threads until it is too old."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._value: Value | None = None
        self._until = 0.0

    def get(self, fetch: Callable[[], tuple[Value, float]], refused: Value | None = None) -> Value:
        """fetch: returns the value and for how many seconds it is good. refused: a value that is no longer good."""
        if self._good(refused):
            return self._value
        if not self._lock.acquire(timeout=LONGEST_WAIT_S):
            raise TransientError(
                "Another call waits too long for the same answer; nothing was sent. It is tried again."
            )
        try:
            if not self._good(refused):  # else another thread fetched it meanwhile
                self._value, good_for_s = fetch()
                self._until = time.monotonic() + good_for_s
            return self._value
        finally:
            self._lock.release()

    def _good(self, refused: Value | None) -> bool:
        return time.monotonic() < self._until and (refused is None or self._value != refused)

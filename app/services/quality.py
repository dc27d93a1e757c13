"""How right the machine was, of a workspace: the Learning page's charts, each with the messages behind it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.classify import quality
from app.classify.calibration import Interval
from app.classify.quality import Judged, OfCategory, Point, Promise
from app.db import learning as store
from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now

MOST_JUDGED = 5_000
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Report:
    """judged: messages it rests on, oldest first. confusion: by (what a person said, what the machine said)."""

    judged: list[Judged]
    accuracy: Interval
    categories: list[OfCategory]
    confusion: Counter[tuple[str | None, str | None]]
    promises: list[Promise]
    curve: list[Point]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A message the machine got wrong. Keys of categories; None: nothing to do, or no guess."""

    message_id: UUID
    text: str
    machine: str | None
    decided: str | None


def report(workspace_id: UUID, days: int = 90) -> Report:
    """Of the newest messages (at most 5,000) of the last days that persons decided."""
    with in_workspace(workspace_id) as session:
        rows = store.judged(session, workspace_id, first_id_at(now() - timedelta(days=days)), MOST_JUDGED)
        earlier = store.count_corrections(session, workspace_id, rows[0].id)[1] - 1 if rows else 0
    judged = [
        Judged(row.message_id, row.at, row.machine, row.confidence, row.decided, row.stands_for, earlier + place)
        for place, row in enumerate(rows)
    ]
    return Report(
        judged, quality.accuracy(judged), quality.by_category(judged), quality.confusion(judged),
        quality.promises(judged), quality.curve(judged),
    )  # fmt: skip


def mistakes(workspace_id: UUID, judged: Sequence[Judged], category: str) -> list[Mistake]:
    """The newest of these messages (at most 50) in which machine or person, and not both, saw this category."""
    wrong = [one for one in reversed(judged) if not one.right and category in (one.machine, one.decided)][:SHOWN]
    with in_workspace(workspace_id) as session:
        texts = store.texts(session, [one.message_id for one in wrong])
    return [
        Mistake(one.message_id, texts[one.message_id], one.machine, one.decided)
        for one in wrong
        if one.message_id in texts
    ]

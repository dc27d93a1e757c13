"""How right the machine was, by what persons said afterwards. Pure.

A message that was picked by chance for a look stands for as many as it was picked from, so the figures speak of all
traffic and not of the hard messages persons mostly see.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zlib import crc32

from app.classify.calibration import Interval, weighed_share

BINS = 10
POINT_OF = 50  # judged messages of one point of the curve


@dataclass(frozen=True, slots=True)
class Judged:
    """A message the machine answered, or only guessed at, before a person decided.

    machine: its best guess; None where it had none. decided: what the person said; None: nothing to do.
    stands_for: how many messages of the traffic. corrections: decisions of persons there had been before.
    """

    message_id: UUID
    at: datetime
    machine: str | None
    confidence: float | None
    decided: str | None
    stands_for: float
    corrections: int = 0

    @property
    def right(self) -> bool:
        return self.machine == self.decided


@dataclass(frozen=True, slots=True)
class OfCategory:
    """precision: of what the machine called so, how much was. recall: of what was, how much it called so.

    f1: their harmonic mean; None where there is nothing to take it of. messages: judged ones that were in it.
    """

    key: str
    messages: int
    precision: Interval
    recall: Interval
    f1: float | None


@dataclass(frozen=True, slots=True)
class Promise:
    """Answers with a confidence from `low` to `high`: what they promised on average, and how many were right."""

    low: float
    high: float
    promised: float
    kept: Interval


@dataclass(frozen=True, slots=True)
class Point:
    """corrections: there had been so many when the messages of this point came. accuracy: of the guesses at them."""

    corrections: int
    accuracy: Interval


def accuracy(judged: Iterable[Judged]) -> Interval:
    rows = list(judged)
    return weighed_share([one.right for one in rows], [one.stands_for for one in rows])


def by_category(judged: Sequence[Judged]) -> list[OfCategory]:
    """Those with the most messages first."""
    keys = {one.decided for one in judged} | {one.machine for one in judged}
    found = []
    for key in keys - {None}:
        called = accuracy(one for one in judged if one.machine == key)
        was = [one for one in judged if one.decided == key]
        recall = accuracy(was)
        both = called.share + recall.share
        known = called.n and recall.n
        f1 = (2 * called.share * recall.share / both if both else 0.0) if known else None
        found.append(OfCategory(key, len(was), called, recall, f1))
    return sorted(found, key=lambda one: (-one.messages, one.key))


def confusion(judged: Iterable[Judged]) -> Counter[tuple[str | None, str | None]]:
    """Messages by (decided, machine's guess), the wrong ones only."""
    return Counter((one.decided, one.machine) for one in judged if not one.right)


def promises(judged: Sequence[Judged]) -> list[Promise]:
    """A machine that is honest is right for 90 % of what it is 90 % sure of. Bins nobody fell into are left out."""
    bins: dict[int, list[Judged]] = {}
    for one in judged:
        if one.confidence is not None and one.machine is not None:
            bins.setdefault(min(int(one.confidence * BINS), BINS - 1), []).append(one)
    return [
        Promise(
            place / BINS, (place + 1) / BINS,
            sum(one.confidence * one.stands_for for one in rows) / sum(one.stands_for for one in rows), accuracy(rows),
        )
        for place, rows in sorted(bins.items())
    ]  # fmt: skip


def curve(judged: Sequence[Judged]) -> list[Point]:
    """judged: oldest first. One point for each 50 messages; the last one may hold fewer."""
    parts = [judged[start : start + POINT_OF] for start in range(0, len(judged), POINT_OF)]
    return [Point(part[0].corrections, accuracy(part)) for part in parts]


def kept_for_examination(message_id: UUID, share: float) -> bool:
    """Whether a message belongs to the golden set: what persons said about it examines models and never trains one.

    Decided by its id alone, so that every process agrees and nobody can move a message to the other side. Hashed:
    the ids of one millisecond count upwards.
    """
    return crc32(message_id.bytes) / 2**32 < share

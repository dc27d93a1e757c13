"""In which order a person sees what nobody was sure about. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.classification import Priority

COST = {Priority.URGENT: 4.0, Priority.HIGH: 2.0, Priority.NORMAL: 1.0, Priority.LOW: 0.5}  # of an error
LEAST_DOUBT = 0.05
DOUBT_OF_A_CHECK = 0.5  # a random check: how sure the machine was must not decide whether it is looked at
HOURS_THAT_DOUBLE = 4.0  # of waiting; nothing waits for ever
AGAIN = 0.7  # each further message of the same suggestion weighs so much less: a person learns more from variety
PUT_OFF = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """suggestion: a category's key. asked: a colleague wants this very person to decide."""

    id: UUID
    received_at: datetime
    suggestion: str | None = None
    confidence: float | None = None
    priority: str | None = None
    is_check: bool = False
    asked: bool = False
    skipped: int = 0


def first(candidates: Iterable[Candidate], n: int, at: datetime) -> list[UUID]:
    """The n most worth a person's look: doubt x cost of an error x waiting, each suggestion in turn."""
    weights = {one: _weight(one, at) for one in candidates}
    chosen: list[Candidate] = []
    seen: Counter[str | None] = Counter()
    while weights and len(chosen) < n:
        best = max(weights, key=lambda one: weights[one] * AGAIN ** seen[one.suggestion])
        seen[best.suggestion] += 1
        chosen.append(best)
        del weights[best]
    return [one.id for one in chosen]


def _weight(one: Candidate, at: datetime) -> float:
    if one.asked:
        return 1e6
    doubt = DOUBT_OF_A_CHECK if one.is_check else max(LEAST_DOUBT, 1 - (one.confidence or 0.0))
    waiting = 1 + max(0.0, (at - one.received_at).total_seconds()) / 3600 / HOURS_THAT_DOUBLE
    return doubt * COST[Priority(one.priority or Priority.NORMAL)] * waiting * PUT_OFF ** min(one.skipped, 3)

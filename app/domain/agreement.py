"""Whether two persons decide alike. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Pair = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Agreement:
    """n: messages both decided. share: of those, decided alike. kappa: agreement beyond chance, None while unknown.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960. 1: always alike; 0: as chance would have it.
    """

    n: int
    share: float
    kappa: float | None


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """pairs: (what the first said, what the second said) of each message."""
    n = len(pairs)
    if not n:
        return Agreement(0, 0.0, None)
    alike = sum(first == second for first, second in pairs) / n
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[label] * seconds[label] for label in firsts) / n**2
    return Agreement(n, alike, (alike - by_chance) / (1 - by_chance) if by_chance < 1 else None)


def mixed_up(pairs: Sequence[Pair]) -> list[tuple[Pair, int]]:
    """Labels people do not tell apart, in either order, most often first."""
    found = Counter(tuple(sorted(pair, key=str)) for pair in pairs if pair[0] != pair[1])
    return found.most_common()

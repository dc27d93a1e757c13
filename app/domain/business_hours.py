"""Time by a local clock: where days and hours of a zone begin, and how much of a span was business time. Pure.

Daylight saving is the time zone's matter: an opening hour stands at the same place on the wall clock all year, so a
business day is as long as the wall clock says, unless the clocks change within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """weekdays: 0 is Monday. opens, closes: on the wall clock of the zone, on the same day."""

    zone: str
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(9)
    closes: time = time(18)

    def seconds(self, begins: Sequence[float], ends: Sequence[float]) -> np.ndarray:
        """Business seconds of each span. begins, ends: seconds since 1970, UTC; an end is not before its begin."""
        begins, ends = np.asarray(begins, float), np.asarray(ends, float)
        if not len(begins):
            return np.zeros(0)
        opening, closing = self._intervals(begins.min(), ends.max())
        if not len(opening):
            return np.zeros(len(begins))
        return _open_until(ends, opening, closing) - _open_until(begins, opening, closing)

    def _intervals(self, first: float, last: float) -> tuple[np.ndarray, np.ndarray]:
        """When it opens and closes between two moments, in seconds since 1970."""
        zone = ZoneInfo(self.zone)
        day, until = (datetime.fromtimestamp(at, zone).date() for at in (first, last))
        days = []
        while day <= until:
            if day.weekday() in self.weekdays:
                days.append(day)
            day += DAY
        return tuple(
            np.array([datetime.combine(one, at, zone).timestamp() for one in days]) for at in (self.opens, self.closes)
        )


def _open_until(moments: np.ndarray, opening: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """Business seconds from the first opening to each moment."""
    before = np.concatenate([[0.0], np.cumsum(closing - opening)])
    current = np.searchsorted(opening, moments, side="right") - 1  # the last opening at or before it; -1: none yet
    there = np.clip(current, 0, None)
    within = np.minimum(moments, closing[there]) - opening[there]
    return np.where(current < 0, 0.0, before[there] + within)


def day_begins_at(day: date, zone: str) -> datetime:
    """The first moment of a local day, in UTC. Where the clocks skip midnight, the moment they are changed."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@cache
def bucket_minutes(zone: str) -> int:
    """60 where local hours begin with UTC's, else 15: no zone is off by anything finer today."""
    moments = (datetime(year, month, 1, tzinfo=UTC) for year in range(2020, 2041) for month in range(1, 13))
    offsets = {at.astimezone(ZoneInfo(zone)).utcoffset() % timedelta(hours=1) for at in moments}
    return 60 if offsets == {timedelta()} else 15

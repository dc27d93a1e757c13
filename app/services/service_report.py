"""What the Service page shows: how much comes in and when, how long customers wait, and who has to come back.

`app.db.rollups` defines what is counted. Times: the median is the time half of them took at most, the 90th percentile
the time nine in ten took at most; between two neighbours in order it is interpolated, as spreadsheets do.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlmodel import Session

from app.db import rollups
from app.db.engine import in_workspace
from app.db.tables.base import now
from app.domain.business_hours import BusinessHours, bucket_minutes, day_begins_at

DIMENSIONS = {"channel": "channel", "category": "category_id", "priority": "priority", "sentiment": "sentiment",
              "language": "language"}  # fmt: skip
HOURS = 24


@dataclass(frozen=True, slots=True)
class Filter:
    """days: so many days of the workspace's zone, today the last. Every other value that is set narrows the counts."""

    days: int = 30
    channel: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, by the calendar and in business hours only."""

    median_s: float
    p90_s: float
    business_median_s: float
    business_p90_s: float


@dataclass(frozen=True, slots=True)
class Measures:
    """Shares are 0..1, of tasks that were ever done and of approaches; None where there is nothing to share."""

    received: int
    tasks: int
    done: int
    ever_done: int
    reopened: int
    approaches: int
    repeats: int
    to_task: Times | None
    to_done: Times | None

    @property
    def reopened_share(self) -> float | None:
        return self.reopened / self.ever_done if self.ever_done else None

    @property
    def repeat_share(self) -> float | None:
        return self.repeats / self.approaches if self.approaches else None


@dataclass(frozen=True, slots=True)
class Report:
    """zone: of the workspace. begin, end: the first and the last day, in the zone.

    volume: messages of each day by the values of the dimension; every day is there, also one without messages.
    heat: messages by weekday (0 is Monday) and hour of the zone. by_value: the largest first; "": not known.
    names: what a value is called, where the workspace named it.
    """

    zone: str
    begin: date
    end: date
    total: Measures
    by_value: dict[str, Measures]
    volume: dict[date, dict[str, int]]
    heat: list[list[int]]
    names: dict[str, str]


def report(workspace_id: UUID, wanted: Filter, by: str = "channel") -> Report:
    """by: one of DIMENSIONS."""
    with in_workspace(workspace_id) as session:
        zone, categories = _workspace(session, workspace_id)
        today = now().astimezone(ZoneInfo(zone)).date()
        days = [today - timedelta(days=n) for n in reversed(range(wanted.days))]
        borders = tuple(day_begins_at(day, zone) for day in (*days, today + timedelta(days=1)))
        counted = rollups.read(session, workspace_id, rollups.Wanted(
            borders, bucket_minutes(zone), wanted.channel, wanted.category, wanted.priority, wanted.language,
        ), DIMENSIONS[by])  # fmt: skip
    keys = {str(id_): key for id_, key, _ in categories} | {None: ""}
    volume: dict[date, dict[str, int]] = {day: {} for day in days}
    for number, value, received in counted.by_day:
        volume[days[number]][keys.get(value, value)] = received
    largest = sorted(counted.by_value, key=lambda row: (-row.received, keys.get(row.value, row.value)))
    lengths = [_lengths(row, zone) for row in largest]
    return Report(
        zone=zone, begin=days[0], end=today, total=_measures(largest, lengths),
        by_value={
            keys.get(row.value, row.value): _measures([row], [one]) for row, one in zip(largest, lengths, strict=True)
        },
        volume=volume, heat=_heat(counted.by_time, ZoneInfo(zone)),
        names={key: name for _, key, name in categories} if by == "category" else {},
    )  # fmt: skip


def _workspace(session: Session, workspace_id: UUID) -> tuple[str, list[tuple[UUID, str, str]]]:
    """The time zone, and id, key and name of each category, also of archived ones."""
    run = session.connection().exec_driver_sql
    zone = run("select timezone from workspace where id = %(id)s", {"id": workspace_id}).scalar_one()
    return zone, [tuple(row) for row in run("select id, key, name from category")]


def _heat(by_time: list[tuple[datetime, int]], zone: ZoneInfo) -> list[list[int]]:
    heat = [[0] * HOURS for _ in range(7)]
    for at, received in by_time:
        local = at.astimezone(zone)
        heat[local.weekday()][local.hour] += received
    return heat


Lengths = dict[str, np.ndarray]  # of to_task and to_done: two rows of seconds, by the calendar and in business hours


def _lengths(row: Any, zone: str) -> Lengths:
    found = {}
    for column in ("to_task", "to_done"):
        begins, ends = rollups.spans(getattr(row, column))
        found[column] = np.array([ends - begins, BusinessHours(zone).seconds(begins, ends)])
    return found


def _measures(rows: list[Any], lengths: list[Lengths]) -> Measures:
    sums = {name: sum(getattr(row, name) for row in rows) for name in rollups.COUNTS}
    return Measures(**sums, to_task=_times(lengths, "to_task"), to_done=_times(lengths, "to_done"))


def _times(lengths: list[Lengths], column: str) -> Times | None:
    both = np.concatenate([one[column] for one in lengths], axis=1) if lengths else np.zeros((2, 0))
    if not both.shape[1]:
        return None
    return Times(*(round(float(at), 3) for seconds in both for at in np.quantile(seconds, (0.5, 0.9))))

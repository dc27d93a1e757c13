"""The simulator: past messages, other circumstances. Reads only; sends nothing."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from app.db.tables.base import now
from app.domain import what_if
from app.domain.routing import Strategy
from app.domain.what_if import At, Outage, Played
from app.services import configuration, releases, taxonomy

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Change:
    """A route as it might be."""

    route: str
    destinations: tuple[str, ...]
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class Moved:
    """A message whose tasks would have gone elsewhere, with the keys of the destinations."""

    message_id: UUID
    text: str
    now: tuple[str, ...]
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """messages: looked at. usual, otherwise: by destination. back_at: Unix seconds at which the outage ends."""

    messages: int
    usual: dict[str, At]
    otherwise: dict[str, At]
    moved: list[Moved]
    moved_count: int
    back_at: float | None


def compare(
    workspace_id: UUID, days: int = 1, down: str | None = None, down_hours: float = 1.0, change: Change | None = None
) -> Comparison:
    """The newest messages (at most 5,000) of the last days, with the routes of the set-up and as asked for.

    down: a destination that does not answer during the busiest `down_hours` of that time.
    """
    facts = taxonomy.recent_facts(workspace_id, days)
    with releases.shown(workspace_id) as session:
        config = configuration.current(workspace_id, session)
    classified = sorted(((id_, one) for id_, one in facts if one.category), key=lambda pair: pair[1].received_at)
    rates = {key: one.rate_per_s or one.vendor_rate_per_s for key, one in config.destinations.items()}
    outages = [_outage(down, [one.received_at.timestamp() for _, one in classified], down_hours)] if down else []
    routes = [
        replace(route, destinations=change.destinations, strategy=change.strategy)
        if change and route.key == change.route
        else route
        for route in config.routes
    ]
    usual = what_if.play(classified, config.routes, rates)
    otherwise = what_if.play(classified, routes, rates, outages)
    moved = _moved(dict(classified), usual, otherwise)
    back_at = outages[0].ends if outages else None
    return Comparison(len(classified), dict(usual.at), dict(otherwise.at), moved[:SHOWN], len(moved), back_at)


def _outage(down: str, times: list[float], hours: float) -> Outage:
    """The worst moment for it: when most messages came within so many hours."""
    length = timedelta(hours=hours).total_seconds()
    end, busiest, begins = 0, 0, times[0] if times else now().timestamp()
    for start, at in enumerate(times):
        while end < len(times) and times[end] < at + length:
            end += 1
        if end - start > busiest:
            busiest, begins = end - start, at
    return Outage(down, begins, begins + length)


def _moved(facts: dict, usual: Played, otherwise: Played) -> list[Moved]:
    return [
        Moved(id_, facts[id_].text, tuple(before), tuple(otherwise.went[id_]))
        for id_, before in usual.went.items()
        if sorted(before) != sorted(otherwise.went[id_])
    ]

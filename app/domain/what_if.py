"""What would have happened to past messages, had a destination been down or a route been different. Pure.

Plays the past through the production code: `routing.plan` chooses, `retry.after_error` and the circuit breaker decide
about waiting and handing on. Time is simulated; nothing is sent. A call that succeeds takes no time; one at a
destination that is down fails at once.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from uuid import UUID

from app.domain import breaker, retry, routing
from app.domain.breaker import Circuit
from app.domain.conditions import Facts
from app.domain.errors import TransientError
from app.domain.lifecycle import DeliveryStatus
from app.domain.retry import CircuitOpen
from app.domain.routing import Route, Strategy
from app.domain.tasks import Capability


@dataclass(frozen=True, slots=True)
class Outage:
    """Of a destination; Unix seconds."""

    destination: str
    begins: float
    ends: float

    def covers(self, at: float) -> bool:
        return self.begins <= at < self.ends


@dataclass
class At:
    """What happened at one destination. most_waiting: tasks at once. drained: when the last that waited was made."""

    made: int = 0
    waited: int = 0
    most_waiting: int = 0
    drained: float | None = None
    failed: int = 0


@dataclass
class Played:
    """went: the destinations of each message's tasks, in order of time; a message without a route has none."""

    at: dict[str, At] = field(default_factory=lambda: defaultdict(At))
    went: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))


def play(
    messages: Iterable[tuple[UUID, Facts]],
    routes: Sequence[Route],
    rates: Mapping[str, float | None],
    outages: Sequence[Outage] = (),
    seed: int = 0,
) -> Played:
    """messages: with their classification. rates: calls per second each destination takes (None: no limit); a
    destination that is not in it does not exist."""
    simulation = _Simulation(rates, outages, Random(seed).random)
    for message_id, facts in messages:
        simulation.played.went[message_id] = []
        for route in routing.plan(facts, list(routes), []).create:
            simulation.begin(message_id, route, facts.received_at.timestamp())
    simulation.run()
    return simulation.played


@dataclass(slots=True)
class _Delivery:
    message_id: UUID
    destination: str
    others: tuple[str, ...]  # of a failover, those not asked yet
    planned: float
    tries: int = 0


class _Simulation:
    def __init__(self, rates: Mapping[str, float | None], outages: Sequence[Outage], random: Callable[[], float]):
        self.rates, self.outages, self.random = rates, outages, random
        self.played = Played()
        self.circuits: dict[str, Circuit] = defaultdict(Circuit)
        self.next_turn: dict[str, float] = defaultdict(float)
        self.waiting: dict[str, int] = defaultdict(int)
        self.queue: list[tuple[float, int, _Delivery]] = []
        self.order = count()

    def begin(self, message_id: UUID, route: Route, at: float) -> None:
        there = [key for key in route.destinations if key in self.rates]
        if route.strategy is Strategy.PARALLEL:
            for key in there:
                self._schedule(at, _Delivery(message_id, key, (), at))
        elif there:
            self._schedule(at, _Delivery(message_id, there[0], tuple(there[1:]), at))

    def run(self) -> None:
        while self.queue:
            at, _, delivery = heapq.heappop(self.queue)
            if delivery.tries:
                self.waiting[delivery.destination] -= 1
            self._try(at, delivery)

    def _schedule(self, at: float, delivery: _Delivery) -> None:
        heapq.heappush(self.queue, (at, next(self.order), delivery))

    def _try(self, at: float, delivery: _Delivery) -> None:
        key, circuit = delivery.destination, self.circuits[delivery.destination]
        if circuit.is_open(at):
            self._after(at, delivery, CircuitOpen("down", circuit.open_until - at))
        elif any(outage.destination == key and outage.covers(at) for outage in self.outages):
            self.circuits[key] = breaker.after_failure(circuit, at)
            delivery.tries += 1
            self._after(at, delivery, TransientError("down"))
        else:
            self._make(at, delivery)

    def _make(self, at: float, delivery: _Delivery) -> None:
        key = delivery.destination
        self.circuits[key] = Circuit()
        rate = self.rates[key]
        made = max(at, self.next_turn[key])
        self.next_turn[key] = made + (1 / rate if rate else 0)
        there = self.played.at[key]
        there.made += 1
        if delivery.tries:
            there.waited += 1
            there.drained = max(there.drained or 0.0, made)
        self.played.went[delivery.message_id].append(key)

    def _after(self, at: float, delivery: _Delivery, error: TransientError) -> None:
        verdict = retry.after_error(
            error, tries=max(1, delivery.tries), age_s=at - delivery.planned, can=frozenset({Capability.FIND}),
            has_alternative=bool(delivery.others), random=self.random,
        )  # fmt: skip
        if verdict.fail_over:
            following, *rest = delivery.others
            self._schedule(at, _Delivery(delivery.message_id, following, tuple(rest), delivery.planned))
        elif verdict.status is DeliveryStatus.FAILED:
            self.played.at[delivery.destination].failed += 1
        else:
            delivery.tries = max(1, delivery.tries)
            self.waiting[delivery.destination] += 1
            there = self.played.at[delivery.destination]
            there.most_waiting = max(there.most_waiting, self.waiting[delivery.destination])
            self._schedule(at + (verdict.wait_s or 0.0), delivery)

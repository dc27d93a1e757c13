"""Which destinations get a message: routes in order, first match wins unless it says `continue`. Pure.

The same functions serve the worker, the "try it" button and the simulator, so what a screen shows is what happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from app.domain.classification import Classification
from app.domain.conditions import Condition, Facts


class Strategy(StrEnum):
    FAILOVER = "failover"
    PARALLEL = "parallel"


class DeliveryKind(StrEnum):
    CREATE = "create"
    COMMENT = "comment"
    UPDATE = "update"  # the task exists, and a person decided differently about it: bring it up to date
    WITHDRAW = "withdraw"  # the task exists and should not: close it, or say so in a comment


class WhenWrong(StrEnum):
    """What becomes of a task at its destination when a person says that it should not be there."""

    CLOSE = "close"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Route:
    key: str
    when: Condition
    strategy: Strategy
    destinations: tuple[str, ...]
    go_on: bool = False
    is_default: bool = False
    when_wrong: WhenWrong = WhenWrong.CLOSE
    reply: Mapping[str, str] = field(default_factory=dict)  # to the customer when the task is done, by language


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A recent task of the same conversation that a further message may join."""

    id: UUID
    route_key: str
    category: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`create`: routes that make a new task. `join`: open tasks that get a comment. Both empty: no route matched."""

    create: tuple[Route, ...] = ()
    join: tuple[OpenTask, ...] = ()


def matching(facts: Facts, routes: list[Route]) -> list[Route]:
    """The routes that apply, in order. The default is asked only when nothing else matched."""
    found: list[Route] = []
    for route in routes:
        if not route.is_default and route.when.holds(facts):
            found.append(route)
            if not route.go_on:
                break
    return found or [route for route in routes if route.is_default][:1]


def plan(facts: Facts, routes: list[Route], open_tasks: list[OpenTask]) -> Plan:
    """Decide what becomes of one classified message.

    open_tasks: tasks of the same conversation inside the joining window, newest first; a message joins the newest
    one of the same category under the same route, so a burst of messages becomes one task.
    """
    create, join = [], []
    for route in matching(facts, routes):
        joined = next((t for t in open_tasks if t.route_key == route.key and t.category == facts.category), None)
        if joined is None:
            create.append(route)
        else:
            join.append(joined)
    return Plan(tuple(create), tuple(join))


def facts_with(facts: Facts, result: Classification) -> Facts:
    """The facts routes may ask about: what was known on arrival, and what classification found out."""
    return replace(
        facts,
        category=result.category,
        priority=result.priority,
        sentiment=result.sentiment,
        language=result.language or facts.language,
    )

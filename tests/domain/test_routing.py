from datetime import UTC, datetime
from uuid import uuid4

from app.domain.conditions import Condition, Facts
from app.domain.routing import OpenTask, Route, Strategy, matching, plan

FACTS = Facts("It crashed", channel="slack", bot="sl", received_at=datetime(2026, 1, 1, tzinfo=UTC), category="bug")


def route(key, when=None, go_on=False, is_default=False):
    return Route(key, Condition.model_validate(when or {}), Strategy.FAILOVER, ("jira",), go_on, is_default)


BUGS = route("bugs", {"category": ["bug"]})
BILLING = route("billing", {"category": ["billing"]})
EVERYTHING = route("everything")
DEFAULT = route("rest", is_default=True)


def keys(routes):
    return [r.key for r in matching(FACTS, routes)]


def test_the_first_matching_route_wins():
    assert keys([BILLING, BUGS, EVERYTHING]) == ["bugs"]


def test_a_route_that_continues_lets_the_next_match_as_well():
    assert keys([route("copy", go_on=True), BUGS, EVERYTHING]) == ["copy", "bugs"]


def test_the_default_is_asked_only_when_nothing_matched_wherever_it_stands():
    assert keys([DEFAULT, BUGS]) == ["bugs"]
    assert keys([DEFAULT, BILLING]) == ["rest"]


def test_without_a_match_and_without_a_default_the_plan_is_empty():
    assert plan(FACTS, [BILLING], []) == plan(FACTS, [], [])
    assert plan(FACTS, [], []).create == ()


def test_a_further_message_joins_the_newest_open_task_of_its_category_and_route():
    newest, older = OpenTask(uuid4(), "bugs", "bug"), OpenTask(uuid4(), "bugs", "bug")

    planned = plan(FACTS, [BUGS], [newest, older])

    assert (planned.create, planned.join) == ((), (newest,))


def test_an_open_task_of_another_category_or_route_is_not_joined():
    others = [OpenTask(uuid4(), "bugs", "billing"), OpenTask(uuid4(), "billing", "bug")]

    assert plan(FACTS, [BUGS], others).create == (BUGS,)

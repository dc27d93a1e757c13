"""The simulator decides as production does, because it asks the same functions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.conditions import Condition, Facts
from app.domain.routing import Route, Strategy
from app.domain.what_if import Outage, play

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR_S = 3600.0


def messages(n: int, every_s: float = 10.0) -> list[tuple[UUID, Facts]]:
    return [
        (UUID(int=i + 1), Facts("text", "telegram", "tg", NOON + timedelta(seconds=i * every_s), category="bug"))
        for i in range(n)
    ]


def route(*destinations: str, strategy: Strategy = Strategy.FAILOVER) -> Route:
    return Route("bugs", Condition(), strategy, destinations)


def outage(key: str = "jira", after_s: float = 0.0, lasts_s: float = HOUR_S) -> Outage:
    return Outage(key, NOON.timestamp() + after_s, NOON.timestamp() + after_s + lasts_s)


def test_without_an_outage_everything_goes_to_the_first_at_once():
    played = play(messages(20), [route("jira", "zoho")], {"jira": None, "zoho": None})

    assert played.at["jira"].made == 20 and played.at["zoho"].made == 0
    assert all(went == ["jira"] for went in played.went.values())


def test_during_an_outage_tasks_fail_over_and_new_ones_return_at_once_afterwards():
    played = play(messages(720), [route("jira", "zoho")], {"jira": None, "zoho": None}, [outage()])

    assert played.at["jira"].made + played.at["zoho"].made == 720
    assert all(len(went) == 1 for went in played.went.values())
    last = [played.went[UUID(int=i)][0] for i in range(700, 720)]
    assert set(last) == {"jira"} and played.at["zoho"].made > 300


def test_without_an_alternative_they_wait_and_drain_when_it_is_back():
    played = play(messages(360), [route("jira")], {"jira": None}, [outage()])

    there = played.at["jira"]
    assert (there.made, there.failed) == (360, 0)
    assert there.most_waiting > 300
    back = NOON.timestamp() + HOUR_S
    assert back <= there.drained < back + 600


def test_a_slow_destination_drains_slowly():
    fast = play(messages(360), [route("jira")], {"jira": None}, [outage()]).at["jira"].drained
    slow = play(messages(360), [route("jira")], {"jira": 0.5}, [outage()]).at["jira"].drained

    assert slow - fast > 300


def test_in_parallel_the_others_get_theirs_and_nothing_is_repeated():
    keys = ("a", "b", "c", "d", "e")
    rates = dict.fromkeys(keys)
    played = play(messages(50), [route(*keys, strategy=Strategy.PARALLEL)], rates, [outage("b"), outage("d")])

    assert {key: there.made for key, there in played.at.items()} == dict.fromkeys(keys, 50)
    assert all(sorted(went) == list(keys) for went in played.went.values())
    assert played.at["a"].waited == 0 and played.at["b"].waited == 50


def test_an_outage_longer_than_patience_ends_in_failures_somebody_sees():
    played = play(messages(5), [route("jira")], {"jira": None}, [outage(lasts_s=72 * HOUR_S)])

    assert (played.at["jira"].made, played.at["jira"].failed) == (0, 5)


def test_a_destination_that_does_not_exist_is_passed_over():
    played = play(messages(3), [route("gone", "zoho")], {"zoho": None})

    assert played.at["zoho"].made == 3


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_plays_the_same(seed):
    asked = (messages(100), [route("jira", "zoho")], {"jira": None, "zoho": None}, [outage(lasts_s=300)])

    assert play(*asked, seed=seed).went == play(*asked, seed=seed).went

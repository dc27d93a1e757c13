"""The shared rate limit outlives Redis: nothing is sent too fast, and nothing fails because Redis was away."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from redis import Redis

from app import enqueue
from app.services import limits
from app.services.limits import OurOwnLimit


@pytest.fixture(autouse=True)
def fresh(database):
    limits._bucket.cache_clear()
    yield
    limits._bucket.cache_clear()


def test_a_restarted_redis_that_forgot_the_script_is_taught_again():
    destination = uuid4()
    limits.wait_for_turn(destination, 100.0, "jira")
    enqueue.redis().script_flush()

    limits.wait_for_turn(destination, 100.0, "jira")


def test_without_redis_a_call_waits_instead_of_failing(monkeypatch):
    monkeypatch.setattr(limits, "redis", lambda: Redis(port=1))

    with pytest.raises(OurOwnLimit, match="while Redis is away"):
        limits.wait_for_turn(uuid4(), 100.0, "jira")


def test_over_the_limit_a_call_is_put_back():
    destination = uuid4()
    limits.wait_for_turn(destination, 0.1, "jira")

    with pytest.raises(OurOwnLimit, match="waits its turn"):
        limits.wait_for_turn(destination, 0.1, "jira")


def test_threads_together_stay_under_the_limit():
    destination, rate_per_s = uuid4(), 10.0

    def calls(_) -> int:
        try:
            limits.wait_for_turn(destination, rate_per_s, "jira")
        except OurOwnLimit:
            return 0
        return 1

    started = time.monotonic()
    with ThreadPoolExecutor(40) as threads:
        admitted = sum(threads.map(calls, range(40)))

    windows = int(time.monotonic() - started) + 1
    assert rate_per_s <= admitted <= rate_per_s * windows

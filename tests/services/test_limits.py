"""The shared rate limit outlives Redis: nothing is sent too fast, and nothing fails because Redis was away."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import pytest
from redis import Redis

from app import enqueue
from app.services import limits, sliding_window
from app.services.limits import OurOwnLimit

pytestmark = pytest.mark.usefixtures("database")


def test_a_restarted_redis_that_forgot_the_script_is_taught_again():
    destination = uuid4()
    limits.wait_for_turn(destination, 100.0, "jira")
    enqueue.redis().script_flush()

    limits.wait_for_turn(destination, 100.0, "jira")


def test_without_redis_a_call_waits_instead_of_failing(monkeypatch):
    monkeypatch.setattr(sliding_window, "redis", lambda: Redis(port=1))

    with pytest.raises(OurOwnLimit, match="while Redis is away"):
        limits.wait_for_turn(uuid4(), 100.0, "jira")


def test_over_the_limit_a_call_is_put_back():
    destination = uuid4()
    limits.wait_for_turn(destination, 0.1, "jira")

    with pytest.raises(OurOwnLimit, match="waits its turn"):
        limits.wait_for_turn(destination, 0.1, "jira")


def test_threads_together_never_put_one_call_too_many_into_any_second():
    destination, admitted = uuid4(), []

    def call(_) -> None:
        with suppress(OurOwnLimit):
            limits.wait_for_turn(destination, 10.0, "jira")
            admitted.append(time.monotonic())

    with ThreadPoolExecutor(40) as threads:
        list(threads.map(call, range(40)))

    stamps = [score / 1e6 for _, score in enqueue.redis().zrange(f"limit:{destination}", 0, -1, withscores=True)]
    assert len(admitted) >= 20
    assert len(stamps) <= 10  # what Redis remembers is the last second
    for start in range(len(admitted) - 10):
        assert sorted(admitted)[start + 10] - sorted(admitted)[start] > 0.9  # measured here, a moment after Redis


def test_a_refused_event_counts_under_no_limit():
    key = f"test:{uuid4()}"
    limits_of_both = ((2, 0.2), (3, 60.0))

    taken = [sliding_window.take(key, *limits_of_both) for _ in range(4)]
    time.sleep(0.25)
    later = [sliding_window.take(key, *limits_of_both) for _ in range(2)]

    assert taken[:2] == [0, 0] and all(0 < wait_s <= 0.2 for wait_s in taken[2:])
    assert later[0] == 0 and 59 < later[1] <= 60

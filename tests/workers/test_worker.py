"""The worker process: jobs from Redis, rows from PostgreSQL."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import enqueue
from app.db.engine import in_system
from app.services import sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture
def worker(database):
    enqueue.redis().flushdb()
    process = subprocess.Popen([sys.executable, "-m", "workers.main"], cwd=ROOT, env=dict(os.environ))
    yield process
    process.kill()
    process.wait(10)


@pytest.fixture
def nothing_else_waits(database):
    """Other tests leave events behind that the sweeper would count."""
    enqueue.redis().flushdb()
    with in_system() as session:
        session.connection().exec_driver_sql("update raw_event set status = 'ignored' where status = 'received'")


def wait_until(holds, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_woken_worker_turns_an_event_into_a_message(kit, worker):
    enqueue.wake(enqueue.PROCESS, {kit.workspace_id: [kit.receive("hello")]})

    assert wait_until(lambda: kit.messages() == [("hello", "needs_review")])


def test_an_event_whose_wake_up_was_lost_is_swept_up(kit, worker):
    kit.receive("hello")
    enqueue.redis().flushdb()
    kit.sql("update raw_event set next_try_at = now()")

    sweep.sweep()

    assert wait_until(lambda: kit.messages() == [("hello", "needs_review")])


def test_what_is_not_due_is_left_alone(nothing_else_waits, kit):
    kit.receive("hello")
    kit.sql("update raw_event set next_try_at = now() + interval '1 minute'")

    assert sweep.sweep()["process"] == 0


def test_a_shard_with_a_long_queue_is_not_filled_with_copies(nothing_else_waits, kit):
    kit.receive("hello")
    for _ in range(sweep.LONG_QUEUE + 1):
        enqueue.wake(enqueue.PROCESS, {kit.workspace_id: [kit.bot_id]})

    counts = sweep.sweep()
    enqueue.redis().flushdb()

    assert counts["process"] == 0


def test_a_destination_of_a_newer_version_does_not_keep_a_worker_from_starting(kit, worker):
    kit.vendor("jira")  # its connector is known to this test alone
    enqueue.wake(enqueue.PROCESS, {kit.workspace_id: [kit.receive("hello")]})

    assert wait_until(lambda: kit.messages() == [("hello", "needs_review")])


def test_it_stops_on_request_within_seconds(worker):
    assert wait_until(lambda: enqueue.redis().smembers("rq:workers"))

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(15) == 0


def test_jobs_are_json_and_never_pickles(kit, database):
    enqueue.redis().flushdb()
    enqueue.wake(enqueue.PROCESS, {kit.workspace_id: [kit.bot_id]})

    [key] = enqueue.redis().keys("rq:job:*")
    data = enqueue.redis().hget(key, "data")
    enqueue.redis().flushdb()

    import zlib

    assert b"workers.jobs.process" in zlib.decompress(data) if data[:1] == b"x" else b"workers.jobs.process" in data

"""The API as the supervisor starts it: a process of its own."""

import signal
import subprocess
import time

import httpx
import pytest

from app.cli import up
from app.services import api_keys
from app.services.members import Actor, Role
from app.settings import settings
from tests.browser import free_port


@pytest.fixture
def process(database, monkeypatch):
    monkeypatch.setenv("OCTOPUS_API_PORT", str(free_port()))
    settings.cache_clear()
    child = next(child for child in up.process_table(True, 1) if child.name == "api")
    started = subprocess.Popen(child.command, cwd=up.ROOT)
    yield started
    started.kill()
    started.wait()
    monkeypatch.undo()
    settings.cache_clear()


def test_it_answers_a_program_with_a_key_and_ends_when_it_is_asked_to(process, workspace):
    address = settings().api_url
    end = time.monotonic() + 40
    while True:
        try:
            assert httpx.get(f"{address}/api/healthz", timeout=2).json() == {"api": "ok"}
            break
        except httpx.TransportError:
            assert time.monotonic() < end and process.poll() is None, "the API did not start"
            time.sleep(0.1)
    _row, key = api_keys.create(Actor(None, "mia@acme.test", Role.MANAGER, workspace), "a program", ["read"])

    answer = httpx.get(f"{address}/api/v1/messages", headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
    assert answer.headers["cache-control"] == "no-store"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_without_the_app_there_is_no_api(database):
    assert "api" in [child.name for child in up.process_table(True, 1)]
    assert "api" not in [child.name for child in up.process_table(False, 1)]

"""The API on a free port of this process, so that it meets the scripted vendors of the tests, over real HTTP."""

import asyncio
import threading
import time
from dataclasses import dataclass

import httpx
import pytest
import structlog
import uvicorn

from app.api.main import app
from app.db.engine import in_system
from app.db.tables import Scope, Workspace
from app.services import api_keys, api_limits
from app.services.members import Actor, Role
from tests.browser import free_port
from tests.kit import Kit

EVERY_SCOPE = tuple(Scope)


@dataclass
class Api:
    """One workspace, and what is behind its door."""

    address: str
    kit: Kit

    def client(self, *scopes: str, workspace_id=None) -> httpx.Client:
        """With a new key of these scopes; of all of them when none is named."""
        owner = Actor(None, "mia@acme.test", Role.MANAGER, workspace_id or self.kit.workspace_id)
        _row, key = api_keys.create(owner, "a program", scopes or EVERY_SCOPE)
        return self.with_key(key)

    def with_key(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=f"{self.address}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)


@pytest.fixture(scope="session")
def api_address(database):
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end, "the API did not start"
        time.sleep(0.02)
    structlog.reset_defaults()  # what a process of its own would write to is not what later tests look at
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def api(api_address, kit, monkeypatch):
    """Tests ask faster than programs may; those about the limit set it back."""
    monkeypatch.setattr(api_limits, "LIMITS", ((100_000, 1.0),))
    return Api(api_address, kit)


@pytest.fixture
def neighbour(database):
    """The id of another workspace."""
    row = Workspace(key=f"n{time.monotonic_ns()}", name="Neighbour")
    with in_system() as session:
        session.add(row)
    return row.id

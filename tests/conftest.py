"""A real PostgreSQL and Redis for the whole test run, and a fresh workspace for each test that asks for one."""

import base64
import os
from uuid import uuid4

import pytest

os.environ["OCTOPUS_ALLOW_PRIVATE_HOSTS"] = "true"  # the stubs stand on loopback

from app import embedded, enqueue
from app.db import crypto
from app.db.engine import engine, in_system
from app.db.migrate import upgrade
from app.db.tables import Workspace
from app.settings import settings

pytest_plugins = ["tests.kit", "tests.answering_model"]


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    """Embedded PostgreSQL and Redis, less durable than in earnest and so quicker."""
    data_dir = tmp_path_factory.mktemp("octopus")
    running = embedded.start(data_dir, durable=False)
    try:
        yield running
    finally:
        running.stop()
        embedded.remove(data_dir)


@pytest.fixture(scope="session")
def database(services, tmp_path_factory):
    """The address of a migrated database; the settings of this process point to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", services.database_url)
        patch.setenv("REDIS_URL", services.redis_url)
        patch.setenv("OCTOPUS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("OCTOPUS_SECRET_KEY", base64.b64encode(b"k" * 32).decode())
        for cached in (settings, engine, enqueue.redis, enqueue._queue, crypto._keys):
            cached.cache_clear()
        upgrade(services.database_url)
        yield services.database_url
        engine().dispose()


@pytest.fixture(scope="session")
def browser():
    """One for all: Playwright's synchronous interface cannot be started twice in a process."""
    from tests.browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def workspace(database):
    """The id of a new, empty workspace, in which nothing is left to chance."""
    row = Workspace(
        key=f"w{uuid4().hex[:10]}", name="Acme Support", timezone="Europe/Berlin", join_window_min=0,
        settings={"classify": {"local": {"audit_share": 0.0, "golden_share": 0.0}}},
    )  # fmt: skip
    with in_system() as session:
        session.add(row)
    return row.id

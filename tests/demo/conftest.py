import pytest
from pytest_httpserver import HTTPServer

from app.cli.demo import FOLDER
from app.db.engine import in_system
from app.services import connections, demo, members, portability
from app.services.members import Actor, Role
from app.settings import settings
from demo import colleague
from tests.browser import free_port
from tests.kit import Kit

VISITOR = "visitor@demo.test"


@pytest.fixture
def demo_workspace(database, monkeypatch, tmp_path):
    """The demo's workspace as `up --demo` makes it, with a data directory of its own; its world does not run."""
    monkeypatch.setenv("OCTOPUS_DEMO", "true")
    monkeypatch.setenv("OCTOPUS_DEMO_PORT", str(free_port()))
    monkeypatch.setenv("OCTOPUS_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    monkeypatch.setenv("WORLD", settings().demo_url)
    portability.apply_file(FOLDER / "workspace.yaml")
    members.add_user(VISITOR, "owner", demo.WORKSPACE, "You")
    members.add_user(colleague.EMAIL, "manager", demo.WORKSPACE, colleague.NAME)
    yield demo.workspace_id()
    with in_system() as session:
        session.connection().exec_driver_sql("delete from workspace where key = 'demo'")
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def visitor(demo_workspace) -> Actor:
    return Actor(members.person(VISITOR).id, VISITOR, Role.OWNER, demo_workspace)


@pytest.fixture
def demo_kit(demo_workspace, visitor) -> Kit:
    """Lets customers write on Telegram; no model is asked about it."""
    connections.delete_llm_account(visitor, "simulated")
    bot = next(bot for bot in connections.bots(demo_workspace) if bot.channel == "telegram")
    return Kit(demo_workspace, bot.id, {})


@pytest.fixture
def receiver(httpserver: HTTPServer, monkeypatch) -> HTTPServer:
    """Stands where the customers look for the receiver."""
    monkeypatch.setattr(settings(), "receiver_port", httpserver.port)
    return httpserver

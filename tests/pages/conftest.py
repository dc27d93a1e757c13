"""The app in a browser and its people, for tests of screens."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import bcrypt
import pytest
from sqlalchemy import delete, update
from streamlit.testing.v1 import AppTest
from streamlit_authenticator.models import CookieModel

from app.db.engine import in_system
from app.db.tables.base import now
from app.db.tables.people import LoginSession, Membership, Person, Role
from app.db.tables.workspaces import Workspace
from app.services import members
from app.ui import device
from tests import browser as driver

ROOT = Path(__file__).parents[2]
PASSWORD = "generated-password"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


# ---- people


@dataclass(frozen=True)
class Somebody:
    id: object
    email: str
    password: str


@pytest.fixture
def person(workspace):
    """Make a member of the workspace, with a password of their own unless told otherwise."""

    def make(role: Role = Role.OWNER, must_change_password: bool = False, name: str = "Mia Chen") -> Somebody:
        row = Person(
            email=f"mia-{uuid4().hex[:8]}@acme.test", name=name, password_hash=HASH,
            must_change_password=must_change_password,
        )  # fmt: skip
        with in_system() as session:
            session.add(row)
            session.flush()
            session.add(Membership(person_id=row.id, workspace_id=workspace, role=role))
        return Somebody(row.id, row.email, PASSWORD)

    return make


@pytest.fixture
def new_workspace(database):
    """Make another workspace with `somebody` as its manager."""

    def make(name: str, somebody: Somebody) -> Workspace:
        made = Workspace(key=f"w{uuid4().hex[:10]}", name=name)
        with in_system() as session:
            session.add(made)
            session.flush()
            session.add(Membership(person_id=somebody.id, workspace_id=made.id, role=Role.MANAGER))
        return made

    return make


@pytest.fixture
def revoke_all(database):
    def revoke(somebody: Somebody) -> None:
        with in_system() as session:
            session.exec(update(LoginSession).where(LoginSession.person_id == somebody.id).values(revoked_at=now()))

    return revoke


@pytest.fixture
def leave_all(database):
    def leave(somebody: Somebody) -> None:
        with in_system() as session:
            session.exec(delete(Membership).where(Membership.person_id == somebody.id))

    return leave


# ---- the browser


@pytest.fixture(scope="session")
def app(database, tmp_path_factory):
    """The address of the running app."""
    with driver.app_running({}, tmp_path_factory.mktemp("app") / "app.log") as address:
        yield address


# ---- the app without a browser


@pytest.fixture
def visit(monkeypatch):
    """Run the app signed in as somebody, on a page: `visit(mia, "account")`; without anybody: signed out."""
    monkeypatch.setattr(CookieModel, "get_cookie", lambda self: None)  # AppTest answers any cookie with a mock
    monkeypatch.setattr(device, "user_agent", lambda: "")  # and any header
    monkeypatch.setattr(device, "ip", lambda: "")

    def run(somebody: Somebody | None = None, screen: str | None = None, **state) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=20)
        if somebody:
            page.session_state["authentication_status"] = True
            page.session_state["username"] = somebody.email
            page.session_state["sign-in-session"] = str(members.create_session(somebody.id))
        for name, value in state.items():
            page.session_state[name] = value
        page.run()
        return page.switch_page(f"../pages/{screen}.py").run() if screen else page

    return run


@pytest.fixture
def visit_with_provider(monkeypatch):
    """Run the app as a single sign-on provider presents somebody: with these claims."""
    monkeypatch.setattr(CookieModel, "get_cookie", lambda self: None)

    def run(claims: dict) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=20)
        page.user = claims
        return page.run()

    return run

"""People who act on the workspace of a test, and what the database holds about it."""

from uuid import uuid4

import pytest

from app.db.engine import in_system, in_workspace
from app.db.tables import Workspace
from app.services.members import Actor, Role


@pytest.fixture
def actor(workspace):
    """A manager of the workspace."""
    return Actor(None, "mia@acme.test", Role.MANAGER, workspace)


@pytest.fixture
def neighbour(database):
    """A manager of another workspace."""
    row = Workspace(key=f"n{uuid4().hex[:8]}", name="Neighbour")
    with in_system() as session:
        session.add(row)
    return Actor(None, "noa@neighbour.test", Role.MANAGER, row.id)


@pytest.fixture
def sql(workspace):
    """Run SQL inside the workspace."""

    def run(statement: str, **values) -> list:
        with in_workspace(workspace) as session:
            result = session.connection().exec_driver_sql(statement, values or None)
            return result.all() if result.returns_rows else []

    return run


@pytest.fixture
def audited(sql):
    """(actor, action, noun, key) of each audit entry, oldest first."""
    return lambda: [tuple(row) for row in sql("select actor, action, noun, key from audit_entry order by id")]

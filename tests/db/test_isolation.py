"""One workspace never sees, changes or adds to another, whoever forgets what in a query."""

from uuid import uuid4

import pytest
from psycopg import errors
from sqlalchemy.exc import ProgrammingError
from sqlmodel import SQLModel

import app.db.tables  # noqa: F401  fills the metadata
from app.db.engine import enter_workspace, in_system, in_workspace
from app.db.tables import Category, Workspace

TENANT_TABLES = sorted(name for name, table in SQLModel.metadata.tables.items() if "workspace_id" in table.columns)
PEOPLES_TABLES = ["login_session", "person"]


@pytest.fixture
def neighbour(database):
    row = Workspace(key=f"n{uuid4().hex[:8]}", name="Neighbour")
    with in_system() as session:
        session.add(row)
    return row.id


def one(session, sql: str, **values):
    return session.connection().exec_driver_sql(sql, values or None).scalar_one()


def test_every_table_is_protected_and_the_protection_is_forced(database):
    with in_system() as session:
        rows = session.connection().exec_driver_sql("""
            select relname, relrowsecurity and relforcerowsecurity as protected from pg_class
            where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname <> 'alembic_version'""")
        unprotected = [row.relname for row in rows if not row.protected]

    assert unprotected == []


def test_our_roles_own_nothing_and_cannot_step_around_the_protection(database):
    with in_system() as session:
        owned = one(
            session,
            """
            select count(*) from pg_class c join pg_roles r on r.oid = c.relowner
            where r.rolname in ('octopus_app', 'octopus_system')""",
        )
        powerful = one(
            session,
            """
            select count(*) from pg_roles where rolname in ('octopus_app', 'octopus_system')
            and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)""",
        )

    assert (owned, powerful) == (0, 0)


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_neighbours_rows_cannot_be_seen_changed_or_deleted(kit, neighbour, table):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug It crashed")
    with in_workspace(kit.workspace_id) as session:
        mine = one(session, f"select count(*) from {table}")

    with in_workspace(neighbour) as session:
        seen = one(session, f"select count(*) from {table}")
        changed = session.connection().exec_driver_sql(f"update {table} set workspace_id = workspace_id").rowcount
        deleted = session.connection().exec_driver_sql(f"delete from {table}").rowcount

    assert (seen, changed, deleted) == (0, 0, 0)
    with in_workspace(kit.workspace_id) as session:
        assert one(session, f"select count(*) from {table}") == mine


def test_a_row_cannot_be_added_to_a_neighbour(workspace, neighbour):
    with pytest.raises(ProgrammingError) as refused, in_workspace(workspace) as session:
        session.add(Category(workspace_id=neighbour, key="x", name="X"))

    assert isinstance(refused.value.orig, errors.InsufficientPrivilege)


def test_a_row_cannot_be_moved_to_a_neighbour(workspace, neighbour):
    with in_workspace(workspace) as session:
        session.add(Category(workspace_id=workspace, key="x", name="X"))

    with pytest.raises(ProgrammingError), in_workspace(workspace) as session:
        session.connection().exec_driver_sql("update category set workspace_id = %(id)s", {"id": neighbour})


def test_without_a_workspace_nothing_is_visible(kit):
    with in_workspace(None) as session:
        assert one(session, "select count(*) from workspace") == 0
        assert one(session, "select count(*) from bot") == 0


def test_people_are_out_of_reach_of_a_workspace(workspace):
    for table in PEOPLES_TABLES:
        with pytest.raises(ProgrammingError), in_workspace(workspace) as session:
            one(session, f"select count(*) from {table}")


def test_a_group_commit_over_several_workspaces_keeps_them_apart(workspace, neighbour):
    with in_workspace(workspace) as session:
        session.add(Category(workspace_id=workspace, key="x", name="X"))
        session.flush()
        enter_workspace(session, neighbour)
        assert one(session, "select count(*) from category") == 0
        session.add(Category(workspace_id=neighbour, key="y", name="Y"))

"""The schema `draft` is a faithful second copy, and as well guarded as the first."""

from uuid import uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from app.db.engine import in_draft, in_system, in_workspace
from app.db.releases import COPIED
from app.db.tables import Category, Workspace


@pytest.fixture
def neighbour(database):
    row = Workspace(key=f"n{uuid4().hex[:8]}", name="Neighbour")
    with in_system() as session:
        session.add(row)
    return row.id


def rows(sql: str, *values) -> list:
    with in_system() as session:
        return session.connection().exec_driver_sql(sql, values or None).all()


def test_the_draft_has_the_columns_constraints_and_indexes_of_what_is_live(database):
    def shape(schema: str, table: str) -> list:
        columns = """
            select column_name, data_type, is_nullable, column_default from information_schema.columns
            where table_schema = %s and table_name = %s order by ordinal_position"""
        checks = """
            select contype, pg_get_constraintdef(oid) from pg_constraint
            where conrelid = cast(%s as regclass) and contype in ('c', 'p', 'u') order by 1, 2"""
        return rows(columns, schema, table) + rows(checks, f"{schema}.{table}")

    for table in COPIED:
        assert shape("draft", table) == shape("public", table)


def test_nothing_else_is_in_the_draft_and_all_of_it_is_protected(database):
    found = rows("""
        select relname, relrowsecurity and relforcerowsecurity as protected from pg_class
        where relkind in ('r', 'p') and relnamespace = 'draft'::regnamespace""")

    assert {row.relname: row.protected for row in found} == dict.fromkeys(COPIED, True)


@pytest.mark.parametrize("table", COPIED)
def test_a_neighbours_draft_cannot_be_seen_changed_or_deleted(workspace, neighbour, table):
    column = COPIED[table]
    with in_system() as session:
        session.connection().exec_driver_sql(
            "insert into draft.workspace select * from workspace where id = %s", (workspace,)
        )
        for one in ("category", "rule", "route"):
            _add(session, one, workspace)
    with in_workspace(neighbour) as session:
        run = session.connection().exec_driver_sql
        seen = run(f"select count(*) from draft.{table}").scalar_one()
        changed = run(f"update draft.{table} set {column} = {column}").rowcount
        deleted = run(f"delete from draft.{table}").rowcount

    assert (seen, changed, deleted) == (0, 0, 0)
    with in_draft(workspace) as session:
        assert session.connection().exec_driver_sql(f"select count(*) from {table}").scalar_one() == 1


def _add(session, table: str, workspace) -> None:
    values = {
        "category": "(id, workspace_id, key, name, description, priority, position) "
        "values (%s, %s, 'k', 'K', '', 'normal', 0)",
        "rule": "(id, workspace_id, key, position, conditions, actions, go_on, enabled) "
        "values (%s, %s, 'k', 0, '{}', '{}', false, true)",
        "route": "(id, workspace_id, key, position, conditions, strategy, destinations, go_on, is_default, when_wrong, "
        "reply, enabled) values (%s, %s, 'k', 0, '{}', 'failover', '[]', false, false, 'close', '{}', true)",
    }
    session.connection().exec_driver_sql(f"insert into draft.{table} {values[table]}", (uuid4(), workspace))


def test_a_row_cannot_be_added_to_a_neighbours_draft(workspace, neighbour):
    with pytest.raises(ProgrammingError), in_draft(workspace) as session:
        session.add(Category(workspace_id=neighbour, key="x", name="X"))


def test_a_row_of_the_draft_does_not_raise_the_version_of_what_is_live(workspace):
    before = rows("select config_version from workspace where id = %s", workspace)
    with in_draft(workspace) as session:
        session.add(Category(workspace_id=workspace, key="x", name="X"))

    assert rows("select config_version from workspace where id = %s", workspace) == before


def test_the_draft_goes_with_its_workspace(workspace):
    with in_draft(workspace) as session:
        session.add(Category(workspace_id=workspace, key="x", name="X"))

    rows("delete from workspace where id = %s returning id", workspace)

    assert rows("select id from draft.category where workspace_id = %s", workspace) == []

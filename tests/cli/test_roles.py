"""deploy/postgres-init.sql on a PostgreSQL of its own: the owner migrates, the app's login owns nothing."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from app import embedded
from app.db.engine import SYSTEM_ROLE
from app.db.migrate import head, upgrade

INIT = Path(__file__).parents[2] / "deploy/postgres-init.sql"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """psql parameters of a server whose database `octopus` went through the init script and the migrations."""
    folder = tmp_path_factory.mktemp("pg")
    running = embedded.start(folder, durable=False)
    try:
        # Here the superuser is called octopus; the script makes a role of that name, so it runs as another one.
        with psycopg.connect(running.database_url, autocommit=True) as connection:
            connection.execute("create role postgres superuser login")
        as_superuser = running.database_url.replace("//octopus@", "//postgres@")
        with psycopg.connect(as_superuser.replace("/octopus?", "/postgres?"), autocommit=True) as connection:
            connection.execute("alter database octopus owner to postgres")
            connection.execute("alter role octopus rename to first_superuser")
        psql = embedded._programs(None) / "bin" / "psql"
        subprocess.run(
            [str(psql), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-f", str(INIT), as_superuser], check=True,
            env=os.environ | {"OCTOPUS_OWNER_PASSWORD": "own'er", "OCTOPUS_APP_PASSWORD": "app"},
        )  # fmt: skip
        upgrade(running.database_url)
        yield running.database_url
    finally:
        running.stop()
        embedded.remove(folder)


def test_the_owner_migrates_without_being_a_superuser(postgres):
    with psycopg.connect(postgres) as connection:
        revision = connection.execute("select version_num from alembic_version").fetchone()
        superuser = connection.execute("select rolsuper from pg_roles where rolname = 'octopus'").fetchone()

    assert (revision, superuser) == ((head(),), (False,))


def test_the_app_logs_in_and_takes_both_scopes(postgres):
    for role in ("octopus_app", SYSTEM_ROLE):
        with psycopg.connect(postgres.replace("//octopus@", "//octopus_app@"), options=f"-c role={role}") as connection:
            assert connection.execute("select count(*) from bot").fetchone() == (0,)


def test_the_app_sees_no_workspace_by_itself(postgres):
    as_app = postgres.replace("//octopus@", "//octopus_app@")
    with psycopg.connect(as_app, options=f"-c role={SYSTEM_ROLE}") as connection:
        connection.execute("""
            insert into workspace
                (id, key, name, locale, timezone, join_window_min, settings, config_version, created_at)
            values (gen_random_uuid(), 'acme', 'Acme', 'en', 'UTC', 0, '{}', 1, now())""")

    with psycopg.connect(as_app) as connection:
        assert connection.execute("select count(*) from workspace").fetchone() == (0,)


def test_the_app_cannot_change_the_schema_or_lift_the_isolation(postgres):
    for statement in (
        "create table mine (id int)", "drop table message", "alter table message disable row level security",
        "set role octopus", "create role mine",
    ):  # fmt: skip
        with (
            psycopg.connect(postgres.replace("//octopus@", "//octopus_app@")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)

"""Brings a database to the newest schema. Run by `./octopus up` and `./octopus migrate`, by the owner of the tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from app.db.engine import sqlalchemy_url

LOCK = 0x0C70  # one migration at a time, whoever starts it


def upgrade(database_url: str) -> str | None:
    """Migrate to head. Returns the revision reached, or None when there was nothing to do."""
    engine = create_engine(sqlalchemy_url(database_url))
    try:
        newest = head()
        if current(engine) == newest:
            return None
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return newest
    finally:
        engine.dispose()


def head() -> str | None:
    """The newest revision this version of Octopus knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config

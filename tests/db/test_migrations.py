"""The migrations lead to the tables the code expects, and back."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from app.db import tables  # noqa: F401  fills the metadata
from app.db.engine import sqlalchemy_url


def test_the_migrated_database_has_the_tables_columns_and_indexes_of_the_models(database):
    engine = create_engine(sqlalchemy_url(database))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()

    assert differences == []

"""Alembic's entry. The URL comes from app.db.migrate; offline mode is not offered, because roles are checked live."""

from alembic import context
from sqlmodel import SQLModel

import app.db.tables  # noqa: F401  fills the metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()

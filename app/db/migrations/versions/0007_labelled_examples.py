"""Imported tickets that persons labelled elsewhere, and which imports a model has learnt from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

SOURCES = "'rule', 'memory', 'local', 'llm', 'person'"


def upgrade() -> None:
    _sources("'rule', 'memory', 'local', 'names', 'llm', 'person'")
    op.add_column(
        "model_version",
        sa.Column("imports", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")),
    )
    op.alter_column("model_version", "imports", server_default=None)
    op.create_table(
        "example_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_example_import_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_example_import"),
    )
    op.create_index("ix_example_import_workspace_id", "example_import", ["workspace_id"])
    _protect("example_import")
    op.create_table(
        "labelled_example",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("priority", sa.String()),
        sa.Column("language", sa.String()),
        sa.CheckConstraint(
            "priority in ('low', 'normal', 'high', 'urgent')", name=op.f("ck_labelled_example_priority_known")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_labelled_example_workspace_id_workspace"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["example_import.id"], ondelete="CASCADE",
            name="fk_labelled_example_import_id_example_import",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], ondelete="CASCADE", name="fk_labelled_example_category_id_category"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_labelled_example"),
        sa.UniqueConstraint("workspace_id", "text_hash", name="uq_labelled_example_workspace_id_text_hash"),
    )  # fmt: skip
    op.create_index("ix_labelled_example_import_id", "labelled_example", ["import_id"])
    _protect("labelled_example")


def _sources(listed: str) -> None:
    name = op.f("ck_classification_source_known")
    op.drop_constraint(name, "classification", type_="check")
    op.create_check_constraint(name, "classification", f"source in ({listed})")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_table("labelled_example")
    op.drop_table("example_import")
    op.drop_column("model_version", "imports")
    _sources(SOURCES)

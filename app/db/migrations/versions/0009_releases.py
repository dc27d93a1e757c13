"""Releases, and a draft: a second copy of what decides, in a schema of its own that nothing but the set-up reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

COPIED = {"category": "workspace_id", "rule": "workspace_id", "route": "workspace_id", "workspace": "id"}


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_release_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_release"),
        sa.UniqueConstraint("workspace_id", "number", name="uq_release_workspace_id_number"),
    )
    op.create_table(
        "open_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_open_draft_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_open_draft"),
        sa.UniqueConstraint("workspace_id", name="uq_open_draft_workspace_id"),
    )
    for table in ("release", "open_draft"):
        _protect(table, "workspace_id")
    _copy_tables()
    _raise_version_of("public.workspace")


def _copy_tables() -> None:
    op.execute("create schema draft")
    op.execute("grant usage on schema draft to octopus_app, octopus_system")
    for table, column in COPIED.items():
        op.execute(f"create table draft.{table} (like public.{table} including all)")
        op.execute(
            f"alter table draft.{table} add constraint fk_draft_{table}_workspace foreign key ({column}) "
            "references public.workspace (id) on delete cascade"
        )
        _protect(f"draft.{table}", column)


def _protect(table: str, column: str) -> None:
    """As 0002 does."""
    mine = f"{column} = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def _raise_version_of(workspace: str) -> None:
    """The version is that of what is live, whatever a transaction takes the name `workspace` for."""
    op.execute(f"""
        create or replace function raise_config_version() returns trigger language plpgsql as $$
        begin
            update {workspace} set config_version = config_version + 1
            where id = coalesce(new.workspace_id, old.workspace_id);
            return null;
        end $$""")


def downgrade() -> None:
    _raise_version_of("workspace")
    op.execute("drop schema draft cascade")
    op.drop_table("open_draft")
    op.drop_table("release")

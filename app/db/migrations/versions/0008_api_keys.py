"""Keys of programs that use the REST API. Only their hashes are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_api_key_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_hash", name="uq_api_key_key_hash"),
        sa.UniqueConstraint("workspace_id", "prefix", name="uq_api_key_workspace_id_prefix"),
    )
    _protect("api_key")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_table("api_key")

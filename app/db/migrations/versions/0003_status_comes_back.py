"""Remote tasks: their status, assignee and comments, tokens that end, notices; and filters of the Inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("delivery", sa.Column("ref_assignee", sa.Text(), nullable=False, server_default=""))
    op.add_column("delivery", sa.Column("ref_changed_at", TIME))
    op.add_column("delivery", sa.Column("ref_checked_at", TIME))
    op.create_index(
        "ix_delivery_ref", "delivery", ["destination_id", "ref_id"], postgresql_where=sa.text("ref_id <> ''")
    )
    op.add_column("destination", sa.Column("hook_key", sa.Text()))
    op.execute("update destination set hook_key = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')")
    op.alter_column("destination", "hook_key", nullable=False)
    op.create_unique_constraint("uq_destination_hook_key", "destination", ["hook_key"])
    op.create_table(
        "destination_sync",
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("changes_until", TIME),
        sa.Column("last_notice_at", TIME),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], ondelete="CASCADE",
            name="fk_destination_sync_destination_id_destination",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_destination_sync_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("destination_id", name="pk_destination_sync"),
    )  # fmt: skip
    op.create_table(
        "remote_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", TIME),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_remote_comment"),
        sa.UniqueConstraint("delivery_id", "external_id", name="uq_remote_comment_delivery_id_external_id"),
    )
    for table in ("destination_sync", "remote_comment"):
        _protect(table)
    op.create_index("ix_message_inbox_priority", "message", ["workspace_id", "priority", "id"])
    op.create_index("ix_message_inbox_language", "message", ["workspace_id", "language", "id"])


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_index("ix_message_inbox_language", table_name="message")
    op.drop_index("ix_message_inbox_priority", table_name="message")
    op.drop_table("remote_comment")
    op.drop_table("destination_sync")
    op.drop_column("destination", "hook_key")
    op.drop_index("ix_delivery_ref", table_name="delivery")
    for column in ("ref_checked_at", "ref_changed_at", "ref_assignee"):
        op.drop_column("delivery", column)

"""Outgoing webhooks: addresses that are told of events, and the outbox. An index for the list of tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

TIME = sa.DateTime(timezone=True)
TABLES = ("webhook_endpoint", "webhook_event")
STATUSES = "'pending', 'sending', 'retrying', 'delivered', 'failed'"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("previous_secret", sa.String(), nullable=False),
        sa.Column("previous_until", TIME),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("off_reason", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_webhook_endpoint_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
    )
    op.create_index("ix_webhook_endpoint_workspace_id", "webhook_endpoint", ["workspace_id"])
    _outbox()
    for table in TABLES:
        _protect(table)
    op.execute("""
        create trigger raise_config_version after insert or update or delete on webhook_endpoint
        for each row execute function raise_config_version()""")
    op.create_index("ix_task_list", "task", ["workspace_id", "created_at", "id"])


def _outbox() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=False),
        sa.Column("lease_token", sa.Uuid()),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("delivered_at", TIME),
        sa.Column("attempts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(f"status in ({STATUSES})", name=op.f("ck_webhook_event_status_known")),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_event"),
    )
    op.create_index(
        "ix_webhook_event_due", "webhook_event", ["endpoint_id", "next_try_at"],
        postgresql_where=sa.text("status in ('pending', 'sending', 'retrying')"),
    )  # fmt: skip
    op.create_index("ix_webhook_event_list", "webhook_event", ["endpoint_id", "id"])
    op.create_index(
        "ix_webhook_event_failed", "webhook_event", ["endpoint_id", "id"],
        postgresql_where=sa.text("status = 'failed'"),
    )  # fmt: skip


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_index("ix_task_list", table_name="task")
    for table in reversed(TABLES):
        op.drop_table(table)

"""Decided anew: tasks that exist are brought up to date or withdrawn. Done: the customer is told, where a route says so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("task", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.add_column("route", sa.Column("when_wrong", sa.String(), server_default="close", nullable=False))
    op.alter_column("route", "when_wrong", server_default=None)
    op.add_column("route", sa.Column("reply", postgresql.JSONB(), server_default="{}", nullable=False))
    op.alter_column("route", "reply", server_default=None)
    op.create_check_constraint(op.f("ck_route_when_wrong_known"), "route", "when_wrong in ('close', 'comment')")
    op.drop_constraint(op.f("ck_delivery_kind_known"), "delivery")
    op.create_check_constraint(
        op.f("ck_delivery_kind_known"), "delivery", "kind in ('create', 'comment', 'update', 'withdraw')"
    )
    op.drop_constraint("uq_delivery_task_id_destination_id_message_id", "delivery")
    op.create_index(
        "uq_delivery_one_comment", "delivery", ["task_id", "destination_id", "message_id"], unique=True,
        postgresql_where=sa.text("kind = 'comment'"),
    )  # fmt: skip
    op.create_index("ix_delivery_task_id", "delivery", ["task_id", "destination_id"])
    op.create_table(
        "customer_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.CheckConstraint(
            "status in ('pending', 'sending', 'retrying', 'unknown', 'delivered', 'failed', 'cancelled')",
            name=op.f("ck_customer_reply_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customer_reply"),
        sa.UniqueConstraint("task_id", name="uq_customer_reply_task_id"),
    )
    op.create_index(
        "ix_customer_reply_due", "customer_reply", ["next_try_at"],
        postgresql_where=sa.text("status in ('pending', 'sending', 'retrying')"),
    )  # fmt: skip
    _protect("customer_reply")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_table("customer_reply")
    op.drop_column("route", "reply")
    op.execute("delete from delivery where kind in ('update', 'withdraw')")
    op.drop_index("ix_delivery_task_id", table_name="delivery")
    op.drop_index("uq_delivery_one_comment", table_name="delivery")
    op.create_unique_constraint(
        "uq_delivery_task_id_destination_id_message_id", "delivery", ["task_id", "destination_id", "message_id"]
    )
    op.drop_constraint(op.f("ck_delivery_kind_known"), "delivery")
    op.create_check_constraint(op.f("ck_delivery_kind_known"), "delivery", "kind in ('create', 'comment')")
    op.drop_constraint(op.f("ck_route_when_wrong_known"), "route")
    op.drop_column("route", "when_wrong")
    op.drop_column("task", "withdrawn_at")

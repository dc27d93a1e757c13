"""Decided anew: tasks that exist already are brought up to date or withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("task", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.add_column("route", sa.Column("when_wrong", sa.String(), server_default="close", nullable=False))
    op.alter_column("route", "when_wrong", server_default=None)
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
    op.create_index(
        "ix_delivery_change", "delivery", ["task_id", "destination_id"],
        postgresql_where=sa.text("kind in ('update', 'withdraw')"),
    )  # fmt: skip


def downgrade() -> None:
    op.execute("delete from delivery where kind in ('update', 'withdraw')")
    op.drop_index("ix_delivery_change", table_name="delivery")
    op.drop_index("uq_delivery_one_comment", table_name="delivery")
    op.create_unique_constraint(
        "uq_delivery_task_id_destination_id_message_id", "delivery", ["task_id", "destination_id", "message_id"]
    )
    op.drop_constraint(op.f("ck_delivery_kind_known"), "delivery")
    op.create_check_constraint(op.f("ck_delivery_kind_known"), "delivery", "kind in ('create', 'comment')")
    op.drop_constraint(op.f("ck_route_when_wrong_known"), "route")
    op.drop_column("route", "when_wrong")
    op.drop_column("task", "withdrawn_at")

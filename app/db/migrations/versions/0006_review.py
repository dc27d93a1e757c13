"""Review: who has which message in hand, and how long a decision took. Webhooks of CRMs: when they were set."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("classification", sa.Column("active_s", sa.Float()))
    op.add_column("destination_sync", sa.Column("hook_set_at", sa.DateTime(timezone=True)))
    op.create_table(
        "review_hold",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_review_hold_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_review_hold"),
    )
    op.create_index("ix_review_hold_workspace_id", "review_hold", ["workspace_id"])
    _protect("review_hold")
    op.create_table(
        "second_look",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_actor", sa.String(), nullable=False),
        sa.Column("second_actor", sa.String(), nullable=False),
        sa.Column("first", postgresql.JSONB(), nullable=False),
        sa.Column("second", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_second_look_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_second_look"),
    )
    op.create_index("ix_second_look_list", "second_look", ["workspace_id", "at"])
    _protect("second_look")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_table("second_look")
    op.drop_table("review_hold")
    op.drop_column("destination_sync", "hook_set_at")
    op.drop_column("classification", "active_s")

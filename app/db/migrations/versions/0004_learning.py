"""What a workspace has learnt: versions of its local model, and how likely each review was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("classification", sa.Column("review_rate", sa.Float()))
    op.create_index("ix_classification_learning", "classification", ["workspace_id", "source", "id"])
    op.create_table(
        "model_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(), nullable=False),
        sa.Column("thresholds", postgresql.JSONB(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("learnt_until", sa.Uuid()),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_model_version_workspace_id_workspace"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_model_version"),
    )
    op.create_index(
        "uq_model_version_current", "model_version", ["workspace_id"], unique=True,
        postgresql_where=sa.text("is_current"),
    )  # fmt: skip
    op.create_index("ix_model_version_list", "model_version", ["workspace_id", "id"])
    _protect("model_version")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.drop_table("model_version")
    op.drop_index("ix_classification_learning", table_name="classification")
    op.drop_column("classification", "review_rate")

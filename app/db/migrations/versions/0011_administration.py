"""Invitations, where people are signed in, filters of the audit log, retention and erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INDEXES = (
    ("ix_message_kept", "message", "workspace_id, received_at", "cleared_at is null"),
    ("ix_message_contact", "message", "contact_id, id", ""),
    ("ix_contact_erasing", "contact", "workspace_id", "erasure_asked_at is not null and erased_at is null"),
    ("ix_contact_name", "contact", "workspace_id, lower(name) text_pattern_ops", ""),
    ("ix_raw_event_kept", "raw_event", "workspace_id, received_at", "status <> 'received'"),
    ("ix_attempt_kept", "attempt", "workspace_id, started_at", "exchanges <> '[]'"),
    ("ix_timeline_entry_kept", "timeline_entry", "workspace_id, at", ""),
)


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("role in ('owner', 'manager', 'agent', 'viewer')", name=op.f("ck_invitation_role_known")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], ondelete="CASCADE", name="fk_invitation_workspace_id_workspace"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["person.id"], ondelete="CASCADE", name="fk_invitation_invited_by_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
    )
    op.create_index("ix_invitation_list", "invitation", ["workspace_id", "id"])
    _protect("invitation")
    op.add_column("login_session", sa.Column("ip", sa.String(), nullable=False, server_default=""))
    op.add_column("login_session", sa.Column("user_agent", sa.String(), nullable=False, server_default=""))
    op.add_column("login_session", sa.Column("last_seen_at", sa.DateTime(timezone=True)))
    for column in ("ip", "user_agent"):
        op.alter_column("login_session", column, server_default=None)
    for column in ("actor", "noun", "key"):
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", ["workspace_id", column, "id"])
    _retention()


def _retention() -> None:
    """Each index holds what is still there to be deleted, so that finding it costs the same however much was."""
    op.add_column("message", sa.Column("cleared_at", sa.DateTime(timezone=True)))
    op.add_column("contact", sa.Column("erasure_asked_at", sa.DateTime(timezone=True)))
    op.add_column("contact", sa.Column("erased_at", sa.DateTime(timezone=True)))
    for name, table, columns, where in INDEXES:
        op.execute(f"create index {name} on {table} ({columns})" + (f" where {where}" if where else ""))


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    for name, *_ in INDEXES:
        op.execute(f"drop index {name}")
    op.drop_column("contact", "erased_at")
    op.drop_column("contact", "erasure_asked_at")
    op.drop_column("message", "cleared_at")
    for column in ("actor", "noun", "key"):
        op.drop_index(f"ix_audit_entry_{column}", "audit_entry")
    for column in ("last_seen_at", "user_agent", "ip"):
        op.drop_column("login_session", column)
    op.drop_table("invitation")

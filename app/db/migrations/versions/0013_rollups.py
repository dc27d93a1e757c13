"""Hourly counts for the Service page, which hours of them are stale, and when a task was done and opened again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

HOUR_MS = 3_600_000
# What makes an hour stale: (trigger, table, on, ids of messages whose numbers changed).
# Statement triggers: one small insert for a group commit, whatever the number of its rows, and nobody waits for it.
CHANGES = (
    ("rollup_message_added", "message", "insert", "select workspace_id, id from new_rows"),
    ("rollup_message_changed", "message", "update", """
        select n.workspace_id, n.id from new_rows n join old_rows o on o.id = n.id
        where (n.category_id, n.priority, n.sentiment, n.language)
            is distinct from (o.category_id, o.priority, o.sentiment, o.language)"""),
    ("rollup_task_changed", "task", "update", """
        select n.workspace_id, n.message_id from new_rows n join old_rows o on o.id = n.id
        where (n.withdrawn_at is null) <> (o.withdrawn_at is null)"""),
    ("rollup_delivery_added", "delivery", "insert", """
        select workspace_id, message_id from new_rows where kind = 'create' and status = 'delivered'"""),
    ("rollup_delivery_changed", "delivery", "update", """
        select n.workspace_id, n.message_id from new_rows n join old_rows o on o.id = n.id
        where n.kind = 'create' and (n.status = 'delivered', n.delivered_at, n.done_at, n.reopened_at)
            is distinct from (o.status = 'delivered', o.delivered_at, o.done_at, o.reopened_at)"""),
)  # fmt: skip


def upgrade() -> None:
    _tables()
    _functions()
    op.add_column("delivery", sa.Column("done_at", sa.DateTime(timezone=True)))
    op.add_column("delivery", sa.Column("reopened_at", sa.DateTime(timezone=True)))
    for column in ("done_at", "reopened_at"):
        op.create_index(
            f"ix_delivery_{column}", "delivery", ["workspace_id", "message_id"],
            postgresql_where=sa.text(f"{column} is not null"),
        )  # fmt: skip
    op.execute("set local role octopus_system")  # row-level security holds for the owner as well
    _what_is_known_of_the_past()
    op.execute("reset role")
    for name, table, on, changed in CHANGES:
        _mark_on(name, table, on, changed)
    _mark_all_on_another_time_zone()


def _tables() -> None:
    op.create_table(
        "message_rollup",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("minute", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("category_id", sa.Uuid()),
        sa.Column("priority", sa.String()),
        sa.Column("sentiment", sa.String()),
        sa.Column("language", sa.String()),
        *(sa.Column(name, sa.Integer(), nullable=False)
          for name in ("received", "tasks", "done", "ever_done", "reopened", "approaches", "repeats")),
        sa.Column("to_task", postgresql.BYTEA(), nullable=False),
        sa.Column("to_done", postgresql.BYTEA(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "hour", "part", name="pk_message_rollup"),
    )  # fmt: skip
    op.create_table(
        "stale_hour",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stale_hour"),
    )
    op.create_index("ix_stale_hour_list", "stale_hour", ["workspace_id", "hour"])
    for table in ("message_rollup", "stale_hour"):
        _protect(table)


def _functions() -> None:
    op.execute("""
        create function uuid7_ms(id uuid) returns bigint language sql immutable strict parallel safe
        return ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint""")
    op.execute(f"""
        create function uuid7_hour(id uuid) returns timestamptz language sql immutable strict parallel safe
        return to_timestamp(uuid7_ms(id) / {HOUR_MS} * 3600)""")
    op.execute("""
        create function first_uuid7_at(moment timestamptz) returns uuid language sql immutable strict parallel safe
        return (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid""")


def _what_is_known_of_the_past() -> None:
    """Every hour there is becomes stale, so the workers count it; the screens are right meanwhile, only slower."""
    op.execute("""
        update delivery set done_at = coalesce(ref_changed_at, ref_checked_at, delivered_at)
        where kind = 'create' and ref_status = 'done'""")
    op.execute("""
        update delivery d set reopened_at = e.at
        from (select (data->>'delivery')::uuid as id, min(at) as at from timeline_entry
              where event = 'remote_status' and data->>'from' = 'done' and data->>'to' in ('open', 'in_progress')
              group by 1) e
        where d.id = e.id""")
    op.execute("""
        insert into stale_hour (workspace_id, hour) select distinct workspace_id, uuid7_hour(id) from message""")


def _mark_on(name: str, table: str, on: str, changed: str) -> None:
    op.execute(f"""
        create function {name}() returns trigger language plpgsql as $$
        begin
            insert into stale_hour (workspace_id, hour)
            select distinct c.workspace_id, uuid7_hour(c.id) from ({changed}) as c(workspace_id, id);
            return null;
        end $$""")
    rows = "new table as new_rows" + (" old table as old_rows" if on == "update" else "")
    op.execute(f"""
        create trigger {name} after {on} on {table} referencing {rows}
        for each statement execute function {name}()""")


def _mark_all_on_another_time_zone() -> None:
    """Where its hours do not begin with ours, they are counted by the quarter."""
    op.execute("""
        create function rollup_zone_changed() returns trigger language plpgsql as $$
        begin
            insert into stale_hour (workspace_id, hour)
            select distinct workspace_id, hour from message_rollup where workspace_id = new.id;
            return null;
        end $$""")
    op.execute("""
        create trigger rollup_zone_changed after update of timezone on workspace
        for each row when (old.timezone <> new.timezone) execute function rollup_zone_changed()""")


def _protect(table: str) -> None:
    """As 0002 does."""
    mine = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def downgrade() -> None:
    op.execute("drop trigger rollup_zone_changed on workspace")
    op.execute("drop function rollup_zone_changed")
    for name, table, *_ in CHANGES:
        op.execute(f"drop trigger {name} on {table}")
        op.execute(f"drop function {name}")
    for column in ("done_at", "reopened_at"):
        op.drop_index(f"ix_delivery_{column}", "delivery")
        op.drop_column("delivery", column)
    for function in ("first_uuid7_at", "uuid7_hour", "uuid7_ms"):
        op.execute(f"drop function {function}")
    op.drop_table("stale_hour")
    op.drop_table("message_rollup")

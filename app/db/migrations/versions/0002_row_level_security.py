"""Roles, row-level security and the configuration's version.

octopus_app sees one workspace (setting `app.workspace`), octopus_system sees all. Neither logs in by default, neither
owns a table; row-level security is forced, so it holds for the owner as well. The one who migrates may act as either.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

ROLES = ("octopus_app", "octopus_system")
SYSTEM_ONLY = ("person", "login_session")
CONFIGURATION = ("bot", "category", "rule", "llm_account", "destination", "route")
TENANT = (
    *CONFIGURATION, "bot_health", "destination_health", "llm_account_health", "raw_event", "contact", "conversation",
    "message", "attachment", "classification", "timeline_entry", "membership", "audit_entry", "task", "task_message",
    "delivery", "attempt",
)  # fmt: skip


def upgrade() -> None:
    for role in ROLES:
        op.execute(f"""
            do $$ begin
                if not exists (select from pg_roles where rolname = '{role}') then create role {role} nologin; end if;
            end $$""")
        op.execute(f"grant {role} to current_user")
        op.execute(f"grant usage on schema public to {role}")
    # An app role that logs in by itself may change to the other scope. It must not inherit it: policies apply to
    # whoever inherits their role, and every workspace would see all the others.
    op.execute("grant octopus_system to octopus_app with inherit false, set true")
    _protect("workspace", "id")
    for table in TENANT:
        _protect(table, "workspace_id")
    for table in SYSTEM_ONLY:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
        op.execute(f"grant select, insert, update, delete on {table} to octopus_system")
    op.execute("grant select on alembic_version to octopus_app, octopus_system")
    _raise_version_on_change()


def _protect(table: str, column: str) -> None:
    mine = f"{column} = nullif(current_setting('app.workspace', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy workspace on {table} to octopus_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to octopus_system using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to octopus_app, octopus_system")


def _raise_version_on_change() -> None:
    op.execute("""
        create function raise_config_version() returns trigger language plpgsql as $$
        begin
            update workspace set config_version = config_version + 1
            where id = coalesce(new.workspace_id, old.workspace_id);
            return null;
        end $$""")
    for table in CONFIGURATION:
        op.execute(f"""
            create trigger raise_config_version after insert or update or delete on {table}
            for each row execute function raise_config_version()""")


def downgrade() -> None:
    for table in CONFIGURATION:
        op.execute(f"drop trigger raise_config_version on {table}")
    op.execute("drop function raise_config_version()")
    for table in ("workspace", *TENANT, *SYSTEM_ONLY):
        op.execute(f"drop policy if exists workspace on {table}")
        op.execute(f"drop policy system on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    for role in ROLES:
        op.execute(f"drop owned by {role}")

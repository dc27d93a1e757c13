"""The demo (`./octopus up --demo`): which parts of it are simulated. Elsewhere nothing is."""

from uuid import UUID

from sqlmodel import select

from app.db import learning as store
from app.db.engine import in_system, in_workspace
from app.db.tables import Bot, Destination, LlmAccount, Workspace
from app.settings import settings

WORKSPACE = "demo"


def is_simulated(row: Bot | Destination | LlmAccount) -> bool:
    """Whether it calls the simulated world instead of its vendor."""
    world = settings().demo_url
    return bool(world) and str(row.config.get("base_url") or "").startswith(f"{world}/")


def workspace_id() -> UUID | None:
    """The demo's workspace, or None when there is none yet."""
    with in_system() as session:
        return session.exec(select(Workspace.id).where(Workspace.key == WORKSPACE)).one_or_none()


def answers_alone(workspace_id: UUID) -> bool:
    """Whether the local model has been found good enough to answer without a person or the LLM."""
    with in_workspace(workspace_id) as session:
        current = store.current_version(session, workspace_id)
        return current is not None and current.thresholds.get("level") is not None


def move_world(url: str) -> None:
    """Let what is simulated find its world at another address, after OCTOPUS_DEMO_PORT was changed."""
    with in_system() as session:
        for table in (Bot, Destination, LlmAccount):
            session.connection().exec_driver_sql(
                f"""
                update {table.__tablename__} set config = jsonb_set(config, '{{base_url}}',
                    to_jsonb(regexp_replace(config->>'base_url', '^http://127[.]0[.]0[.]1:[0-9]+', %(url)s)))
                where workspace_id = (select id from workspace where key = %(key)s)
                and config->>'base_url' ~ '^http://127[.]0[.]0[.]1:[0-9]+/(telegram|slack|jira|linear|trello|llm)$'
                and config->>'base_url' not like %(url)s || '/%%'""",  # noqa: S608  names of tables
                {"url": url, "key": WORKSPACE},
            )

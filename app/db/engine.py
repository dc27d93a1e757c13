"""The door to PostgreSQL. Nothing is visible until a scope is chosen.

`in_workspace(id)` sees one workspace: the plain role `octopus_app`, held to that workspace by row-level security.
`in_draft(id)` sees the same, but the draft of its configuration in the place of what is live.
`in_system()` sees all of them, as the role `octopus_system`; only what must look across workspaces uses it
(sign-in, the receiver's list of bots, the sweeper, the operator's commands). Neither role owns a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlmodel import Session

from app.domain.errors import OctopusError
from app.settings import settings

APP_ROLE, SYSTEM_ROLE = "octopus_app", "octopus_system"


def sqlalchemy_url(url: str) -> str:
    """Accept the URL as operators write it; psycopg 3 is the driver."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@cache
def engine() -> Engine:
    url = settings().database_url
    if not url:
        raise OctopusError("DATABASE_URL is not set and no embedded PostgreSQL is running. Start it with ./octopus up.")
    return create_engine(
        sqlalchemy_url(url),
        pool_size=8,
        max_overflow=16,
        pool_pre_ping=True,
        connect_args={"options": f"-c role={APP_ROLE} -c timezone=UTC", "connect_timeout": 10},
    )


@event.listens_for(Session, "after_begin")
def _choose_scope(session: Session, _transaction, connection: Connection) -> None:
    if session.info.get("system"):
        connection.exec_driver_sql(f"set local role {SYSTEM_ROLE}")
    elif workspace_id := session.info.get("workspace"):
        connection.exec_driver_sql("select set_config('app.workspace', %s, true)", (str(workspace_id),))


@contextmanager
def in_workspace(workspace_id: UUID) -> Iterator[Session]:
    """A transaction that sees one workspace; commits at the end, rolls back on any error."""
    with Session(engine(), info={"workspace": workspace_id}, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def in_draft(workspace_id: UUID) -> Iterator[Session]:
    """As `in_workspace`, but categories, rules, routes and settings are those of the open draft; none: there are none.

    Every query that does not name a schema means the draft's rows then, without knowing it.
    """
    with in_workspace(workspace_id) as session:
        enter_draft(session)
        yield session


@contextmanager
def in_system() -> Iterator[Session]:
    """A transaction that sees every workspace; commits at the end, rolls back on any error."""
    with Session(engine(), info={"system": True}, expire_on_commit=False) as session, session.begin():
        yield session


def enter_workspace(session: Session, workspace_id: UUID) -> None:
    """Move the running transaction to another workspace: a group commit saves the work of several in one."""
    session.connection().exec_driver_sql("select set_config('app.workspace', %s, true)", (str(workspace_id),))


def enter_draft(session: Session) -> None:
    """For the rest of the transaction. Read nothing through the session before: it would answer with what is live."""
    session.info["draft"] = True
    session.connection().exec_driver_sql("set local search_path = draft, public")


def is_in_draft(session: Session) -> bool:
    return bool(session.info.get("draft"))

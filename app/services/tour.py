"""How far a visitor of the demo has come in its guided tour. Read from what happened, not from clicks on "next"."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from app.db.engine import in_workspace
from app.db.tables import Bot, Destination, LlmAccount, Workspace
from app.services import demo
from app.services.members import Actor
from app.settings import settings

ANSWERS = 3
SEEN_FILE = "seen"  # the simulated world leaves it in the data directory when somebody looks at the tasks there

# The newest message with a task, and where that stands. Looks at the newest deliveries only.
_NEWEST = """
    select message_id, ref_url from (
        select message_id, ref_url, status, kind from delivery
        where workspace_id = %(workspace)s order by id desc limit 200) d
    where status = 'delivered' and kind = 'create' and ref_url like %(world)s limit 1"""
_ANSWERED = """
    select count(distinct message_id) from classification
    where workspace_id = %(workspace)s and source = 'person' and actor = %(actor)s"""
_CHANGED = """
    select exists (select from audit_entry
        where workspace_id = %(workspace)s and actor = %(actor)s and noun in ('rule', 'route'))"""


@dataclass(frozen=True, slots=True)
class Tour:
    """newest: a message that became a task; task_url: where that task stands. chat_url: where a visitor can write as a
    customer. real: kinds of simulated parts of which something real is switched on: bot, destination, llm_account.
    """

    hidden: bool
    newest: UUID | None
    task_url: str
    chat_url: str
    opened: bool
    answered: int
    seen: bool
    changed: bool
    real: frozenset[str]

    @property
    def steps(self) -> tuple[bool, ...]:
        """Which of the six are done, in their order."""
        return (
            self.newest is not None, self.opened, self.answered >= ANSWERS, self.seen, self.changed, bool(self.real)
        )  # fmt: skip


def progress(actor: Actor) -> Tour | None:
    """None: this is no workspace of the demo."""
    if not settings().demo:
        return None
    with in_workspace(actor.workspace_id) as session:
        workspace = session.exec(select(Workspace)).one_or_none()
        if workspace is None or workspace.key != demo.WORKSPACE:
            return None
        kept = workspace.settings.get("tour", {})
        values = {"workspace": actor.workspace_id, "actor": actor.email, "world": f"{settings().demo_url}/%"}
        ask = session.connection().exec_driver_sql
        newest = ask(_NEWEST, values).one_or_none()
        return Tour(
            hidden=kept.get("hidden", False),
            newest=newest.message_id if newest else None,
            task_url=newest.ref_url if newest else "",
            chat_url=f"{settings().demo_url}/telegram",
            opened=kept.get("opened", False),
            answered=ask(_ANSWERED, values).scalar_one(),
            seen=(settings().data_dir / SEEN_FILE).exists(),
            changed=ask(_CHANGED, values).scalar_one(),
            real=_real(session),
        )


def note_opened(actor: Actor) -> None:
    """A visitor opened a message."""
    _keep(actor, {"opened": True})


def hide(actor: Actor, hidden: bool) -> None:
    _keep(actor, {"hidden": hidden})


def _keep(actor: Actor, changed: dict[str, Any]) -> None:
    with in_workspace(actor.workspace_id) as session:
        workspace = session.exec(select(Workspace).with_for_update()).one()
        kept = workspace.settings.get("tour", {})
        if workspace.key == demo.WORKSPACE and kept != kept | changed:
            workspace.settings = workspace.settings | {"tour": kept | changed}


def _real(session: Session) -> frozenset[str]:
    rows = [row for table in (Bot, Destination, LlmAccount) for row in session.exec(select(table))]
    return frozenset(str(row.__tablename__) for row in rows if row.enabled and not demo.is_simulated(row))

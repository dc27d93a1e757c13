"""The queue a person works through: what comes next, in whose hand it is, and what is done with it.

A browser prefetches messages and sends back what was decided in batches. Each message it holds is leased, so two
persons never decide on the same one; a batch that comes twice changes nothing the second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlmodel import Session

from app.classify.memory import Correction, Memory
from app.db import learning as learning_store
from app.db import review as store
from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now
from app.domain import review_order
from app.domain.agreement import Agreement, agreement, mixed_up
from app.domain.classification import Priority, Sentiment, Source
from app.domain.errors import InvalidInput, OctopusError
from app.services import configuration, learning, members, review
from app.services.members import Actor, Role, require

PREFETCHED = 15
EARLIER = 3  # messages of the conversation shown above the one to decide on
HELD, ASKED_FOR = timedelta(minutes=5), timedelta(hours=8)
SWEPT = 60  # shown at once of one suggestion
ALIKE, MOST_ALIKE, COMPARED = 0.45, 40, 1000
LONGEST_LOOK_S = 600.0
NONE_OF_THESE = "none of these"
SECOND_LOOKS, SECOND_LOOK_WITHIN, MOST_COMPARED = 2, timedelta(days=7), 500


# ---- what comes next


@dataclass(frozen=True, slots=True)
class Queue:
    """rows: as `app.db.review.items`. waiting: all of them. elsewhere: in the hands of colleagues.

    again: rows of messages a colleague decided, for a second look that changes nothing.
    """

    rows: Sequence[Any]
    waiting: int
    elsewhere: int
    again: Sequence[Any] = ()


def fetch(actor: Actor, n: int = PREFETCHED) -> Queue:
    """The next messages for this person, in their hand for five minutes. Who may only look holds nothing."""
    with in_workspace(actor.workspace_id) as session:
        free = store.candidates(session, actor.workspace_id, actor.person_id)
        chosen = review_order.first(free, n, now())
        if may_decide(actor):
            held = store.hold(session, actor.workspace_id, actor.person_id, chosen, HELD)
            chosen = [id_ for id_ in chosen if id_ in held]
        rows = store.items(session, chosen, EARLIER)
        elsewhere = store.in_hand_of_others(session, actor.workspace_id, actor.person_id)
        again = store.items(session, _for_a_second_look(session, actor), EARLIER) if may_decide(actor) else []
    return Queue(rows, review.count(actor.workspace_id), elsewhere, again)


def _for_a_second_look(session: Session, actor: Actor) -> list[UUID]:
    share = learning.settings_of(learning_store.settings(session, actor.workspace_id)).double_share
    since = first_id_at(now() - SECOND_LOOK_WITHIN)
    return store.for_a_second_look(session, actor.workspace_id, actor.email, since, share, SECOND_LOOKS)


def may_decide(actor: Actor) -> bool:
    return members.RANK.index(actor.role) <= members.RANK.index(Role.AGENT)


def sweep(actor: Actor, category: str) -> list[Any]:
    """What waits with this suggestion, the surest first, in this person's hand for five minutes."""
    require(actor, Role.AGENT)
    with in_workspace(actor.workspace_id) as session:
        rows = store.suggested(session, actor.workspace_id, actor.person_id, category, SWEPT)
        held = store.hold(session, actor.workspace_id, actor.person_id, [row.id for row in rows], HELD)
    return [row for row in rows if row.id in held]


def suggestions(workspace_id: UUID) -> dict[str, int]:
    """By category's key: how many messages wait with it as the suggestion, most first."""
    with in_workspace(workspace_id) as session:
        return store.waiting_by_suggestion(session, workspace_id)


# ---- what is done with it


class _Op(BaseModel):
    """n: the browser's own name for it, told back when it is done."""

    n: str = Field(max_length=64)
    id: UUID


class Decide(_Op):
    op: Literal["decide"]
    category: str | None = Field(max_length=200)
    priority: Priority | None = None
    sentiment: Sentiment | None = None
    spam: bool = False
    seconds: float = Field(0.0, ge=0)
    corrects: str | None = Field(None, max_length=200)  # the suggestion that was overruled


class Second(_Op):
    """A colleague's decision, made again without knowing it."""

    op: Literal["second"]
    category: str | None = Field(max_length=200)
    priority: Priority | None = None
    sentiment: Sentiment | None = None


class Undo(_Op):
    op: Literal["undo"]


class Later(_Op):
    op: Literal["later"]
    note: str = Field("", max_length=500)


class Ask(_Op):
    op: Literal["ask"]
    person: UUID
    note: str = Field("", max_length=500)


OPS = TypeAdapter(list[Annotated[Decide | Second | Undo | Later | Ask, Field(discriminator="op")]])


@dataclass(frozen=True, slots=True)
class Outcome:
    """error: empty when it is done. alike: waiting messages the same correction may be right for."""

    n: str
    error: str = ""
    alike: tuple[tuple[UUID, str], ...] = ()
    category: str = ""


def apply(actor: Actor, ops: Any) -> list[Outcome]:
    """ops: a list as the browser sends it. One that fails says why and does not stop the others.

    Raises InvalidInput when it is no such list.
    """
    require(actor, Role.AGENT)
    try:
        wanted = OPS.validate_python(ops)
    except ValidationError as error:
        raise InvalidInput("The browser sent something this version does not know. Reload the page.") from error
    return [_apply(actor, op) for op in wanted]


def _apply(actor: Actor, op: Decide | Second | Undo | Later | Ask) -> Outcome:
    try:
        if isinstance(op, Decide):
            return _decide(actor, op)
        if isinstance(op, Second):
            _look_again(actor, op)
        elif isinstance(op, Undo):
            review.take_back(actor, op.id)
        else:
            _pass_on(actor, op)
    except OctopusError as error:
        return Outcome(op.n, str(error))
    return Outcome(op.n)


def _decide(actor: Actor, op: Decide) -> Outcome:
    by = decided_by(actor.workspace_id, op.id)
    if by is not None:
        same = by == (actor.email, op.category)
        return Outcome(op.n, "" if same else f"{by[0]} decided on this message meanwhile; yours was not applied.")
    review.decide(
        actor, op.id, op.category, op.priority, op.sentiment, review.SPAM if op.spam else review.NOTHING_TO_DO,
        min(op.seconds, LONGEST_LOOK_S) or None,
    )  # fmt: skip
    if op.category is None or op.corrects is None or op.corrects == op.category:
        return Outcome(op.n)
    return Outcome(op.n, alike=alike(actor, op.id, op.corrects), category=op.category)


def _look_again(actor: Actor, op: Second) -> None:
    said = {"category": op.category, "priority": op.priority, "sentiment": op.sentiment}
    with in_workspace(actor.workspace_id) as session:
        known = configuration.current(actor.workspace_id, session).categories_by_key
        if op.category is not None and op.category not in known:
            raise InvalidInput(f"There is no category '{op.category}' any more. Choose another.", "category")
        store.save_second_look(session, actor.workspace_id, op.id, actor.email, said)


@dataclass(frozen=True, slots=True)
class Agreed:
    """How alike persons decide, by field, and the categories they mix up (two keys, how often), most often first."""

    by_field: dict[str, Agreement]
    mixed_up: list[tuple[tuple[str | None, str | None], int]]


def agreed(workspace_id: UUID) -> Agreed:
    """Of the newest 500 messages that two persons decided about."""
    with in_workspace(workspace_id) as session:
        rows = store.second_looks(session, workspace_id, MOST_COMPARED)
    pairs = {
        field: [(row.first[field], row.second[field]) for row in rows if field == "category" or row.second[field]]
        for field in ("category", "priority", "sentiment")
    }
    return Agreed({field: agreement(of) for field, of in pairs.items()}, mixed_up(pairs["category"]))


def decided_by(workspace_id: UUID, message_id: UUID) -> tuple[str, str | None] | None:
    """(person, category) of the decision on a message; None while it waits for one."""
    with in_workspace(workspace_id) as session:
        row = session.connection().exec_driver_sql("""
            select k.actor, c.key from message m join classification k on k.message_id = m.id
            left join category c on c.id = k.category_id
            where m.id = %(id)s and m.status <> 'needs_review' and k.source = 'person' order by k.id desc limit 1""",
            {"id": message_id}).one_or_none()  # fmt: skip
        return (row.actor, row.key) if row else None


def _pass_on(actor: Actor, op: Later | Ask) -> None:
    with in_workspace(actor.workspace_id) as session:
        if op.id not in store.hold(session, actor.workspace_id, actor.person_id, [op.id], HELD):
            raise InvalidInput("A colleague has this message in hand now.")
        if isinstance(op, Later):
            store.put_off(session, op.id, op.note)
        elif op.person not in {one.id for one in members.colleagues(actor.workspace_id)}:
            raise InvalidInput("This person is not a member of the workspace any more.")
        else:
            store.hand_over(session, op.id, op.person, actor.email, op.note, ASKED_FOR)


def alike(actor: Actor, message_id: UUID, suggestion: str) -> tuple[tuple[UUID, str], ...]:
    """(message, text) of what waits with the same suggestion and resembles this message, most alike first."""
    with in_workspace(actor.workspace_id) as session:
        sql = "select text from message where id = %(id)s"
        text = session.connection().exec_driver_sql(sql, {"id": message_id}).scalar_one()
        rows = store.suggested(session, actor.workspace_id, actor.person_id, suggestion, COMPARED)
    vectoriser = learning.learner(actor.workspace_id).learned.model.vectoriser
    waiting = Memory(vectoriser, [Correction(str(row.id), row.text, suggestion) for row in rows])
    near = waiting.nearest(text, MOST_ALIKE) if rows else []
    return tuple((UUID(one.correction.key), one.correction.text) for one in near if one.similarity >= ALIKE)


def likeliest(row: Any) -> list[tuple[str, float | None]]:
    """(category's key, probability) of what the machine thinks possible, likeliest first; of a row of `fetch`."""
    found: dict[str, float | None] = {}
    if row.suggestion:
        found[row.suggestion] = row.confidence
    for step in reversed(row.steps or []):
        if step["source"] in (Source.LOCAL, Source.NAMES):
            found |= {key: p for key, p in (step.get("detail") or {}).get("likeliest", []) if key not in found}
    return list(found.items())

"""Try before publish: past messages through the pipeline as it is live and as the draft has it. Sends nothing.

Rules, corrections, model and routes are production's. What a language model said about a message counts again while its
question is the same; it is asked anew only when a manager says so. A message's own correction does not help to decide
it. Left out: random checks, the budget, and joining a task of the same conversation.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.classify import cascade
from app.classify.accounts import ask_in_order
from app.classify.backtest import Checked, Outcome, Played, Recorded, Report, compare
from app.classify.cascade import CascadeConfig
from app.classify.language import detect
from app.classify.learned import by_memory
from app.db import backtest as store
from app.db import learning as decisions
from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now
from app.domain.classification import Classification
from app.domain.conditions import Facts
from app.domain.errors import TransientError
from app.domain.routing import Strategy
from app.services import budget, configuration, learning, planning, releases
from app.services.configuration import Configuration
from app.services.members import Actor, Role, require
from app.services.planning import Subject

MOST = 2_000
ASKED_AT_ONCE = 8
Progress = Callable[[float], None]  # the share that is done, 0..1


@dataclass(frozen=True, slots=True)
class Past:
    """llm_steps: what language models said about it, as stored; empty where none was asked."""

    id: UUID
    kind: str
    facts: Facts
    llm_steps: Sequence[dict]


@dataclass(frozen=True, eq=False)
class State:
    """A configuration to play. keeps_answers: language models would be asked the question they were asked."""

    config: Configuration
    cascade: CascadeConfig
    keeps_answers: bool


def play(actor: Actor, days: int = 7, ask: bool = False, progress: Progress = lambda share: None) -> Report:
    """Compare what is live with the draft, on the newest messages (at most 2,000) of the last days.

    ask: let language models answer what they were not asked yet; it is paid for like any question.
    """
    require(actor, Role.MANAGER)
    workspace_id, since = actor.workspace_id, first_id_at(now() - timedelta(days=days))
    with releases.shown(workspace_id) as session:
        drafted = configuration.current(workspace_id, session)
    with in_workspace(workspace_id) as session:
        live = configuration.current(workspace_id, session)
        for config in (live, drafted):
            learning.follow(session, workspace_id, config.workspace.settings)
        rows = store.messages(session, workspace_id, since, MOST)
        checked = {
            row.message_id: Checked(row.decided, row.stands_for)
            for row in decisions.judged(session, workspace_id, since, MOST)
        }
    past = [_past(row, live.workspace.timezone) for row in rows]
    states = _states(live, drafted)
    played = []
    for done, message in enumerate(past, 1):
        before, after = (_outcome(state, message) for state in states)
        played.append(Played(message.id, message.facts.text, before, after, checked.get(message.id)))
        progress(done / len(past))
    if ask:
        played = _asked(states, {one.id: one for one in past}, played, progress)
    return compare(played)


def _past(row: Any, timezone: str) -> Past:
    facts = Facts(
        text=row.text, channel=row.channel, bot=row.bot, received_at=row.received_at, language=detect(row.text),
        contact_tags=frozenset(row.tags), has_attachment=row.attached, timezone=timezone,
    )  # fmt: skip
    return Past(row.id, row.kind, facts, row.llm_steps or ())


def _states(live: Configuration, drafted: Configuration) -> tuple[State, State]:
    before, after = (planning.cascade_config(config) for config in (live, drafted))
    return State(live, before, True), State(drafted, after, before.prompt.system == after.prompt.system)


# ---- one message


def _outcome(state: State, message: Past) -> Outcome:
    """Without asking anybody anything."""
    recorded = Recorded(message.llm_steps if state.keeps_answers else ())
    offline = replace(
        state.cascade, tiers=_tiers(state, message), narrow=lambda text: None, afford=lambda: "",
        ask=recorded if state.cascade.accounts else ask_in_order,
    )  # fmt: skip
    result = cascade.classify(message.facts.text, message.facts, offline, message.kind)
    return _told(state, message, result, asks_llm=recorded.asked, known=not recorded.missing)


def _tiers(state: State, message: Past) -> tuple:
    """Production's, but for the message's own correction."""
    if not state.cascade.tiers:
        return ()
    learner = learning.learner(state.config.workspace.id)
    memory = by_memory(lambda: learner.learned, state.config.categories_by_key.keys(), without=str(message.id))
    return (memory, *state.cascade.tiers[1:])


def _told(state: State, message: Past, result: Classification, asks_llm: bool, known: bool = True) -> Outcome:
    subject = Subject(message.id, message.id, "", "", message.facts.received_at, message.facts)
    decision = planning.decide(state.config, subject, result, [])
    destinations: list[str] = []
    for route in decision.plan.create:
        there = [key for key in route.destinations if key in state.config.destinations]
        destinations += there if route.strategy is Strategy.PARALLEL else there[:1]
    return Outcome(
        result.category, result.priority, decision.status, tuple(destinations), asks_llm, result.cost_usd, known
    )


# ---- asking language models


def _asked(
    states: tuple[State, State], past: dict[UUID, Past], played: list[Played], progress: Progress
) -> list[Played]:
    """What stays unanswered, because no account could be reached, stays unknown."""
    open_ = [one for one in played if not one.known]
    progress(0.0)
    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        futures = {one.message_id: threads.submit(_ask_both, states, past[one.message_id], one) for one in open_}
        for done, future in enumerate(futures.values(), 1):
            future.result()
            progress(done / len(futures))
    return [futures[one.message_id].result() if one.message_id in futures else one for one in played]


def _ask_both(states: tuple[State, State], message: Past, one: Played) -> Played:
    before = one.before if one.before.known else _ask(states[0], message, one.before)
    after = one.after if one.after.known else _ask(states[1], message, one.after)
    return replace(one, before=before, after=after)


def _ask(state: State, message: Past, unknown: Outcome) -> Outcome:
    online = replace(state.cascade, tiers=_tiers(state, message))
    try:
        result = cascade.classify(message.facts.text, message.facts, online, message.kind)
    except TransientError:
        return unknown
    budget.add(state.config, result.cost_usd)
    return _told(state, message, result, asks_llm=True)

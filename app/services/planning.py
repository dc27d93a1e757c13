"""From a classification to a task and its deliveries, in one transaction.

`save` serves the workers (bulk, under a lease); `carry_out` serves a person's decision. Both write through `_write`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from app.classify.cascade import CascadeConfig
from app.classify.cold_start import by_names
from app.classify.learned import by_memory, by_model, narrowed
from app.classify.opinion import Tier
from app.classify.prompt import Prompt
from app.db import bulk, inbox, revision, work
from app.db.tables import Classification as ClassificationRow
from app.db.tables import Delivery, LlmAccountHealth, Task, TaskMessage
from app.db.tables.base import now
from app.db.work import Claimed
from app.domain import routing
from app.domain.classification import TAKEN_BACK, Classification, Priority, Source
from app.domain.conditions import Facts
from app.domain.errors import RemoteError
from app.domain.lifecycle import MessageStatus
from app.domain.routing import DeliveryKind, OpenTask, Plan, Route, Strategy
from app.services import budget, circuits, events, learning
from app.services.configuration import Configuration
from app.services.pool import LEASE

if TYPE_CHECKING:
    from app.services.intake import Leased

TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Subject:
    """What planning needs to know of a message, whoever classified it."""

    id: UUID
    conversation_id: UUID
    contact_name: str
    conversation_label: str
    received_at: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Decision:
    subject: Subject
    result: Classification
    status: MessageStatus
    reason: str
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class Saved:
    """claimed: deliveries for this thread to make now. waiting: deliveries for any worker."""

    claimed: list[Claimed] = field(default_factory=list)
    waiting: list[UUID] = field(default_factory=list)


@lru_cache(maxsize=256)
def cascade_config(config: Configuration) -> CascadeConfig:
    """The cascade's view of a workspace, with the LLM accounts' circuits attached."""
    workspace_id = config.workspace.id
    llm_settings = learning.llm_settings_of(config.workspace.settings)

    def gate(key: str) -> RemoteError | None:
        try:
            circuits.check(workspace_id, config.llm_account_ids[key], f"LLM account '{key}'")
        except RemoteError as error:
            return error
        return None

    def report(key: str, error: RemoteError | None) -> None:
        if error is None:
            circuits.succeeded(LlmAccountHealth, workspace_id, config.llm_account_ids[key])
        else:
            circuits.failed(LlmAccountHealth, workspace_id, config.llm_account_ids[key], error)

    return CascadeConfig(
        categories=config.categories,
        rules=config.rules,
        accounts=config.llm_accounts,
        bar=llm_settings.bar,
        instructions=llm_settings.instructions,
        gate=gate,
        report=report,
        tiers=_learned_tiers(config),
        narrow=_narrowing(config),
        afford=lambda: budget.why_not(config),
    )


def _learned_tiers(config: Configuration) -> tuple[Tier, ...]:
    if not learning.settings_of(config.workspace.settings).enabled:
        return ()
    learner, categories = learning.learner(config.workspace.id), config.categories_by_key.keys()
    return (
        by_memory(lambda: learner.learned, categories),
        by_model(lambda: learner.learned, categories),
        by_names(lambda: learner.learned, config.categories),
    )


def _narrowing(config: Configuration) -> Callable[[str], Prompt | None]:
    if not learning.settings_of(config.workspace.settings).enabled:
        return lambda text: None
    learner = learning.learner(config.workspace.id)
    instructions = learning.llm_settings_of(config.workspace.settings).instructions
    return lambda text: narrowed(learner.learned, config.categories, text, instructions)


def decide(config: Configuration, subject: Subject, result: Classification, open_tasks: list[OpenTask]) -> Decision:
    """What becomes of a classified message. Reads nothing and changes nothing, so a screen can ask as well."""
    if result.ignore_reason:
        return Decision(subject, result, MessageStatus.IGNORED, result.ignore_reason)
    if result.category is None:
        return Decision(subject, result, MessageStatus.NEEDS_REVIEW, result.review_reason)
    plan = routing.plan(routing.facts_with(subject.facts, result), config.routes, open_tasks)
    if not plan.create and not plan.join:
        return Decision(subject, result, MessageStatus.IGNORED, "no route takes this category")
    unusable = [route.key for route in plan.create if not _usable(config, route)]
    if unusable:
        reason = f"route '{unusable[0]}' has no destination that is switched on; correct it and reprocess"
        return Decision(subject, result, MessageStatus.FAILED, reason)
    return Decision(subject, result, MessageStatus.ROUTED, "", plan)


def save(session: Session, items: list[tuple["Leased", Classification, Configuration]]) -> list[Saved]:
    """Save what workers found out about leased messages; an item whose lease was lost saves nothing."""
    config = items[0][2]
    subjects = [
        Subject(m.id, m.conversation_id, m.contact_name, m.conversation_label, m.received_at, m.facts)
        for m, _, _ in items
    ]
    decisions = _decided(session, config, subjects, [result for _, result, _ in items])
    tokens = {message.id: message.token for message, _, _ in items}
    won = work.finish_classification(
        session, [_message_row(config, d) | {"token": tokens[d.subject.id]} for d in decisions]
    )
    saved = _write(session, config, [d for d in decisions if d.subject.id in won], "worker")
    return [saved.get(decision.subject.id, Saved()) for decision in decisions]


def carry_out(session: Session, config: Configuration, subject: Subject, result: Classification, actor: str) -> Saved:
    """Save a person's decision on a message the caller has locked; deliveries wait for any worker.

    Tasks that the message has already are brought up to date, or withdrawn where they should not be.
    """
    decision = _decided(session, config, [subject], [result])[0]
    work.set_classification(session, _message_row(config, decision))
    tasks = [task_row(config, decision, route) for route in decision.plan.create]
    withdrawn = revision.withdraw(session, config.workspace.id, subject.id, [task["id"] for task in tasks])
    revision.leave(session, subject.id, [task.id for task in decision.plan.join])
    renewed = revision.renew(session, config.workspace.id, subject.id, tasks) if tasks else []
    saved = _write(session, config, [decision], actor, claim=False)[subject.id]
    return Saved(waiting=[*withdrawn, *renewed, *saved.waiting])


def take_back(
    session: Session, config: Configuration, subject: Subject, before: ClassificationRow, actor: str
) -> Saved:
    """A person's decision is undone: the message waits for review as before, and its tasks are withdrawn.

    before: what was found out about the message until then.
    """
    work.set_classification(session, {
        "id": subject.id, "status": MessageStatus.NEEDS_REVIEW, "reason": before.review_reason, "category_id": None,
        "priority": before.priority, "sentiment": before.sentiment, "language": before.language,
        "confidence": before.confidence, "title": "",
    })  # fmt: skip
    withdrawn = revision.withdraw(session, config.workspace.id, subject.id, keep=[])
    revision.leave(session, subject.id, joined=[])
    undone = Classification(None, Priority(before.priority), Source.PERSON, reason=TAKEN_BACK)
    decision = Decision(subject, undone, MessageStatus.NEEDS_REVIEW, before.review_reason)
    bulk.insert(session, ClassificationRow, [_classification_row(config, decision, actor)])
    inbox.record(
        session, config.workspace.id, [{"message_id": subject.id, "actor": actor, "event": "taken_back", "data": {}}]
    )
    events.announce(session, config, events.of_decisions([decision], actor))
    return Saved(waiting=withdrawn)


def _decided(
    session: Session, config: Configuration, subjects: list[Subject], results: list[Classification]
) -> list[Decision]:
    """Decide in order of arrival, so that the second message of a burst sees the task of the first."""
    window = timedelta(minutes=config.workspace.join_window_min)
    conversations = {subject.conversation_id for subject in subjects}
    open_tasks: dict[UUID, list[OpenTask]] = work.open_tasks(session, conversations, window) if window else {}
    decisions = []
    for subject, result in zip(subjects, results, strict=True):
        mine = open_tasks.setdefault(subject.conversation_id, [])
        of_others = [task for task in mine if task.id != work.task_id(subject.id, task.route_key)]
        decision = decide(config, subject, result, of_others)
        decisions.append(decision)
        if window:
            mine[:0] = [
                OpenTask(_task_id(subject.id, route), route.key, result.category) for route in decision.plan.create
            ]
    return decisions


def _write(
    session: Session, config: Configuration, decisions: list[Decision], actor: str, claim: bool = True
) -> dict[UUID, Saved]:
    workspace_id = config.workspace.id
    bulk.insert(session, ClassificationRow, [_classification_row(config, d, actor) for d in decisions])
    tasks, deliveries, joined = [], [], []
    for decision in decisions:
        for route in decision.plan.create:
            task = task_row(config, decision, route)
            tasks.append(task)
            deliveries.extend(_delivery_rows(config, task, claim))
        joined.extend({"task_id": task.id, "message_id": decision.subject.id, "workspace_id": workspace_id}
                      for task in decision.plan.join)  # fmt: skip
    new = {row.id for row in bulk.insert_new(session, Task, tasks, "id")}
    deliveries = [row for row in deliveries if row["task_id"] in new]
    bulk.insert(session, Delivery, deliveries)
    bulk.insert(session, TaskMessage, joined, "on conflict do nothing")
    comments = work.add_comments(session, workspace_id, [(row["task_id"], row["message_id"]) for row in joined])
    work.add_tags(session, [{"message_id": d.subject.id, "tag": tag} for d in decisions for tag in d.result.tags])
    claimed = work.begin_attempts(session, [row for row in deliveries if row["lease_token"]])
    inbox.record(session, workspace_id, [entry for d in decisions for entry in _timeline(d, actor)])
    events.announce(session, config, events.of_decisions(decisions, actor))
    events.announce(
        session, config, events.of_tasks((task for task in tasks if task["id"] in new), config.category_keys)
    )
    return {d.subject.id: _saved(d.subject.id, claimed, deliveries, comments) for d in decisions}


def _saved(
    message_id: UUID, claimed: list[Claimed], deliveries: list[dict], comments: list[tuple[UUID, UUID]]
) -> Saved:
    return Saved(
        [one for one in claimed if one.message_id == message_id],
        [row["id"] for row in deliveries if row["message_id"] == message_id and row["lease_token"] is None]
        + [id_ for id_, of_message in comments if of_message == message_id],
    )


# ---- rows


def _task_id(message_id: UUID, route: Route) -> UUID:
    """The same for the same message and route, whoever plans it: a second plan cannot make a second task."""
    return work.task_id(message_id, route.key)


def _message_row(config: Configuration, decision: Decision) -> dict[str, Any]:
    result = decision.result
    return {
        "id": decision.subject.id, "status": decision.status, "reason": decision.reason,
        "category_id": config.category_ids.get(result.category or ""), "priority": result.priority,
        "sentiment": result.sentiment, "language": result.language or decision.subject.facts.language,
        "confidence": result.confidence, "title": _title(decision),
    }  # fmt: skip


def _classification_row(config: Configuration, decision: Decision, actor: str) -> dict[str, Any]:
    result = decision.result
    return {
        "workspace_id": config.workspace.id, "message_id": decision.subject.id, "at": now(), "actor": actor,
        "category_id": config.category_ids.get(result.category or ""), "priority": result.priority,
        "sentiment": result.sentiment, "language": result.language, "confidence": result.confidence,
        "source": result.source, "reason": result.reason, "review_reason": result.review_reason,
        "review_rate": result.review_rate, "steps": [_step(step) for step in result.steps],
        "input_tokens": result.input_tokens, "output_tokens": result.output_tokens, "cost_usd": result.cost_usd,
        "active_s": result.active_s,
    }  # fmt: skip


def _step(step) -> dict[str, Any]:
    return {
        "source": step.source, "answer": step.answer, "confidence": step.confidence, "reason": step.reason,
        "took_ms": round(step.took_ms, 1), "cost_usd": step.cost_usd, "detail": step.detail,
    }  # fmt: skip


def task_row(config: Configuration, decision: Decision, route: Route) -> dict[str, Any]:
    subject, result = decision.subject, decision.result
    category = config.categories_by_key[result.category]
    due_at = subject.received_at + timedelta(minutes=category.sla_min) if category.sla_min else None
    return {
        "id": _task_id(subject.id, route), "workspace_id": config.workspace.id, "message_id": subject.id,
        "conversation_id": subject.conversation_id, "category_id": config.category_ids[category.key],
        "route_key": route.key, "strategy": route.strategy,
        "destinations": [key for key in route.destinations if key in config.destinations],
        "title": _title(decision), "body": _body(config, decision, category.name), "priority": result.priority,
        "due_at": due_at, "created_at": now(), "last_message_at": now(),
    }  # fmt: skip


def _delivery_rows(config: Configuration, task: dict[str, Any], claim: bool) -> list[dict[str, Any]]:
    """Failover starts with the first destination, parallel with all. The first is claimed by the planning thread."""
    keys = task["destinations"] if task["strategy"] == Strategy.PARALLEL else task["destinations"][:1]
    return [
        work.delivery_row(task, config.destinations[key].id, DeliveryKind.CREATE, claim and position == 0, LEASE)
        for position, key in enumerate(keys)
    ]


def _usable(config: Configuration, route: Route) -> bool:
    return any(key in config.destinations for key in route.destinations)


def _title(decision: Decision) -> str:
    text = decision.result.title or " ".join(decision.subject.facts.text.split()) or "Message without text"
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1] + "…"


def _body(config: Configuration, decision: Decision, category_name: str) -> str:
    subject, result = decision.subject, decision.result
    return (
        f"{subject.facts.text}\n\n"
        f"Customer: {subject.contact_name}\n"
        f"Channel: {subject.facts.channel} ({subject.facts.bot}), conversation {subject.conversation_label}\n"
        f"Received: {subject.received_at:%Y-%m-%d %H:%M} UTC\n"
        f"Category: {result.category} ({category_name})\n"
        f"Priority: {result.priority}"
    )


def _timeline(decision: Decision, actor: str) -> list[dict[str, Any]]:
    result, message_id = decision.result, decision.subject.id
    classified = {
        "category": result.category, "source": result.source, "confidence": result.confidence,
        "reason": result.reason or result.review_reason,
    }  # fmt: skip
    if result.tags:
        classified["tags"] = list(result.tags)
    outcome: dict[str, Any] = {"reason": decision.reason}
    if decision.status is MessageStatus.ROUTED:
        outcome = {
            "routes": [route.key for route in decision.plan.create],
            "joined": [str(task.id) for task in decision.plan.join],
        }
    entries = [{"event": "classified", "data": classified}, {"event": str(decision.status), "data": outcome}]
    return [{"message_id": message_id, "actor": actor, **entry} for entry in entries]

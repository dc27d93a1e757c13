"""From stored webhook requests to classified, planned messages.

process(events)   parse -> contact, conversation, message (leased to this process), one transaction per batch
classify(message) on a thread: cascade -> one transaction with classification, task and deliveries -> deliver
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from uuid import UUID

from sqlmodel import Session

from app import metrics
from app.classify import cascade
from app.classify.language import detect
from app.db import inbox
from app.db.engine import in_workspace
from app.db.tables import Message, RawEvent
from app.db.tables.base import new_id, now
from app.db.tables.inbox import EventStatus
from app.domain import retry
from app.domain.classification import Classification, Priority, Source
from app.domain.conditions import Facts
from app.domain.errors import Malformed, TransientError
from app.domain.messages import IgnoreReason, InboundMessage, Parsed, RawRequest
from app.logs import log
from app.services import budget, configuration, delivery, learning, planning
from app.services.configuration import Configuration
from app.services.pool import LEASE, pool


@dataclass(frozen=True, slots=True)
class Leased:
    """A message this process works on. `token` proves the lease when the result is saved."""

    id: UUID
    workspace_id: UUID
    token: UUID
    conversation_id: UUID
    contact_name: str
    conversation_label: str
    kind: str
    tries: int
    received_at: datetime
    facts: Facts


def process(workspace_id: UUID, event_ids: Iterable[UUID]) -> None:
    """Turn received events into messages and hand these to the threads. Safe to run twice: a row is claimed once."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        learning.follow(session, workspace_id, config.workspace.settings)
        leased = _store(session, config, inbox.claim_events(session, list(event_ids)))
    _hand_over(leased, config)


def classify_again(workspace_id: UUID, message_ids: Iterable[UUID]) -> None:
    """Claim messages whose worker died or whose LLM was away, and classify them. Safe to run twice."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        learning.follow(session, workspace_id, config.workspace.settings)
        token = new_id()
        rows = inbox.claim_messages(session, list(message_ids), token, now() + LEASE)
        leased = [_leased(config, token, row) for row in rows]
    _hand_over(leased, config)


def _hand_over(leased: list[Leased], config: Configuration) -> None:
    if leased:
        pool().lease(Message, config.workspace.id, leased[0].token, [message.id for message in leased])
    for message in leased:
        pool().submit(classify, message, config)


def classify(message: Leased, config: Configuration) -> None:
    """Classify one message, plan its task and make the first delivery attempts."""
    try:
        try:
            result = cascade.classify(message.facts.text, message.facts, planning.cascade_config(config), message.kind)
        except TransientError as error:
            if (now() - message.received_at).total_seconds() < retry.LLM_PATIENCE_S:
                pool().writer.save(message.workspace_id, _postpone, (message, str(error)))
                return
            minutes = retry.LLM_PATIENCE_S / 60
            result = _for_a_person(message, f"For {minutes:.0f} minutes no LLM account answered: {error}")
        result = learning.with_check(result, message.id, config.workspace.settings)
        saved = pool().writer.save(message.workspace_id, planning.save, (message, result, config))
        _measure(result)
        budget.add(config, result.cost_usd)
        delivery.run(saved, config)
    finally:
        pool().release(Message, message.id)


def _measure(result: Classification) -> None:
    metrics.CLASSIFIED.labels(result.source or "nobody").inc()
    for step in result.steps:
        if step.source is Source.LLM:
            metrics.LLM_SECONDS.observe(step.took_ms / 1000)
    metrics.LLM_TOKENS.labels("in").inc(result.input_tokens)
    metrics.LLM_TOKENS.labels("out").inc(result.output_tokens)
    metrics.LLM_COST.inc(result.cost_usd)


def _for_a_person(message: Leased, why: str) -> Classification:
    return Classification(None, Priority.NORMAL, None, language=message.facts.language, review_reason=why)


def _postpone(session: Session, items: list[tuple[Leased, str]]) -> list[None]:
    """Nobody could answer just now: leave the messages as they are, due again after a growing wait."""
    rows = [
        {"id": m.id, "token": m.token, "due": now() + timedelta(seconds=min(30, retry.backoff_s(m.tries + 1, random)))}
        for m, _ in items
    ]
    inbox.postpone_messages(session, rows)
    entries = [{"message_id": m.id, "event": "postponed", "data": {"reason": why}} for m, why in items]
    inbox.record(session, items[0][0].workspace_id, entries)
    return [None] * len(items)


# ---- storing a batch of events


def _store(session: Session, config: Configuration, events: list[RawEvent]) -> list[Leased]:
    outcomes, arrivals = [], []
    for event in events:
        status, reason, messages = _read(config, event)
        outcomes.append({"id": event.id, "status": status, "reason": reason})
        arrivals.extend((event, message) for message in messages)
    inbox.finish_events(session, outcomes)
    workspace_id = config.workspace.id
    inbox.mark_deleted(session, workspace_id, [(e.bot_id, m.external_key) for e, m in arrivals if m.is_delete])
    written = [(event, message) for event, message in arrivals if not message.is_delete]
    edited = inbox.apply_edits(session, workspace_id, [(e.bot_id, m) for e, m in written if m.is_edit])
    fresh = [_described(config, e, m) for e, m in written if not (m.is_edit and (e.bot_id, m.external_key) in edited)]
    token = new_id()
    return [
        _leased(config, token, row) for row in inbox.add_messages(session, workspace_id, fresh, token, now() + LEASE)
    ]


def _described(config: Configuration, event: RawEvent, message: InboundMessage) -> inbox.Arrival:
    bot = config.bots[event.bot_id]
    return inbox.Arrival(event.bot_id, event.id, bot.channel, event.received_at, message, detect(message.text))


def _read(config: Configuration, event: RawEvent) -> tuple[EventStatus, str, tuple[InboundMessage, ...]]:
    bot = config.bots.get(event.bot_id)
    if bot is None:
        return EventStatus.FAILED, "its bot was deleted", ()
    request = RawRequest("POST", event.headers, event.body, event.query)
    try:
        parsed: Parsed = bot.adapter.parse(request)
    except Malformed as error:
        log.warning("event_malformed", event_id=str(event.id), error=str(error))
        return EventStatus.FAILED, str(error), ()
    if parsed.messages:
        return EventStatus.PROCESSED, "", parsed.messages
    return EventStatus.IGNORED, parsed.ignored or IgnoreReason.UNKNOWN, ()


def _leased(config: Configuration, token: UUID, row: inbox.StoredMessage) -> Leased:
    bot = config.bots.get(row.bot_id)
    facts = Facts(
        text=row.text,
        channel=row.channel,
        bot=bot.key if bot else "",
        received_at=row.received_at,
        language=row.language,
        contact_tags=frozenset(row.contact_tags),
        has_attachment=row.has_attachment,
        timezone=config.workspace.timezone,
    )
    return Leased(
        row.id, config.workspace.id, token, row.conversation_id, row.contact_name, row.conversation_label, row.kind,
        row.tries, row.received_at, facts,
    )  # fmt: skip

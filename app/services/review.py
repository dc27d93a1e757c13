"""What a person decides about messages: confirm or correct, and what waits for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.engine import in_workspace
from app.db.tables import Classification as ClassificationRow
from app.domain.classification import Classification, Priority, Sentiment, Source
from app.domain.conditions import Facts
from app.domain.errors import InvalidInput
from app.domain.lifecycle import MessageStatus, advance
from app.services import configuration, delivery, planning
from app.services.members import Actor, Role, require
from app.services.planning import Subject

IGNORED_BY_PERSON = "nothing to do"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message nobody was sure about, with what the machine thought."""

    id: UUID
    text: str
    channel: str
    contact_name: str
    received_at: datetime
    suggestion: str | None
    confidence: float | None
    priority: str | None
    sentiment: str | None
    reason: str


def waiting(workspace_id: UUID, limit: int = 20) -> list[Waiting]:
    """Oldest first."""
    with in_workspace(workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            select m.id, m.text, m.channel, coalesce(nullif(c.name, ''), c.external_id) as contact_name, m.received_at,
                   (select step->>'answer' from classification k, jsonb_array_elements(k.steps) step
                    where k.message_id = m.id and step->>'answer' is not null order by k.id desc limit 1) as suggestion,
                   m.confidence, m.priority, m.sentiment, m.status_reason as reason
            from message m join contact c on c.id = m.contact_id
            where m.workspace_id = %(workspace)s and m.status = 'needs_review' order by m.id limit %(limit)s""",
            {"workspace": workspace_id, "limit": limit})  # fmt: skip
        return [Waiting(**row._mapping) for row in rows]


def count(workspace_id: UUID) -> int:
    with in_workspace(workspace_id) as session:
        sql = "select count(*) from message where workspace_id = %(workspace)s and status = 'needs_review'"
        return session.connection().exec_driver_sql(sql, {"workspace": workspace_id}).scalar_one()


def decide(
    actor: Actor,
    message_id: UUID,
    category: str | None,
    priority: Priority | None = None,
    sentiment: Sentiment | None = None,
) -> MessageStatus:
    """A person's word on a message; it resumes at planning. `category` None: nothing is to be done about it.

    Raises InvalidInput when the category is unknown, or the message is in no state to be decided on.
    """
    require(actor, Role.AGENT)
    with in_workspace(actor.workspace_id) as session:
        config = configuration.current(actor.workspace_id, session)
        subject, status = locked(session, config, message_id)
        advance(status, MessageStatus.IGNORED if category is None else MessageStatus.CLASSIFIED)
        saved = planning.carry_out(
            session, config, subject, _result(config, category, priority, sentiment), actor.email
        )
    delivery.run(saved, config)
    with in_workspace(actor.workspace_id) as session:
        sql = "select status from message where id = %(id)s"
        return MessageStatus(session.connection().exec_driver_sql(sql, {"id": message_id}).scalar_one())


def take_back(actor: Actor, message_id: UUID) -> None:
    """Undo one's own decision: the message waits again, and the task that was made is withdrawn at its destination.

    Raises InvalidInput when it is not the actor's, or somebody decided on the message after it.
    """
    require(actor, Role.AGENT)
    with in_workspace(actor.workspace_id) as session:
        config = configuration.current(actor.workspace_id, session)
        subject, status = locked(session, config, message_id)
        newest = session.exec(
            select(ClassificationRow).where(ClassificationRow.message_id == message_id)
            .order_by(col(ClassificationRow.id).desc()).limit(2)
        ).all()  # fmt: skip
        mine = len(newest) == 2 and newest[0].actor == actor.email and newest[1].category_id is None
        if not mine or status is MessageStatus.NEEDS_REVIEW:
            raise InvalidInput("This is not the last decision on the message any more. Open the message to change it.")
        advance(status, MessageStatus.NEEDS_REVIEW)
        saved = planning.take_back(session, config, subject, newest[1], actor.email)
    delivery.run(saved, config)


def _result(config, category: str | None, priority: Priority | None, sentiment: Sentiment | None) -> Classification:
    if category is None:
        return Classification(
            None, priority or Priority.NORMAL, Source.PERSON, 1.0, sentiment, ignore_reason=IGNORED_BY_PERSON
        )
    known = config.categories_by_key.get(category)
    if known is None:
        raise InvalidInput(f"There is no category '{category}' any more. Choose another.", "category")
    return Classification(
        category, priority or known.priority, Source.PERSON, 1.0, sentiment, reason="decided by a person"
    )


def locked(session: Session, config: configuration.Configuration, message_id: UUID) -> tuple[Subject, MessageStatus]:
    row = session.connection().exec_driver_sql("""
        select m.*, coalesce(nullif(c.name, ''), c.external_id) as contact_name, c.tags as contact_tags,
               v.external_id as conversation_label,
               exists (select from attachment a where a.message_id = m.id) as has_attachment
        from message m join contact c on c.id = m.contact_id join conversation v on v.id = m.conversation_id
        where m.id = %(id)s for update of m""", {"id": message_id}).one_or_none()  # fmt: skip
    if row is None:
        raise InvalidInput("The message does not exist any more.", "message")
    bot = config.bots.get(row.bot_id)
    facts = Facts(
        text=row.text, channel=row.channel, bot=bot.key if bot else "", received_at=row.received_at,
        language=row.language, contact_tags=frozenset(row.contact_tags), has_attachment=row.has_attachment,
        timezone=config.workspace.timezone,
    )  # fmt: skip
    subject = Subject(row.id, row.conversation_id, row.contact_name, row.conversation_label, row.received_at, facts)
    return subject, MessageStatus(row.status)

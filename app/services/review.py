"""What a person decides about messages: confirm or correct, and what waits for it."""

from dataclasses import replace
from uuid import UUID

from sqlmodel import Session, col, select

from app.db import review as store
from app.db.engine import in_workspace
from app.db.tables import Classification as ClassificationRow
from app.domain.classification import Classification, Priority, Sentiment, Source
from app.domain.conditions import Facts
from app.domain.errors import InvalidInput, NotFound
from app.domain.lifecycle import MessageStatus, advance
from app.services import configuration, delivery, planning
from app.services.members import Actor, Role, require
from app.services.planning import Subject

NOTHING_TO_DO, SPAM = "nothing to do", "spam"


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
    ignore_reason: str = NOTHING_TO_DO,
    active_s: float | None = None,
) -> MessageStatus:
    """A person's word on a message; it resumes at planning. `category` None: nothing is to be done about it.

    active_s: seconds the person looked at it. Raises InvalidInput when the category is unknown, IllegalStep when the
    message is in no state to be decided on.
    """
    require(actor, Role.AGENT)
    with in_workspace(actor.workspace_id) as session:
        config = configuration.current(actor.workspace_id, session)
        subject, status = locked(session, config, message_id)
        advance(status, MessageStatus.IGNORED if category is None else MessageStatus.CLASSIFIED)
        result = replace(_result(config, category, priority, sentiment, ignore_reason), active_s=active_s)
        saved = planning.carry_out(session, config, subject, result, actor.email)
        store.let_go(session, [message_id])
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


def _result(
    config, category: str | None, priority: Priority | None, sentiment: Sentiment | None, ignore_reason: str
) -> Classification:
    if category is None:
        return Classification(
            None, priority or Priority.NORMAL, Source.PERSON, 1.0, sentiment, ignore_reason=ignore_reason
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
        raise NotFound("The message does not exist any more.", "message")
    bot = config.bots.get(row.bot_id)
    facts = Facts(
        text=row.text, channel=row.channel, bot=bot.key if bot else "", received_at=row.received_at,
        language=row.language, contact_tags=frozenset(row.contact_tags), has_attachment=row.has_attachment,
        timezone=config.workspace.timezone,
    )  # fmt: skip
    subject = Subject(row.id, row.conversation_id, row.contact_name, row.conversation_label, row.received_at, facts)
    return subject, MessageStatus(row.status)

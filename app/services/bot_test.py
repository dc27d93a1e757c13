"""A message of one's own, sent by a bot: proof that its token may write, seen in the chat itself."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlmodel import select

from app.db.engine import in_workspace
from app.db.tables import Bot, Conversation
from app.domain.errors import InvalidInput
from app.services import audit, connections
from app.services.members import Actor, Role, require

LONGEST = 1000


class Chat(NamedTuple):
    """A conversation that can be written into, named by whoever wrote last."""

    id: UUID
    contact: str
    last_at: datetime


def chats(workspace_id: UUID, bot_id: UUID, most: int = 20) -> list[Chat]:
    """Newest first."""
    with in_workspace(workspace_id) as session:
        rows = session.connection().exec_driver_sql("""
            select distinct on (m.conversation_id) m.conversation_id as id,
                   coalesce(nullif(p.name, ''), p.external_id) as contact, m.received_at as last_at
            from (select * from message where workspace_id = %(workspace)s and bot_id = %(bot)s
                  order by id desc limit 500) m join contact p on p.id = m.contact_id
            order by m.conversation_id, m.id desc""", {"workspace": workspace_id, "bot": bot_id})  # fmt: skip
        found = [Chat(**row._mapping) for row in rows]
    return sorted(found, key=lambda chat: chat.last_at, reverse=True)[:most]


def send(actor: Actor, bot_id: UUID, conversation_id: UUID, text: str) -> str:
    """Write `text` into a conversation; returns the channel's id of the message. Raises InvalidInput or RemoteError."""
    require(actor, Role.MANAGER)
    if not text.strip() or len(text) > LONGEST:
        raise InvalidInput(f"Write something of at most {LONGEST} characters.", "text")
    with in_workspace(actor.workspace_id) as session:
        bot = session.get(Bot, bot_id)
        chat = session.exec(
            select(Conversation).where(Conversation.id == conversation_id, Conversation.bot_id == bot_id)
        ).one_or_none()
    if bot is None or chat is None:
        raise InvalidInput("The bot or the conversation does not exist any more. Nothing was sent.")
    sent = connections.bot_adapter(bot).send(chat.chat_id, text.strip(), chat.thread_id, str(uuid4()))
    with in_workspace(actor.workspace_id) as session:
        audit.record(session, actor.email, actor.workspace_id, "send test message", "bot", bot.key)
    return sent

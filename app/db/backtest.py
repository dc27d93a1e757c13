"""Past messages, with what language models said about them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel import Session


def messages(session: Session, workspace_id: UUID, since: UUID, most: int) -> Iterable[Any]:
    """The newest whose words are still there, newest first. Rows of id, text, kind, channel, bot, received_at, tags,
    attached, and llm_steps: those of the newest classification that asked a language model; None where none was.
    """
    return session.connection().exec_driver_sql("""
        select m.id, m.text, m.kind, m.channel, b.key as bot, m.received_at, p.tags,
               exists (select from attachment a where a.message_id = m.id) as attached, k.llm_steps
        from (select * from message where workspace_id = %(workspace)s and id >= %(since)s and cleared_at is null
              order by id desc limit %(most)s) m
        join bot b on b.id = m.bot_id join contact p on p.id = m.contact_id
        left join lateral (
            select jsonb_path_query_array(steps, '$[*] ? (@.source == "llm")') as llm_steps from classification c
            where c.message_id = m.id and c.steps @> '[{"source": "llm"}]' order by c.id desc limit 1) k on true
        order by m.id desc""",
        {"workspace": workspace_id, "since": since, "most": most}).all()  # fmt: skip

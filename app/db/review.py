"""The queue of messages that wait for a person. In the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db import bulk
from app.db.tables.base import now
from app.domain.classification import TAKEN_BACK
from app.domain.review_order import Candidate

LOOKED_THROUGH = 400  # of the oldest that are free, when the next ones are chosen

_SUGGESTION = """(select step->>'answer' from jsonb_array_elements(k.steps) with ordinality as s(step, place)
                  where step->>'answer' is not null order by place desc limit 1)"""
_NEWEST = """left join lateral (select steps, review_rate from classification
                                where message_id = m.id order by id desc limit 1) k on true"""


def candidates(session: Session, workspace_id: UUID, person_id: UUID) -> list[Candidate]:
    """What this person may take: free, or theirs already. The oldest 400."""
    rows = session.connection().exec_driver_sql(
        f"""
        select m.id, m.received_at, {_SUGGESTION} as suggestion, m.confidence, m.priority,
               coalesce(k.review_rate, 1) < 1 as is_check, coalesce(h.asked_by, '') <> '' as asked,
               coalesce(h.skipped, 0) as skipped
        from message m left join review_hold h on h.message_id = m.id {_NEWEST}
        where m.workspace_id = %(workspace)s and m.status = 'needs_review'
        and (h.message_id is null or h.person_id = %(person)s or h.until < now())
        order by m.id limit {LOOKED_THROUGH}""",
        {"workspace": workspace_id, "person": person_id},
    )
    return [Candidate(**row._mapping) for row in rows]


def hold(session: Session, workspace_id: UUID, person_id: UUID, ids: Sequence[UUID], lasts: timedelta) -> set[UUID]:
    """Take messages in hand; returns those that are the person's now."""
    rows = session.connection().exec_driver_sql("""
        insert into review_hold (message_id, workspace_id, person_id, until, asked_by, note, skipped)
        select id, %(workspace)s, %(person)s, %(until)s, '', '', 0 from unnest(%(ids)s::uuid[]) as id
        on conflict (message_id) do update set until = excluded.until, person_id = excluded.person_id,
            asked_by = case when review_hold.person_id = excluded.person_id then review_hold.asked_by else '' end
        where review_hold.person_id = excluded.person_id or review_hold.until < now()
        returning message_id""",
        {"workspace": workspace_id, "person": person_id, "until": now() + lasts, "ids": list(ids)})  # fmt: skip
    return set(rows.scalars())


def let_go(session: Session, ids: Iterable[UUID]) -> None:
    """Decided: nobody has them in hand any more."""
    session.connection().exec_driver_sql("delete from review_hold where message_id = any(%(ids)s)", {"ids": list(ids)})


def put_off(session: Session, message_id: UUID, note: str) -> None:
    """For others at once; for everybody behind the rest."""
    session.connection().exec_driver_sql("""
        update review_hold set until = now(), skipped = skipped + 1, asked_by = '',
            note = coalesce(nullif(%(note)s, ''), note)
        where message_id = %(id)s""", {"id": message_id, "note": note})  # fmt: skip


def hand_over(session: Session, message_id: UUID, to: UUID, asked_by: str, note: str, lasts: timedelta) -> None:
    session.connection().exec_driver_sql("""
        update review_hold set person_id = %(to)s, until = %(until)s, asked_by = %(by)s, note = %(note)s
        where message_id = %(id)s""",
        {"id": message_id, "to": to, "until": now() + lasts, "by": asked_by, "note": note})  # fmt: skip


def in_hand_of_others(session: Session, workspace_id: UUID, person_id: UUID) -> int:
    return session.connection().exec_driver_sql("""
        select count(*) from review_hold h join message m on m.id = h.message_id
        where h.workspace_id = %(workspace)s and h.person_id <> %(person)s and h.until >= now()
        and m.status = 'needs_review'""", {"workspace": workspace_id, "person": person_id}).scalar_one()  # fmt: skip


def items(session: Session, ids: Sequence[UUID], earlier: int) -> list[Any]:
    """Rows to show, in the order of `ids`; `earlier`: texts of the conversation before each, oldest first."""
    rows = session.connection().exec_driver_sql(
        f"""
        select m.id, m.text, m.channel, coalesce(nullif(p.name, ''), p.external_id) as contact, m.received_at,
               {_SUGGESTION} as suggestion, m.confidence, m.priority, m.sentiment, m.status_reason as reason, k.steps,
               coalesce(k.review_rate, 1) < 1 as is_check, coalesce(h.asked_by, '') as asked_by,
               coalesce(h.note, '') as note, coalesce(before.texts, '[]') as earlier,
               (select count(*) from attachment a where a.message_id = m.id) as attachments
        from message m join contact p on p.id = m.contact_id left join review_hold h on h.message_id = m.id {_NEWEST}
        left join lateral (
            select json_agg(e.text order by e.id) as texts from (
                select id, text from message o where o.conversation_id = m.conversation_id and o.id < m.id
                order by o.id desc limit {int(earlier)}) e) before on true
        where m.id = any(%(ids)s)""",
        {"ids": list(ids)},
    )
    found = {row.id: row for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def suggested(session: Session, workspace_id: UUID, person_id: UUID, category: str, most: int) -> list[Any]:
    """id, text, contact and confidence of what waits with this suggestion, the surest first; no random checks."""
    return (
        session.connection()
        .exec_driver_sql(
            f"""
        select * from (
            select m.id, m.text, coalesce(nullif(p.name, ''), p.external_id) as contact, m.confidence,
                   {_SUGGESTION} as suggestion
            from message m join contact p on p.id = m.contact_id
            left join review_hold h on h.message_id = m.id {_NEWEST}
            where m.workspace_id = %(workspace)s and m.status = 'needs_review' and coalesce(k.review_rate, 1) = 1
            and (h.message_id is null or h.person_id = %(person)s or h.until < now())) w
        where suggestion = %(category)s order by confidence desc nulls last, id limit {int(most)}""",
            {"workspace": workspace_id, "person": person_id, "category": category},
        )
        .all()
    )


def waiting_by_suggestion(session: Session, workspace_id: UUID) -> dict[str, int]:
    """By category's key: how many wait with it as the suggestion."""
    rows = session.connection().exec_driver_sql(
        f"""
        select suggestion, count(*) from (
            select {_SUGGESTION} as suggestion from message m {_NEWEST}
            where m.workspace_id = %(workspace)s and m.status = 'needs_review' and coalesce(k.review_rate, 1) = 1) w
        where suggestion is not null group by 1 order by 2 desc""",
        {"workspace": workspace_id},
    )
    return {row.suggestion: row.count for row in rows}


# ---- second looks

_DECIDED = """select k.id, k.actor, c.key as category, k.priority, k.sentiment from classification k
              left join category c on c.id = k.category_id
              where k.message_id = m.id and k.source = 'person' order by k.id desc limit 1"""


def for_a_second_look(
    session: Session, workspace_id: UUID, actor: str, first: UUID, share: float, most: int
) -> list[UUID]:
    """Messages others decided since `first`, picked by chance and not looked at twice yet.

    The last four hexadecimal digits of a UUIDv7 are random: every question picks the same messages.
    """
    rows = session.connection().exec_driver_sql(
        f"""
        select m.id from classification p join message m on m.id = p.message_id
        where p.workspace_id = %(workspace)s and p.source = 'person' and p.id >= %(first)s and p.actor <> %(actor)s
        and p.actor <> 'api' and ('x' || right(m.id::text, 4))::bit(16)::int < %(below)s
        and p.id = (select id from ({_DECIDED}) d) and p.reason <> '{TAKEN_BACK}'
        and not exists (select from second_look s where s.message_id = m.id)
        order by p.id desc limit %(most)s""",
        {"workspace": workspace_id, "first": first, "actor": actor, "below": round(share * 65536), "most": most},
    )
    return list(rows.scalars())


def save_second_look(
    session: Session, workspace_id: UUID, message_id: UUID, actor: str, second: dict[str, Any]
) -> bool:
    """Keep it beside the decision there is. False: somebody was quicker, or there is none by another person."""
    return bool(
        session.connection()
        .exec_driver_sql(
            f"""
        insert into second_look (message_id, workspace_id, at, first_actor, second_actor, first, second)
        select m.id, m.workspace_id, now(), d.actor, %(actor)s::text, jsonb_build_object(
                   'category', d.category, 'priority', d.priority, 'sentiment', d.sentiment), %(second)s::jsonb
        from message m, lateral ({_DECIDED}) d
        where m.id = %(id)s and m.workspace_id = %(workspace)s and d.actor <> %(actor)s
        on conflict do nothing""",
            {"id": message_id, "workspace": workspace_id, "actor": actor, "second": bulk.as_json(second)},
        )
        .rowcount
    )


def second_looks(session: Session, workspace_id: UUID, most: int) -> list[Any]:
    """Rows of first and second, newest first."""
    return session.connection().exec_driver_sql("""
        select first, second from second_look where workspace_id = %(workspace)s order by at desc limit %(most)s""",
        {"workspace": workspace_id, "most": most}).all()  # fmt: skip

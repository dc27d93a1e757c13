"""What persons decided, as the local model needs it, and the versions of that model. In the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from app.db.tables import ModelVersion, Workspace
from app.domain.classification import TAKEN_BACK

FIRST = UUID(int=0)
WATCHED = 200  # random checks


@dataclass(frozen=True, slots=True)
class Decision:
    """A message and what was decided about it. category: None where there was nothing to do, or it was taken back."""

    id: UUID
    message_id: UUID
    text: str
    category: str | None
    source: str
    taken_back: bool
    priority: str | None
    sentiment: str | None


@dataclass(frozen=True, slots=True)
class Version:
    id: UUID
    thresholds: dict[str, Any]
    learnt_until: UUID | None


@dataclass(frozen=True, slots=True)
class Check:
    """A random check of an answer the model would have given alone, and what the person said."""

    answer: str
    probability: float
    raw: float
    decided: str | None
    review_rate: float


_DECISION = f"""
    select k.id, k.message_id, m.text, c.key as category, k.source, k.reason = '{TAKEN_BACK}' as taken_back,
           k.priority, k.sentiment
    from classification k join message m on m.id = k.message_id
    left join category c on c.id = k.category_id and c.archived_at is null
    where k.workspace_id = %(workspace)s and m.cleared_at is null and """  # noqa: S608  a constant


def may_fit(session: Session, workspace_id: UUID) -> bool:
    """Whether no other process is fitting this workspace's model; from now to the end of the transaction none will."""
    return (
        session.connection()
        .exec_driver_sql("select pg_try_advisory_xact_lock(hashtextextended(%(id)s, 1))", {"id": str(workspace_id)})
        .scalar_one()
    )


def corrections(session: Session, workspace_id: UUID, after: UUID, most: int) -> list[Decision]:
    """What persons decided after the decision `after`, oldest first; of more than `most` the newest."""
    sql = f"{_DECISION} k.source = 'person' and k.id > %(after)s order by k.id desc limit {most}"
    return _decisions(session, sql, workspace=workspace_id, after=after)[::-1]


def unreviewed(session: Session, workspace_id: UUID, most: int) -> list[Decision]:
    """The newest answers of the LLM that nobody looked at."""
    sql = f"""{_DECISION} k.source = 'llm' and c.key is not null
        and not exists (select from classification p where p.message_id = k.message_id and p.source = 'person')
        order by k.id desc limit {most}"""
    return _decisions(session, sql, workspace=workspace_id)


def _decisions(session: Session, sql: str, **values: Any) -> list[Decision]:
    return [Decision(**row._mapping) for row in session.connection().exec_driver_sql(sql, values)]


def count_categories(session: Session, workspace_id: UUID) -> int:
    query = "select count(*) from category where workspace_id = %(id)s and archived_at is null"
    return session.connection().exec_driver_sql(query, {"id": workspace_id}).scalar_one()


def count_corrections(session: Session, workspace_id: UUID, until: UUID | None) -> tuple[int, int]:
    """(after `until`, up to it)."""
    row = session.connection().exec_driver_sql("""
        select count(*) filter (where id > %(until)s), count(*) filter (where id <= %(until)s)
        from classification where workspace_id = %(workspace)s and source = 'person'""",
        {"workspace": workspace_id, "until": until or FIRST}).one()  # fmt: skip
    return row[0], row[1]


def review_rates(session: Session, workspace_id: UUID, most: int) -> dict[UUID, float]:
    """By message: how likely it was that a person would look at it, of the newest a person did look at."""
    rows = session.connection().exec_driver_sql("""
        select p.message_id, k.review_rate
        from (select message_id, id from classification
              where workspace_id = %(workspace)s and source = 'person' order by id desc limit %(most)s) p
        join classification k on k.message_id = p.message_id and k.id < p.id and k.review_rate is not null""",
        {"workspace": workspace_id, "most": most})  # fmt: skip
    return {row.message_id: row.review_rate for row in rows}


def checks(session: Session, workspace_id: UUID) -> list[Check]:
    """The newest 200 random checks of answers the model would have given alone, oldest first."""
    rows = session.connection().exec_driver_sql(f"""
        select s.step->>'answer' as answer, (s.step->>'confidence')::float as probability,
               (s.step->'detail'->>'raw')::float as raw, p.key as decided, k.review_rate
        from classification k
        join lateral (select step from jsonb_array_elements(k.steps) step
                      where step->>'source' = 'local' and (step->'detail'->>'stands')::bool limit 1) s on true
        join lateral (select d.id, d.reason, c.key from classification d left join category c on c.id = d.category_id
                      where d.message_id = k.message_id and d.source = 'person' order by d.id desc limit 1) p on true
        where p.reason <> '{TAKEN_BACK}' and k.workspace_id = %(workspace)s and k.source is null and k.review_rate < 1
        order by k.id desc limit {WATCHED}""", {"workspace": workspace_id})  # noqa: S608  a constant  # fmt: skip
    return [Check(**row._mapping) for row in rows][::-1]


def judged(session: Session, workspace_id: UUID, since: UUID, most: int) -> list[Any]:
    """The newest messages a person decided whose look was certain or left to chance; oldest first. Rows of id (of the
    decision), message_id, at, machine, confidence, decided and stands_for.

    The machine's word is the first one it had. Who corrects an answer unasked chose it because it is wrong: such
    messages would make the figures darker than the traffic is.
    """
    return session.connection().exec_driver_sql("""
        with newest as (
            select distinct on (message_id) id, at, message_id, category_id, reason
            from (select * from classification where workspace_id = %(workspace)s and source = 'person'
                  and id >= %(since)s order by id desc limit %(most)s) d
            order by message_id, id desc)
        select n.id, n.message_id, n.at, g.step->>'answer' as machine, (g.step->>'confidence')::float as confidence,
               c.key as decided, 1 / k.review_rate as stands_for
        from newest n
        join lateral (select steps, review_rate from classification o where o.message_id = n.message_id
                      and o.id < n.id and o.review_rate > 0 order by o.id limit 1) k on true
        left join lateral (select step from jsonb_array_elements(k.steps) with ordinality s(step, place)
                           where step->>'answer' is not null order by place desc limit 1) g on true
        left join category c on c.id = n.category_id
        where n.reason <> %(taken_back)s order by n.id""",
        {"workspace": workspace_id, "since": since, "most": most, "taken_back": TAKEN_BACK}).all()  # fmt: skip


def texts(session: Session, message_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Of messages that are gone, nothing."""
    rows = session.connection().exec_driver_sql(
        "select id, text from message where id = any(%(ids)s)", {"ids": list(message_ids)}
    )
    return {row.id: row.text for row in rows}


def decided_per_day(session: Session, workspace_id: UUID, since: UUID, zone: str) -> list[Any]:
    """Rows of day, source (`person`: nobody was sure), messages, asked (of an LLM) and spent_usd."""
    return session.connection().exec_driver_sql("""
        select (at at time zone %(zone)s)::date as day, coalesce(source, 'person') as source, count(*) as messages,
               count(*) filter (where input_tokens > 0) as asked, coalesce(sum(cost_usd), 0) as spent_usd
        from classification where workspace_id = %(workspace)s and id >= %(since)s and actor = 'worker'
        group by 1, 2""", {"workspace": workspace_id, "since": since, "zone": zone}).all()  # fmt: skip


def median_seconds(session: Session, workspace_id: UUID, since: UUID) -> float | None:
    """Seconds a person looked at a message before deciding."""
    return session.connection().exec_driver_sql("""
        select percentile_cont(0.5) within group (order by active_s) from classification
        where workspace_id = %(workspace)s and source = 'person' and id >= %(since)s and active_s is not null""",
        {"workspace": workspace_id, "since": since}).scalar()  # fmt: skip


# ---- versions


def current_version(session: Session, workspace_id: UUID) -> Version | None:
    row = session.connection().exec_driver_sql(
        "select id, thresholds, learnt_until from model_version where workspace_id = %(id)s and is_current",
        {"id": workspace_id},
    ).one_or_none()  # fmt: skip
    return Version(**row._mapping) if row else None


def weights(session: Session, version_id: UUID) -> bytes:
    return session.exec(select(ModelVersion.weights).where(ModelVersion.id == version_id)).one()


def versions(session: Session, workspace_id: UUID) -> list[ModelVersion]:
    return list(session.exec(
        select(ModelVersion).where(ModelVersion.workspace_id == workspace_id).order_by(col(ModelVersion.id).desc())
    ))  # fmt: skip


def add_version(session: Session, version: ModelVersion, kept: int) -> None:
    """Make it the current one; the oldest beyond `kept` are deleted."""
    _nothing_current(session, version.workspace_id)
    session.add(version)
    session.flush()
    old = [row.id for row in versions(session, version.workspace_id)[kept:]]
    session.exec(delete(ModelVersion).where(col(ModelVersion.id).in_(old)))


def make_current(session: Session, workspace_id: UUID, version_id: UUID) -> bool:
    """False: there is no such version any more."""
    _nothing_current(session, workspace_id)
    mine = (ModelVersion.workspace_id == workspace_id) & (ModelVersion.id == version_id)
    return session.exec(update(ModelVersion).where(mine).values(is_current=True)).rowcount == 1


def set_thresholds(session: Session, version_id: UUID, thresholds: dict[str, Any]) -> None:
    session.exec(update(ModelVersion).where(col(ModelVersion.id) == version_id).values(thresholds=thresholds))


def _nothing_current(session: Session, workspace_id: UUID) -> None:
    mine = (ModelVersion.workspace_id == workspace_id) & col(ModelVersion.is_current)
    session.exec(update(ModelVersion).where(mine).values(is_current=False))


# ---- settings


def erased_since_fitting(session: Session, workspace_id: UUID) -> bool:
    """Whether messages were erased after the current model was fitted, which may have learnt from them."""
    return session.connection().exec_driver_sql("""
        select exists (select from model_version v join contact c on c.workspace_id = v.workspace_id
                       where v.workspace_id = %(id)s and v.is_current and c.erasure_asked_at > v.created_at)""",
        {"id": workspace_id}).scalar_one()  # fmt: skip


def settings(session: Session, workspace_id: UUID) -> dict[str, Any]:
    return session.exec(select(Workspace.settings).where(Workspace.id == workspace_id)).one()


def save_settings(session: Session, workspace_id: UUID, changed: dict[str, Any]) -> None:
    """The workers see it with the next batch."""
    session.exec(update(Workspace).where(col(Workspace.id) == workspace_id).values(
        settings=changed, config_version=Workspace.config_version + 1
    ))  # fmt: skip


def with_something_new(session: Session) -> list[UUID]:
    """Workspaces in which a person decided something the current model does not know from its fitting, or whose
    imported tickets are not those the newest model was fitted on.
    """
    rows = session.connection().exec_driver_sql("""
        select w.id from workspace w
        left join model_version v on v.workspace_id = w.id and v.is_current
        where exists (select from classification k where k.workspace_id = w.id and k.source = 'person'
                      and k.id > coalesce(v.learnt_until, '00000000-0000-0000-0000-000000000000'))
        or coalesce((select jsonb_agg(i.id::text order by i.id::text) from example_import i
                     where i.workspace_id = w.id), '[]')
           <> coalesce((select n.imports from model_version n where n.workspace_id = w.id
                        order by n.id desc limit 1), '[]')""")
    return list(rows.scalars())

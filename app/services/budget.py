"""What a workspace's LLM accounts may cost in a calendar month. Once it is spent, doubtful messages wait for a person.

The sum stands in Redis, where all workers add to it; lost with Redis, it is counted again from the classifications.
"""

import time
from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from redis import RedisError

from app.db import learning as store
from app.db import releases
from app.db.engine import in_workspace
from app.db.tables.base import first_id_at, now
from app.domain.errors import InvalidInput
from app.enqueue import redis
from app.logs import log
from app.services import audit
from app.services.configuration import Configuration
from app.services.members import Actor, Role, require

KEPT_S = 40 * 86400
READ_EVERY_S = 5.0  # so much is spent over the budget at most
SPENT = (
    "This month's budget of ${budget:,.2f} for language models is spent. What rules and the local model do not decide "
    "waits here until the month ends or a manager raises the budget."
)


def limit(settings: dict) -> float | None:
    """US dollars a month; None: no limit. settings: the workspace's."""
    return settings.get("classify", {}).get("budget_usd")


def save(actor: Actor, budget_usd: float | None) -> None:
    require(actor, Role.MANAGER)
    if budget_usd is not None and budget_usd < 0:
        raise InvalidInput("A budget is 0 or more US dollars a month, or empty for no limit.", "budget_usd")
    with in_workspace(actor.workspace_id) as session:
        releases.lock(session, actor.workspace_id)
        before = store.settings(session, actor.workspace_id)
        if limit(before) == budget_usd:
            return
        changed = before | {"classify": before.get("classify", {}) | {"budget_usd": budget_usd}}
        store.save_settings(session, actor.workspace_id, changed)
        audit.record(
            session, actor.email, actor.workspace_id, "change", "budget", "month",
            {"budget_usd": limit(before)}, {"budget_usd": budget_usd},
        )  # fmt: skip


def why_not(config: Configuration) -> str:
    """Why no LLM may be asked just now; empty: it may."""
    budget = limit(config.workspace.settings)
    if budget is None or _seen(config.workspace.id, config.workspace.timezone) < budget:
        return ""
    return SPENT.format(budget=budget)


def add(config: Configuration, cost_usd: float) -> None:
    """Called after each question that cost something."""
    if limit(config.workspace.settings) is None or not cost_usd:
        return
    key = _key(config.workspace.id, config.workspace.timezone)
    try:
        if redis().exists(key):
            redis().incrbyfloat(key, cost_usd)
    except RedisError as error:
        log.warning("budget_not_added", error=str(error), next_step="counted again when Redis answers")


def spent(workspace_id: UUID, zone: str) -> float:
    """US dollars this calendar month."""
    key = _key(workspace_id, zone)
    try:
        kept = redis().get(key)
        if kept is not None:
            return float(kept)
        counted = _counted(workspace_id, zone)
        redis().set(key, counted, ex=KEPT_S, nx=True)
        return counted
    except RedisError:
        return _counted(workspace_id, zone)


def _counted(workspace_id: UUID, zone: str) -> float:
    with in_workspace(workspace_id) as session:
        return float(session.connection().exec_driver_sql("""
            select coalesce(sum(cost_usd), 0) from classification
            where workspace_id = %(workspace)s and id >= %(first)s""",
            {"workspace": workspace_id, "first": first_id_at(_month(zone))}).scalar_one())  # fmt: skip


def _seen(workspace_id: UUID, zone: str) -> float:
    read = _read(workspace_id)
    if time.monotonic() - read.get("at", -READ_EVERY_S) >= READ_EVERY_S:
        read |= {"usd": spent(workspace_id, zone), "at": time.monotonic()}
    return read["usd"]


@cache
def _read(workspace_id: UUID) -> dict[str, float]:
    return {}


def _month(zone: str) -> datetime:
    return now().astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _key(workspace_id: UUID, zone: str) -> str:
    return f"budget:{workspace_id}:{_month(zone):%Y-%m}"

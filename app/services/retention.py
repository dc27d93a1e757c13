"""How long a workspace keeps what, and the erasure of one contact. Both delete for good."""

import math
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from redis import RedisError

from app import enqueue
from app.db import learning as store
from app.db import retention as rows
from app.db.engine import in_system, in_workspace
from app.db.retention import DataClass, Found
from app.db.tables.base import now
from app.domain.errors import InvalidInput, NotFound
from app.logs import log
from app.services import audit
from app.services.members import Actor, Role, require

Limits = Mapping[str, int | None]  # days, by class of data; None or absent: for ever

LONGEST_DAYS = 3650
SHORTEST_DAYS = {DataClass.AUDIT: 30}  # so that nobody covers their tracks within a month; 1 for all others
BATCH, MOST_BATCHES = 1000, 20  # of one class in one run: the rest waits for the next one
RUN_S = 10.0  # in all workspaces together: the worker has messages to process
MOST_COUNTED = 50_000
MOST_FOUND, MOST_ADDRESSES = 20, 50
ACTOR = "retention"


@dataclass(frozen=True, slots=True)
class Erased:
    """messages: erased now. waiting: some wait for a task that is just being sent; they follow by themselves."""

    messages: int
    waiting: bool


# ---- how long


def settings(workspace_id: UUID) -> dict[str, int | None]:
    """Days each class is kept; None: for ever, which is the default."""
    with in_workspace(workspace_id) as session:
        return _limits(store.settings(session, workspace_id))


def would_delete(workspace_id: UUID, limits: Limits) -> dict[DataClass, int]:
    """How many rows a change of the limits would cost, counted up to 50,000."""
    checked = _checked(limits)
    with in_workspace(workspace_id) as session:
        return {
            data: rows.count(session, workspace_id, data, _until(kept), MOST_COUNTED)
            for data in DataClass
            if (kept := checked[data]) is not None
        }


def save(actor: Actor, limits: Limits) -> None:
    """Raises InvalidInput naming the class. What is too old goes with the next runs, within the hour."""
    require(actor, Role.OWNER)
    checked = _checked(limits)
    with in_workspace(actor.workspace_id) as session:
        stored = store.settings(session, actor.workspace_id)
        before = _limits(stored)
        if before == checked:
            return
        set_ = {data: kept for data, kept in checked.items() if kept is not None}
        others = {name: value for name, value in stored.items() if name != "retention"}
        store.save_settings(session, actor.workspace_id, others | ({"retention": set_} if set_ else {}))
        audit.record(session, actor.email, actor.workspace_id, "change", "retention", "days", before, checked)


def _limits(stored: dict) -> dict[str, int | None]:
    return {str(data): stored.get("retention", {}).get(data) for data in DataClass}


def _checked(limits: Limits) -> dict[str, int | None]:
    for data in DataClass:
        shortest, kept = SHORTEST_DAYS.get(data, 1), limits.get(data)
        if kept is not None and not shortest <= kept <= LONGEST_DAYS:
            raise InvalidInput(f"Keep this for {shortest} to {LONGEST_DAYS} days, or leave it empty for ever.", data)
    return {str(data): limits.get(data) for data in DataClass}


def _until(days: int) -> datetime:
    return now() - timedelta(days=days)


# ---- one contact


def find_contacts(workspace_id: UUID, words: str) -> list[Found]:
    """Contacts whose name begins like this, or whose id at the channel this is; at most 20."""
    if not words.strip():
        return []
    with in_system() as session:
        return rows.contacts(session, workspace_id, words.strip(), MOST_FOUND)


def contact_of(workspace_id: UUID, message_id: UUID) -> UUID | None:
    """Who wrote a message."""
    sql = "select contact_id from message where id = %(id)s"
    with in_workspace(workspace_id) as session:
        return session.connection().exec_driver_sql(sql, {"id": message_id}).scalar()


def about_contact(workspace_id: UUID, contact_id: UUID) -> tuple[Found, int, list[str]] | None:
    """The contact, how many messages are from them, and where their newest tasks stand at the vendors."""
    with in_workspace(workspace_id) as session:
        found = rows.contact(session, contact_id)
        if found is None:
            return None
        return found, rows.count_messages(session, contact_id), rows.task_addresses(session, contact_id, MOST_ADDRESSES)


def erase_contact(actor: Actor, contact_id: UUID) -> Erased:
    """Delete who the contact is and what they wrote. Tasks that exist stay at their vendors, and their refs here.

    What was not sent is cancelled; what is just being sent is erased when it has ended.
    """
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        if rows.contact(session, contact_id) is None:
            raise NotFound("There is no such contact any more. Nothing was erased.", "contact")
        messages = rows.count_messages(session, contact_id)
        rows.begin_erasure(session, contact_id)
        audit.record(
            session, actor.email, actor.workspace_id, "erase", "contact", str(contact_id), None, {"messages": messages}
        )
    erased = _erase(actor.workspace_id, contact_id, actor.email)
    return Erased(erased, erased < messages)


def _erase(workspace_id: UUID, contact_id: UUID, actor: str) -> int:
    """In batches: whoever has written a hundred thousand messages locks no table for long."""
    erased, last = 0, store.FIRST
    for _ in range(MOST_BATCHES):
        with in_workspace(workspace_id) as session:
            done, last = rows.erase_some(session, contact_id, actor, last, BATCH)
        erased += done
        if last is None:
            break
    with in_workspace(workspace_id) as session:
        rows.finish_erasure(session, contact_id)
    if erased:
        _forget(workspace_id)
    return erased


def _forget(workspace_id: UUID) -> None:
    """The model is fitted anew without the erased messages, and the workers drop what they remember of them."""
    try:
        enqueue.wake(enqueue.LEARN, {workspace_id: [workspace_id]})
    except RedisError as error:
        log.warning("wake_failed", error=str(error), next_step="the learner finds it when it is woken next")


# ---- by the clock


def run() -> Counter[str]:
    """Go on with erasures, and delete what is too old in every workspace; returns how many rows of each class."""
    with in_system() as session:
        limited, erasing = rows.with_limits(session), rows.being_erased(session)
    done: Counter[str] = Counter()
    for workspace_id, contact_id in erasing:
        done["erased"] += _erase(workspace_id, contact_id, ACTOR)
    random.shuffle(limited)  # when the time is up, it is another one's turn in the next run
    deadline = time.monotonic() + RUN_S
    for workspace_id in limited:
        done.update(delete_old(workspace_id, deadline))
    if any(done.values()):
        log.info("retention", **done)
    return done


def delete_old(workspace_id: UUID, deadline: float = math.inf) -> dict[str, int]:
    """Delete what is older than the workspace's limits, each class in batches up to a bound.

    deadline: by the monotonic clock; no batch is begun after it.
    """
    deleted: dict[str, int] = {}
    for data, kept in settings(workspace_id).items():
        if kept is None:
            continue
        deleted[data], until = 0, _until(kept)
        for _ in range(MOST_BATCHES):
            if time.monotonic() > deadline:
                return deleted
            with in_workspace(workspace_id) as session:
                batch = rows.delete_old(session, workspace_id, DataClass(data), until, BATCH)
            deleted[data] += batch
            if batch < BATCH:
                break
    return deleted

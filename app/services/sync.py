"""What becomes of a task at its destination comes back: status, assignee, comments; on the message's timeline.

notice    a vendor's webhook: a hint only, never believed
refresh   read the named tasks again
poll      by the clock, for whatever no webhook told: changes since the last poll, or open tasks one by one
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from app import enqueue
from app.db import inbox
from app.db import sync as store
from app.db.engine import in_system, in_workspace
from app.db.sync import GONE, Remote, SentAndFound
from app.db.tables import Destination
from app.db.tables.base import first_id_at, now
from app.domain.errors import OctopusError, RemoteError, TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, RemoteComment, TaskRef, TaskStatus
from app.logs import log
from app.services import changes, configuration, crm_hooks, events, limits, replies
from app.services.configuration import ConfiguredDestination
from connectors import registry

OVERLAP = timedelta(minutes=2)  # clocks differ, and vendors list changes late
FIRST_LOOK_BACK = timedelta(days=1)
ONE_BY_ONE = 20  # tasks read a poll where the vendor cannot list changes
RECONCILED_DAYS = 7


class UnknownDestination(OctopusError):
    """Nobody has this address."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of one remote task. ref None: it is gone. comments None: they were not read."""

    remote: Remote
    ref: TaskRef | None
    comments: list[RemoteComment] | None = None


# ---- hints


def notice(hook_key: str, request: RawRequest, at: float) -> Answer:
    """Take a vendor's webhook; the tasks it speaks of are read again by a worker.

    Raises UnknownDestination, BadSignature or Malformed. A lost hint costs time: `poll` finds the change.
    """
    with in_system() as session:
        row = session.exec(select(Destination).where(Destination.hook_key == hook_key)).first()
    if row is None:
        raise UnknownDestination
    with in_workspace(row.workspace_id) as session:
        destination = configuration.current(row.workspace_id, session).destinations_by_id.get(row.id)
    if destination is None or Capability.HOOK not in destination.module.Connector.CAN:
        raise UnknownDestination
    connector = destination.adapter
    connector.verify_hook(request, at)
    answer = connector.answer_hook(request)
    if answer.keep:
        crm_hooks.keep_handshake(row, answer.keep)
    try:
        refs = connector.changed(request) if answer.store else ()
    except RemoteError as error:  # some vendors must be asked which tasks they mean
        log.warning("notice_not_read", destination=destination.key, error=str(error), next_step="a poll at once")
        refs = ()
        enqueue.wake(enqueue.POLL, {row.workspace_id: [row.workspace_id]})
    with in_workspace(row.workspace_id) as session:
        store.save_state(session, row.workspace_id, row.id, last_notice_at=now())
        found = store.by_ref(session, row.id, refs)
    if found:
        enqueue.wake(enqueue.SYNC, {row.workspace_id: [remote.id for remote in found]})
    return answer


# ---- reading


def refresh(workspace_id: UUID, deliveries: Iterable[UUID]) -> None:
    """Read these remote tasks, and what was written on them. A vendor that fails is asked again by the next poll."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        remotes = store.by_id(session, deliveries)
    for remote in remotes:
        destination = config.destinations_by_id.get(remote.destination_id)
        if destination is not None:
            _read_and_save(destination, [remote])


def poll(workspace_id: UUID) -> None:
    """Ask each destination what changed since the last time."""
    with in_workspace(workspace_id) as session:
        config = configuration.current(workspace_id, session)
    known = registry.crm_keys()
    for destination in config.destinations.values():
        can = destination.module.Connector.CAN if destination.connector in known else frozenset()
        if Capability.CHANGES in can:
            _poll_changes(destination)
        elif Capability.STATUS in can:
            with in_workspace(workspace_id) as session:
                remotes = store.longest_unseen(session, destination.id, ONE_BY_ONE)
            _read_and_save(destination, remotes)


def wake_pollers() -> int:
    """Queue a poll of every workspace that has a destination; returns how many."""
    with in_system() as session:
        workspaces = session.exec(select(Destination.workspace_id).where(Destination.enabled).distinct()).all()
    for workspace_id in workspaces:
        enqueue.wake(enqueue.POLL, {workspace_id: [workspace_id]})
    return len(workspaces)


def _poll_changes(destination: ConfiguredDestination) -> None:
    begun = now()
    with in_workspace(destination.workspace_id) as session:
        until = store.polled_until(session, destination.id)
    try:
        limits.admit(destination)
        refs = list(destination.adapter.changes((until or begun - FIRST_LOOK_BACK) - OVERLAP))
    except RemoteError as error:
        _note_failure(destination, error)
        return
    by_id = {ref.id: ref for ref in refs}
    with in_workspace(destination.workspace_id) as session:
        remotes = store.by_ref(session, destination.id, by_id)
    fresh = [remote for remote in remotes if _differs(remote, by_id[remote.ref_id])]
    seen = [Seen(remote, by_id[remote.ref_id], _comments(destination, by_id[remote.ref_id])) for remote in fresh]
    with in_workspace(destination.workspace_id) as session:
        done = _save(session, destination, seen)
        store.save_state(session, destination.workspace_id, destination.id, changes_until=begun, last_error="")
    replies.wake(destination.workspace_id, done)


def _read_and_save(destination: ConfiguredDestination, remotes: list[Remote]) -> None:
    seen = []
    try:
        for remote in remotes:
            limits.admit(destination)
            seen.append(_read(destination, remote))
    except RemoteError as error:
        _note_failure(destination, error)
    if seen:
        with in_workspace(destination.workspace_id) as session:
            done = _save(session, destination, seen)
        replies.wake(destination.workspace_id, done)


def _read(destination: ConfiguredDestination, remote: Remote) -> Seen:
    try:
        ref = destination.adapter.status(TaskRef(remote.ref_id, remote.ref_url))
    except TargetGone:
        return Seen(remote, None)
    return Seen(remote, ref, _comments(destination, ref))


def _comments(destination: ConfiguredDestination, ref: TaskRef) -> list[RemoteComment] | None:
    if Capability.COMMENTS not in destination.adapter.CAN:
        return None
    try:
        return destination.adapter.comments(ref)
    except RemoteError as error:
        log.warning("comments_not_read", destination=destination.key, error=str(error), next_step="the next poll")
        return None


def _note_failure(destination: ConfiguredDestination, error: RemoteError) -> None:
    log.warning("sync_failed", destination=destination.key, error=str(error), next_step="the next poll")
    with in_workspace(destination.workspace_id) as session:
        store.save_state(session, destination.workspace_id, destination.id, last_error=str(error)[:500])


# ---- saving


def _differs(remote: Remote, ref: TaskRef) -> bool:
    return (ref.status, ref.assignee, ref.changed_at) != (
        remote.ref_status, remote.ref_assignee, remote.ref_changed_at,
    )  # fmt: skip


def _save(session: Session, destination: ConfiguredDestination, seen: list[Seen]) -> list[UUID]:
    """Only what is new to us makes an entry: the same answer twice, or an old one late, changes nothing.

    Returns the replies to customers that follow.
    """
    rows = [_row(one) for one in seen]
    saved = store.save_seen(session, rows)
    changed = [
        (one.remote, row)
        for one, row in zip(seen, rows, strict=True)
        if one.remote.id in saved
        and (row["status"], row["assignee"]) != (one.remote.ref_status, one.remote.ref_assignee)
    ]
    entries = [_entry(remote, destination, row) for remote, row in changed]
    for one in seen:
        entries += _new_comments(session, destination, one)
    inbox.record(session, destination.workspace_id, entries)
    done = [row["id"] for row in rows if row["id"] in saved and row["status"] == TaskStatus.DONE]
    config = configuration.current(destination.workspace_id, session)
    events.announce(session, config, events.of_statuses(destination, changed))
    return replies.plan(session, config, done) if done else []


def _row(seen: Seen) -> dict[str, Any]:
    ref = seen.ref or TaskRef(seen.remote.ref_id, "", GONE, seen.remote.ref_assignee)
    return {
        "id": seen.remote.id, "status": ref.status, "assignee": ref.assignee, "url": ref.url,
        "changed_at": ref.changed_at,
    }  # fmt: skip


def _entry(remote: Remote, destination: ConfiguredDestination, row: dict[str, Any]) -> dict[str, Any]:
    data = {"destination": destination.key, "delivery": str(remote.id), "from": remote.ref_status,
            "to": row["status"], "assignee": row["assignee"]}  # fmt: skip
    return {"message_id": remote.message_id, "actor": destination.key, "event": "remote_status", "data": data}


def _new_comments(session: Session, destination: ConfiguredDestination, seen: Seen) -> list[dict[str, Any]]:
    if not seen.comments:
        return []
    ours = [" ".join(text.split()) for text in store.our_comments(session, seen.remote.id)]
    ours += [changes.WITHDRAWN.strip(), changes.CHANGED.strip()]
    added = store.add_comments(session, destination.workspace_id, [
        {"delivery_id": seen.remote.id, "external_id": comment.id, "author": comment.author, "text": comment.text,
         "written_at": comment.written_at, "ours": _is_ours(comment, ours)}
        for comment in seen.comments
    ])  # fmt: skip
    return [
        {"message_id": seen.remote.message_id, "actor": row["author"] or destination.key, "event": "remote_comment",
         "data": {"destination": destination.key, "delivery": str(seen.remote.id), "text": row["text"][:2000]}}
        for row in added
        if not row["ours"]
    ]  # fmt: skip


def _is_ours(comment: RemoteComment, ours: list[str]) -> bool:
    """Vendors do not say who wrote through the API; what we wrote is known by its words."""
    written = " ".join(comment.text.split())
    return any(text and text in written for text in ours)


# ---- reconciliation


def sent_and_found(workspace_id: UUID, days: int = RECONCILED_DAYS) -> list[SentAndFound]:
    with in_workspace(workspace_id) as session:
        return store.sent_and_found(session, workspace_id, first_id_at(now() - timedelta(days=days)))

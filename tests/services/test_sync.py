"""What becomes of a task comes back: once, in order, and never on the word of a webhook."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.db.engine import in_system
from app.db.tables import Workspace
from app.domain.errors import BadSignature, TransientError
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, TaskRef, TaskStatus
from app.services import configuration, sync

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def made(kit):
    """A delivered task: (kit, its vendor, its remote id)."""
    jira = kit.vendor("jira", can=frozenset(Capability) - {Capability.IDEMPOTENT_CREATE, Capability.FIND_LAGS})
    kit.route("jira")
    kit.say("#bug It crashed")
    [(ref,)] = kit.sql("select ref_id from delivery")
    return kit, jira, ref


def seen(kit) -> list[tuple[str, str]]:
    """(status, assignee) of each change on the timeline, in order."""
    rows = kit.sql("select data from timeline_entry where event = 'remote_status' order by id")
    return [(row.data["to"], row.data["assignee"]) for row in rows]


def hook(kit, body: bytes, secret: str = "right") -> None:
    [(key,)] = kit.sql("select hook_key from destination")
    sync.notice(key, RawRequest("POST", {"x-secret": secret}, body), NOON.timestamp())


def test_a_change_is_polled_once_and_stands_on_the_timeline(made):
    kit, jira, ref = made
    jira.remote[ref] = TaskRef(ref, "https://v.test/1", TaskStatus.IN_PROGRESS, "Noa", NOON)

    for _ in range(2):
        sync.poll(kit.workspace_id)

    assert seen(kit) == [("in_progress", "Noa")]
    assert kit.sql("select ref_status, ref_assignee from delivery") == [("in_progress", "Noa")]
    assert jira.asked_since[1] > jira.asked_since[0]


def test_an_older_answer_that_comes_late_changes_nothing(made):
    kit, jira, ref = made
    jira.remote[ref] = TaskRef(ref, "", TaskStatus.DONE, "Noa", NOON)
    sync.poll(kit.workspace_id)

    jira.remote[ref] = TaskRef(ref, "", TaskStatus.OPEN, "", NOON - timedelta(minutes=5))
    sync.poll(kit.workspace_id)

    assert seen(kit) == [("done", "Noa")]


def test_comments_come_back_once_without_our_own(made):
    kit, jira, ref = made
    kit.join_window(30)
    configuration._kept.clear()
    jira.remarks = ["We are on it", "Ann: #bug and again"]
    kit.sql("update task set last_message_at = now()")
    kit.say("#bug and again")
    kit.deliver()
    assert jira.comments == [(ref, "Ann: #bug and again")]
    jira.remote[ref] = TaskRef(ref, "", TaskStatus.OPEN, "", NOON)

    for minute in range(2):
        jira.remote[ref] = TaskRef(ref, "", TaskStatus.OPEN, "", NOON + timedelta(minutes=minute))
        sync.poll(kit.workspace_id)

    remarks = kit.sql("select actor, data from timeline_entry where event = 'remote_comment'")
    assert [(row.actor, row.data["text"]) for row in remarks] == [("Noa", "We are on it")]


def test_a_webhook_is_only_a_hint_the_task_is_read_again(made, monkeypatch):
    kit, jira, ref = made
    woken = []
    monkeypatch.setattr("app.enqueue.wake", lambda job, ids: woken.append((job, ids)))
    jira.remote[ref] = TaskRef(ref, "", TaskStatus.DONE, "Noa", NOON)

    hook(kit, ref.encode() + b" another-task")

    assert seen(kit) == []
    [(job, ids)] = woken
    sync.refresh(kit.workspace_id, ids[kit.workspace_id])
    assert (job, seen(kit)) == ("workers.jobs.sync", [("done", "Noa")])


def test_a_webhook_without_proof_or_to_an_unknown_address_is_refused(made):
    kit, _jira, ref = made

    with pytest.raises(BadSignature):
        hook(kit, ref.encode(), "wrong")
    with pytest.raises(sync.UnknownDestination):
        sync.notice("guessed", RawRequest("POST", {}, b""), NOON.timestamp())
    assert kit.sql("select last_notice_at from destination_sync") == []


def test_sent_and_found_are_compared_and_a_deleted_task_shows(made):
    kit, jira, ref = made
    kit.say("#bug another", chat=2)
    [before] = sync.sent_and_found(kit.workspace_id)
    jira.gone.add(ref)

    sync.refresh(kit.workspace_id, [row.id for row in kit.sql("select id from delivery")])

    [after] = sync.sent_and_found(kit.workspace_id)
    assert (before.sent, before.found, before.gone, before.unseen) == (2, 0, 0, 2)
    assert (after.sent, after.found, after.gone, after.unseen) == (2, 1, 1, 0)
    assert seen(kit)[0] == ("gone", "")


def test_a_vendor_that_fails_is_polled_again_from_where_it_was(made):
    kit, jira, ref = made
    sync.poll(kit.workspace_id)
    jira.failing = TransientError("busy")

    sync.poll(kit.workspace_id)
    assert kit.sql("select last_error from destination_sync") == [("busy",)]
    jira.failing = None
    sync.poll(kit.workspace_id)

    assert jira.asked_since[1] == jira.asked_since[2] > jira.asked_since[0]
    assert kit.sql("select last_error from destination_sync") == [("",)]


def test_another_workspaces_tasks_are_not_read(made):
    kit, jira, ref = made
    [(delivery,)] = kit.sql("select id from delivery")
    jira.remote[ref] = TaskRef(ref, "", TaskStatus.DONE, "", NOON)
    other = Workspace(key=f"w{uuid4().hex[:10]}", name="Other")
    with in_system() as session:
        session.add(other)
        session.flush()
        other_id = other.id

    sync.refresh(other_id, [delivery])

    assert seen(kit) == []

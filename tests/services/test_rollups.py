"""Hourly counts are made again exactly when something changed, whoever changed it and whatever dies meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from app import enqueue
from app.db import rollups as store
from app.db.engine import in_system, in_workspace
from app.db.tables import Message, Workspace
from app.db.tables.base import first_id_at
from app.domain.errors import Rejected
from app.domain.tasks import Capability, TaskRef, TaskStatus
from app.services import rollups, service_report, sync
from app.services.members import Actor, Role
from app.services.review import decide
from app.services.service_report import Filter

HOUR_AGO = timedelta(hours=1)


def total(kit, **narrowed):
    return service_report.report(kit.workspace_id, Filter(days=2, **narrowed)).total


def stale(kit) -> int:
    [(count,)] = kit.sql("select count(*) from stale_hour")
    return count


def saved(kit) -> int:
    [(received,)] = kit.sql("select coalesce(sum(received), 0) from message_rollup")
    return received


@pytest.fixture
def an_hour_later(monkeypatch):
    """Count hours as if the current one were over."""
    real = store.take_stale

    def take(session, workspace_id, most):
        connection = session.connection()
        connection.exec_driver_sql("update stale_hour set hour = hour - interval '100 days'")
        return [hour + timedelta(days=100) for hour in real(session, workspace_id, most)]

    monkeypatch.setattr(store, "take_stale", take)


@pytest.fixture
def made(kit):
    """A message with a delivered task: (kit, its vendor, its remote id)."""
    jira = kit.vendor("jira", can=frozenset(Capability) - {Capability.IDEMPOTENT_CREATE, Capability.FIND_LAGS})
    kit.route("jira")
    kit.say("#bug It crashed")
    [(ref,)] = kit.sql("select ref_id from delivery")
    return kit, jira, ref


def test_the_current_hour_is_exact_without_being_saved(made):
    kit, *_ = made
    rollups.roll_up(kit.workspace_id)

    assert (total(kit).received, total(kit).tasks, saved(kit)) == (1, 1, 0)


def test_an_hour_that_is_over_is_saved_once_and_then_left_alone(made, an_hour_later):
    kit, *_ = made

    assert rollups.roll_up(kit.workspace_id) == 1
    assert rollups.roll_up(kit.workspace_id) == 0
    assert (total(kit).tasks, saved(kit), stale(kit)) == (1, 1, 0)


def test_done_and_opened_again_change_a_saved_hour(made, an_hour_later):
    kit, jira, ref = made
    rollups.roll_up(kit.workspace_id)
    begun = datetime.now(UTC)
    seen = []
    for minute, status in enumerate((TaskStatus.DONE, TaskStatus.IN_PROGRESS, TaskStatus.DONE)):
        jira.remote[ref] = TaskRef(ref, "", status, "Noa", begun + timedelta(minutes=minute))
        sync.poll(kit.workspace_id)
        live = total(kit)
        rollups.roll_up(kit.workspace_id)
        assert total(kit) == live
        seen.append((live.done, live.reopened, live.ever_done))

    assert seen == [(1, 0, 1), (0, 1, 1), (1, 1, 1)]
    assert total(kit).reopened_share == 1.0


def test_a_task_that_vanishes_after_it_was_done_stays_done(made):
    kit, jira, ref = made
    jira.remote[ref] = TaskRef(ref, "", TaskStatus.DONE, "", datetime.now(UTC))
    sync.poll(kit.workspace_id)
    [(delivery,)] = kit.sql("select id from delivery")
    jira.gone.add(ref)
    sync.refresh(kit.workspace_id, [delivery])

    assert kit.sql("select ref_status from delivery") == [("gone",)]
    assert total(kit).done == 1


def test_a_person_who_decides_differently_moves_the_message_to_the_other_category(made, an_hour_later):
    kit, *_ = made
    rollups.roll_up(kit.workspace_id)
    [(message,)] = kit.sql("select id from message")

    decide(Actor(None, "mia@acme.test", Role.MANAGER, kit.workspace_id), message, "billing")

    for _ in range(2):
        assert total(kit, category=("bug",)).received == 0
        assert (total(kit, category=("billing",)).received, total(kit).tasks) == (1, 0)  # its task is withdrawn
        rollups.roll_up(kit.workspace_id)


def test_a_task_that_was_refused_counts_from_the_moment_it_is_delivered(kit, an_hour_later):
    kit.vendor("jira", script=[Rejected("The field 'summary' is required.")])
    kit.route("jira")
    kit.say("#bug It crashed")
    kit.sql("update message set received_at = received_at - interval '1 hour'")
    rollups.roll_up(kit.workspace_id)
    assert total(kit).tasks == 0

    kit.sql("update delivery set status = 'pending', next_try_at = now()")
    kit.deliver()

    assert total(kit).tasks == 1
    assert total(kit).to_task.median_s == pytest.approx(3600, abs=20)


def test_what_does_not_change_a_number_marks_no_hour(made, an_hour_later):
    kit, *_ = made
    rollups.roll_up(kit.workspace_id)

    kit.sql("update message set text = 'x', tries = tries + 1, category_id = category_id")
    kit.sql("update delivery set ref_assignee = 'Noa', next_try_at = now()")
    kit.sql("update task set last_message_at = now()")

    assert stale(kit) == 0


def test_a_worker_that_dies_while_counting_leaves_the_hour_marked_and_the_numbers_right(
    made, an_hour_later, monkeypatch
):
    kit, *_ = made
    real = store.count_again

    def dies(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store, "count_again", dies)
        rollups.roll_up(kit.workspace_id)

    assert (saved(kit), total(kit).received) == (0, 1)
    assert rollups.roll_up(kit.workspace_id) == 1
    assert (saved(kit), total(kit).received) == (1, 1)


def test_a_change_that_is_committed_while_its_hour_is_counted_is_not_lost(made, an_hour_later, monkeypatch):
    kit, *_ = made
    real = store.count_again

    def changed_meanwhile(*arguments):
        real(*arguments)
        kit.sql("update message set priority = 'urgent'")

    with monkeypatch.context() as patch:
        patch.setattr(store, "count_again", changed_meanwhile)
        patch.setattr(rollups, "LONGEST_S", 0.001)
        rollups.roll_up(kit.workspace_id)

    assert kit.sql("select priority from message_rollup") != [("urgent",)]
    assert total(kit, priority=("urgent",)).received == 1
    rollups.roll_up(kit.workspace_id)
    assert kit.sql("select priority from message_rollup") == [("urgent",)]


def test_while_one_counts_another_does_nothing(made, an_hour_later):
    kit, *_ = made
    with in_workspace(kit.workspace_id) as session:
        assert store.zone_for_counting(session, kit.workspace_id) == "Europe/Berlin"
        assert rollups.roll_up(kit.workspace_id) == 0

    assert rollups.roll_up(kit.workspace_id) == 1


def test_another_time_zone_of_the_workspace_counts_everything_anew(made, an_hour_later):
    kit, *_ = made
    at = datetime.now(UTC).replace(minute=20, second=0, microsecond=0) - 2 * HOUR_AGO
    row = kit.sql("select * from message")[0]._asdict() | {"id": first_id_at(at), "external_id": "earlier"}
    kit._add(Message(**row))
    rollups.roll_up(kit.workspace_id)
    with in_system() as session:
        session.get(Workspace, kit.workspace_id).timezone = "Asia/Kathmandu"

    assert stale(kit) == 2
    rollups.roll_up(kit.workspace_id)
    [(minute,)] = kit.sql("select minute from message_rollup where hour < date_trunc('hour', now())")
    assert (minute, stale(kit)) == (15, 0)


def test_only_workspaces_with_stale_hours_that_are_over_are_counted(made):
    kit, *_ = made
    enqueue.redis().flushdb()
    rollups.wake_counters()
    before = sum(enqueue.backlog().values())

    kit.sql("insert into stale_hour (workspace_id, hour) values (%(w)s, now() - interval '5 hours')",
            w=kit.workspace_id)  # fmt: skip
    rollups.wake_counters()

    assert sum(enqueue.backlog().values()) == 2 * before + 1

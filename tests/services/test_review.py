"""A person's decision, changed or taken back, reaches the tasks that were made in the meantime."""

from uuid import uuid4

import pytest

from app.db import work
from app.db.engine import in_workspace
from app.db.tables.base import new_id
from app.domain.errors import Ambiguous, InvalidInput, TransientError
from app.domain.tasks import Capability, TaskStatus
from app.services import learning, replay, review, review_queue
from app.services.members import Actor, Role
from app.services.pool import LEASE
from tests.kit import PLAIN, after_commit

ABLE = PLAIN | {Capability.UPDATE, Capability.TRANSITION}


@pytest.fixture
def mia(kit):
    return Actor(uuid4(), "mia@acme.test", Role.MANAGER, kit.workspace_id)


@pytest.fixture
def two(kit):
    """Bugs go to jira, billing to zoho; (jira, zoho)."""
    vendors = kit.vendor("jira", can=ABLE), kit.vendor("zoho", can=ABLE)
    kit.route("jira")
    kit.route("zoho", key="money", when={"category": ["billing"]})
    return vendors


def message(kit):
    return kit.sql("select id from message order by id limit 1")[0].id


def keys(vendor) -> list[str]:
    return [task.category for tasks in vendor.tasks.values() for task in tasks]


# ---- corrected


def test_a_correction_closes_the_old_task_and_makes_the_right_one(kit, two, mia):
    jira, zoho = two
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    kit.deliver()

    [(_ref, status)] = jira.moved
    assert status is TaskStatus.CANCELLED
    assert [text for _ref, text in jira.comments] == ["A person decided that the message is about Billing."]
    assert keys(zoho) == ["billing"]


def test_a_correction_under_the_same_route_changes_the_task_in_place(kit, mia):
    jira = kit.vendor("jira", can=ABLE)
    kit.route("jira", when={})
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    kit.deliver()

    assert keys(jira) == ["billing"] and jira.moved == []
    assert kit.states() == [("jira", "delivered"), ("jira", "delivered")]


def test_confirming_what_was_decided_already_sends_nothing(kit, two, mia):
    jira, _zoho = two
    kit.say("#bug It crashed")

    review.decide(mia, message(kit), "bug")
    kit.deliver()

    assert kit.states() == [("jira", "delivered")] and jira.comments == []


def test_a_task_that_was_not_sent_yet_is_never_sent(kit, mia):
    jira, zoho = kit.vendor("jira", script=[TransientError("busy")], can=ABLE), kit.vendor("zoho")
    kit.route("jira")
    kit.route("zoho", key="money", when={"category": ["billing"]})
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    kit.make_due()
    kit.deliver()

    assert keys(jira) == [] and keys(zoho) == ["billing"]
    [withdrawn] = kit.sql("select id from delivery where status = 'cancelled'")
    assert replay.replay(mia, [withdrawn.id]).changed == 0


def test_a_task_nobody_knows_the_fate_of_is_looked_for_and_closed(kit, mia):
    jira = kit.vendor("jira", script=[after_commit(Ambiguous("cut"))], can=ABLE)
    zoho = kit.vendor("zoho")
    kit.route("jira")
    kit.route("zoho", key="money", when={"category": ["billing"]})
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    for _ in range(3):
        kit.make_due()
        kit.deliver()

    assert len(jira.moved) == 1 and keys(jira) == ["bug"] and keys(zoho) == ["billing"]


def test_a_change_waits_until_the_creation_has_ended(kit, two, mia):
    jira, _zoho = two
    kit.say("#bug I was charged twice")
    kit.sql("update delivery set status = 'sending', lease_token = id, ref_id = ''")

    review.decide(mia, message(kit), "billing")
    ids = [row.id for row in kit.sql("select id from delivery where kind = 'withdraw'")]
    with in_workspace(kit.workspace_id) as session:
        early = work.claim(session, ids, new_id(), LEASE)
    kit.sql(
        "update delivery set status = 'delivered', ref_id = 'remote-1' where kind = 'create' and status = 'sending'"
    )
    kit.deliver()

    assert early == [] and jira.moved == [("remote-1", TaskStatus.CANCELLED)]


def test_a_route_may_say_that_wrong_tasks_are_only_commented(kit, two, mia):
    jira, _zoho = two
    kit.sql("update route set when_wrong = 'comment'")
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    kit.deliver()

    assert jira.moved == [] and len(jira.comments) == 1


def test_a_task_other_messages_joined_stays_open_for_them(kit, two, mia):
    jira, _zoho = two
    kit.join_window(30)
    kit.say("#bug I was charged twice")
    kit.say("#bug and it crashed")

    review.decide(mia, message(kit), "billing")
    kit.deliver()

    assert jira.moved == []
    assert [text for _ref, text in jira.comments][1:] == ["A person decided that the message is about Billing."]


def test_where_nothing_can_be_changed_from_outside_the_manager_is_told_to_do_it(kit, mia):
    kit.vendor("jira", can=frozenset())
    kit.vendor("zoho")
    kit.route("jira")
    kit.route("zoho", key="money", when={"category": ["billing"]})
    kit.say("#bug I was charged twice")

    review.decide(mia, message(kit), "billing")
    kit.deliver()

    [failed] = kit.sql("select error, kind from delivery where status = 'failed'")
    assert failed.kind == "withdraw" and "by hand: https://vendor.test/" in failed.error


# ---- taken back


def test_a_decision_taken_back_closes_the_task_and_the_message_waits_again(kit, two, mia):
    jira, _zoho = two
    kit.say("I was charged twice")
    review.decide(mia, message(kit), "bug")
    kit.deliver()

    review.take_back(mia, message(kit))
    kit.deliver()

    assert kit.messages() == [("I was charged twice", "needs_review")]
    assert [status for _ref, status in jira.moved] == [TaskStatus.CANCELLED]
    assert [one.id for one in review_queue.fetch(mia).rows] == [message(kit)]


def test_decided_again_after_that_the_same_task_is_opened_again(kit, two, mia):
    jira, _zoho = two
    kit.say("It crashed")
    for _ in range(2):
        review.decide(mia, message(kit), "bug")
        kit.deliver()
        review.take_back(mia, message(kit))
        kit.deliver()
    review.decide(mia, message(kit), "bug")
    kit.deliver()

    closed, opened = TaskStatus.CANCELLED, TaskStatus.OPEN
    assert [status for _ref, status in jira.moved] == [closed, opened, closed, opened]
    assert len(keys(jira)) == 1


def test_what_was_taken_back_teaches_nothing(kit, two, mia):
    kit.say("It crashed")
    review.decide(mia, message(kit), "bug")
    learner = learning.Learner(kit.workspace_id)
    with in_workspace(kit.workspace_id) as session:
        learner.follow(session, 0.0)
        before = len(learner.learned.memory)
    review.take_back(mia, message(kit))

    with in_workspace(kit.workspace_id) as session:
        learner.follow(session, 0.0)
    assert (before, len(learner.learned.memory)) == (1, 0)


def test_only_ones_own_last_decision_can_be_taken_back(kit, two, mia):
    kit.say("It crashed")
    noa = Actor(uuid4(), "noa@acme.test", Role.AGENT, kit.workspace_id)
    review.decide(mia, message(kit), "bug")

    with pytest.raises(InvalidInput, match="not the last decision"):
        review.take_back(noa, message(kit))
    review.take_back(mia, message(kit))
    with pytest.raises(InvalidInput, match="not the last decision"):
        review.take_back(mia, message(kit))

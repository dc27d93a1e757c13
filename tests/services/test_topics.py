"""The alarm for new topics: told once, gone when the model knows it, silent after a no."""

import pytest

from app.domain.errors import Forbidden, NotFound
from app.services import audit, review, topics
from app.services.audit import Wanted
from app.services.members import Role
from tests.services.test_learning import actor, learnt  # noqa: F401  a workspace that learnt

PLACES = ("front", "back", "garden", "bath", "lift", "pool")


def talk_of_something_new(kit, chats=range(900, 906)) -> None:
    for place, chat in zip(PLACES, chats, strict=True):
        kit.say(f"my wheelchair does not fit through the {place} door of the hotel", chat=chat)


def test_a_topic_nobody_has_a_category_for_is_told_with_its_messages(learnt):  # noqa: F811
    talk_of_something_new(learnt)
    topics.watch(learnt.workspace_id)

    [found] = topics.alarms(learnt.workspace_id)

    assert "wheelchair" in found.words and len(found.messages) == 6
    assert all("wheelchair" in text for _id, text in found.messages)
    topics.watch(learnt.workspace_id)
    assert [one.id for one in topics.alarms(learnt.workspace_id)] == [found.id]


def test_one_customer_who_repeats_themselves_is_no_topic(learnt):  # noqa: F811
    talk_of_something_new(learnt, chats=[900, 901] * 3)
    topics.watch(learnt.workspace_id)

    assert topics.alarms(learnt.workspace_id) == []


def test_the_alarm_goes_once_the_model_knows_the_messages(learnt):  # noqa: F811
    talk_of_something_new(learnt)
    topics.watch(learnt.workspace_id)
    for row in learnt.sql("select id from message where text like '%%wheelchair%%'"):
        review.decide(actor(learnt), row.id, "billing")

    topics.watch(learnt.workspace_id)

    assert topics.alarms(learnt.workspace_id) == []


def test_what_somebody_dismissed_is_not_told_again_until_it_is_brought_back(learnt):  # noqa: F811
    talk_of_something_new(learnt)
    topics.watch(learnt.workspace_id)
    [found] = topics.alarms(learnt.workspace_id)

    topics.dismiss(actor(learnt), found.id)
    topics.watch(learnt.workspace_id)
    assert topics.alarms(learnt.workspace_id) == []

    topics.bring_back(actor(learnt), found.id)
    assert [one.id for one in topics.alarms(learnt.workspace_id)] == [found.id]
    entries = audit.entries(learnt.workspace_id, Wanted())
    assert {"dismiss", "restore"} <= {entry.action for entry in entries if entry.noun == "topic"}


def test_an_agent_dismisses_nothing_and_a_topic_that_is_gone_says_so(learnt):  # noqa: F811
    talk_of_something_new(learnt)
    topics.watch(learnt.workspace_id)
    [found] = topics.alarms(learnt.workspace_id)

    with pytest.raises(Forbidden):
        topics.dismiss(actor(learnt, Role.AGENT), found.id)
    learnt.sql("delete from new_topic")
    with pytest.raises(NotFound, match="is gone"):
        topics.dismiss(actor(learnt), found.id)


def test_only_workspaces_with_a_model_and_unsure_messages_are_looked_at(learnt, monkeypatch):  # noqa: F811
    woken = []
    monkeypatch.setattr(topics.enqueue, "wake", lambda job, ids: woken.extend(ids))

    topics.wake_watchers()

    assert learnt.workspace_id in woken


def test_a_workspace_that_learnt_nothing_yet_has_no_alarm(kit):
    talk_of_something_new(kit)
    topics.watch(kit.workspace_id)

    assert topics.alarms(kit.workspace_id) == []

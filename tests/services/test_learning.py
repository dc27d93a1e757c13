"""A person's word changes the next answer; the model answers alone only where random checks say that it may."""

import time
from dataclasses import replace
from uuid import uuid4

import pytest

from app.classify.calibration import CLOSED, Thresholds
from app.db import learning as store
from app.db.engine import in_workspace
from app.domain.errors import Forbidden
from app.services import audit, learning, releases, review, review_queue
from app.services.audit import Wanted
from app.services.learning import LocalSettings
from app.services.members import Actor, Role

BUGS = ("the app crashes when I open {}", "error message on the {} screen", "{} is broken since the update")
BILLS = ("my invoice for {} is wrong", "please refund the payment for {}", "I was charged twice for {}")
THINGS = ("settings", "reports", "search", "export", "photos", "calendar", "orders", "profile", "chat", "maps")


def actor(kit, role: Role = Role.MANAGER) -> Actor:
    return Actor(None, "mia@acme.test", role, kit.workspace_id)


@pytest.fixture
def learnt(kit):
    """170 messages nobody was sure about, each decided by a person, and the model fitted on them."""
    texts = [
        (template.format(f"{thing} {number}"), category)
        for number in range(3)
        for thing in THINGS
        for category, templates in (("bug", BUGS), ("billing", BILLS))
        for template in templates
    ][:170]
    kit.process(*[kit.receive(text, chat=1000 + i) for i, (text, _) in enumerate(texts)])
    category_of = dict(texts)
    for message in kit.sql("select id, text from message"):
        review.decide(actor(kit), message.id, category_of[message.text])
    kit.refit = lambda: learning.refit(
        kit.workspace_id, LocalSettings(target_accuracy=0.9, audit_share=0, golden_share=0)
    )
    kit.refit()
    return kit


def last(kit):
    return kit.sql("""
        select m.status, m.status_reason, k.source, k.reason, k.steps, k.review_rate, c.key as category
        from message m join classification k on k.message_id = m.id left join category c on c.id = k.category_id
        order by k.id desc limit 1""")[0]  # fmt: skip


def test_the_same_words_again_get_the_answer_a_person_gave(kit):
    kit.say("mein Bildschirm bleibt schwarz")
    [message] = kit.sql("select id from message")
    review.decide(actor(kit), message.id, "bug")

    kit.say("Mein Bildschirm  bleibt schwarz", chat=2)

    assert (last(kit).source, last(kit).category) == ("memory", "bug")
    assert last(kit).steps[-1]["detail"] == {"message": str(message.id), "similarity": 1.0}


def test_a_second_opinion_of_a_person_replaces_the_first(kit):
    kit.say("hello from the other side")
    [message] = kit.sql("select id from message")
    for category in ("bug", "billing"):
        review.decide(actor(kit), message.id, category)

    kit.say("hello from the other side", chat=2)

    assert (last(kit).source, last(kit).category) == ("memory", "billing")


def test_enough_reviewed_messages_let_the_model_answer_alone_and_say_why(learnt):
    learnt.say("since yesterday the app crashes when I open videos", chat=5)

    assert (last(learnt).source, last(learnt).category) == ("local", "bug")
    step = last(learnt).steps[-1]
    assert step["source"] == "local" and step["detail"]["stands"]
    assert "crashes" in [word for word, _share in step["detail"]["words"]]


def test_what_resembles_nothing_it_learnt_waits_for_a_person(learnt):
    learnt.say("quod erat demonstrandum", chat=5)

    assert (last(learnt).status, last(learnt).source, last(learnt).review_rate) == ("needs_review", None, 1.0)


def test_before_there_is_enough_the_model_only_suggests(kit):
    for number, (text, category) in enumerate([(BUGS[0], "bug"), (BILLS[0], "billing")] * 6):
        kit.say(text.format(THINGS[number % 10] + str(number)), chat=100 + number)
        [message] = kit.sql("select id from message order by id desc limit 1")
        review.decide(actor(kit), message.id, category)

    kit.say("the app crashes when I open something new", chat=9)

    assert last(kit).status == "needs_review"
    assert review_queue.fetch(replace(actor(kit), person_id=uuid4())).rows[0].suggestion == "bug"


def test_a_check_picked_by_chance_waits_for_a_person_with_its_rate(learnt):
    learning.save_settings(actor(learnt), LocalSettings(target_accuracy=0.9, audit_share=1.0))
    releases.publish(actor(learnt))

    learnt.say("the app crashes when I open videos", chat=5)

    assert (last(learnt).status, last(learnt).source, last(learnt).review_rate) == ("needs_review", None, 1.0)
    assert "chance" in last(learnt).status_reason


def test_switched_off_it_neither_answers_nor_checks(learnt):
    learning.save_settings(actor(learnt), LocalSettings(enabled=False))
    releases.publish(actor(learnt))

    learnt.say("the app crashes when I open videos", chat=5)

    assert [step["source"] for step in last(learnt).steps if step["source"] in ("memory", "local")] == []
    assert last(learnt).review_rate is None


def test_wrong_random_checks_raise_the_thresholds_and_the_audit_log_tells(learnt, monkeypatch):
    wrong = [store.Check("bug", 0.99, 0.8, "billing" if n % 4 == 0 else "bug", 0.5) for n in range(100)]
    monkeypatch.setattr(store, "checks", lambda session, workspace_id: wrong)

    learning.learn(learnt.workspace_id)

    with in_workspace(learnt.workspace_id) as session:
        level = Thresholds.from_json(store.current_version(session, learnt.workspace_id).thresholds).level
    assert level == CLOSED
    [entry] = [one for one in audit.entries(learnt.workspace_id, Wanted()) if one.noun == "local model"]
    assert entry.actor == "Octopus"
    learnt.say("the app crashes when I open videos", chat=5)
    assert last(learnt).status == "needs_review"


def test_an_earlier_version_answers_again_after_a_roll_back(learnt):
    first = learning.versions(learnt.workspace_id)[0].id
    second = learnt.refit()
    assert [row.is_current for row in learning.versions(learnt.workspace_id)] == [True, False]

    learning.roll_back(actor(learnt), first)
    learnt.say("the app crashes when I open videos", chat=5)

    assert last(learnt).source == "local"
    assert learning.learner(learnt.workspace_id).version == first != second


def test_an_agent_changes_neither_settings_nor_version(learnt):
    version = learning.versions(learnt.workspace_id)[0].id
    for change in (
        lambda: learning.save_settings(actor(learnt, Role.AGENT), LocalSettings(enabled=False)),
        lambda: learning.roll_back(actor(learnt, Role.AGENT), version),
    ):
        with pytest.raises(Forbidden):
            change()

    assert learning.settings(learnt.workspace_id) == LocalSettings(audit_share=0, golden_share=0)


def test_a_correction_reaches_another_process_within_a_second(learnt):
    """What `follow` costs another worker: the query and one step of learning."""
    other = learning.Learner(learnt.workspace_id)
    with in_workspace(learnt.workspace_id) as session:
        other.follow(session, 0.0)
    learnt.say("completely new words nobody wrote", chat=5)
    [message] = learnt.sql("select id from message order by id desc limit 1")
    review.decide(actor(learnt), message.id, "billing")

    started = time.perf_counter()
    with in_workspace(learnt.workspace_id) as session:
        other.follow(session, 0.0)
    took_s = time.perf_counter() - started

    assert other.learned.memory.duplicate("completely new words nobody wrote").correction.category == "billing"
    print(f"another process knew after {took_s * 1000:.0f} ms")

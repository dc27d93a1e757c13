"""The queue persons work through: never twice in hand, never decided twice, never lost."""

import json
from uuid import UUID, uuid4

import pytest

from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput
from app.services import learning, releases, review, review_queue
from app.services.members import Actor
from tests.pages.conftest import person

__all__ = ["person"]


@pytest.fixture
def mia(kit):
    return Actor(uuid4(), "mia@acme.test", Role.AGENT, kit.workspace_id)


@pytest.fixture
def noa(kit):
    return Actor(uuid4(), "noa@acme.test", Role.AGENT, kit.workspace_id)


@pytest.fixture
def queue(kit):
    """Three messages wait; jira takes everything."""
    kit.vendor("jira")
    kit.route("jira", when={})
    for number, text in enumerate(("the first", "the second", "the third")):
        kit.say(text, chat=number)
    return kit


def texts(actor: Actor, n: int = 15) -> list[str]:
    return [row.text for row in review_queue.fetch(actor, n).rows]


def op(kind: str, message: UUID, **more) -> dict:
    return {"op": kind, "n": uuid4().hex, "id": str(message)} | more


def id_of(kit, text: str) -> UUID:
    return kit.sql("select id from message where text = %(text)s", text=text)[0].id


def status_of(kit, text: str) -> str:
    return kit.sql("select status from message where text = %(text)s", text=text)[0].status


def test_what_one_has_in_hand_the_other_does_not_get(queue, mia, noa):
    mine = texts(mia, 2)

    assert len(mine) == 2 and set(texts(noa)) == {"the first", "the second", "the third"} - set(mine)
    assert review_queue.fetch(noa).elsewhere == 2


def test_what_was_not_decided_within_minutes_is_free_again(queue, mia, noa):
    texts(mia)
    queue.sql("update review_hold set until = now() - interval '1 second'")

    assert len(texts(noa)) == 3


def test_a_batch_that_comes_twice_decides_once(queue, mia):
    batch = [op("decide", id_of(queue, "the first"), category="bug", seconds=2.5)]

    first, again = review_queue.apply(mia, batch), review_queue.apply(mia, batch)

    assert [one.error for one in first + again] == ["", ""]
    assert queue.sql("select active_s from classification where source = 'person'") == [(2.5,)]
    assert queue.states() == [("jira", "pending")]


def test_who_comes_too_late_is_told_who_decided(queue, mia, noa):
    message = id_of(queue, "the first")
    review_queue.apply(mia, [op("decide", message, category="bug")])

    [late] = review_queue.apply(noa, [op("decide", message, category="billing")])

    assert late.error == "mia@acme.test decided on this message meanwhile; yours was not applied."


def test_one_that_fails_does_not_stop_the_others(queue, mia):
    outcomes = review_queue.apply(mia, [
        op("decide", id_of(queue, "the first"), category="no-such"), op("decide", uuid4(), category="bug"),
        op("decide", id_of(queue, "the second"), category="bug"),
    ])  # fmt: skip

    assert ["no category 'no-such'" in outcomes[0].error, "does not exist" in outcomes[1].error] == [True, True]
    assert status_of(queue, "the second") == "routed"


def test_spam_and_nothing_to_do_make_no_task_and_keep_their_reason(queue, mia):
    review_queue.apply(mia, [
        op("decide", id_of(queue, "the first"), category=None, spam=True),
        op("decide", id_of(queue, "the second"), category=None),
    ])  # fmt: skip

    reasons = queue.sql("select status, status_reason from message where status = 'ignored' order by id")
    assert reasons == [("ignored", review.SPAM), ("ignored", review.NOTHING_TO_DO)] and queue.states() == []


def test_what_is_put_off_comes_last_and_others_may_take_it(queue, mia, noa):
    texts(mia)
    review_queue.apply(mia, [op("later", id_of(queue, "the first"), note="not sure")])

    assert texts(noa) == ["the first"]
    [row] = review_queue.fetch(noa).rows
    assert row.note == "not sure"


def test_a_colleague_who_is_asked_sees_the_message_first_and_who_asks(queue, mia, person):
    colleague = person(Role.AGENT)
    asked = Actor(colleague.id, colleague.email, Role.AGENT, queue.workspace_id)
    texts(mia)
    review_queue.apply(mia, [op("ask", id_of(queue, "the third"), person=str(colleague.id), note="contract?")])
    queue.sql("update review_hold set until = now() where asked_by = ''")

    row = review_queue.fetch(asked).rows[0]
    assert (row.text, row.asked_by, row.note) == ("the third", "mia@acme.test", "contract?")


def test_a_stranger_cannot_be_asked(queue, mia, noa):
    texts(mia)

    [outcome] = review_queue.apply(mia, [op("ask", id_of(queue, "the third"), person=str(noa.person_id))])
    assert "not a member" in outcome.error


def test_a_correction_names_the_waiting_messages_that_look_like_it(kit, mia):
    kit.vendor("jira")
    kit.route("jira", when={})
    for number in range(4):
        kit.say(f"the app crashed when I saved file {number}", chat=number)
    kit.say("where is my refund", chat=9)
    step = [{"source": "llm", "answer": "billing", "confidence": 0.4, "reason": "", "took_ms": 1, "cost_usd": 0}]
    kit.sql("update classification set steps = %(steps)s::jsonb", steps=json.dumps(step))
    texts(mia)
    first = id_of(kit, "the app crashed when I saved file 0")

    [outcome] = review_queue.apply(mia, [op("decide", first, category="bug", corrects="billing")])

    assert len(outcome.alike) == 3 and all("crashed" in text for _id, text in outcome.alike)


@pytest.mark.parametrize("ops", [None, {}, [{"op": "drop", "id": "1"}], [{"op": "decide", "id": "x", "n": "1"}]])
def test_what_is_no_batch_is_refused(ops, queue, mia):
    with pytest.raises(InvalidInput, match="Reload the page"):
        review_queue.apply(mia, ops)


def test_a_viewer_decides_nothing(queue, mia):
    viewer = Actor(uuid4(), "vi@acme.test", Role.VIEWER, queue.workspace_id)

    with pytest.raises(Forbidden):
        review_queue.apply(viewer, [op("decide", id_of(queue, "the first"), category="bug")])


def test_another_workspace_reaches_nothing(queue, neighbour):
    stranger = Actor(uuid4(), "noa@neighbour.test", Role.MANAGER, neighbour.workspace_id)

    [outcome] = review_queue.apply(stranger, [op("decide", id_of(queue, "the first"), category=None)])

    assert "does not exist" in outcome.error and texts(stranger) == []
    assert status_of(queue, "the first") == "needs_review"


# ---- second looks


@pytest.fixture
def twice(queue, mia):
    """Every decision is to be made by two persons; mia decided the first message."""
    settings = learning.settings(queue.workspace_id).model_copy(update={"double_share": 1.0})
    owner = Actor(None, "o@acme.test", Role.MANAGER, queue.workspace_id)
    learning.save_settings(owner, settings)
    releases.publish(owner)
    review_queue.apply(mia, [op("decide", id_of(queue, "the first"), category="bug", sentiment="negative")])
    return queue


def test_a_colleague_decides_again_without_knowing_and_nothing_changes_but_what_we_know(twice, mia, noa):
    [row] = review_queue.fetch(noa).again
    before = twice.sql("select status, category_id from message order by id")

    [outcome] = review_queue.apply(noa, [op("second", row.id, category="billing", sentiment="negative")])

    assert outcome.error == "" and review_queue.fetch(noa).again == []
    assert twice.sql("select status, category_id from message order by id") == before
    found = review_queue.agreed(twice.workspace_id)
    assert (found.by_field["category"].share, found.by_field["sentiment"].share) == (0.0, 1.0)
    assert found.mixed_up == [(("billing", "bug"), 1)]


def test_nobody_looks_twice_at_their_own_decision(twice, mia):
    assert review_queue.fetch(mia).again == []
    review_queue.apply(mia, [op("second", id_of(twice, "the first"), category="bug")])

    assert review_queue.agreed(twice.workspace_id).by_field["category"].n == 0


def test_a_decision_taken_back_needs_no_second_look(twice, mia, noa):
    review_queue.apply(mia, [op("undo", id_of(twice, "the first"))])

    assert review_queue.fetch(noa).again == []

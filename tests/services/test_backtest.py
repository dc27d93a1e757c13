"""What the backtest of a draft predicts is what happens once the draft is published."""

from random import Random

import pytest

from app.classify.backtest import Outcome, Played, compare
from app.db.tables import Rule
from app.domain.classification import Priority
from app.domain.errors import Forbidden
from app.domain.lifecycle import MessageStatus
from app.services import backtest, learning, releases, review, taxonomy
from app.services.learning import LlmSettings
from app.services.members import Actor, Role
from tests.answering_model import arrange

WORDS = ("#bug", "#billing", "crash", "invoice", "refund", "hello", "slow", "vip")


@pytest.fixture
def mia(kit):
    return Actor(None, "mia@acme.test", Role.MANAGER, kit.workspace_id)


def spoken(seed: int, count: int = 40) -> list[str]:
    random = Random(seed)
    return [f"{' '.join(random.sample(WORDS, 2))} number {place} {random.random()}" for place in range(count)]


def say_all(kit, texts: list[str], first_chat: int) -> None:
    kit.process(*[kit.receive(text, chat=first_chat + place) for place, text in enumerate(texts)])


def decided(kit) -> dict:
    """By the order of arrival: (category, priority, status, destinations)."""
    rows = kit.sql("""
        select m.id, m.text, c.key as category, m.priority, m.status,
               array(select x.key from delivery d join destination x on x.id = d.destination_id
                     where d.message_id = m.id and d.kind = 'create' order by d.id) as destinations
        from message m left join category c on c.id = m.category_id order by m.id""")
    return {row.id: (row.text, row.category, row.priority, row.status, tuple(row.destinations)) for row in rows}


def as_decided(text: str, outcome: Outcome) -> tuple:
    return (text, outcome.category, outcome.priority, outcome.status, outcome.destinations)


def edit(mia) -> None:
    taxonomy.save_rule(mia, "vip", {"text_contains": "vip"}, {"priority": "urgent"}, go_on=True)
    taxonomy.save_rule(mia, "crash", {"text_contains": "crash"}, {"category": "bug"})
    taxonomy.delete(mia, Rule, "billing")
    taxonomy.save_route(mia, "billing", {"category": ["billing"], "text_contains": "invoice"}, "failover", ["jira"])
    learning.save_llm_settings(mia, LlmSettings(bar=0.8))


@pytest.mark.parametrize("seed", range(3))
def test_the_prediction_is_what_happens_message_by_message(kit, mia, model, seed):
    arrange(kit)
    texts = spoken(seed)
    say_all(kit, texts, first_chat=1)
    before = decided(kit)
    edit(mia)

    asked = len(model)
    unknown = backtest.play(mia).unknown
    assert len(model) == asked, "nobody is asked again"
    found = backtest.play(mia, ask=True)
    assert len(model) == asked + unknown, "only those are asked which a rule, now deleted, decided"
    assert (found.messages, found.unknown) == (40, 0) and found.changed
    changed = {one.message_id: one.after for one in found.changed}
    predicted = [as_decided(row[0], changed[id_]) if id_ in changed else row for id_, row in before.items()]

    releases.publish(mia)
    say_all(kit, texts, first_chat=1001)
    happened = list(decided(kit).values())[40:]

    assert sorted(happened) == sorted(predicted)


def test_what_it_says_of_today_is_what_happened(kit, mia, model):
    arrange(kit)
    say_all(kit, spoken(7), first_chat=1)
    edit(mia)

    for one in backtest.play(mia).changed:
        assert as_decided(one.text, one.before) == decided(kit)[one.message_id]


def test_a_changed_question_is_paid_for_only_when_somebody_says_so(kit, mia, model):
    arrange(kit)
    say_all(kit, [f"hello number {place}" for place in range(5)] + ["#bug"], first_chat=1)
    taxonomy.save_category(mia, "wish", "Wish", description="Wish")
    asked = len(model)

    found = backtest.play(mia)
    assert (found.messages, found.unknown, len(model)) == (1, 5, asked)

    seen: list[float] = []
    answered = backtest.play(mia, ask=True, progress=seen.append)
    assert (answered.messages, answered.unknown, len(model)) == (6, 0, asked + 5)
    assert [one.after.category for one in answered.changed] == ["wish"] * 5
    assert answered.after.usd_per_1000 == pytest.approx(1000 * 5 * 0.0015 / 6) and seen[-1] == 1.0


def test_a_model_that_cannot_be_reached_leaves_it_unknown(kit, mia, model, httpserver):
    arrange(kit)
    say_all(kit, ["hello one"], first_chat=1)
    taxonomy.save_category(mia, "wish", "Wish")
    httpserver.clear()

    httpserver.expect_request("/v1/chat/completions").respond_with_data("busy", status=503)

    assert backtest.play(mia, ask=True).unknown == 1


def test_accuracy_is_of_what_would_run_alone_by_what_persons_said(kit, mia, model):
    arrange(kit)
    say_all(kit, [f"hello {place}" for place in range(4)], first_chat=1)
    first, second, third, _ = (row.id for row in kit.sql("select id from message order by id"))
    for message_id, category in ((first, "bug"), (second, "bug"), (third, "billing")):
        review.decide(mia, message_id, category)
    taxonomy.save_rule(mia, "hello", {"text_contains": "hello"}, {"category": "bug"})

    found = backtest.play(mia)

    assert (found.before.alone, found.after.alone) == (0.0, 1.0)
    assert found.before.accuracy.n == 0
    assert (found.after.accuracy.n, round(found.after.accuracy.share, 3)) == (3, 0.667)
    assert {key: one.share for key, one in found.after.by_category.items()} == {"bug": 1.0, "billing": 0.0}
    assert found.moved == {("", "jira"): 4}


def test_nothing_is_sent_and_nothing_is_changed(kit, mia, model):
    arrange(kit)
    say_all(kit, spoken(1, 10), first_chat=1)
    edit(mia)
    before, sent = decided(kit), [dict(vendor.tasks) for vendor in kit.vendors.values()]

    backtest.play(mia, ask=True)

    assert decided(kit) == before and [vendor.tasks for vendor in kit.vendors.values()] == sent


def test_agents_may_not_spend(kit):
    with pytest.raises(Forbidden):
        backtest.play(Actor(None, "al@acme.test", Role.AGENT, kit.workspace_id))


def test_an_empty_workspace_is_no_fault(kit, mia):
    taxonomy.save_category(mia, "wish", "Wish")

    found = backtest.play(mia)

    assert (found.messages, found.unknown, found.changed) == (0, 0, [])


def test_a_message_is_decided_by_what_was_learned_from_others_alone(kit, mia, model):
    arrange(kit)
    say_all(kit, [f"hello, where is my parcel that I ordered three weeks ago{end}" for end in ("", "?!")], first_chat=1)
    first, second = (row.id for row in kit.sql("select id from message order by id"))
    review.decide(mia, first, "bug")
    taxonomy.save_category(mia, "wish", "Wish", description="Wish")

    unknown = backtest.play(mia)
    review.decide(mia, second, "bug")
    known = backtest.play(mia)

    assert (unknown.messages, unknown.unknown) == (1, 1), "the second is like the first"
    assert (known.messages, known.unknown) == (2, 0), "and the first like the second"


def test_what_stays_at_a_destination_is_not_called_moved():
    def outcome(*destinations: str) -> Outcome:
        return Outcome("bug", Priority.NORMAL, MessageStatus.ROUTED, destinations)

    found = compare([Played(None, "", outcome("jira", "zoho"), outcome("jira", "asana", "trello"))])

    assert found.moved == {("zoho", "asana"): 1, ("", "trello"): 1}

import threading
from datetime import UTC, datetime

import pytest

from app.classify.cascade import CascadeConfig, classify
from app.classify.opinion import Opinion
from app.classify.prompt import Prompt
from app.domain.classification import Priority, Sentiment, Source, Step
from app.domain.conditions import Facts
from app.domain.errors import Rejected, TransientError, Unauthorized
from app.domain.rules import Rule
from tests.classify.vendors import ANTHROPIC, CATEGORIES, CHAT, COST_USD, HONEST, OPENAI, sent

TEXT = "The export is broken"
BUSY = {"error": {"message": "busy", "type": "x", "code": None, "param": None}}


def facts(text=TEXT, **known) -> Facts:
    return Facts(text, "telegram", "tg", datetime(2026, 11, 2, tzinfo=UTC), **known)


def rule(key="r", when=None, then=None, **more) -> Rule:
    return Rule.model_validate({"key": key, "when": when or {"text_contains": "export"}, "then": then, **more})


def run(text=TEXT, kind="text", known=None, **config):
    return classify(text, facts(text, **(known or {})), CascadeConfig(CATEGORIES, **config), kind)


class Heard(list):
    """Collects what the cascade reports about accounts."""

    def __call__(self, key, error):
        self.append((key, type(error).__name__ if error else None))


# ---- rules


def test_a_rule_decides_and_no_model_is_asked(httpserver):
    result = run(rules=[rule("exports", then={"category": "bug"})], accounts=[ANTHROPIC.account(httpserver)])

    assert (result.category, result.source, result.confidence) == ("bug", Source.RULE, 1.0)
    assert result.reason == "rule 'exports' matched"
    assert result.priority is Priority.HIGH  # the category's default
    assert (result.cost_usd, httpserver.log) == (0.0, [])


def test_a_rules_priority_wins_over_the_categorys_default():
    assert run(rules=[rule(then={"category": "bug", "priority": "low"})]).priority is Priority.LOW


def test_a_rule_that_ignores_says_which_one():
    result = run(rules=[rule("spam", then={"ignore": True})])

    assert (result.category, result.ignore_reason) == (None, "rule 'spam' matched")


def test_a_rule_that_asks_for_review_beats_its_own_category_and_leaves_it_as_a_suggestion():
    result = run(rules=[rule("legal", then={"review": True, "category": "bug"})])

    assert (result.category, result.source) == (None, None)
    assert "rule 'legal'" in result.review_reason
    assert result.steps[0].answer == "bug"


def test_a_rule_without_category_leaves_its_priority_and_tag_on_the_models_answer(httpserver):
    OPENAI.serves(httpserver, {**HONEST, "priority": "low"})

    result = run(rules=[rule(then={"priority": "urgent", "tag": "vip"})], accounts=[OPENAI.account(httpserver)])

    assert (result.category, result.source) == ("bug", Source.LLM)
    assert (result.priority, result.tags) == (Priority.URGENT, ("vip",))


def test_the_passport_names_each_rule_asked_and_why_one_was_skipped():
    rules = [
        rule("gone", then={"category": "refunds"}),
        rule("other", {"text_contains": "refund"}, {"category": "billing"}),
        rule("exports", then={"category": "bug"}),
    ]

    step = run(rules=rules).steps[0]

    assert (step.source, step.answer, step.reason) == (Source.RULE, "bug", "rule 'exports'")
    assert step.detail["matched"] == ["exports"]
    assert step.detail["missed"] == ["other"]
    assert "refunds" in step.detail["skipped"]["gone"]


# ---- the model's answer


def test_a_sure_answer_is_taken_over_whole(httpserver):
    ANTHROPIC.serves(httpserver, HONEST)

    result = run(accounts=[ANTHROPIC.account(httpserver)])

    assert (result.category, result.source, result.confidence) == ("bug", Source.LLM, 0.9)
    assert (result.sentiment, result.language) == (Sentiment.NEGATIVE, "en")
    assert (result.title, result.reason) == ("Export is broken", "The export fails.")
    assert (result.input_tokens, result.output_tokens) == (1000, 50)
    assert result.cost_usd == pytest.approx(COST_USD)
    assert result.steps[0].detail == {
        "account": "main", "model": "model-1", "input_tokens": 1000, "output_tokens": 50, "cached_tokens": 100,
        "priority": "normal", "sentiment": "negative",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("category", "said", "expected"),
    [
        ("bug", "normal", Priority.HIGH),  # "normal" gives way to the category's default
        ("bug", "urgent", Priority.URGENT),
        ("bug", "low", Priority.LOW),
        ("billing", "normal", Priority.NORMAL),
        ("chatter", "normal", Priority.LOW),
        ("bug", "nonsense", Priority.HIGH),
    ],
)
def test_the_models_priority_counts_unless_it_is_normal(httpserver, category, said, expected):
    CHAT.serves(httpserver, {**HONEST, "category": category, "priority": said})

    assert run(accounts=[CHAT.account(httpserver)]).priority is expected


def test_a_language_known_from_the_script_is_not_overruled_by_the_model(httpserver):
    CHAT.serves(httpserver, HONEST)
    accounts = [CHAT.account(httpserver)]

    assert run(accounts=accounts, known={"language": "zh"}).language == "zh"
    assert run(accounts=accounts).language == "en"


@pytest.mark.parametrize(("confidence", "bar", "decided"), [(0.6, 0.6, True), (0.59, 0.6, False), (0.9, 0.95, False)])
def test_under_the_bar_a_person_decides_and_sees_the_models_suggestion(httpserver, confidence, bar, decided):
    OPENAI.serves(httpserver, {**HONEST, "confidence": confidence})

    result = run(accounts=[OPENAI.account(httpserver)], bar=bar)

    assert (result.category == "bug") is decided
    assert result.steps[0].answer == "bug"
    assert bool(result.review_reason) is not decided
    assert result.cost_usd == pytest.approx(COST_USD)


@pytest.mark.parametrize(
    ("said", "ended", "why"),
    [
        (HONEST, "refused", "refused"),
        ('{"cat', "cut_off", "cut off"),
        ("no json", "done", "not the JSON"),
        ({**HONEST, "category": "banana"}, "done", "banana"),
        ({**HONEST, "category": "none_of_these"}, "done", "none of the categories"),
    ],
)
def test_an_unusable_answer_goes_to_a_person_and_not_to_the_next_account(httpserver, said, ended, why):
    ANTHROPIC.serves(httpserver, said, ended)
    OPENAI.serves(httpserver, HONEST)
    heard = Heard()

    result = run(accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")], report=heard)

    assert (result.category, result.source) == (None, None)
    assert why in result.review_reason
    assert result.cost_usd == pytest.approx(COST_USD)
    assert heard == [("main", None)]


# ---- failover


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, "TransientError"),
        (529, "TransientError"),
        (401, "Unauthorized"),
        (403, "Refused"),
        (404, "Rejected"),
    ],
)
def test_when_an_account_fails_the_next_one_answers_and_each_step_is_kept(httpserver, status, error):
    ANTHROPIC.fails(httpserver, status, BUSY)
    OPENAI.serves(httpserver, HONEST)
    heard = Heard()

    result = run(accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")], report=heard)

    assert (result.category, result.source) == ("bug", Source.LLM)
    failed, answered = result.steps
    assert (failed.answer, failed.detail["account"], failed.detail["error"]) == (None, "main", error)
    assert str(status) in failed.reason
    assert failed.took_ms > 0
    assert (answered.answer, answered.detail["account"]) == ("bug", "spare")
    assert result.cost_usd == pytest.approx(COST_USD)
    assert heard == [("main", error), ("spare", None)]


def test_an_account_behind_a_closed_gate_is_passed_over_without_a_call(httpserver):
    OPENAI.serves(httpserver, HONEST)
    heard = Heard()

    result = run(
        accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")],
        gate=lambda key: "its circuit is open" if key == "main" else None,
        report=heard,
    )

    assert result.category == "bug"
    assert result.steps[0].reason == "its circuit is open"
    assert [request.path for request, _ in httpserver.log] == [OPENAI.path]
    assert heard == [("spare", None)]


def test_when_every_account_is_away_for_now_the_message_is_kept_for_later(httpserver):
    ANTHROPIC.fails(httpserver, 429, BUSY, {"retry-after": "30"})
    OPENAI.fails(httpserver, 503, BUSY, {"retry-after": "7"})

    with pytest.raises(TransientError) as caught:
        run(accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")])

    assert caught.value.retry_after_s == 7.0
    assert "'main'" in str(caught.value)
    assert "'spare'" in str(caught.value)


def test_one_account_away_for_now_is_worth_waiting_for_even_when_another_is_dead(httpserver):
    ANTHROPIC.fails(httpserver, 401, BUSY)
    OPENAI.fails(httpserver, 503, BUSY)

    with pytest.raises(TransientError):
        run(accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")])


def test_when_every_account_is_dead_a_person_decides_and_reads_what_to_repair(httpserver):
    ANTHROPIC.fails(httpserver, 401, BUSY)
    OPENAI.fails(httpserver, 404, BUSY)
    heard = Heard()

    result = run(accounts=[ANTHROPIC.account(httpserver), OPENAI.account(httpserver, "spare")], report=heard)

    assert result.category is None
    assert "Enter a valid one" in result.review_reason
    assert "'model-1'" in result.review_reason
    assert heard == [("main", Unauthorized.__name__), ("spare", Rejected.__name__)]


def test_without_any_account_a_person_decides_and_reads_what_to_add():
    result = run(rules=[rule(when={"text_contains": "refund"}, then={"category": "billing"})])

    assert (result.category, result.priority) == (None, Priority.NORMAL)
    assert "add an LLM account" in result.review_reason
    assert [step.source for step in result.steps] == [Source.RULE]


# ---- nothing to read


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", "text", "no text"),
        (" \n\u200b", "text", "no text"),
        ("", "image", "image"),
        ("", "voice", "voice"),
        ("🎉", "sticker", "sticker"),
    ],
)
def test_a_message_without_text_goes_to_a_person_and_not_to_a_model(httpserver, text, kind, said):
    result = run(text, kind, accounts=[ANTHROPIC.account(httpserver)])

    assert result.category is None
    assert said in result.review_reason
    assert httpserver.log == []


def test_a_rule_may_still_decide_on_a_message_without_text():
    rules = [rule(when={"has_attachment": True}, then={"category": "billing"})]

    assert run("", "document", {"has_attachment": True}, rules=rules).category == "billing"


# ---- further tiers


def test_tiers_between_rules_and_llm_are_asked_in_order_until_one_is_sure(httpserver):
    asked = []

    def tier(source, category, cost_usd):
        def ask(text, known):
            asked.append((source, text, known.channel))
            return Opinion(source, (Step(source, "bug", 0.5, cost_usd=cost_usd),), category, reason=f"{source} says so")

        return ask

    result = run(
        tiers=(tier(Source.MEMORY, None, 0.25), tier(Source.LOCAL, "bug", 0.5)), accounts=[CHAT.account(httpserver)]
    )

    assert (result.category, result.source, result.reason) == ("bug", Source.LOCAL, "local says so")
    assert [step.source for step in result.steps] == [Source.MEMORY, Source.LOCAL]
    assert result.cost_usd == 0.75
    assert asked == [(Source.MEMORY, TEXT, "telegram"), (Source.LOCAL, TEXT, "telegram")]
    assert httpserver.log == []


# ---- threads


def test_many_threads_share_one_configuration_and_one_client(httpserver):
    ANTHROPIC.serves(httpserver, HONEST)
    config = CascadeConfig(CATEGORIES, accounts=[ANTHROPIC.account(httpserver)])
    results = []

    def work():
        results.extend(classify(TEXT, facts(), config).category for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == ["bug"] * 80
    assert ANTHROPIC.system_of(sent(httpserver))[0]["cache_control"] == {"type": "ephemeral"}


# ---- what the LLM is asked, and whether


def test_a_spent_budget_asks_no_llm_and_says_why(httpserver):
    result = run(accounts=[OPENAI.account(httpserver)], afford=lambda: "The budget is spent.")

    assert (result.category, result.review_reason, httpserver.log) == (None, "The budget is spent.", [])


def test_an_unsure_small_model_is_followed_by_the_one_marked_for_a_second_opinion(httpserver):
    CHAT.serves(httpserver, {**HONEST, "confidence": 0.3})
    OPENAI.serves(httpserver, {**HONEST, "category": "bug", "confidence": 0.95})
    small, stand_in = CHAT.account(httpserver), ANTHROPIC.account(httpserver)
    large = OPENAI.account(httpserver, second_opinion=True)

    result = run(accounts=[small, stand_in, large])

    assert (result.category, result.confidence) == ("bug", 0.95)
    assert [step.detail["account"] for step in result.steps] == [small.key, large.key]
    assert result.cost_usd == pytest.approx(2 * COST_USD)


def test_without_one_an_unsure_answer_goes_to_a_person(httpserver):
    CHAT.serves(httpserver, {**HONEST, "confidence": 0.3})

    result = run(accounts=[CHAT.account(httpserver), OPENAI.account(httpserver)])

    assert result.category is None and len(httpserver.log) == 1


def test_a_narrow_question_that_fits_nothing_is_asked_again_in_full(httpserver):
    OPENAI.serves(httpserver, {**HONEST, "category": "none_of_these"})
    narrow = Prompt(CATEGORIES[:1], (("the export fails", CATEGORIES[0].key),))

    result = run(accounts=[OPENAI.account(httpserver)], narrow=lambda text: narrow)

    first, second = (request.data.decode() for request, _ in httpserver.log)
    assert "the export fails" in first and "the export fails" not in second
    assert CATEGORIES[1].key not in first and CATEGORIES[1].key in second
    assert len(result.steps) == 2 and result.category is None

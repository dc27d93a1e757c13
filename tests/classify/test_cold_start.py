"""A workspace that learnt nothing yet: names and descriptions are enough to suggest, and never to decide."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.classify.calibration import Thresholds
from app.classify.cascade import CascadeConfig, classify
from app.classify.cold_start import ENOUGH_EACH, NOTHING_SHARED, Names, by_names
from app.classify.learned import Learned, by_model
from app.classify.local_model import LocalModel
from app.classify.memory import Memory
from app.classify.opinion import Opinion
from app.domain.classification import Category, Source, Step
from app.domain.conditions import Facts

DATA = Path(__file__).parents[2] / "../shared/data"
FACTS = Facts("", "telegram", "tg", datetime(2026, 11, 2, tzinfo=UTC))
SUPPORT = (
    Category("bug", "Bug", "Something that worked is broken, crashes or shows an error"),
    Category("billing", "Billing", "Invoices, payments and refunds"),
    Category("shipping", "Shipping", "Where a parcel is, delivery times"),
    Category("account", "Account", "Sign-in, password, e-mail address"),
)
SUPPORT_ZH = (
    Category("bug", "故障", "以前能用的功能坏了，闪退或报错"),
    Category("billing", "账单", "发票、付款和退款"),
    Category("shipping", "物流", "包裹在哪里，快递配送时间"),
    Category("account", "登录", "密码、账号登不上"),
)


def knowing(examples: Sequence[tuple[str, str]] = ()) -> Learned:
    model = LocalModel()
    for text, category in examples:
        model.learn(text, category)
    return Learned(model, Memory(model.vectoriser), Thresholds(0.95))


def asked(text: str, categories: Sequence[Category] = SUPPORT, learned: Learned | None = None) -> Opinion:
    learned = learned or knowing()
    return by_names(lambda: learned, categories)(text, FACTS)


@pytest.mark.parametrize(
    ("categories", "text", "right", "word"),
    [
        (SUPPORT, "I was charged twice, please refund one", "billing", "refund"),
        (SUPPORT, "the app is crashing since the update", "bug", "crashing"),
        (SUPPORT, "my parcels still did not arrive", "shipping", "parcels"),
        (SUPPORT, "I forgot my PASSWORD!", "account", "password"),
        (SUPPORT_ZH, "请问发票可以改抬头吗", "billing", "发票"),
        (SUPPORT_ZH, "快递显示已签收，但是我没有收到", "shipping", "快递"),
        ((Category("a", "Erstattung"), Category("b", "Lieferung")), "Wann kommt die Rückerstattung?", "a",
         "rückerstattung"),
    ],
)  # fmt: skip
def test_it_suggests_the_category_whose_words_the_message_uses_and_names_them(categories, text, right, word):
    opinion = asked(text, categories)

    [step] = opinion.steps
    assert (step.source, step.answer) == (Source.NAMES, right)
    assert word in [found for found, _share in step.detail["words"]]
    assert step.detail["likeliest"][0] == [right, round(step.confidence, 4)]


def test_it_never_decides_alone():
    tier = by_names(knowing, SUPPORT)

    result = classify("refund the invoice", FACTS, CascadeConfig(SUPPORT, tiers=(tier,)))

    assert result.category is None and result.source is None
    assert result.steps[-1].answer == "billing" and result.steps[-1].confidence > 0.9
    assert "Too little is learnt yet" in result.review_reason


@pytest.mark.parametrize("text", ["hello there", "你好", "", "?!", "this is the one that I have"])
def test_what_shares_no_word_with_any_category_gets_no_suggestion(text):
    [step] = asked(text).steps

    assert (step.answer, step.reason, step.detail) == (None, NOTHING_SHARED, {})


def test_a_word_that_every_category_uses_suggests_none_and_lists_the_likeliest():
    many = [Category(name, f"Question about {name}") for name in ("cards", "loans", "rates", "funds", "notes")]

    [step] = asked("I have a question", many).steps

    assert step.answer is None and "many" in step.reason
    assert {key for key, _ in step.detail["likeliest"]} == {category.key for category in many}


def test_common_words_of_a_description_count_for_nothing():
    categories = [Category("a", "Alpha", "what is this and how does it work for you"), Category("b", "Beta")]

    assert asked("what is this and how do you do", categories).steps[0].answer is None
    assert asked("what is this beta and how is it", categories).steps[0].answer == "b"


def test_it_falls_silent_once_the_model_has_seen_enough_of_each_category():
    few = [("refund the invoice", "billing")] * (ENOUGH_EACH * len(SUPPORT) - 1)

    before, after = asked("refund", learned=knowing(few)), asked("refund", learned=knowing([*few, ("crash", "bug")]))

    assert before.steps[0].answer == "billing"
    assert after == Opinion(Source.NAMES, ())


def test_examples_of_categories_that_are_gone_do_not_silence_it():
    gone = knowing([(f"text {n}", "gone") for n in range(100)])

    assert asked("refund", learned=gone).steps[0].answer == "billing"


def test_without_categories_it_says_nothing():
    assert asked("refund", ()).steps == ()


def test_its_silence_keeps_the_models_own_reason_for_not_being_sure():
    learned = knowing([("refund the invoice", "billing"), ("it crashed", "bug")] * 8)
    tiers = (by_model(lambda: learned, {"billing", "bug"}), by_names(lambda: learned, SUPPORT))

    result = classify("refund the invoice", FACTS, CascadeConfig(SUPPORT, tiers=tiers))

    assert result.steps[-1].source is Source.LOCAL and result.steps[-1].answer == "billing"
    assert result.review_reason == result.steps[-1].reason


def test_a_suggestion_of_the_model_stands_where_names_have_none():
    model_says = Opinion(Source.LOCAL, (Step(Source.LOCAL, "bug", 0.3),), unsure_because="Not sure enough.")
    tiers = (lambda text, facts: model_says, by_names(knowing, SUPPORT))

    result = classify("hello there", FACTS, CascadeConfig(SUPPORT, tiers=tiers))

    assert result.review_reason == "Not sure enough."


@pytest.mark.parametrize(("name", "first", "first_three"), [("banking77", 0.46, 0.65), ("clinc150", 0.48, 0.64)])
def test_names_alone_are_right_for_half_of_public_test_messages(name, first, first_three):
    if not DATA.is_dir():
        pytest.skip("the public data sets are not on this machine")
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "oos"]
    labels = sorted({row["label"] for row in rows})
    names = Names([Category(label, label.replace("_", " ")) for label in labels])
    tests = [row for row in rows if row["split"] == "test"]

    ranks = [[key for key, _ in names.likeness(row["text"]).likeliest[:3]] for row in tests]

    assert sum(row["label"] in keys[:1] for row, keys in zip(tests, ranks, strict=True)) >= first * len(tests)
    assert sum(row["label"] in keys for row, keys in zip(tests, ranks, strict=True)) >= first_three * len(tests)

from datetime import UTC, datetime

from app.classify import rules_engine
from app.domain.classification import Priority
from app.domain.conditions import Facts
from app.domain.rules import Rule

CATEGORIES = {"bug", "billing"}
FACTS = Facts("The export is broken", "telegram", "tg", datetime(2026, 11, 2, tzinfo=UTC))
MATCHING, OTHER = {"text_contains": "export"}, {"text_contains": "refund"}


def rule(key, then, when=MATCHING, **more) -> Rule:
    return Rule.model_validate({"key": key, "when": when, "then": then, **more})


def apply(*rules):
    return rules_engine.apply(list(rules), FACTS, CATEGORIES)


def test_the_first_matching_rule_ends_the_search():
    outcome = apply(
        rule("a", {"category": "billing"}, OTHER), rule("b", {"category": "bug"}), rule("c", {"priority": "low"})
    )

    assert (outcome.category, outcome.priority) == ("bug", None)
    assert outcome.set_by == {"category": "b"}
    assert (outcome.missed, outcome.matched) == (["a"], ["b"])


def test_after_continue_later_rules_set_only_what_is_unset():
    outcome = apply(
        rule("a", {"priority": "urgent"}, **{"continue": True}),
        rule("b", {"category": "bug", "priority": "low"}, **{"continue": True}),
        rule("c", {"category": "billing"}),
        rule("d", {"tag": "never asked"}),
    )

    assert (outcome.category, outcome.priority) == ("bug", Priority.URGENT)
    assert outcome.set_by == {"priority": "a", "category": "b"}
    assert outcome.matched == ["a", "b", "c"]
    assert outcome.tags == ()


def test_tags_of_all_matching_rules_are_collected_once():
    more = {"continue": True}

    outcome = apply(rule("a", {"tag": "vip"}, **more), rule("b", {"tag": "vip"}, **more), rule("c", {"tag": "eu"}))

    assert outcome.tags == ("vip", "eu")


def test_a_rule_naming_an_unknown_category_is_skipped_with_the_reason_and_does_nothing():
    outcome = apply(rule("gone", {"category": "refunds", "tag": "x"}), rule("b", {"category": "bug"}))

    assert outcome.category == "bug"
    assert outcome.tags == ()
    assert "'refunds', which does not exist" in outcome.skipped["gone"]


def test_a_rule_that_is_switched_off_is_skipped():
    assert apply(rule("off", {"category": "bug"}, enabled=False)).skipped == {"off": "switched off"}


def test_of_category_and_ignore_the_first_wins():
    more = {"continue": True}

    sorted_first = apply(rule("a", {"category": "bug"}, **more), rule("b", {"ignore": True}))
    ignored_first = apply(rule("a", {"ignore": True}, **more), rule("b", {"category": "bug"}))

    assert (sorted_first.category, sorted_first.ignore) == ("bug", False)
    assert (ignored_first.category, ignored_first.ignore) == (None, True)


def test_review_holds_beside_a_category_but_not_after_ignore():
    more = {"continue": True}

    asked = apply(rule("a", {"category": "bug"}, **more), rule("b", {"review": True}))
    ignored = apply(rule("a", {"ignore": True}, **more), rule("b", {"review": True}))

    assert (asked.category, asked.review) == ("bug", True)
    assert (ignored.ignore, ignored.review) == (True, False)


def test_the_passport_holds_only_what_says_something():
    assert apply().detail() == {}
    assert apply(rule("a", {"tag": "t"}, OTHER)).detail() == {"missed": ["a"]}

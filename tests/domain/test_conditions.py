from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from app.domain.classification import Priority, Sentiment
from app.domain.conditions import MAX_DEPTH, Condition, Facts

MONDAY_NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def facts(text="The export is broken", **known) -> Facts:
    return Facts(**{"text": text, "channel": "telegram", "bot": "tg", "received_at": MONDAY_NOON, **known})


def holds(when: dict, **known) -> bool:
    return Condition.model_validate(when).holds(facts(**known))


def refusal(when: dict) -> str:
    with pytest.raises(ValidationError) as caught:
        Condition.model_validate(when)
    return caught.value.errors()[0]["msg"]


# ---- single tests


@pytest.mark.parametrize(
    ("when", "known"),
    [
        ({"text_contains": "EXPORT"}, {}),
        ({"text_contains": "strasse"}, {"text": "Die Straße"}),
        ({"text_any_of": ["refund", "Broken"]}, {}),
        ({"text_matches": "(?i)^the .*broken$"}, {}),
        ({"text_matches": "退.?款"}, {"text": "我要退款"}),
        ({"channel": ["slack", "telegram"]}, {}),
        ({"bot": ["tg"]}, {}),
        ({"language": ["de"]}, {"language": "de"}),
        ({"contact_tag": ["vip", "new"]}, {"contact_tags": frozenset({"vip", "eu"})}),
        ({"min_length": 20, "max_length": 20}, {}),
        ({"has_attachment": True}, {"has_attachment": True}),
        ({"has_attachment": False}, {}),
        ({"category": ["bug"], "priority": ["high"]}, {"category": "bug", "priority": Priority.HIGH}),
        ({"sentiment": ["negative"]}, {"sentiment": Sentiment.NEGATIVE}),
        ({}, {}),
    ],
)
def test_a_condition_holds_for_the_message_it_describes(when, known):
    assert holds(when, **known)


@pytest.mark.parametrize(
    ("when", "known"),
    [
        ({"text_contains": "refund"}, {}),
        ({"text_any_of": ["refund", "invoice"]}, {}),
        ({"text_any_of": []}, {}),
        ({"text_matches": "^export"}, {}),
        ({"channel": ["slack"]}, {}),
        ({"language": ["de"]}, {"language": None}),
        ({"contact_tag": ["vip"]}, {}),
        ({"min_length": 21}, {}),
        ({"max_length": 19}, {}),
        ({"has_attachment": True}, {}),
        ({"category": ["bug"]}, {}),
        ({"priority": ["high"]}, {"priority": Priority.LOW}),
    ],
)
def test_a_condition_does_not_hold_for_another_message(when, known):
    assert not holds(when, **known)


def test_all_tests_of_one_condition_must_hold():
    assert holds({"text_contains": "export", "channel": ["telegram"]})
    assert not holds({"text_contains": "export", "channel": ["slack"]})


# ---- groups


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("export broken", True),
        ("export crashed", True),
        ("export broken, solved", False),
        ("import broken", False),
        ("export", False),
    ],
)
def test_groups_nest(text, expected):
    when = {
        "all": [
            {"text_contains": "export"},
            {"any": [{"text_contains": "broken"}, {"text_contains": "crash"}]},
            {"not": {"any": [{"text_contains": "solved"}, {"language": ["xx"]}]}},
        ]
    }

    assert holds(when, text=text) is expected


def test_a_group_and_a_test_beside_it_must_both_hold():
    assert not holds({"text_contains": "refund", "any": [{"text_contains": "export"}]})
    assert not holds({"text_contains": "export", "not": {"channel": ["telegram"]}})


def test_an_empty_all_holds_and_an_empty_any_does_not():
    assert holds({"all": []})
    assert not holds({"any": []})


def nested(levels: int) -> dict:
    return {"text_contains": "export"} if levels == 1 else {"all": [nested(levels - 1)]}


def test_eight_levels_are_accepted_and_nine_refused_with_the_number():
    assert holds(nested(MAX_DEPTH))
    assert f"more than {MAX_DEPTH} levels" in refusal(nested(MAX_DEPTH + 1))


# ---- hours


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 2, 7, 59, 59, tzinfo=UTC), False),  # Monday 08:59:59 in Berlin
        (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 2, 16, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 2, 17, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 12, 0, tzinfo=UTC), False),  # Sunday
    ],
)
def test_hours_are_the_workspaces_and_exclude_the_end(moment, expected):
    when = {"hours": {"from": "09:00", "to": "18:00", "days": [1, 2, 3, 4, 5]}}

    assert holds(when, received_at=moment, timezone="Europe/Berlin") is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 6, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 6, 22, 0, tzinfo=UTC), True),  # Friday
        (datetime(2026, 11, 7, 5, 59, tzinfo=UTC), True),  # Saturday morning belongs to Friday's night
        (datetime(2026, 11, 7, 6, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 7, 22, 0, tzinfo=UTC), False),  # Saturday's night is not on the list
        (datetime(2026, 11, 6, 3, 0, tzinfo=UTC), False),  # Friday morning belongs to Thursday's
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins(moment, expected):
    assert holds({"hours": {"from": "22:00", "to": "06:00", "days": [5]}}, received_at=moment) is expected


def test_sunday_night_runs_into_monday():
    when = {"hours": {"from": "22:00", "to": "06:00", "days": [7]}}

    assert holds(when, received_at=datetime(2026, 11, 2, 3, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "local"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "01:30"),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "03:30"),  # clocks went from 02:00 to 03:00
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30"),  # still summer time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "02:30"),  # the same hour again, in winter time
    ],
)
def test_hours_follow_the_change_of_the_clocks(moment, local):
    hour = local[:2]
    within = {"hours": {"from": f"{hour}:00", "to": f"{hour}:59"}}

    assert holds(within, received_at=moment, timezone="Europe/Berlin")


def test_days_outside_the_week_are_refused():
    assert "Monday" in refusal({"hours": {"from": "09:00", "to": "18:00", "days": [0]}})


# ---- what is refused when a rule is saved


@pytest.mark.parametrize("pattern", ["(?=x)", r"(a)\1", "(unclosed", "*"])
def test_a_pattern_re2_cannot_run_is_refused_in_words(pattern):
    message = refusal({"text_matches": pattern})

    assert "RE2" in message
    assert len(message.split("run: ")[1]) > 5  # RE2's own explanation follows


def test_a_pattern_that_hangs_backtracking_engines_ends_at_once():
    assert not holds({"text_matches": "^(a+)+$"}, text="a" * 50_000 + "b")


@pytest.mark.parametrize("when", [{"text_contains": ""}, {"text_contains": "  "}, {"text_any_of": ["down", ""]}])
def test_an_empty_text_is_refused_because_it_would_match_everything(when):
    assert "match every message" in refusal(when)


def test_an_unknown_test_is_refused():
    assert "Extra inputs" in refusal({"text_has": "x"})


def test_an_empty_condition_is_known_as_empty():
    assert Condition().is_empty()
    assert not Condition(text_contains="x").is_empty()

"""Between a condition and the lines a form shows: what goes in comes out, with one meaning."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from app.domain.conditions import Condition, Facts
from app.ui import conditions

SHOWN = [
    {},
    {"text_contains": "refund"},
    {"text_any_of": ["down", "outage"], "channel": ["telegram"], "has_attachment": False},
    {"text_contains": "a", "all": [{"text_contains": "b"}, {"text_contains": "c"}]},
    {"any": [{"text_contains": "a"}, {"language": ["zh"]}]},
    {"not": {"text_contains": "a"}},
    {"min_length": 2, "any": [{"bot": ["x"]}], "not": {"any": [{"text_contains": "a"}, {"max_length": 9}]}},
]
TOO_DEEP = [
    {"any": [{"text_contains": "a", "language": ["zh"]}]},
    {"any": [{"all": [{"text_contains": "a"}]}]},
    {"any": []},
    {"not": {"text_contains": "a", "language": ["zh"]}},
    {"not": {"any": [{"text_contains": "a"}], "language": ["zh"]}},
    {"not": {"not": {"text_contains": "a"}}},
]
MESSAGES = ["", "a", "b", "abc", "refund, the site is down", "a very long message"]


def holds(condition: dict) -> list[bool]:
    read = Condition.model_validate(condition)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    return [
        read.holds(Facts(text, "telegram", bot, at, language)) for text in MESSAGES for bot in "xy"
        for language in ("en", "zh")
    ]  # fmt: skip


@pytest.mark.parametrize("condition", SHOWN, ids=str)
def test_lines_mean_what_the_condition_means(condition):
    again, _paths = conditions.from_lines(conditions.to_lines(condition))

    assert holds(again) == holds(condition)
    assert conditions.to_lines(again) == conditions.to_lines(condition)


@pytest.mark.parametrize("condition", TOO_DEEP, ids=str)
def test_what_lines_cannot_say_is_left_to_json(condition):
    assert conditions.to_lines(condition) is None


def test_each_line_knows_its_place_in_the_condition():
    lines = conditions.to_lines({"text_contains": "a", "all": [{"text_contains": "b"}], "not": {"text_matches": "("}})

    _condition, paths = conditions.from_lines(lines)

    assert paths == {
        ("all", 0): "text_contains", ("all", 1): "all.0.text_contains", ("none", 0): "not.any.0.text_matches",
    }  # fmt: skip


def test_a_customers_words_in_a_condition_cannot_become_markup():
    def draw():
        import streamlit as st

        from app.ui import conditions

        st.markdown(conditions.in_words({"text_contains": "[x](https://evil.test)", "all": [{"text_matches": "*b*"}]}))

    page = AppTest.from_function(draw).run()

    assert "\\[x\\]\\(https" in page.markdown[0].value

"""What changed between two states of a setting."""

import pytest

from app.domain.difference import Change, changes


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"priority": "low", "name": "Bug"}, {"priority": "high", "name": "Bug"}, [("priority", "low", "high")]),
        ({"when": {"category": "bug", "bot": "tg"}}, {"when": {"category": "how", "bot": "tg"}},
         [("when.category", "bug", "how")]),
        (None, {"enabled": True}, [("enabled", None, "yes")]),
        ({"enabled": False}, None, [("enabled", "no", None)]),
        ({"order": ["a", "b"]}, {"order": ["b", "a"]}, [("order", "a, b", "b, a")]),
        ({"all": [{"text": "x"}, {"text": "y"}]}, {"all": [{"text": "x"}, {"text": "z"}]}, [("all.2.text", "y", "z")]),
        ({"sla_min": None}, {}, []), ({"a": 0}, {"a": 0}, []), ({"a": None}, {"a": 0}, [("a", "", "0")]),
        (None, None, []),
    ],
)  # fmt: skip
def test_each_value_that_differs_is_one_line_and_no_other(before, after, found):
    assert changes(before, after) == [Change(*each) for each in found]

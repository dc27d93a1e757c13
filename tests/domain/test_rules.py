import pytest
from pydantic import ValidationError

from app.domain.rules import Rule

ALWAYS = {"key": "r", "when": {}}


def test_a_rule_reads_the_shape_of_the_configuration_file():
    rule = Rule.model_validate(
        {"key": "outage", "when": {"text_matches": "(?i)down"}, "then": {"category": "bug"}, "continue": True}
    )

    assert rule.then.category == "bug"
    assert rule.go_on
    assert rule.enabled


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({}, "has no effect"),
        ({"ignore": False}, "has no effect"),
        ({"ignore": True, "category": "bug"}, "ignores the message"),
        ({"ignore": True, "review": True}, "ignores the message"),
        ({"priority": "huge"}, "Input should be"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_actions_that_cannot_work_are_refused(then, said):
    with pytest.raises(ValidationError, match=said):
        Rule.model_validate({**ALWAYS, "then": then})


@pytest.mark.parametrize(
    "then",
    [{"tag": "vip"}, {"priority": "urgent"}, {"ignore": True, "tag": "spam"}, {"review": True, "category": "bug"}],
)
def test_actions_with_an_effect_are_accepted(then):
    assert Rule.model_validate({**ALWAYS, "then": then}).then

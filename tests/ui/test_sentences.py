"""Sentences of services reach the screen in the reader's language, with what was filled in."""

import pytest

from app.classify.accounts import NO_ACCOUNT
from app.domain.errors import InvalidInput
from app.services import budget, taxonomy
from app.services.members import Actor, Role
from app.ui import i18n, sentences
from tests.ui.test_i18n import speak

__all__ = ["speak"]


def test_what_a_service_says_is_said_in_chinese(speak, actor):
    speak("zh_CN")
    with pytest.raises(InvalidInput) as refused:
        taxonomy.save_category(actor, "bug", "Bug", priority="soon")

    assert i18n._(str(refused.value)) == "没有优先级“soon”。"
    assert i18n._(NO_ACCOUNT).startswith("没有规则作出决定")
    assert i18n._(budget.SPENT.format(budget=1234.5)).startswith("本月大模型预算 $1,234.50 已用完")


def test_a_sentence_inside_a_sentence_is_said_in_chinese_too(speak):
    speak("zh_CN")
    inner = "LLM account 'main' did not answer within 20 s."

    said = i18n._(
        f"No LLM account can answer: {inner} Decide this message here and repair the account under LLM accounts."
    )

    assert "在 20 秒内没有回答" in said


def test_what_nobody_translated_and_every_english_sentence_stay_as_they_are(speak):
    speak("zh_CN")
    assert i18n._("quod erat demonstrandum.") == "quod erat demonstrandum."
    speak("en")
    assert i18n._("There is no priority 'soon'.") == "There is no priority 'soon'."


def test_the_sentences_are_those_in_the_code():
    found = dict(sentences.in_code())

    assert found["There is no category '{0}' any more. Choose another."].startswith("app/services/review")
    assert not any("select " in text for text in found)


@pytest.fixture
def actor(workspace):
    return Actor(None, "mia@acme.test", Role.MANAGER, workspace)

from datetime import UTC, datetime, timedelta

import pytest

from app.ui import i18n


@pytest.fixture
def speak(monkeypatch):
    return lambda name: monkeypatch.setattr(i18n, "language", lambda: name)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN", "zh_CN"), ("zh_Hans_SG", "zh_CN"), ("zh", "zh_CN"), ("en-GB", "en"), ("de-DE", "en"), ("", "en"),
     (None, "en"), ("not a locale!", "en")],
)  # fmt: skip
def test_the_nearest_of_our_languages_is_spoken(asked, spoken):
    assert i18n.supported(asked) == spoken


def test_a_text_is_translated_into_chinese_and_left_alone_in_english(speak):
    speak("zh_CN")
    assert i18n._("Sign in") == "登录"
    speak("en")
    assert i18n._("Sign in") == "Sign in"


def test_an_unknown_text_is_shown_as_written(speak):
    speak("zh_CN")
    assert i18n._("never written anywhere") == "never written anywhere"
    assert i18n._("") == ""


def test_a_moment_is_shown_in_the_workspaces_time_zone(speak):
    speak("en")
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    assert i18n.moment(at, "Europe/Berlin") == "Jul 2, 2026 00:30"
    speak("zh_CN")
    assert i18n.moment(at, "Asia/Shanghai") == "2026年7月2日 06:30"


def test_past_and_future_are_told_apart(speak):
    speak("en")
    now = datetime.now(UTC)

    assert i18n.ago(now - timedelta(minutes=3)) == "3 minutes ago"
    assert i18n.ago(now + timedelta(hours=2, seconds=30)) == "in 2 hours"


def test_numbers_follow_the_language(speak):
    speak("en")
    assert i18n.number(1234567) == "1,234,567"
    assert i18n.percent(0.953) == "95%"
    assert i18n.percent(0.9534, digits=1) == "95.3%"
    assert i18n.duration(300) == "5 minutes"


def test_a_small_sum_keeps_its_digits(speak):
    speak("en")
    assert i18n.money(0.0004) == "$0.0004"
    assert i18n.money(12.5) == "$12.50"
    assert i18n.money(0) == "$0.00"

"""The Review page: one message after another, decided with one press."""

import json

from app.db.tables.people import Role
from tests import browser as driver
from tests.pages.test_shell import words


def toasts(page) -> str:
    return "\n".join(toast.value for toast in page.toast)


def waiting_message(kit, text: str = "my invoice is wrong", suggestion: str | None = None) -> None:
    """A message nobody was sure about; `suggestion` is what the machine thought of it."""
    kit.say(text)
    if suggestion:
        step = {"source": "llm", "answer": suggestion, "confidence": 0.42, "reason": "an invoice", "took_ms": 310.0,
                "cost_usd": 0.0004}  # fmt: skip
        kit.sql("update classification set steps = %(steps)s::jsonb", steps=json.dumps([step]))
        kit.sql("update message set confidence = 0.42")


def test_an_empty_queue_is_good_news(visit, person, kit):
    page = visit(person(), "review")

    assert not page.exception
    assert "All decided" in words(page)


def test_the_suggestion_is_confirmed_with_one_press_and_the_toast_says_where_it_went(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira", when={"category": ["billing"]})
    waiting_message(kit, suggestion="billing")
    page = visit(person(Role.AGENT), "review")
    confirm = page.button(key="decide-billing")

    assert confirm.label.startswith("Confirm: Billing · 42%")
    confirm.click().run()

    assert not page.exception
    assert "Sent to jira" in toasts(page)
    assert "All decided" in words(page)
    assert kit.messages() == [("my invoice is wrong", "routed")]


def test_the_next_message_follows_at_once_oldest_first(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    waiting_message(kit, "the first")
    waiting_message(kit, "the second")
    page = visit(person(), "review")

    assert "2 messages wait" in words(page)
    assert "the first" in words(page)
    page.button(key="decide-bug").click().run()

    assert "1 message waits" in words(page)
    assert "the second" in [element.value for element in page.text]


def test_priority_and_sentiment_of_the_person_are_kept(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    waiting_message(kit)
    page = visit(person(), "review")
    message = kit.sql("select id from message")[0].id

    page.segmented_control(key=f"priority-{message}").set_value("urgent")
    page.segmented_control(key=f"sentiment-{message}").set_value("negative")
    page.button(key="decide-bug").click().run()

    assert kit.sql("select priority, sentiment from message") == [("urgent", "negative")]


def test_nothing_to_do_makes_no_task(visit, person, kit):
    waiting_message(kit)
    page = visit(person(), "review")
    page.button(key="decide-nothing").click().run()

    assert kit.messages() == [("my invoice is wrong", "ignored")]
    assert kit.states() == []
    assert "Nothing is to be done" in toasts(page)


def test_later_puts_a_message_behind_the_others(visit, person, kit):
    waiting_message(kit, "the first")
    kit.say("the second", chat=2)
    page = visit(person(), "review")
    page.button(key="later").click().run()

    assert "the second" in [element.value for element in page.text]
    page.button(key="later").click().run()
    assert "the first" in [element.value for element in page.text]


def test_a_viewer_sees_the_message_and_cannot_decide(visit, person, kit):
    waiting_message(kit)
    page = visit(person(Role.VIEWER), "review")

    assert "my invoice is wrong" in words(page)
    assert not [button for button in page.button if button.key and button.key.startswith("decide-")]
    assert "needs the role agent" in page.info[0].value


def test_customers_words_stay_plain_text(visit, person, kit):
    waiting_message(kit, "![x](https://evil.test/x.png) <b>bold</b>")
    page = visit(person(), "review")

    assert "![x](https://evil.test/x.png) <b>bold</b>" in [element.value for element in page.text]
    assert not any("evil.test" in element.value for element in (*page.markdown, *page.caption))


def test_a_person_reviews_by_clicking_and_the_passport_shows_their_decision(app, browser, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    waiting_message(kit, "the page stays white", suggestion="billing")
    mia = person()
    page = driver.open_page(browser, app)
    driver.sign_in(page, mia.email, mia.password, "/review")
    driver.signed_in(page)

    page.get_by_text("the page stays white").first.wait_for()
    page.locator(".st-key-decide-bug button").click()
    page.get_by_text("All decided").wait_for()
    message = kit.sql("select id from message")[0].id
    page.wait_for_function("() => document.cookie.includes('octopus_session')")
    page.goto(f"/inbox?message={message}")

    verdict = page.locator("[class*='st-key-verdict-']").first
    verdict.wait_for()
    assert "Bug" in verdict.inner_text()
    assert "Person" in verdict.inner_text()
    assert mia.email.split("@")[0] in verdict.inner_text()
    page.context.close()

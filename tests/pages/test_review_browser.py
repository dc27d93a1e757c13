"""Review in a real browser: one key decides, the next message is there at once, and nothing is lost on the way."""

import json
import time

import pytest
from playwright.sync_api import expect

from app.db.tables.people import Role
from tests.browser import CHROMIUM, open_page, open_screen, sign_in, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]
SAVED_WITHIN_S = 10


@pytest.fixture
def page(app, browser, person):
    mia = person(Role.MANAGER)
    page = open_page(browser, app, viewport={"width": 1360, "height": 900})
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    yield page
    page.context.close()


@pytest.fixture
def waiting(kit):
    """Fill the queue: `waiting("a text", "billing")`; the machine suggests the category."""
    kit.vendor("jira")
    kit.route("jira", when={})

    def add(text: str, suggestion: str = "billing") -> None:
        kit.say(text, chat=len(kit.messages()) + 1)
        step = {"source": "llm", "answer": suggestion, "confidence": 0.42, "reason": "an invoice", "took_ms": 310.0,
                "cost_usd": 0.0004}  # fmt: skip
        newest = "(select message_id from classification order by id desc limit 1)"
        kit.sql(f"update classification set steps = %(s)s::jsonb where message_id = {newest}", s=json.dumps([step]))
        kit.sql(f"update message set confidence = 0.42 where id = {newest}")

    return add


def saved(there) -> None:
    end = time.monotonic() + SAVED_WITHIN_S
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def decided(kit) -> dict[str, str | None]:
    sql = """select m.text, c.key from message m left join category c on c.id = m.category_id
             where m.status <> 'needs_review'"""
    return {row.text: row.key for row in kit.sql(sql)}


def shown(page):
    return page.locator("#stage .message .text")


def test_enter_confirms_a_digit_corrects_and_u_takes_back(page, kit, waiting):
    waiting("my invoice is wrong")
    waiting("the app crashed")
    open_screen(page, "Review")
    expect(shown(page)).to_have_text("my invoice is wrong")

    page.keyboard.press("Enter")
    expect(shown(page)).to_have_text("the app crashed")
    page.locator("#stage [data-name=decide-bug]").click()
    expect(page.locator("#stage .empty")).to_contain_text("All decided")
    saved(lambda: decided(kit) == {"my invoice is wrong": "billing", "the app crashed": "bug"})

    page.keyboard.press("u")
    expect(shown(page)).to_have_text("the app crashed")
    saved(lambda: decided(kit) == {"my invoice is wrong": "billing"})


def test_what_was_decided_when_the_tab_closed_is_saved_by_the_next_one(page, kit, waiting):
    waiting("my invoice is wrong")
    open_screen(page, "Review")
    expect(shown(page)).to_have_text("my invoice is wrong")
    page.context.set_offline(True)
    page.evaluate("() => { const send = WebSocket.prototype.send; WebSocket.prototype.send = function () {}; }")

    page.keyboard.press("Enter")
    expect(shown(page)).to_have_count(0)
    page.context.set_offline(False)
    address, context = page.url, page.context
    page.close()
    assert decided(kit) == {}
    again = context.new_page()
    again.goto(address)

    saved(lambda: decided(kit) == {"my invoice is wrong": "billing"})


def test_a_correction_offers_the_messages_that_look_like_it_and_one_key_decides_them(page, kit, waiting):
    for number in range(3):
        waiting(f"the app crashed when I saved file {number}")
    waiting("where is my refund")
    open_screen(page, "Review")
    expect(shown(page)).to_contain_text("the app crashed")

    page.locator("#stage [data-name=decide-bug]").click()
    expect(page.locator("#stage .alike")).to_contain_text("2 more look like it")
    page.keyboard.press("f")

    saved(lambda: len(decided(kit)) == 3)
    assert set(decided(kit).values()) == {"bug"}
    expect(shown(page)).to_have_text("where is my refund")


def test_a_sweep_confirms_all_but_what_is_taken_out(page, kit, waiting):
    for text in ("an invoice", "another invoice", "no invoice at all"):
        waiting(text)
    open_screen(page, "Review")
    expect(shown(page)).to_be_visible()

    page.get_by_role("button", name="Sweep").click()
    row = page.locator("#stage .row", has_text="no invoice at all")
    expect(row).to_be_visible()
    row.click()
    page.keyboard.press("Enter")

    saved(lambda: decided(kit) == {"an invoice": "billing", "another invoice": "billing"})


def test_two_persons_never_have_the_same_message_in_hand(page, app, browser, person, kit, waiting):
    waiting("my invoice is wrong")
    open_screen(page, "Review")
    expect(shown(page)).to_have_text("my invoice is wrong")

    noa = person(Role.AGENT)
    other = open_page(browser, app, viewport={"width": 1360, "height": 900})
    sign_in(other, noa.email, noa.password)
    signed_in(other)
    open_screen(other, "Review")

    expect(other.locator("#stage .empty")).to_contain_text("The rest is with colleagues")
    other.context.close()

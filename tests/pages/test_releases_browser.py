"""A change is edited, published and undone by clicking, in a real browser; messages go by what is live."""

import pytest
from playwright.sync_api import expect

from app.db.tables.people import Role
from tests.browser import CHROMIUM, at, open_page, open_screen, press, sign_in, signed_in
from tests.pages.clicks import add_rule, publish

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]


@pytest.fixture
def page(app, browser, person):
    mia = person(Role.MANAGER)
    page = open_page(browser, app, viewport={"width": 1360, "height": 1100})
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    yield page
    page.context.close()


def states(kit) -> list[str]:
    return [state for _text, state in kit.messages()]


def test_a_rule_works_once_it_is_published_and_no_longer_after_going_back(page, kit):
    kit.vendor("jira")
    kit.route("jira")
    add_rule(page, "crash", "Bug")
    expect(at(page, "setup-rules-by-word")).to_contain_text("not live yet")
    kit.say("a crash, and nobody knows yet")

    publish(page)
    expect(at(page, "draft-bar")).to_have_count(0)
    expect(at(page, "setup-rules-by-word")).not_to_contain_text("not live yet")
    kit.say("a crash, and everybody knows", chat=2)

    open_screen(page, "Releases")
    expect(at(page, "setup-release-2")).to_contain_text("Live")
    at(page, "releases-diff-2").locator("summary").click()
    expect(at(page, "releases-diff-2")).to_contain_text("Rule by-word")
    press(page, "releases-back-1")
    press(page, "releases-sure")
    expect(page.get_by_text("with what release 1 held")).to_be_visible()
    kit.say("a crash, once more", chat=3)

    assert states(kit) == ["needs_review", "routed", "needs_review"]

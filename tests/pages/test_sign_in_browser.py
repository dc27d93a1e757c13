"""Signing in and out in a real browser, against the real database."""

import re

import pytest
from playwright.sync_api import expect

from app.domain.errors import OctopusError
from app.services import members
from tests.browser import CHROMIUM, open_page, sign_in, sign_out, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]

OWN = "a short sentence of mine"


def test_the_generated_password_must_be_changed_and_then_opens_the_overview(app, browser, person):
    mia = person(must_change_password=True)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    expect(page.get_by_text("Choose your password")).to_be_visible()

    wait_for_cookie(page)
    page.goto("/account")  # no way around it
    expect(page.get_by_text("Choose your password")).to_be_visible()
    for key, typed in (("old", mia.password), ("new", OWN), ("again", OWN)):
        page.locator(f".st-key-password-{key} input").fill(typed)
    page.get_by_role("button", name="Save password").click()

    signed_in(page)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    again = open_page(browser, app)
    sign_in(again, mia.email, OWN)
    signed_in(again)
    expect(again.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_wrong_password_says_so_without_saying_which_part_is_wrong(app, browser, person):
    mia = person()
    messages = []
    for email in (mia.email, "nobody@acme.test"):
        page = open_page(browser, app)
        sign_in(page, email, "not the password")
        alert = page.locator(".st-key-form-inner [data-testid=stAlert]")
        expect(alert).to_be_visible()
        messages.append(alert.inner_text())

    assert messages[0] == messages[1]


def test_too_many_wrong_passwords_lock_the_account_even_for_the_right_one(app, browser, person):
    mia = person()
    for _ in range(10):
        with pytest.raises(OctopusError):
            members.sign_in(mia.email, "not the password")
    page = open_page(browser, app)

    sign_in(page, mia.email, mia.password)

    expect(page.locator(".st-key-form-inner [data-testid=stAlert]")).to_contain_text("locked")
    expect(page.locator(".st-key-person-menu")).to_have_count(0)


def test_a_copied_cookie_is_refused_after_signing_out(app, browser, person):
    mia = person()
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    copied = wait_for_cookie(page)
    thief = open_page(browser, app)
    thief.context.add_cookies([copied])
    thief.goto("/")
    signed_in(thief)  # the cookie is good while the visit lasts

    sign_out(page)

    page.wait_for_function("() => !document.cookie.includes('octopus_session')")
    thief.reload()
    expect(thief.locator(".st-key-sign-in button")).to_be_visible()


def test_an_address_opens_its_page_after_signing_in_and_after_a_reload(app, browser, person):
    mia = person()
    page = open_page(browser, app)

    sign_in(page, mia.email, mia.password, path="/account?from=mail")
    signed_in(page)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    wait_for_cookie(page)
    page.reload()

    signed_in(page)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert page.url.endswith("/account?from=mail")


def test_the_browsers_language_is_spoken_until_another_is_chosen_and_the_choice_is_kept(app, browser, person):
    mia = person()
    page = open_page(browser, app, locale="zh-CN")
    page.goto("/")
    expect(page.locator(".st-key-sign-in button")).to_have_text("登录")

    sign_in(page, mia.email, mia.password)
    expect(page.get_by_role("heading", name="概览")).to_be_visible()
    page.locator(".st-key-person-menu button").first.click()
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    wait_for_cookie(page)
    page.reload()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_another_workspace_is_a_click_away_and_survives_a_reload(app, browser, person, new_workspace):
    mia = person()
    other = new_workspace("Globex", mia)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    signed_in(page)

    page.locator(".st-key-workspace input").click()
    page.get_by_role("option", name="Globex").click()
    expect(page).to_have_url(re.compile(f"workspace={other.key}"))
    wait_for_cookie(page)
    page.reload()

    signed_in(page)
    expect(page.locator(".st-key-workspace input")).to_have_value("Globex")


def test_names_are_shown_as_typed_and_never_as_markup(app, browser, person, new_workspace):
    name = "<b>x</b> **y** [z](https://evil.example) https://evil.example www.evil.example a@evil.example :smile: $q$"
    mia = person(name=name)
    page = open_page(browser, app)

    sign_in(page, mia.email, mia.password)
    signed_in(page)

    label = page.locator(".st-key-person-menu button").first
    assert name in label.inner_text().replace("\u2060", "")
    assert label.locator("a, b, strong, img, .katex").count() == 0


def cookie(page):
    return next((each for each in page.context.cookies() if each["name"] == "octopus_session"), None)


def wait_for_cookie(page):
    page.wait_for_function("() => document.cookie.includes('octopus_session')")
    return cookie(page)

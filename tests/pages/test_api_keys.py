"""The page on which managers make keys for programs."""

import pytest
from playwright.sync_api import expect

from app.db.tables import Scope
from app.db.tables.people import Role
from app.services import api_keys
from app.services.api_keys import KeyRefused
from app.services.members import Actor
from tests.browser import CHROMIUM, at, open_page, open_screen, press, sign_in, type_in
from tests.pages.test_shell import words


@pytest.fixture
def key(workspace):
    return api_keys.create(Actor(None, "noa@acme.test", Role.MANAGER, workspace), "Warehouse", [Scope.READ])


def test_a_manager_makes_a_key_and_sees_it_once(visit, person, workspace):
    mia = person(Role.MANAGER)
    page = visit(mia, "api_keys")
    assert "No key yet" in words(page)
    page.button(key="api_keys-add").click().run()
    page.text_input(key="api_keys-name").input("Warehouse")
    page.button_group(key="api_keys-scopes").set_value([Scope.READ, Scope.DELIVER])
    page.button(key="api_keys-save").click().run()

    assert not page.exception
    [shown] = [code.value for code in page.code if code.value.startswith("oct_")]
    [row] = api_keys.listed(workspace)
    assert (row.name, row.created_by) == ("Warehouse", mia.email)

    page.button(key="api_keys-copied").click().run()

    assert not [code for code in page.code if code.value.startswith("oct_")]
    assert f"oct_{row.prefix}_…" in words(page) and "Never used" in words(page)
    assert api_keys.caller(shown).scopes == {"read", "deliver"}
    assert shown not in words(visit(mia, "api_keys"))


def test_a_key_without_a_name_is_refused_in_a_sentence(visit, person, workspace):
    page = visit(person(), "api_keys")
    page.button(key="api_keys-add").click().run()
    page.button(key="api_keys-save").click().run()

    assert "what the key is for" in words(page)
    assert api_keys.listed(workspace) == []


def test_a_key_is_revoked_only_after_a_second_yes(visit, person, key):
    row, secret = key
    page = visit(person(), "api_keys")
    page.button(key=f"api_keys-revoke-{row.prefix}").click().run()
    assert "shut out at once" in words(page)
    page.button(key="api_keys-keep").click().run()
    assert api_keys.caller(secret).prefix == row.prefix

    page.button(key=f"api_keys-revoke-{row.prefix}").click().run()
    page.button(key="api_keys-sure").click().run()

    assert not page.exception
    with pytest.raises(KeyRefused):
        api_keys.caller(secret)
    assert "is revoked" in page.success[0].value and "revoked" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("api_keys-revoke")]


def test_when_a_key_was_last_used_is_shown(visit, person, key):
    api_keys.caller(key[1])

    assert "Last used" in words(visit(person(), "api_keys"))


def test_an_agent_does_not_reach_the_page(visit, person, key):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        visit(person(Role.AGENT), "api_keys")


def test_a_key_just_made_is_not_shown_to_whoever_signs_in_next(visit, person, key):
    page = visit(person(), "api_keys", **{"api_keys-made": key})

    assert not page.exception
    assert not [code for code in page.code if code.value.startswith("oct_")]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_in_a_browser_the_key_can_be_read_until_it_is_put_away(app, browser, person):
    mia = person(Role.MANAGER)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    open_screen(page, "API keys")
    press(page, "api_keys-add")
    type_in(page, "api_keys-name", "Warehouse")
    press(page, "api_keys-save")
    code = at(page, "api_keys-just-made").locator("[data-testid=stCode]")
    expect(code).to_contain_text("oct_")
    assert api_keys.caller(code.inner_text().strip()).scopes == {"read"}

    press(page, "api_keys-copied")
    expect(at(page, "api_keys-just-made")).to_have_count(0)

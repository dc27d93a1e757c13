"""The page on which owners say how long data is kept, and managers erase a contact."""

import pytest
from playwright.sync_api import expect

from app.db.tables.people import Role
from app.services import retention
from tests.browser import CHROMIUM, open_page, press, sign_in
from tests.kit import Kit
from tests.pages.test_shell import titles, words


@pytest.fixture
def spoken(kit: Kit):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug zanzibar is down")
    kit.say("what about zanzibar?", chat=2)
    return kit


def age(kit: Kit) -> None:
    kit.sql("update message set received_at = received_at - interval '100 days'")


def texts(kit: Kit) -> list[str]:
    return [text for text, _status in kit.messages()]


def test_an_owner_sees_what_would_be_deleted_before_it_is_saved(visit, person, spoken):
    age(spoken)
    page = visit(person(), "retention")
    assert not page.exception
    assert not [button for button in page.button if button.key == "retention-save"]

    page.number_input(key="retention-texts-None").set_value(90).run()

    assert "Texts and attachments of messages: **1 entry**" in words(page)
    assert retention.settings(spoken.workspace_id)["texts"] is None
    page.button(key="retention-save").click().run()
    assert not page.exception
    assert retention.settings(spoken.workspace_id)["texts"] == 90
    assert page.number_input(key="retention-texts-90").value == 90
    assert "are saved" in page.success[0].value


def test_a_limit_that_costs_nothing_yet_says_so(visit, person, spoken):
    page = visit(person(), "retention")

    page.number_input(key="retention-texts-None").set_value(90).run()

    assert "Nothing is that old yet" in words(page)
    assert page.button(key="retention-save").label == "Save"


def test_a_manager_looks_at_the_limits_and_changes_none(visit, person, workspace):
    page = visit(person(Role.MANAGER), "retention")

    assert titles(page) == ["Data retention"]
    assert {field.disabled for field in page.number_input} == {True}
    assert "Changes need the role owner" in words(page)


def test_a_contact_is_erased_only_after_a_second_yes(visit, person, spoken):
    page = visit(person(Role.MANAGER), "retention")
    page.text_input(key="erasure-words").input("1").run()
    [contact] = retention.find_contacts(spoken.workspace_id, "1")

    page.button(key=f"erase-{contact.id}").click().run()
    assert "Erase Ann?" in words(page) and "1 message" in words(page) and "vendor" in words(page)
    page.button(key="erase-keep").click().run()
    assert "#bug zanzibar is down" in texts(spoken)
    page.text_input(key="erasure-words").input("1").run()
    page.button(key=f"erase-{contact.id}").click().run()
    page.button(key="erase-sure").click().run()

    assert not page.exception
    assert texts(spoken) == ["", "what about zanzibar?"]
    assert "1 message is erased" in page.success[0].value


def test_nobody_of_that_name_is_said(visit, person, spoken):
    page = visit(person(), "retention")

    page.text_input(key="erasure-words").input("nobody").run()

    assert "Nobody is called that" in words(page)


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_from_a_message_to_the_erasure_of_its_writer(app, browser, person, spoken):
    mia = person(Role.MANAGER)
    page = open_page(browser, app)
    [message] = spoken.sql("select id from message where status = 'needs_review'")
    sign_in(page, mia.email, mia.password, f"/inbox?message={message.id}")
    page.get_by_role("tab", name="As received").click()
    press(page, "erase-contact")
    expect(page.get_by_text("Erase Ann?")).to_be_visible()

    press(page, "erase-sure")

    expect(page.get_by_text("1 message is erased.")).to_be_visible()
    assert texts(spoken) == ["#bug zanzibar is down", ""]

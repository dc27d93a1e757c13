"""From an empty workspace to a route, by clicking, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from app.db.tables.people import Role
from app.services import connections, taxonomy
from app.services.members import Actor
from tests.browser import open_page, sign_in, signed_in
from tests.pages.vendors import TELEGRAM_TOKEN, jira, telegram


@pytest.fixture
def page(app, browser, person):
    mia = person(Role.MANAGER)
    # Tall, because a list that opens off screen closes again.
    page = open_page(browser, app, viewport={"width": 1360, "height": 1400})
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    yield page
    page.context.close()


def at(page: Page, key: str):
    return page.locator(f".st-key-{key}")


def press(page: Page, key: str) -> None:
    at(page, key).locator("button").click()


def type_in(page: Page, key: str, words: str) -> None:
    """And wait until the app has taken it in: a click right after typing would meet the form as it was."""
    box = at(page, key).locator("input")
    box.fill(words)
    box.press("Tab")
    page.wait_for_timeout(400)  # secrets are sent a quarter of a second after the last letter
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def choose(page: Page, key: str, option: str) -> None:
    expect(at(page, key)).to_be_visible()
    settled(page)
    at(page, key).locator("input").click()
    page.get_by_role("option", name=option, exact=True).click()


def open_screen(page: Page, name: str) -> None:
    page.locator(".st-key-pages").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def add_bot(page: Page, address: str) -> None:
    open_screen(page, "Bots")
    press(page, "bots-add")
    at(page, "bots-channel").get_by_text("Telegram").click()
    type_in(page, "bots-telegram-name", "Support bot")
    type_in(page, "bots-telegram-token", TELEGRAM_TOKEN)
    type_in(page, "bots-telegram-webhook_secret", "a-secret-word")
    at(page, "bots-form").get_by_text("More options").click()
    type_in(page, "bots-telegram-base_url", address)
    press(page, "bots-save")
    expect(page.get_by_text("Connected as")).to_be_visible()
    press(page, "bots-webhook")
    expect(page.get_by_text("Done. Write to the bot")).to_be_visible()


def add_destination(page: Page, address: str) -> None:
    open_screen(page, "Destinations")
    press(page, "destinations-add")
    at(page, "destinations-connector").get_by_text("Jira").click()
    type_in(page, "destinations-jira-email", "octo@acme.test")
    type_in(page, "destinations-jira-token", "t0ken")
    at(page, "destinations-form").get_by_text("More options").click()
    type_in(page, "destinations-jira-base_url", address)
    press(page, "destinations-targets")
    choose(page, "destinations-target", "Support (SUP)")
    expect(at(page, "destinations-jira-project").locator("input")).to_have_value("SUP")
    press(page, "destinations-save")
    expect(page.get_by_text("Connected as Octo Pus")).to_be_visible()


def add_route(page: Page) -> None:
    open_screen(page, "Routes")
    press(page, "routes-add")
    type_in(page, "routes-key", "bugs")
    press(page, "routes-add-all")
    choose(page, "routes-line-0-what", "Category")
    choose(page, "routes-line-0-category", "Bug")
    page.keyboard.press("Escape")
    choose(page, "routes-new-destinations", "jira")
    page.keyboard.press("Escape")
    press(page, "routes-save")
    expect(page.get_by_text("Route bugs is saved")).to_be_visible()


def test_a_manager_connects_a_bot_and_a_destination_and_routes_one_to_the_other(page, workspace, httpserver):
    taxonomy.save_category(Actor(None, "noa@acme.test", Role.MANAGER, workspace), "bug", "Bug")
    address = telegram(httpserver)
    assert jira(httpserver) == address

    add_bot(page, address)
    add_destination(page, address)
    add_route(page)

    [bot], [destination], [route] = (
        connections.bots(workspace), connections.destinations(workspace), taxonomy.routes(workspace)
    )  # fmt: skip
    [told] = [request.get_json() for request, _answer in httpserver.log if request.path.endswith("/setWebhook")]
    assert told["url"] == connections.hook_url(bot)
    assert destination.config["project"] == "SUP"
    assert (route.conditions, route.destinations) == ({"category": ["bug"]}, ["jira"])


def test_a_deleted_category_comes_back_with_one_click(page, workspace):
    taxonomy.save_category(Actor(None, "noa@acme.test", Role.MANAGER, workspace), "bug", "Bug")
    open_screen(page, "Categories")

    press(page, "categories-edit-bug")
    press(page, "categories-delete")
    expect(page.get_by_text("Category Bug is archived.")).to_be_visible()
    press(page, "undo-button")

    expect(at(page, "setup-categories-bug")).to_be_visible()
    assert [row.key for row in taxonomy.categories(workspace)] == ["bug"]

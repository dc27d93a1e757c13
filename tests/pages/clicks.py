"""What a manager clicks to set up a workspace, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser import at, choose, open_screen, press, type_in
from tests.pages.vendors import TELEGRAM_TOKEN


def add_category(page: Page, name: str) -> None:
    open_screen(page, "Categories")
    press(page, "categories-add")
    type_in(page, "categories-new-name", name)
    press(page, "categories-save")
    expect(at(page, f"setup-categories-{name.lower()}")).to_be_visible()


def add_rule(page: Page, word: str, category: str) -> None:
    open_screen(page, "Rules")
    press(page, "rules-add")
    type_in(page, "rules-key", "by-word")
    press(page, "rules-add-all")
    type_in(page, "rules-line-0-text_contains", word)
    choose(page, "rules-new-category", category)
    press(page, "rules-save")
    expect(page.get_by_text("Rule by-word is saved")).to_be_visible()


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


def publish(page: Page) -> None:
    """What waits in the draft, from the bar above the list."""
    press(page, "draft-publish")
    expect(page.get_by_text("is live. It decides from the next message on.")).to_be_visible()


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

"""From an empty workspace to a route, by clicking, in a real browser."""

import pytest
from playwright.sync_api import expect

from app.db.tables.people import Role
from app.services import connections, taxonomy
from app.services.members import Actor
from tests.browser import CHROMIUM, at, choose, open_page, open_screen, press, sign_in, signed_in, type_in
from tests.pages.clicks import add_bot, add_destination, add_route, publish
from tests.pages.vendors import jira, linear, telegram

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]


@pytest.fixture
def page(app, browser, person):
    mia = person(Role.MANAGER)
    # Tall, because a list that opens off screen closes again.
    page = open_page(browser, app, viewport={"width": 1360, "height": 1400})
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    yield page
    page.context.close()


def test_a_manager_connects_a_bot_and_a_destination_and_routes_one_to_the_other(page, workspace, httpserver):
    taxonomy.save_category(Actor(None, "noa@acme.test", Role.MANAGER, workspace), "bug", "Bug", live=True)
    address = telegram(httpserver)
    assert jira(httpserver) == address

    add_bot(page, address)
    add_destination(page, address)
    add_route(page)
    assert taxonomy.routes(workspace, live=True) == []
    publish(page)

    [bot], [destination], [route] = (
        connections.bots(workspace), connections.destinations(workspace), taxonomy.routes(workspace, live=True)
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
    expect(page.get_by_text("Category Bug is archived")).to_be_visible()
    press(page, "undo-button")

    expect(at(page, "setup-categories-bug")).to_be_visible()
    assert [row.key for row in taxonomy.categories(workspace)] == ["bug"]


def test_a_manager_connects_linear_by_its_own_page_and_then_chooses_a_team(page, workspace, httpserver):
    address = linear(httpserver)
    open_screen(page, "Destinations")
    press(page, "destinations-add")
    at(page, "destinations-connector").get_by_text("Linear").click()
    type_in(page, "destinations-linear-client_id", "app-1")
    type_in(page, "destinations-linear-client_secret", "app-secret")
    at(page, "destinations-form").get_by_text("More options").click()
    type_in(page, "destinations-linear-base_url", address)
    press(page, "destinations-consent")
    expect(page.get_by_text("Saved, and switched off until it is connected")).to_be_visible()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Connect", exact=True).click()
    back = opened.value
    expect(back.get_by_text("linear is connected.")).to_be_visible()
    press(back, "destinations-targets")
    choose(back, "destinations-target", "Support (SUP)")
    press(back, "destinations-save")
    expect(back.get_by_text("Connected as Octo Pus")).to_be_visible()

    [destination] = connections.destinations(workspace)
    assert (destination.config["team"], destination.enabled) == ("team-1", True)

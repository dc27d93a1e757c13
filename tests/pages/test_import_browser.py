"""Importing old tickets in a real browser: the file really travels, and the screen follows the fitting."""

import pytest
from playwright.sync_api import expect

from app.db.tables.people import Role
from app.services import learning
from tests.browser import CHROMIUM, at, open_page, open_screen, press, settled, sign_in, signed_in
from tests.services.test_examples import old_tickets

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]


@pytest.fixture
def page(app, browser, person, kit):
    mia = person(Role.MANAGER)
    page = open_page(browser, app, viewport={"width": 1360, "height": 1400})
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    yield page
    page.context.close()


def test_a_file_is_dropped_looked_at_imported_learnt_and_taken_out(page, kit):
    praise = [f"thanks {n * 'a'};Praise;;" for n in range(6)]
    more = ["The app crashes when I open settings 0;Invoices;;", ";Bugs;;", *praise]
    content = old_tickets() + "\n".join(["", *more]).encode()
    open_screen(page, "Learning")
    page.get_by_role("link", name="Import old tickets that are sorted already").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "zendesk export.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(at(page, "import-start")).to_contain_text("Import")
    settled(page)

    press(page, "import-start")
    expect(page.get_by_text("126 tickets are imported")).to_be_visible()
    expect(page.get_by_text("being fitted anew")).to_be_visible()
    learning.learn(kit.workspace_id)
    expect(page.get_by_text("The model has learnt these tickets.")).to_be_visible()

    page.get_by_role("button", name="Take out again").click()
    expect(page.get_by_text("is taken out again")).to_be_visible()
    assert kit.sql("select count(*) from labelled_example")[0][0] == 0

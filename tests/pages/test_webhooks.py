"""The page on which managers say which of their programs are told what."""

import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook
from werkzeug import Response

from app.db import webhooks as store
from app.db.engine import in_workspace
from app.db.tables.people import Role
from app.domain.events import Event, EventType
from app.services import webhooks
from app.services.members import Actor
from tests.browser import CHROMIUM, at, open_page, open_screen, press, sign_in, type_in
from tests.pages.test_shell import words


@pytest.fixture
def manager(workspace):
    return Actor(None, "noa@acme.test", Role.MANAGER, workspace)


@pytest.fixture
def heard(httpserver):
    """Requests the address /told has had; it says 204."""
    requests = []

    def hear(request):
        requests.append((dict(request.headers), request.get_data()))
        return Response(status=204)

    httpserver.expect_request("/told", method="POST").respond_with_handler(hear)
    return requests


@pytest.fixture
def told(manager, httpserver, heard):
    row, _secret = webhooks.add(manager, httpserver.url_for("/told"), list(EventType), "Warehouse")
    return row


def edit(page, row):
    return page.button(key=f"webhooks-edit-{row.id}").click().run()


def test_a_manager_adds_a_webhook_and_sees_its_secret_once(visit, person, workspace, httpserver, heard):
    page = visit(person(Role.MANAGER), "webhooks")
    assert "Nobody is told yet" in words(page)
    page.button(key="webhooks-add").click().run()
    page.text_input(key="webhooks-+-url").input(httpserver.url_for("/told"))
    page.button_group(key="webhooks-+-events").set_value([EventType.TASK_CREATED])
    page.button(key="webhooks-save").click().run()

    assert not page.exception
    [secret] = [code.value for code in page.code if code.value.startswith("whsec_")]
    [row] = webhooks.endpoints(workspace)
    assert row.events == ["task.created"]

    page.button(key="webhooks-copied").click().run()
    page.button(key="webhooks-test").click().run()

    assert "The address has taken the test." in [success.value for success in page.success]
    [(headers, body)] = heard
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert not [code for code in page.code if code.value.startswith("whsec_")]
    assert secret not in words(visit(person(), "webhooks"))


def test_an_address_that_is_none_is_refused_in_a_sentence(visit, person, workspace):
    page = visit(person(), "webhooks")
    page.button(key="webhooks-add").click().run()
    page.text_input(key="webhooks-+-url").input("octopus")
    page.button(key="webhooks-save").click().run()

    assert "This is no web address" in words(page)
    assert webhooks.endpoints(workspace) == []


def test_a_webhook_is_switched_off_and_says_so(visit, person, workspace, told):
    page = edit(visit(person(), "webhooks"), told)
    page.toggle(key=f"webhooks-{told.id}-on-True").set_value(False).run()
    page.button(key="webhooks-save").click().run()

    assert not webhooks.endpoint(workspace, told.id).enabled
    assert ":gray-badge[Off]" in words(page)


def test_a_deletion_can_be_taken_back(visit, person, workspace, told):
    page = edit(visit(person(), "webhooks"), told)
    page.button(key="webhooks-delete").click().run()
    assert webhooks.endpoints(workspace) == []
    page.button(key="undo-button").click().run()

    assert not page.exception
    assert [row.id for row in webhooks.endpoints(workspace)] == [told.id]


def test_a_new_secret_is_shown_and_the_old_one_ends_in_a_day(visit, person, workspace, told):
    page = edit(visit(person(), "webhooks"), told)
    page.button(key="webhooks-rotate-yes").click().run()

    assert [code.value for code in page.code if code.value.startswith("whsec_")]
    assert "The old secret signs beside the new one" in words(page)
    assert webhooks.old_secret_ends_at(webhooks.endpoint(workspace, told.id))


def test_a_secret_just_made_is_not_shown_to_whoever_signs_in_next(visit, person, manager, told):
    row, secret = webhooks.rotate(manager, told.id)
    state = {"webhooks-made": (manager, row, secret), "webhooks-editing": str(told.id)}
    page = visit(person(), "webhooks", **state)

    assert page.text_input(key=f"webhooks-{told.id}-name").value == "Warehouse"
    assert not [code for code in page.code if code.value.startswith("whsec_")]


def test_what_failed_is_sent_again_by_a_click(visit, person, workspace, manager, told):
    with in_workspace(workspace) as session:
        store.add(session, workspace, [(told.id, Event(EventType.TASK_CREATED, {"n": n})) for n in range(3)])
        session.connection().exec_driver_sql("update webhook_event set status = 'failed', tries = 10")
    page = edit(visit(person(), "webhooks"), told)
    page.button(key="webhook-events-replay-yes").click().run()

    assert not page.exception
    assert "3 events are sent again." in [success.value for success in page.success]
    assert {row.status for row in webhooks.page(workspace, told.id).lines} == {"pending"}


def test_an_address_that_was_switched_off_by_its_answer_says_why(visit, person, manager, httpserver, workspace):
    httpserver.expect_request("/gone", method="POST").respond_with_response(Response(status=410))
    row, _secret = webhooks.add(manager, httpserver.url_for("/gone"), list(EventType))
    webhooks.send_test(manager, row.id)

    assert "wants no more events" in words(visit(person(), "webhooks"))


def test_an_agent_does_not_reach_the_page(visit, person, told):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        visit(person(Role.AGENT), "webhooks")


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_in_a_browser_a_webhook_is_added_tested_and_its_request_is_shown(app, browser, person, httpserver, heard):
    mia = person(Role.MANAGER)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    open_screen(page, "Webhooks")
    press(page, "webhooks-add")
    type_in(page, "webhooks---url", httpserver.url_for("/told"))
    press(page, "webhooks-save")
    expect(at(page, "webhooks-just-made").locator("[data-testid=stCode]")).to_contain_text("whsec_")
    press(page, "webhooks-test")
    expect(page.get_by_text("The address has taken the test.")).to_be_visible()
    assert len(heard) == 1

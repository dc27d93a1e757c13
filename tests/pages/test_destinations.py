"""The Destinations page: connecting a CRM, choosing the place, and mapping its fields."""

from datetime import UTC, datetime, timedelta

import pytest

from app.db.tables.people import Role
from app.services import connections, crm_hooks
from app.services.members import Actor
from tests.pages.test_shell import words
from tests.pages.vendors import jira


@pytest.fixture
def connected(workspace, httpserver):
    connections.save_destination(
        Actor(None, "noa@acme.test", Role.MANAGER, workspace), "jira", "jira",
        {"base_url": jira(httpserver), "email": "a@b.test", "token": "t0ken", "project": "SUP"}, name="Jira Support",
    )  # fmt: skip
    return workspace


def fill(page, address: str):
    page.button(key="destinations-add").click().run()
    page.pills(key="destinations-connector").set_value("jira").run()
    page.text_input(key="destinations-jira-email").input("a@b.test")
    page.text_input(key="destinations-jira-token").input("t0ken")
    page.text_input(key="destinations-jira-base_url").input(address).run()
    return page


def test_without_destinations_it_says_how_to_begin(visit, person):
    page = visit(person(), "destinations")

    assert not page.exception
    assert "No destination yet" in words(page)


def test_the_place_is_chosen_from_the_vendors_list_and_the_account_is_checked(visit, person, workspace, httpserver):
    page = fill(visit(person(Role.MANAGER), "destinations"), jira(httpserver))
    page.button(key="destinations-targets").click().run()
    assert page.selectbox(key="destinations-target").options == ["Support (SUP)", "Development (DEV)"]

    page.selectbox(key="destinations-target").select_index(1).run()
    assert page.text_input(key="destinations-jira-project").value == "DEV"
    page.button(key="destinations-save").click().run()

    assert not page.exception
    assert "Octo Pus" in page.success[0].value
    [row] = connections.destinations(workspace)
    assert (row.key, row.config["project"]) == ("jira", "DEV")
    assert "t0ken" not in str(row.config)


def test_the_exact_request_is_shown_and_nothing_is_sent(visit, person, connected, kit, httpserver):
    kit.say("the login page is blank #bug")
    page = visit(person(Role.MANAGER), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-request").click().run()

    assert not page.exception
    shown = page.code[-1].value
    assert '"summary": "the login page is blank #bug"' in shown and '"key": "SUP"' in shown
    assert "/rest/api/3/issue" in words(page) and "It was not" in words(page)
    assert "t0ken" not in shown + words(page)
    assert not [request for request, _ in httpserver.log if request.method == "POST"]


def test_the_list_asks_for_what_the_account_needs_first(visit, person):
    page = fill(visit(person(), "destinations"), "http://127.0.0.1:9")
    page.text_input(key="destinations-jira-token").input("").run()
    page.button(key="destinations-targets").click().run()

    assert [error.value for error in page.error] == ["Please fill this in."]


def test_what_the_vendor_cannot_do_and_how_doubles_are_prevented_is_told(visit, person):
    page = fill(visit(person(), "destinations"), "")

    assert "Jira takes no idempotency key" in words(page)


def test_fields_are_mapped_with_a_preview_of_the_last_message(visit, person, connected, kit):
    kit.say("the login page is blank #bug")
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-read").click().run()
    adding = page.selectbox(key="destinations-add-field-0")
    assert adding.options == ["Summary *", "Components", "Environment"]

    adding.select_index(2).run()
    page.text_input(key="destinations-map-environment").input("{contact.name} on {channel}").run()

    assert not page.exception
    said = words(page)
    assert "the login page is blank \\#bug" in said or "the login page is blank #bug" in said
    assert "Ann on telegram" in said

    page.button(key="destinations-save").click().run()
    assert connections.destinations(connected)[0].fields == {"environment": "{contact.name} on {channel}"}


def test_an_unknown_placeholder_is_told_beside_its_line(visit, person, connected):
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-read").click().run()
    page.selectbox(key="destinations-add-field-0").select_index(0).run()
    page.text_input(key="destinations-map-summary").input("{messsage.title}")
    page.button(key="destinations-save").click().run()

    assert "{messsage.title} is not known" in words(page)
    assert connections.destinations(connected)[0].fields == {}


def test_a_mapped_field_the_target_does_not_have_is_refused_beside_its_line(visit, person, connected, kit):
    kit.sql("""update destination set fields = '{"colour": "red"}'""")
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-save").click().run()

    assert "The target has no field 'colour'" in words(page)
    page.button(key="destinations-insist").click().run()
    assert "The target has no field 'colour'" not in words(page)


def test_a_destination_with_dead_credentials_says_how_to_connect_again(visit, person, connected, kit):
    kit.sql("""insert into destination_health
                   (workspace_id, destination_id, parked_reason, failures, pauses, last_error)
               select workspace_id, id, 'Jira refused the token (401).', 1, 0, '' from destination""")
    page = visit(person(), "destinations")

    assert "Jira refused the token" in words(page)
    assert "paste new credentials and save" in words(page)

    page.button(key="destinations-edit-jira").click().run()
    page.text_input(key="destinations-jira-token").input("a-new-one")
    page.button(key="destinations-save").click().run()
    assert "Jira refused the token" not in words(page)


def test_credentials_that_end_soon_are_spoken_of_here_and_on_the_overview(visit, person, connected):
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    soon = datetime.now(UTC).date() + timedelta(days=5)
    page.date_input(key="destinations-jira-ends_on").set_value(soon).run()
    page.button(key="destinations-save").click().run()

    assert "The credentials end in 5 days" in words(page)
    assert connections.destinations(connected)[0].config["ends_on"] == soon.isoformat()


def test_a_destination_in_use_says_by_which_route(visit, person, connected, kit):
    kit.route("jira")
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-delete").click().run()

    assert "is used by route 'bugs'" in words(page)
    assert connections.destinations(connected)


def test_a_deleted_destination_is_put_back_by_undo(visit, person, connected):
    page = visit(person(), "destinations")
    page.button(key="destinations-edit-jira").click().run()
    page.button(key="destinations-delete").click().run()
    assert connections.destinations(connected) == []

    page.button(key="undo-button").click().run()
    assert connections.check(connections.destinations(connected)[0]) == "Octo Pus"


def test_an_agent_reads_destinations_and_changes_none(visit, person, connected):
    page = visit(person(Role.AGENT), "destinations", **{"destinations-editing": "jira"})

    assert "Jira Support" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("destinations-")]


def test_the_token_a_vendor_sent_stands_among_the_steps_to_be_given_back(visit, person, workspace):
    manager = Actor(None, "noa@acme.test", Role.MANAGER, workspace)
    row = connections.save_destination(manager, "notion", "notion", {"token": "t0ken", "data_source": "d1"})

    def pasted():
        page = visit(person(), "destinations", **{"destinations-editing": "notion"})
        assert not page.exception
        return [code.value for code in page.code]

    assert "Nothing was sent yet" in pasted()
    crm_hooks.keep_handshake(row, {"hook_secret": "secret_first"})
    assert "secret_first" in pasted()

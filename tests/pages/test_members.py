"""Members of a workspace: invited, given roles and taken out by clicking, and the link of an invitation."""

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from app.db.tables.people import Role
from app.services import invitations, members, memberships
from app.services.members import Actor
from app.ui import text
from tests.browser import CHROMIUM, at, choose, open_page, open_screen, press, sign_in, sign_out, signed_in, type_in
from tests.pages.conftest import ROOT
from tests.pages.test_shell import titles, words

OWN = "a short sentence of mine"


def acting(somebody, workspace, role: Role = Role.OWNER) -> Actor:
    return Actor(somebody.id, somebody.email, role, workspace)


def roles(workspace) -> dict:
    return {row.person_id: row.role for row in memberships.listed(workspace)}


@pytest.fixture
def opened(visit):
    """Run the app at the link of an invitation, signed in as somebody or as nobody."""

    def run(token: str, somebody=None) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=20)
        page.query_params["invite"] = token
        if somebody:
            page.session_state["authentication_status"] = True
            page.session_state["username"] = somebody.email
            page.session_state["sign-in-session"] = str(members.create_session(somebody.id))
        return page.run()

    return run


def link_on(page: AppTest) -> str:
    return next((code.value for code in page.code if "/?invite=" in code.value), "")


# ---- the page


def test_a_link_is_made_and_shown_once_and_the_invitation_waits_until_it_is_revoked(visit, person, workspace):
    page = visit(person(), "members")
    page.button(key="members-add").click().run()
    page.text_input(key="members-email").input("new@acme.test")
    page.button(key="members-save").click().run()

    assert not page.exception
    token = link_on(page).partition("invite=")[2]
    assert invitations.look(token).role == Role.AGENT
    page.button(key="members-copied").click().run()
    assert link_on(page) == ""
    assert text.escape("new@acme.test") in words(page)

    [row] = invitations.waiting(workspace)
    page.button(key=f"members-revoke-{row.id}").click().run()

    assert invitations.look(token) is None
    assert "is revoked" in page.success[0].value


def test_a_role_is_changed_in_the_list(visit, person, workspace):
    page, ann = visit(mia := person(), "members"), person(Role.AGENT, name="Ann")
    page.run()

    page.selectbox(key=f"members-role-{ann.id}").set_value(Role.VIEWER).run()

    assert not page.exception
    assert roles(workspace) == {mia.id: "owner", ann.id: "viewer"}


def test_the_last_owner_reads_why_they_cannot_step_down_and_stays(visit, person, workspace):
    mia = person()
    page = visit(mia, "members")

    page.selectbox(key=f"members-role-{mia.id}").set_value(Role.VIEWER).run()

    assert "last owner" in words(page)
    assert roles(workspace) == {mia.id: "owner"}
    assert page.selectbox(key=f"members-role-{mia.id}").value == Role.OWNER


def test_a_removal_is_taken_back_with_one_click(visit, person, workspace):
    mia, ann = person(), person(Role.AGENT, name="Ann")
    page = visit(mia, "members")
    page.button(key=f"members-remove-{ann.id}").click().run()
    assert roles(workspace) == {mia.id: "owner"}

    page.button(key="undo-button").click().run()

    assert roles(workspace) == {mia.id: "owner", ann.id: "agent"}


def test_a_manager_is_offered_no_owner_and_an_agent_nothing(visit, person):
    owner, manager, agent = (person(role, name=role) for role in (Role.OWNER, Role.MANAGER, Role.AGENT))
    page = visit(manager, "members")
    seen = {box.key: box.options for box in page.selectbox if box.key.startswith("members-role")}
    page.button(key="members-add").click().run()

    assert seen == {
        f"members-role-{who.id}": ["Manager", "Agent", "Viewer"] for who in (manager, agent)
    }  # not the owner's
    assert page.radio(key="members-role").options == ["Manager", "Agent", "Viewer"]
    of_agent = visit(agent, "members")
    assert not of_agent.exception
    assert not [button for button in of_agent.button if (button.key or "").startswith("members-")]
    assert titles(of_agent) == ["Members"]


def test_an_owner_signs_a_member_out_somewhere(visit, person):
    mia, ann = person(), person(Role.AGENT, name="Ann")
    session_id = members.create_session(ann.id, "203.0.113.7", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
    page = visit(mia, "members")
    page.session_state[f"members-sessions-{ann.id}"] = True  # what a click on the popover sets
    page.run()
    assert "Firefox on Windows, 203" in words(page)

    page.button(key=f"members-out-{session_id}").click().run()

    assert not members.session_valid(str(session_id), ann.email)
    assert not page.exception


# ---- the link


def test_a_new_person_gives_a_name_and_a_password_and_is_inside(opened, person, workspace):
    _row, token = invitations.invite(acting(person(), workspace), "ann@new.test", "viewer")
    page = opened(token)
    assert "Acme Support" in words(page) and "Viewer" in words(page)
    page.text_input(key="join-name").input("Ann Li")
    page.text_input(key="join-password").input("short")
    page.button(key="join").click().run()
    assert "at least 10" in page.error[0].value

    page.text_input(key="join-password").input(OWN)
    page.button(key="join").click().run()

    assert not page.exception
    assert titles(page) == ["Overview"]
    assert "invite" not in page.query_params
    ann = members.sign_in("ann@new.test", OWN)
    assert roles(workspace)[ann.id] == Role.VIEWER


def test_somebody_with_an_account_signs_in_and_joins_with_one_click(opened, person, new_workspace, workspace):
    mia, boss = person(Role.AGENT), person()
    there = new_workspace("Beta Shop", boss)
    _row, token = invitations.invite(acting(boss, there.id, Role.MANAGER), mia.email, "agent")
    page = opened(token)
    page.text_input(key="join-password").input("not the password")
    page.button(key="join-sign-in").click().run()
    assert "not right" in page.error[0].value

    page.text_input(key="join-password").input(mia.password)
    page.button(key="join-sign-in").click().run()

    assert not page.exception
    assert page.session_state["workspace"].id == there.id  # where they are now
    assert roles(there.id)[mia.id] == Role.AGENT


def test_somebody_signed_in_is_asked_before_they_join(opened, person, new_workspace):
    mia, boss = person(Role.AGENT), person()
    there = new_workspace("Beta Shop", boss)
    _row, token = invitations.invite(acting(boss, there.id, Role.MANAGER), mia.email, "agent")
    page = opened(token, mia)
    assert mia.id not in roles(there.id)

    page.button(key="join").click().run()

    assert titles(page) == ["Overview"]
    assert roles(there.id)[mia.id] == Role.AGENT


def test_a_link_for_another_address_lets_nobody_in_and_does_not_lock_them_out(opened, person, workspace):
    mia = person()
    _row, token = invitations.invite(acting(mia, workspace), "ann2@new.test", "viewer")
    page = opened(token, mia)
    assert "signed in with another address" in words(page)
    assert not [button for button in page.button if button.key == "join"]

    page.button(key="join-later").click().run()

    assert titles(page) == ["Overview"]
    assert invitations.look(token)


def test_a_link_that_stands_no_more_says_so_and_shows_the_usual_page(opened, person, database):
    outside, inside = opened("nonsense"), opened("nonsense", person())

    assert outside.text_input(key="sign-in-password")
    assert titles(inside) == ["Overview"]
    assert "Ask for a new link" in outside.toast[0].value == inside.toast[0].value


# ---- in a browser


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_from_the_invitation_to_a_member_with_the_limits_of_their_role(app, browser, person, workspace):
    mia = person(Role.MANAGER)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password)
    signed_in(page)
    open_screen(page, "Members")
    press(page, "members-add")
    address = f"ann-{mia.email}"
    type_in(page, "members-email", address)
    press(page, "members-save")
    link = at(page, "members-just-made").locator("code").inner_text()

    ann = open_page(browser, app)
    ann.goto("/?" + link.partition("?")[2])
    at(ann, "join-name").locator("input").fill("Ann Li")
    at(ann, "join-password").locator("input").fill(OWN)
    press(ann, "join")
    signed_in(ann)
    expect(ann.get_by_text("You are a member of Acme Support now.")).to_be_visible()
    assert "invite" not in ann.url

    open_screen(ann, "Members")
    expect(ann.get_by_text("Changes need the role manager")).to_be_visible()
    expect(at(ann, "members-add")).to_have_count(0)
    ann.goto("/api_keys")  # for managers only
    expect(ann.get_by_role("heading", name="API keys")).to_have_count(0)

    page.reload()
    [member] = [row for row in memberships.listed(workspace) if row.email == address]
    choose(page, f"members-role-{member.person_id}", "Manager")
    expect(page.get_by_text("The role is changed")).to_be_visible()
    ann.goto("/members")
    expect(at(ann, "members-add")).to_be_visible()

    sign_out(ann)
    ann.goto("/?" + link.partition("?")[2])  # once is once
    expect(ann.get_by_text("Ask for a new link")).to_be_visible()
    sign_in(ann, address, OWN)
    signed_in(ann)

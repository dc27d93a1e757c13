"""The frame around every page: who may come in, what they see, and what an error looks like."""

import pytest
from streamlit.testing.v1 import AppTest

from app.db.tables.people import Role
from app.services import dashboards, members
from app.ui import nav


def titles(page: AppTest) -> list[str]:
    return [title.value for title in page.title]


def words(page: AppTest) -> str:
    return "\n".join(element.value for element in (*page.markdown, *page.text, *page.caption, *page.error))


def test_somebody_signed_in_lands_on_the_overview_of_their_workspace(visit, person):
    page = visit(person())

    assert not page.exception
    assert titles(page) == ["Overview"]
    assert "Acme Support" in words(page)
    assert "No bot is connected yet" in words(page)


def test_nobody_sees_a_page_without_signing_in(visit, database):
    page = visit(None)

    assert titles(page) == []
    assert page.text_input(key="sign-in-password").label == "Password"


def test_a_revoked_sign_in_shows_the_form_again(visit, person, revoke_all):
    mia = person()
    page = visit(mia)

    revoke_all(mia)
    page.run()

    assert titles(page) == []
    assert page.text_input(key="sign-in-email")


def test_a_person_without_a_workspace_is_told_what_to_do(visit, person, leave_all):
    mia = person()
    leave_all(mia)

    assert "not a member of any workspace" in words(visit(mia))


def test_the_sign_in_form_says_what_is_missing(visit, database):
    page = visit(None)
    page.button(key="sign-in").click().run()

    assert "Type your e-mail and your password" in words(page)


def test_roles_open_what_they_may(monkeypatch):
    screens = (nav.Screen("overview", "Overview", "home"), nav.Screen("account", "People", "group", least=Role.OWNER))
    monkeypatch.setattr(nav, "SCREENS", screens)

    seen = {role: [screen.title for screen in nav.allowed(role)] for role in Role}

    assert seen == {
        Role.OWNER: ["Overview", "People"],
        Role.MANAGER: ["Overview"],
        Role.AGENT: ["Overview"],
        Role.VIEWER: ["Overview"],
    }


def test_every_page_of_the_menu_exists_and_every_page_is_in_the_menu():
    named = {screen.name for screen in nav.SCREENS}

    assert named == {path.stem for path in nav.PAGES.glob("*.py")}


def test_a_broken_page_shows_a_message_and_keeps_its_frame(visit, person, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("inner detail")

    monkeypatch.setattr(dashboards, "overview", broken)
    page = visit(person())

    assert not page.exception
    assert "Something on this screen broke" in words(page)
    assert "inner detail" not in words(page)
    assert page.button(key="sign-out")


def change_password(page: AppTest, old: str, new: str, again: str) -> None:
    page.text_input(key="password-old").input(old)
    page.text_input(key="password-new").input(new)
    page.text_input(key="password-again").input(again)
    page.button(key="password-save").click().run()


def test_the_password_is_changed_on_the_account_page(visit, person):
    mia = person()
    page = visit(mia, "account")
    change_password(page, mia.password, "a short sentence of mine", "a short sentence of mine")

    assert not page.exception
    assert page.success
    assert members.sign_in(mia.email, "a short sentence of mine").id == mia.id


def test_changing_the_password_ends_every_other_visit_and_not_this_one(visit, person):
    mia = person()
    elsewhere = visit(mia)
    page = visit(mia, "account")
    change_password(page, mia.password, "a short sentence of mine", "a short sentence of mine")

    page.run()
    elsewhere.run()

    assert titles(page) == ["Your account"]
    assert titles(elsewhere) == []


def test_another_browser_is_signed_out_from_the_account_page(visit, person):
    mia = person()
    elsewhere = visit(mia)
    page = visit(mia, "account")

    next(button for button in page.button if button.label == "Sign out there").click().run()
    elsewhere.run()

    assert titles(elsewhere) == []
    assert titles(page) == ["Your account"]
    assert not [button for button in page.button if button.label == "Sign out there"]


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        (None, "a short sentence", "another one here", "differ"),
        (None, "short", "short", "at least 10"),
        ("wrong", "a short sentence", "a short sentence", "current password is not right"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(visit, person, old, new, again, said):
    mia = person()
    page = visit(mia, "account")
    change_password(page, old or mia.password, new, again)

    assert not page.success
    assert said in page.error[0].value


# ---- single sign-on


def test_a_verified_address_of_the_provider_signs_its_member_in(visit_with_provider, person):
    mia = person()
    page = visit_with_provider({"is_logged_in": True, "email": mia.email, "email_verified": True})

    assert titles(page) == ["Overview"]


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {}, {"email": "other@acme.test", "email_verified": True}]
)
def test_an_unverified_or_unknown_address_stays_outside(visit_with_provider, person, claims):
    page = visit_with_provider({"is_logged_in": True, "email": person().email} | claims)

    assert titles(page) == []
    assert "No account here" in words(page)

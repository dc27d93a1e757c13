"""What somebody sees who opened the link of an invitation: `/?invite=...`."""

from collections.abc import Callable

import streamlit as st

from app.db.tables.people import Person
from app.domain.errors import InvalidInput
from app.services import invitations, members
from app.services.invitations import Invited
from app.ui import session, sign_in_page, text, words
from app.ui.i18n import _

PARAMETER = "invite"
JOINED, WANTED = "invitation-joined", "invitation-wanted"  # in the session: where somebody joined; what they accepted
SignIn = Callable[[str, str], None]


def opened() -> str:
    """The token in the address, or nothing."""
    return st.query_params.get(PARAMETER, "")


def draw(sign_in: SignIn) -> bool:
    """For somebody who is not signed in. False: there is no invitation, so the usual sign-in page is to be drawn."""
    if not (token := opened()):
        return False
    invited = invitations.look(token)
    if invited is None:
        _void()
        return False
    with sign_in_page.stage():
        _heading(invited)
        if invited.has_account:
            _with_account(token, invited, sign_in)
        else:
            _without_account(token, invited, sign_in)
    return True


def offer(person: Person, sign_out: Callable[[], None]) -> None:
    """For somebody signed in: ask whether they want to join, and end the run while they have not answered."""
    if not (token := opened()):
        return
    invited = invitations.look(token)
    if invited is None:
        _void()
        return
    if person.email == invited.email and st.session_state.pop(WANTED, None) == token:
        _join(token, person)
        return
    with sign_in_page.stage():
        _heading(invited)
        if person.email == invited.email:
            st.button(_("Join"), key="join", type="primary", width="stretch", on_click=_join, args=(token, person))
        else:
            st.markdown(_("You are signed in with another address:"))
            text.plain(person.email)
            st.button(_("Sign out and use the invitation"), key="join-sign-out", type="primary", on_click=sign_out)
        st.button(_("Not now"), key="join-later", type="tertiary", on_click=_forget)
    st.stop()


def by_provider(email: str) -> Person | None:
    """For somebody a single sign-on provider vouches for, who has no account yet; None without an invitation."""
    invited = invitations.look(opened()) if opened() else None
    if invited is None or invited.email != email.lower() or invited.has_account:
        return None
    with sign_in_page.stage():
        _heading(invited)
        name = st.text_input(_("Your name"), key="join-name", max_chars=invitations.LONGEST_NAME)
        problem = st.empty()
        pressed = st.button(_("Join"), key="join", type="primary", width="stretch")
    if pressed and _made(problem, lambda: invitations.accept_as_new(opened(), name, None)):
        _welcome(invited)
        st.rerun()
    st.stop()


def _heading(invited: Invited) -> None:
    st.markdown(f"## {_('Join {workspace}').format(workspace=text.escape(invited.workspace))}")
    role = words.shown(words.ROLES, invited.role)
    st.markdown(_("You are invited as **{role}**, with this e-mail address:").format(role=role))
    text.plain(invited.email)


def _with_account(token: str, invited: Invited, sign_in: SignIn) -> None:
    with st.form("join-form", border=False):
        password = st.text_input(
            _("Your password"), key="join-password", type="password", autocomplete="current-password"
        )
        problem = st.empty()
        pressed = st.form_submit_button(_("Sign in and join"), key="join-sign-in", type="primary", width="stretch")
    if pressed:
        st.session_state[WANTED] = token
        try:
            sign_in(invited.email, password)
        except members.SignInRefused:
            problem.error(
                _("The password is not right. After {n} wrong passwords an account is locked for a quarter of an "
                  "hour.").format(n=members.ATTEMPTS)
            )  # fmt: skip


def _without_account(token: str, invited: Invited, sign_in: SignIn) -> None:
    with st.form("join-form", border=False):
        name = st.text_input(
            _("Your name"), key="join-name", max_chars=invitations.LONGEST_NAME, autocomplete="name"
        )  # fmt: skip
        password = st.text_input(
            _("Choose a password"), key="join-password", type="password", autocomplete="new-password",
            help=_("At least {n} characters. A short sentence is easy to remember and hard to guess.").format(
                n=members.SHORTEST_PASSWORD
            ),
        )  # fmt: skip
        problem = st.empty()
        pressed = st.form_submit_button(_("Join"), key="join", type="primary", width="stretch")
    if pressed and _made(problem, lambda: invitations.accept_as_new(token, name, password)):
        _welcome(invited)
        sign_in(invited.email, password)


def _made(problem, make: Callable[[], Person]) -> bool:
    try:
        make()
    except InvalidInput as error:
        problem.error(text.escape(_(str(error))))
        return False
    return True


def _join(token: str, person: Person) -> None:
    invited = invitations.look(token)
    try:
        invitations.accept(token, person.id)
    except InvalidInput as error:
        st.toast(text.escape(_(str(error))), icon=":material/error:")
    else:
        _welcome(invited)
    _forget()


def _welcome(invited: Invited) -> None:
    session.switch_to(invited.workspace_id)
    _forget()
    st.session_state[JOINED] = invited.workspace


def _void() -> None:
    _forget()
    st.toast(
        _("This invitation was used, revoked or has expired. Ask for a new link."), icon=":material/link_off:",
        duration="long",
    )  # fmt: skip


def _forget() -> None:
    st.query_params.pop(PARAMETER, None)


def welcome() -> None:
    """The first thing a new member reads."""
    if name := st.session_state.pop(JOINED, None):
        said = _("You are a member of {workspace} now.").format(workspace=text.escape(name))
        st.toast(said, icon=":material/waving_hand:")

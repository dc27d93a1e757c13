"""Changing the password: the first one on entering, any later one on the account page."""

import streamlit as st

from app.db.tables.people import Person
from app.domain.errors import InvalidInput
from app.services import members
from app.ui import sign_in, sign_in_page, text
from app.ui.i18n import _

CHANGED = "password-changed"


def choose_first(person: Person) -> None:
    """A generated password opens only this."""
    with sign_in_page.stage():
        st.markdown(f"## {_('Choose your password')}")
        st.markdown(_("You signed in with a generated password. Choose your own to go on."))
        form(person)
        st.button(_("Sign out"), key="sign-out", type="tertiary", on_click=sign_in.request_sign_out)


def form(person: Person) -> None:
    with st.form("password-form", border=False):
        old = st.text_input(_("Current password"), key="password-old", type="password", autocomplete="current-password")
        new = st.text_input(
            _("New password"), key="password-new", type="password", autocomplete="new-password",
            help=_("At least {n} characters. A short sentence is easy to remember and hard to guess.").format(
                n=members.SHORTEST_PASSWORD
            ),
        )  # fmt: skip
        again = st.text_input(
            _("New password again"), key="password-again", type="password", autocomplete="new-password"
        )
        problem = st.empty()
        pressed = st.form_submit_button(_("Save password"), key="password-save", type="primary")
    if pressed:
        if wrong := _wrong(new, again) or _change(person, old, new):
            problem.error(wrong)
        else:
            st.rerun()


def _wrong(new: str, again: str) -> str:
    if len(new) < members.SHORTEST_PASSWORD:
        return _("The new password needs at least {n} characters.").format(n=members.SHORTEST_PASSWORD)
    if new != again:
        return _("The two new passwords differ. Type the same one twice.")
    return ""


def _change(person: Person, old: str, new: str) -> str:
    """Returns what is wrong, or nothing when it is done. All other sign-ins of the person end with it."""
    try:
        members.change_password(person.id, old, new)
    except InvalidInput as error:
        return _("The current password is not right.") if error.field == "old" else text.escape(_(str(error)))
    sign_in.renew(person)
    st.session_state[CHANGED] = True
    return ""

"""Decides who is looking: single sign-on where the operator set it up, else e-mail and password.

streamlit-authenticator keeps the visit (its cookie and session state). What must not be forged or forgotten is in
our database: passwords, lockout, and a row per sign-in, whose revocation ends every copy of its cookie.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import jwt
import streamlit as st
import streamlit_authenticator as stauth
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from app.db import crypto
from app.db.tables.people import Person
from app.services import members
from app.ui import device, invitation, sign_in_page

COOKIE = "octopus_session"
SESSION, TOKEN, FRESH, SIGN_OUT = "sign-in-session", "sign-in-token", "sign-in-fresh", "sign-out-wanted"


class RevocableCookie(CookieModel):
    """The signed cookie names the row of the sign-in, and counts only while that row is neither revoked nor expired."""

    def set_cookie(self) -> None:
        if TOKEN not in st.session_state:
            self.exp_date = self._set_exp_date()
            st.session_state[TOKEN] = self._token_encode()
        self._write(st.session_state[TOKEN], self.cookie_expiry_days * 86400)

    def delete_cookie(self) -> None:
        self._write("", 0)  # the component's own `delete` forgets the path and so deletes nothing

    def _write(self, value: str, lives_s: float) -> None:
        """To be called in every run while it holds: a writer drawn once may leave the screen before it has written."""
        https = (st.context.url or "").startswith("https:")
        self.cookie_manager.set(self.cookie_name, value, max_age=lives_s, secure=https)

    def _token_encode(self) -> str:
        ours = {"username": st.session_state["username"], "session": st.session_state[SESSION]}
        # No "exp" claim: the base class does not catch the error it raises.
        return jwt.encode(ours | {"exp_date": self.exp_date}, self.cookie_key, algorithm="HS256")

    def _token_decode(self) -> Any:
        claims = super()._token_decode()
        if not claims or not members.session_valid(claims.get("session", ""), claims.get("username", "")):
            return False
        return claims


class OurPeople(AuthenticationModel):
    """Checks passwords in our database instead of a dictionary."""

    def check_credentials(self, username: str, password: str) -> bool:
        """Raises SignInRefused."""
        person = members.sign_in(username, password)
        self.credentials["usernames"][username] = {"email": person.email, "name": person.name}
        st.session_state[SESSION] = _new_session(person)
        return True


def person() -> Person:
    """Who is signed in. Draws the sign-in page and ends the run when nobody is."""
    if getattr(st.user, "is_logged_in", False):
        return _from_single_sign_on()
    auth = _authenticator()
    if st.session_state.pop(SIGN_OUT, False):
        members.revoke_session(st.session_state[SESSION])
        auth.authentication_controller.logout()
        _forget()
    elif not st.session_state.get("authentication_status"):
        _restore(auth)
    if found := _signed_in():
        if st.session_state.get(FRESH):
            auth.cookie_controller.set_cookie()
        return found
    if st.session_state.get("logout"):
        auth.cookie_controller.delete_cookie()
    enter = partial(_sign_in, auth)
    if not invitation.draw(enter):
        sign_in_page.draw(enter, _providers())
    st.stop()


def is_here(session_id: UUID) -> bool:
    return st.session_state.get(SESSION) == str(session_id)


def renew(who: Person) -> None:
    """Go on under a new sign-in, after a change that ended all of them."""
    if SESSION in st.session_state:
        _forget()
        st.session_state[SESSION] = _new_session(who)
        st.session_state[FRESH] = True


def request_sign_out() -> None:
    """For a button's `on_click`: the run that follows ends the visit."""
    if getattr(st.user, "is_logged_in", False):
        st.logout()
    else:
        st.session_state[SIGN_OUT] = True


def _new_session(who: Person) -> str:
    return str(members.create_session(who.id, device.ip(), device.user_agent()))


def _authenticator() -> stauth.Authenticate:
    auth = stauth.Authenticate(
        {"usernames": {}}, COOKIE, crypto.derive("session cookie"), members.SESSION_DAYS,
        auto_hash=False, login_sleep_time=0,
    )  # fmt: skip
    auth.cookie_controller.cookie_model.__class__ = RevocableCookie
    auth.authentication_controller.authentication_model.__class__ = OurPeople
    return auth


def _sign_in(auth: stauth.Authenticate, email: str, password: str) -> None:
    """Raises SignInRefused. The controller's own `login` would cut spaces off the password."""
    auth.authentication_controller.authentication_model.login(email.strip().lower(), password)
    st.session_state[FRESH] = True
    st.rerun()  # the cookie's writer must be drawn in the next run: this one ends before it reaches the browser


def _restore(auth: stauth.Authenticate) -> None:
    if claims := auth.cookie_controller.get_cookie():
        st.session_state["authentication_status"] = True
        st.session_state["username"] = claims["username"]
        st.session_state[SESSION] = claims["session"]


def _signed_in() -> Person | None:
    """Asked in every run, so a sign-in revoked elsewhere ends here at the next click."""
    if not st.session_state.get("authentication_status"):
        return None
    email = st.session_state["username"]
    if members.session_valid(st.session_state[SESSION], email):
        return members.person(email)
    st.session_state["authentication_status"] = None
    _forget()
    return None


def _forget() -> None:
    for name in (SESSION, TOKEN, FRESH):
        st.session_state.pop(name, None)


def _from_single_sign_on() -> Person:
    """Who somebody is comes from the provider; what they may do comes from our database."""
    claims = st.user.to_dict()
    verified = claims.get("email", "") if claims.get("email_verified") is True else ""
    found = members.person(verified) or invitation.by_provider(verified) if verified else None
    if found is None:
        sign_in_page.stranger(claims.get("email", ""))
        st.stop()
    return found


def _providers() -> list[str]:
    """The single sign-on providers of `.streamlit/secrets.toml`, by name."""
    try:
        configured = st.secrets.get("auth", {})
    except StreamlitSecretNotFoundError:
        return []
    return [name for name, value in configured.items() if isinstance(value, Mapping)]

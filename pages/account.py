"""Your account: the password, and the places you are signed in."""

import streamlit as st

from app.services import members
from app.ui import device, password, session, sign_in
from app.ui.i18n import _, ago

person = session.person()

st.title(_("Your account"))
with st.container(border=True, width=560, key="password"):
    st.subheader(_("Password"))
    if st.session_state.pop(password.CHANGED, False):
        st.success(_("Your password is changed. Other places you were signed in were signed out."))
    password.form(person)

with st.container(border=True, width=560, key="sessions"):
    st.subheader(_("Where you are signed in"))
    for row in members.sessions_of(person.id):
        here = sign_in.is_here(row.id)
        with st.container(horizontal=True, vertical_alignment="center", key=f"session-{row.id}"):
            with st.container(gap="xxsmall"):
                badge = f" :green-badge[{_('This browser')}]" if here else ""
                st.markdown(device.shown(row.user_agent, row.ip) + badge)
                st.caption(" · ".join([
                    _("Last seen {when}").format(when=ago(row.last_seen_at or row.created_at)),
                    _("signed in {when}").format(when=ago(row.created_at)),
                ]))  # fmt: skip
            if not here and st.button(_("Sign out there"), key=f"revoke-{row.id}", type="tertiary"):
                members.revoke_session(str(row.id))
                st.rerun()

"""The app people use: `streamlit run app/main.py`. Sign-in, then the pages of the person's role."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # Streamlit puts this folder there, not the one above

import streamlit as st

from app.ui import i18n, invitation, nav, password, session, sidebar, sign_in, sign_in_page, states, theme

st.set_page_config(page_title="Octopus", page_icon=str(theme.MARK), layout="wide")
theme.apply()


def main() -> None:
    # An address opens its page only when the page is registered in the visit's first run, that is, before sign-in.
    st.navigation(list(nav.pages().values()), position="hidden")
    person = sign_in.person()
    if "language" not in st.session_state:
        i18n.choose(person.locale)
    if person.must_change_password:
        password.choose_first(person)
        st.stop()
    invitation.offer(person, sign_in.request_sign_out)
    if not session.enter(person):
        sign_in_page.no_workspace()
        st.stop()
    pages = nav.pages(session.actor().role)
    page = st.navigation(list(pages.values()), position="hidden")
    sidebar.draw(pages)
    invitation.welcome()
    with states.boundary():
        page.run()


main()

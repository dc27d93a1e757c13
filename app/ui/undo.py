"""A deletion that can be taken back: the banner stands above the list until something else is removed or it is used."""

from collections.abc import Callable

import streamlit as st

from app.ui import states, text
from app.ui.i18n import _

_KEY = "undo"


def offer(said: str, take_back: Callable[[], None], page: str) -> None:
    """Remember how to take back what was just done; shown from the next run on."""
    st.session_state[_KEY] = (page, said, take_back)


def banner(page: str) -> None:
    kept = st.session_state.get(_KEY)
    if not kept or kept[0] != page:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="undo-banner"):
        st.markdown(":material/delete: " + text.escape(kept[1]))
        if st.button(_("Undo"), key="undo-button", type="tertiary"):
            del st.session_state[_KEY]
            with states.boundary("undo"):
                kept[2]()
                st.rerun()

"""The left edge: the mark, the workspace, the pages, and the menu of the signed-in person."""

from collections.abc import Mapping

import streamlit as st

from app.services import members
from app.ui import i18n, session, sign_in, text, theme, words
from app.ui.i18n import _
from app.ui.nav import HIDDEN, Screen


def draw(pages: Mapping[Screen, st.Page]) -> None:
    st.logo(theme.WORDMARK, size="large", icon_image=theme.MARK)
    with st.sidebar:
        with st.container(key="workspace"):
            _workspace()
        with st.container(key="pages", gap=None):
            section = None
            for screen, page in pages.items():
                if screen.section == HIDDEN:
                    continue
                if screen.section and screen.section != section:
                    st.caption(_(screen.section))
                section = screen.section
                st.page_link(page, width="stretch")
        with st.container(key="person-menu"):
            _person(next(page for screen, page in pages.items() if screen.name == "account"))


def _workspace() -> None:
    choices = {each.key: each.name for each in session.workspaces()}
    here = session.workspace()
    if len(choices) == 1:
        text.plain(here.name)
        return
    st.session_state["workspace-choice"] = here.key
    st.selectbox(
        _("Workspace"), list(choices), key="workspace-choice", format_func=choices.__getitem__,
        label_visibility="collapsed", on_change=_switch_workspace,
    )  # fmt: skip


def _switch_workspace() -> None:
    session.switch_to(st.session_state["workspace-choice"])


def _person(account: st.Page) -> None:
    who = session.person()
    with st.popover(text.escape(who.name or who.email), icon=":material/account_circle:", width="stretch", key="me"):
        text.plain(who.email)
        st.caption(words.shown(words.ROLES, session.actor().role))
        st.page_link(account, icon=":material/tune:")
        st.session_state["language-choice"] = i18n.language()
        st.segmented_control(
            _("Language"), list(i18n.LANGUAGES), key="language-choice", required=True,
            format_func=i18n.LANGUAGES.__getitem__, on_change=_choose_language,
        )  # fmt: skip
        st.button(
            _("Sign out"), key="sign-out", icon=":material/logout:", on_click=sign_in.request_sign_out, width="stretch"
        )


def _choose_language() -> None:
    chosen = st.session_state["language-choice"]
    members.set_locale(session.person().id, chosen)
    i18n.choose(chosen)

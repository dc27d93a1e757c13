"""What somebody who is not inside yet sees."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from app.services import members
from app.ui import i18n, text, theme
from app.ui.i18n import _


def draw(sign_in: Callable[[str, str], None], providers: Sequence[str]) -> None:
    """`sign_in(email, password)` raises SignInRefused when it cannot be."""
    with stage():
        st.markdown(f"## {_('Sign in')}")
        for name in providers:
            label = _("Continue with {provider}").format(provider=text.escape(name))
            st.button(label, key=f"sso-{name}", on_click=st.login, args=(name,), width="stretch")
        with st.form("sign-in-form", border=False):
            email = st.text_input(_("E-mail"), key="sign-in-email", type="email", autocomplete="username")
            password = st.text_input(
                _("Password"), key="sign-in-password", type="password", autocomplete="current-password"
            )
            problem = st.empty()
            pressed = st.form_submit_button(_("Sign in"), key="sign-in", type="primary", width="stretch")
        st.caption(_("Forgot your password? An owner of your workspace can give you a new one."))
        if pressed:
            if not email.strip() or not password:
                problem.error(_("Type your e-mail and your password."))
                return
            try:
                sign_in(email, password)
            except members.SignInRefused:
                problem.error(
                    _("The e-mail or the password is not right. After {n} wrong passwords an account is locked for a "
                      "quarter of an hour.").format(n=members.ATTEMPTS)
                )  # fmt: skip


def stranger(email: str) -> None:
    """Signed in at the provider, unknown here."""
    with stage():
        st.markdown(f"## {_('No account here')}")
        st.markdown(_("Your sign-in worked, but no member of this Octopus has this verified e-mail address:"))
        text.plain(email or "–")
        st.markdown(_("Ask an owner of your workspace to add it, then sign in again."))
        st.button(_("Sign out"), key="sign-out", on_click=st.logout)


def no_workspace() -> None:
    with stage():
        st.markdown(f"## {_('No workspace yet')}")
        st.markdown(_("Your account is not a member of any workspace. Ask an owner to add you, then reload this page."))


@contextmanager
def stage() -> Iterator[None]:
    """The brand on the left; what is drawn inside `with` on the right."""
    with st.container(key="sign-in-stage"):
        brand, form = st.columns([1.05, 1], gap=None)
        with brand, st.container(key="brand"):
            with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="brand-name"):
                st.image(theme.MARK, width=64)
                st.markdown("**Octopus**", width="content")
            st.markdown(f"## {_('Every customer message becomes the right task')}")
            st.markdown(
                f":material/forum: {_('Telegram, WhatsApp, Slack, Discord and more in one place')}\n\n"
                f":material/check_circle: {_('Exactly one task in your CRM for each message')}\n\n"
                f":material/school: {_('Learns from every correction you make')}"
            )
        with form, st.container(key="form"), st.container(key="form-inner"):
            with st.container(key="form-mark"):
                st.image(theme.MARK, width=48)
            yield
            _languages()


def _languages() -> None:
    st.pills(
        _("Language"), list(i18n.LANGUAGES), key="sign-in-language", default=i18n.language(), required=True,
        format_func=i18n.LANGUAGES.__getitem__, label_visibility="collapsed", on_change=_choose_language,
    )  # fmt: skip


def _choose_language() -> None:
    i18n.choose(st.session_state["sign-in-language"])

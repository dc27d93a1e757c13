"""API keys: how programs come in, what each may do, and when it was last here."""

import streamlit as st

from app.db.tables import ApiKey, Scope
from app.services import api_keys
from app.settings import settings
from app.ui import session, setup, text
from app.ui.i18n import _, ago, later

PAGE = "api_keys"
MADE, ASKED = f"{PAGE}-made", f"{PAGE}-asked"  # in the session: the key just made; the one about to be revoked
SCOPES = {
    Scope.READ: later("Read messages, deliveries, figures and the set-up"),
    Scope.WRITE: later("Send messages in"),
    Scope.DECIDE: later("Decide on messages"),
    Scope.DELIVER: later("Send deliveries again or stop them"),
    Scope.CONFIGURE: later("Change categories, rules, routes and webhooks"),
}
rows = api_keys.listed(session.workspace().id)
in_force = [row for row in rows if row.revoked_at is None]
revoked = [row for row in rows if row.revoked_at is not None]


def form() -> None:
    name = st.text_input(
        _("What is it for?"), key=f"{PAGE}-name", max_chars=api_keys.LONGEST_NAME,
        placeholder=_("Data warehouse, every night"),
    )  # fmt: skip
    chosen = st.pills(
        _("What may it do?"), list(SCOPES), selection_mode="multi", default=[Scope.READ], key=f"{PAGE}-scopes",
        format_func=lambda scope: _(SCOPES[scope]),
    )  # fmt: skip
    if setup.buttons(PAGE, _("Make the key")) == "save":
        made = setup.attempt(lambda: api_keys.create(session.actor(), name, chosen))
        if made is not None:
            st.session_state[MADE] = made
            setup.edit(PAGE, None)
            st.rerun()


def made_here() -> bool:
    """Not after switching to another workspace, nor for whoever signs in next in the same tab."""
    row, _key = st.session_state.get(MADE, (None, ""))
    here = (session.actor().workspace_id, session.actor().email)
    return row is not None and (row.workspace_id, row.created_by) == here


def just_made(row: ApiKey, key: str) -> None:
    """The one time the key is on a screen."""
    with st.container(border=True, width=760, key=f"{PAGE}-just-made"):
        st.markdown(":material/key: **" + _("The key for {name}").format(name=text.escape(row.name)) + "**")
        st.code(key, language=None, wrap_lines=True)
        st.caption(_("Copy it now, to where its program keeps secrets: it is shown this once and never again."))
        st.button(_("I have it"), key=f"{PAGE}-copied", type="primary", on_click=st.session_state.pop, args=(MADE,))


def line(row: ApiKey) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{PAGE}-{row.prefix}"):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/key: **{text.escape(row.name)}** `oct_{row.prefix}_…`")
            st.caption(" · ".join(_(SCOPES[scope]) for scope in SCOPES if scope in row.scopes))
            used = _("Last used {when}").format(when=ago(row.last_used_at)) if row.last_used_at else _("Never used")
            made = _("made {when} by {who}").format(when=ago(row.created_at), who=text.escape(row.created_by))
            gone = [_("revoked {when}").format(when=ago(row.revoked_at))] if row.revoked_at else []
            st.caption(" · ".join([used, made, *gone]))
        if row.revoked_at is None and st.session_state.get(ASKED) != row.id:
            st.button(_("Revoke"), key=f"{PAGE}-revoke-{row.prefix}", type="tertiary", on_click=ask, args=(row,))
    if row.revoked_at is None and st.session_state.get(ASKED) == row.id:
        confirm(row)


def ask(row: ApiKey | None) -> None:
    st.session_state[ASKED] = row.id if row else None


def confirm(row: ApiKey) -> None:
    with st.container(border=True, width=760, key=f"{PAGE}-confirm"):
        st.markdown(_("Its program is shut out at once, and the key cannot be brought back."))
        with st.container(horizontal=True):
            sure = st.button(_("Revoke this key"), key=f"{PAGE}-sure", type="primary")
            st.button(_("Keep it"), key=f"{PAGE}-keep", on_click=ask, args=(None,))
    if sure and setup.attempt(lambda: api_keys.revoke(session.actor(), row.id) or True):
        ask(None)
        setup.done(PAGE, _("The key for {name} is revoked.").format(name=row.name))


explanation = _("For programs: each key opens the REST API of this workspace, as far as you say.")
setup.heading(_("API keys"), explanation, PAGE, _("Make a key") if rows else None)
st.caption(f":material/menu_book: [{_('How to use the API')}]({settings().api_url}/api/docs)")
if made_here():
    just_made(*st.session_state[MADE])
if setup.editing(PAGE):
    with st.container(border=True, width=760, key=f"{PAGE}-form"):
        form()
elif not rows:
    setup.empty(
        PAGE,
        _("No key yet"), _("A program that reads messages or changes the set-up needs one. People do not."),
        "key", _("Make a key"),
    )  # fmt: skip
for each in in_force:
    line(each)
if revoked:
    with st.expander(_("Revoked keys"), key=f"{PAGE}-revoked"):
        for each in revoked:
            line(each)

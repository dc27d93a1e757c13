"""Finding one contact and erasing everything about them, after a second yes."""

from uuid import UUID

import streamlit as st

from app.db.retention import Found
from app.db.tables.people import Role
from app.services import retention
from app.ui import nav, session, setup, text
from app.ui.i18n import _, ago, ngettext, number

PAGE = "retention"
CHOSEN, WORDS = "erasure-contact", "erasure-words"  # in the session: who is about to be erased; what was looked for


def offer(message_id: UUID) -> None:
    """Beside a message: the way to erase who wrote it."""
    if session.may(Role.MANAGER) and st.button(
        _("Erase this contact …"), key="erase-contact", type="tertiary", icon=":material/person_remove:"
    ):
        st.session_state[CHOSEN] = retention.contact_of(session.workspace().id, message_id)
        st.switch_page(nav.page(PAGE))


def draw() -> None:
    st.subheader(_("Erase a contact"))
    st.caption(_("When somebody asks to be forgotten: their name, messages and attachments are deleted here."))
    if chosen := st.session_state.get(CHOSEN):
        _confirm(chosen)
        return
    wanted = st.text_input(
        _("Name, or id at the channel"), key=WORDS, icon=":material/search:", placeholder=_("How the name begins"),
        width=420,
    )  # fmt: skip
    found = retention.find_contacts(session.workspace().id, wanted or "")
    if wanted and not found:
        st.caption(_("Nobody is called that. Open one of their messages in the Inbox and erase from there."))
    for contact in found:
        _line(contact)


def _line(contact: Found) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{PAGE}-{contact.id}"):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/person: **{text.escape(contact.name or contact.external_id)}**")
            since = _("first wrote {when}").format(when=ago(contact.created_at))
            st.caption(" · ".join([text.escape(contact.bot), text.escape(contact.external_id), since]))
        st.button(_("Erase …"), key=f"erase-{contact.id}", type="tertiary", on_click=_choose, args=(contact.id,))


def _choose(contact_id: UUID | None) -> None:
    st.session_state[CHOSEN] = contact_id


def _confirm(contact_id: UUID) -> None:
    about = retention.about_contact(session.workspace().id, contact_id)
    if about is None or about[0].erasure_asked_at:
        st.caption(_("This contact is not here, or is erased already."))
        st.button(_("Back"), key="erase-back", on_click=_choose, args=(None,))
        return
    contact, messages, addresses = about
    with st.container(border=True, width=760, key="erase-confirm"):
        st.markdown("**" + _("Erase {name}?").format(name=text.escape(contact.name or contact.external_id)) + "**")
        count = ngettext("{n} message", "{n} messages", messages).format(n=number(messages))
        st.markdown(
            _("The name and {messages} are deleted for good, with texts, attachments, what was sent about them and "
              "what waits in Review. Nothing brings them back. What is not sent yet is cancelled.").format(
                messages=count
            )
        )  # fmt: skip
        if addresses:
            st.markdown(_("Tasks that exist stay where they are. Delete these there, if they must go as well:"))
            with st.container(height=150 if len(addresses) > 4 else "content"):
                for address in addresses:
                    st.markdown(text.linked(address))
        with st.container(horizontal=True):
            sure = st.button(_("Erase for good"), key="erase-sure", type="primary")
            st.button(_("Keep"), key="erase-keep", on_click=_choose, args=(None,))
    if sure:
        _erase(contact_id)


def _erase(contact_id: UUID) -> None:
    done = setup.attempt(lambda: retention.erase_contact(session.actor(), contact_id))
    if done is None:
        return
    said = ngettext("{n} message is erased.", "{n} messages are erased.", done.messages).format(n=number(done.messages))
    later = _("The rest is just being sent; it is erased by itself as soon as that has ended.") if done.waiting else ""
    _choose(None)
    setup.done(PAGE, f"{said} {later}".strip())

"""Members: who belongs to the workspace, with which role, who is invited, and where they are signed in."""

from functools import partial

import streamlit as st

from app.db.tables import Invitation
from app.db.tables.people import Role
from app.services import invitations, memberships
from app.services.memberships import Member
from app.ui import device, session, setup, states, text, words
from app.ui.i18n import _, ago, later

PAGE = "members"
MADE = f"{PAGE}-made"  # in the session: the invitation just made, with its token
MAY = {
    Role.OWNER: later("Everything, also making owners and ending sign-ins"),
    Role.MANAGER: later("Changes the set-up, replays deliveries, invites people"),
    Role.AGENT: later("Decides on messages"),
    Role.VIEWER: later("Looks at everything, changes nothing"),
}
role_name = partial(words.shown, words.ROLES)
actor = session.actor()
mine = [role for role in Role if memberships.may_give(actor, role)]


def form() -> None:
    email = st.text_input(
        _("E-mail address"), key=f"{PAGE}-email", placeholder="noa@example.com",
        help=_("The link works for this address only. Octopus sends no e-mail: you hand the link over."),
    )  # fmt: skip
    role = st.radio(
        _("Role"), mine, index=mine.index(Role.AGENT), key=f"{PAGE}-role", format_func=role_name,
        captions=[_(MAY[role]) for role in mine],
    )  # fmt: skip
    if setup.buttons(PAGE, _("Make the link")) == "save":
        made = setup.attempt(lambda: invitations.invite(actor, email, role))
        if made is not None:
            st.session_state[MADE] = (actor, *made)
            setup.edit(PAGE, None)
            st.rerun()


def just_made() -> None:
    """The one time the link is on a screen: not after switching the workspace, nor for who signs in next."""
    made_by, row, token = st.session_state.get(MADE, (None, None, ""))
    if made_by is None or (made_by.person_id, row.workspace_id) != (actor.person_id, actor.workspace_id):
        return
    with st.container(border=True, width=760, key=f"{PAGE}-just-made"):
        st.markdown(":material/link: **" + _("The invitation of {email}").format(email=text.escape(row.email)) + "**")
        st.code(invitations.link(token), language=None, wrap_lines=True)
        st.caption(_("Copy it now and send it: it is shown this once, works once, and ends {when}.").format(
            when=ago(row.expires_at)
        ))  # fmt: skip
        st.button(_("I have it"), key=f"{PAGE}-copied", type="primary", on_click=st.session_state.pop, args=(MADE,))


def line(member: Member) -> None:
    changeable = setup.editable() and memberships.may_give(actor, member.role)
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{PAGE}-{member.person_id}"):
        with st.container(gap="xxsmall"):
            you = f" :gray-badge[{_('You')}]" if member.person_id == actor.person_id else ""
            st.markdown(f":material/person: **{text.escape(member.name or member.email)}**{you}")
            seen = _("Last seen {when}").format(when=ago(member.last_seen_at)) if member.last_seen_at else None
            st.caption(" · ".join([text.escape(member.email), seen or _("Never signed in")]))
        if not changeable:
            st.markdown(role_name(member.role), width="content")
            return
        key = f"{PAGE}-role-{member.person_id}"
        st.session_state[key] = member.role
        st.selectbox(
            _("Role"), mine, key=key, format_func=role_name, label_visibility="collapsed", width=150,
            on_change=change_role, args=(member.person_id, key),
        )  # fmt: skip
        if actor.role == Role.OWNER:
            sign_ins(member)
        if st.button(_("Remove"), key=f"{PAGE}-remove-{member.person_id}", type="tertiary"):
            setup.remove(
                PAGE, _("{email} is no member any more.").format(email=member.email),
                lambda: memberships.remove(actor, member.person_id),
                lambda removed: memberships.restore(session.actor(), removed),
            )  # fmt: skip


def change_role(person_id, key: str) -> None:
    with states.boundary(f"role-{person_id}"):
        memberships.change_role(actor, person_id, st.session_state[key])
        st.session_state[f"{PAGE}-said"] = _("The role is changed. It counts from the next click.")


def sign_ins(member: Member) -> None:
    """Read when it is opened: a list of many members would ask for each of them."""
    opened = st.popover(_("Sign-ins"), key=f"{PAGE}-sessions-{member.person_id}", on_change="rerun")
    if not opened.open:
        return
    rows = memberships.sessions(actor, member.person_id)
    with opened:
        if not rows:
            st.caption(_("Not signed in anywhere."))
        for row in rows:
            st.markdown(device.shown(row.user_agent, row.ip))
            st.caption(_("Last seen {when}").format(when=ago(row.last_seen_at or row.created_at)))
            st.button(
                _("Sign out there"), key=f"{PAGE}-out-{row.id}", on_click=sign_out, args=(member.person_id, row.id)
            )  # fmt: skip


def sign_out(person_id, session_id) -> None:
    with states.boundary("sign-out"):
        memberships.sign_out(actor, person_id, session_id)


def invited(row: Invitation) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{PAGE}-invited-{row.id}"):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/mail: **{text.escape(row.email)}**")
            st.caption(" · ".join([
                role_name(row.role), _("invited {when}").format(when=ago(row.created_at)),
                _("ends {when}").format(when=ago(row.expires_at)),
            ]))  # fmt: skip
        if setup.editable():
            st.button(_("Revoke"), key=f"{PAGE}-revoke-{row.id}", type="tertiary", on_click=revoke, args=(row,))


def revoke(row: Invitation) -> None:
    with states.boundary("revoke"):
        invitations.revoke(actor, row.id)
        st.session_state.pop(MADE, None)
        st.session_state[f"{PAGE}-said"] = _("The invitation of {email} is revoked.").format(email=row.email)


setup.heading(_("Members"), _("Who works in this workspace, and what each may do."), PAGE, _("Invite somebody"))
just_made()
if setup.editing(PAGE):
    with st.container(border=True, width=760, key=f"{PAGE}-form"):
        form()
for each in memberships.listed(actor.workspace_id):
    line(each)
if pending := invitations.waiting(actor.workspace_id):
    st.subheader(_("Invited"))
    for each in pending:
        invited(each)

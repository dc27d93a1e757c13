"""What stands above a list of the set-up while a draft is open: how much is not live yet, and what to do about it."""

import streamlit as st

from app.services import releases
from app.services.releases import Draft
from app.ui import nav, session, setup, text, undo
from app.ui.i18n import _, ago, ngettext, number


def draw(page: str) -> set[tuple[str, str]]:
    """(noun, key) of what differs from what is live; the bar is not drawn beside a form."""
    draft = releases.draft(session.workspace().id)
    if draft is None:
        return set()
    if not setup.editing(page):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="right", key="draft-bar", gap="small"
        ):
            with st.container(gap="xxsmall"):
                st.markdown(f":material/edit_note: **{summary(draft)}**")
                st.caption(last_change(draft))
            st.page_link(nav.page("releases"), label=_("See changes"), icon=":material/difference:", width="content")
            pressed = buttons()
        act(page, pressed)
    return {(change.noun, change.key) for change in draft.changes}


def summary(draft: Draft) -> str:
    count = len(draft.changes)
    return ngettext("{n} change is not live yet", "{n} changes are not live yet", count).format(n=number(count))


def last_change(draft: Draft) -> str:
    return _("Last changed by {who}, {when}").format(who=text.escape(draft.changed_by), when=ago(draft.changed_at))


def buttons() -> str | None:
    """Says which was pressed: publish or discard."""
    if not setup.editable():
        return None
    publish = st.button(_("Publish"), key="draft-publish", type="primary", icon=":material/rocket_launch:")
    discard = st.button(_("Discard"), key="draft-discard", type="tertiary")
    return "publish" if publish else "discard" if discard else None


def act(page: str, pressed: str | None, note: str = "") -> None:
    """Do it and say so; what cannot be done is told at the place of this call."""
    if pressed == "publish":
        made = setup.attempt(lambda: releases.publish(session.actor(), note))
        if made is not None:
            setup.done(page, _("Release {number} is live. It decides from the next message on.").format(number=made))
    elif pressed == "discard":
        discarded = setup.attempt(lambda: releases.discard(session.actor()))
        if discarded is not None:
            undo.offer(_("The draft is discarded."), lambda: releases.restore(session.actor(), discarded), page)
            setup.edit(page, None)
            st.rerun()

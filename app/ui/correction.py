"""The form on a message's passport in which a person overrules the machine."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.domain.classification import Priority
from app.domain.lifecycle import STEPS, MessageStatus
from app.services import configuration, review
from app.services.members import Role
from app.ui import session, words
from app.ui.i18n import _


def form(message: Mapping[str, Any]) -> None:
    """Nothing for those who may only look, and while a worker has the message in hand."""
    if not session.may(Role.AGENT) or MessageStatus.CLASSIFIED not in STEPS[MessageStatus(message["status"])]:
        return
    categories = configuration.current(session.workspace().id).categories_by_key
    with st.form("correction"):
        st.markdown(f"**{_('Is this right?')}**")
        known = list(categories).index(message["category"]) if message["category"] in categories else None
        category = st.selectbox(
            _("Category"), list(categories), known, lambda key: categories[key].name, key=f"category-{message['id']}",
            placeholder=_("Choose"),
        )  # fmt: skip
        priority = st.segmented_control(
            _("Priority"), list(words.PRIORITIES), default=message["priority"], key=f"priority-{message['id']}",
            format_func=lambda key: words.shown(words.PRIORITIES, key),
        )  # fmt: skip
        pressed = st.form_submit_button(_("Save decision"), key="correct", type="primary")
    if pressed and category is None:
        st.error(_("Choose a category."))
    elif pressed:
        review.decide(session.actor(), message["id"], category, Priority(priority) if priority else None)
        st.toast(_("Saved. The routes are asked again."), icon=":material/check:")
        st.rerun()

"""Review: what nobody was sure about, decided by one key each."""

import streamlit as st

from app.services import review, review_queue
from app.ui import review_card, session
from app.ui.i18n import _

workspace = session.workspace()


@st.fragment
def card() -> None:
    """Runs again by itself with each batch of decisions, while the browser already shows the next message."""
    may = review_queue.may_decide(session.actor())
    category = review_card.swept_category() if may else ""
    queue = review_queue.fetch(session.actor())
    swept = review_queue.sweep(session.actor(), category) if category else []
    review_card.draw(queue, swept, review_queue.suggestions(workspace.id))
    st.session_state["review-seen"] = queue.waiting


@st.fragment(run_every="5s")
def watch() -> None:
    """An empty queue fills itself."""
    if not st.session_state.get("review-seen") and review.count(workspace.id):
        st.rerun()


st.title(_("Review"))
card()
watch()

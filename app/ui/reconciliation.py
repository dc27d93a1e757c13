"""What was sent, compared with what is found at the destinations."""

from uuid import UUID

import streamlit as st

from app.services import sync
from app.ui import text
from app.ui.i18n import _, number


def draw(workspace_id: UUID) -> None:
    """A line for each destination; red where a task we made is not there any more."""
    compared = sync.sent_and_found(workspace_id)
    if not compared:
        return
    with st.container(key="sent-and-found", gap=None):
        st.caption(_("Tasks of the last {n} days, as the destinations have them now").format(n=sync.RECONCILED_DAYS))
        for row in compared:
            said = _("{sent} made, {found} found there").format(sent=number(row.sent), found=number(row.found))
            parts = [f"**{text.escape(row.destination)}**", said]
            if row.unseen:
                parts.append(_("{n} not looked at yet").format(n=number(row.unseen)))
            if row.gone:
                gone = _("{n} deleted there").format(n=number(row.gone))
                parts.append(f":red[{gone}]")
            st.markdown(" · ".join(parts))

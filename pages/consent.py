"""Where a vendor's consent page sends the browser back to."""

import streamlit as st

from app.services import consent
from app.ui import nav, session, setup, text
from app.ui.i18n import _

st.title(_("Connecting"))
asked = dict(st.query_params)
if "code" in asked and "state" in asked:
    begun_in = consent.workspace_of(asked["state"])
    if begun_in != session.workspace().id:
        for workspace in session.workspaces():
            if workspace.id == begun_in:
                session.switch_to(workspace.key)
                st.rerun()
    row = setup.attempt(lambda: consent.finish(session.actor(), asked["state"], asked["code"]))
    if row is not None:
        st.session_state["destinations-said"] = _("{name} is connected.").format(name=row.name or row.key)
        setup.edit("destinations", row.key)
        st.switch_page(nav.page("destinations"))
elif "error" in asked:
    st.warning(_("The vendor did not let Octopus in. Nothing was changed."), icon=":material/block:")
    text.plain(asked.get("error_description") or asked["error"])
else:
    st.info(_("Nothing to connect. Open a destination and press Connect."), icon=":material/link:")
st.page_link(nav.page("destinations"), label=_("Back to the destinations"), icon=":material/arrow_back:")

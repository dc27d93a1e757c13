"""How a CRM tells of changes: one click, or steps to follow; and polling, which needs nothing."""

import streamlit as st

from app.db.tables import Destination
from app.domain.tasks import Capability
from app.services import connections, crm_hooks
from app.ui import session, setup, steps
from app.ui.i18n import _
from connectors import registry


def draw(row: Destination) -> None:
    connector = registry.crm(row.connector).Connector
    st.markdown("##### " + _("When a task changes there"))
    if Capability.STATUS not in connector.CAN:
        st.caption(_("It does not report what becomes of a task."))
        return
    st.caption(_("Octopus asks every minute. With a webhook it knows at once."))
    if Capability.SETS_HOOK in connector.CAN:
        if st.button(_("Set the webhook"), key="destinations-hook", icon=":material/bolt:") and setup.attempt(
            lambda: crm_hooks.set_webhook(session.actor(), row.key)
        ):
            st.success(_("Done. Changes arrive at once from now on."), icon=":material/check_circle:")
    elif Capability.HOOK in connector.CAN:
        steps.draw(connector.HOOK_STEPS, connections.shown(row), crm_hooks.url(row))
        st.code(crm_hooks.url(row), language=None)

"""How a CRM tells of changes: one click, or steps to follow; and polling, which needs nothing."""

from collections.abc import Sequence

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
        steps.draw(
            connector.HOOK_STEPS, connections.shown(row) | _read_back(row, connector.HOOK_STEPS), crm_hooks.url(row)
        )
        st.code(crm_hooks.url(row), language=None)


def _read_back(row: Destination, told: Sequence[str]) -> dict[str, str]:
    """The secret a vendor sent, where its steps say that the manager gives it back."""
    if not any("{hook_secret}" in step for step in told):
        return {}
    return {"hook_secret": crm_hooks.kept_secret(session.actor(), row.key) or _("Nothing was sent yet")}

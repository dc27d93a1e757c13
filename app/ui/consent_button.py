"""The button that opens a vendor's consent page, and the address its console must know."""

import streamlit as st

from app.db.tables import Destination
from app.services import connections, consent
from app.ui import forms, session, setup, targets
from app.ui.i18n import _
from connectors import registry


def draw(page: str, row: Destination, is_new: bool, name: str, drawn: forms.Drawn) -> None:
    connector = registry.crm(row.connector).Connector
    if getattr(connector, "CONSENT", None) is None:
        return
    st.markdown("##### :material/login: " + _("Connect with the vendor's own page"))
    st.caption(_("Enter this address as redirect URL of your app there. Then type its ID and secret here and connect."))
    st.code(consent.redirect(), language=None)
    if is_new or not consent.is_ready(row):
        if st.button(_("Save and connect"), key=f"{page}-consent") and _has_the_app(drawn):
            _save(page, row, name, drawn)
        return
    address = setup.attempt(lambda: consent.begin(session.actor(), row.id))
    if address:
        connected = consent.is_given(row)
        label = _("Connect again") if connected else _("Connect")
        st.link_button(label, address, type="secondary" if connected else "primary")


def _has_the_app(drawn: forms.Drawn) -> bool:
    missing = [name for name in ("client_id", "client_secret") if name not in drawn.values().keys() | drawn.stored]
    for name in missing:
        drawn.places[name].error(_("Please fill this in."))
    return not missing and drawn.complete(besides=targets.after_the_account(drawn))


def _save(page: str, row: Destination, name: str, drawn: forms.Drawn) -> None:
    """Until the manager has let Octopus in, nobody can list where tasks can go: saved without, and switched off."""
    values, actor = targets.with_places(drawn), session.actor()
    if setup.attempt(
        lambda: connections.save_destination(actor, row.key, row.connector, values, name, enabled=False), drawn.show
    ):
        setup.done(page, _("Saved, and switched off until it is connected. Press Connect."), row.key)

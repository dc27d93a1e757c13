"""Overview: how the workspace is doing, and what to do next."""

import streamlit as st

from app.services import dashboards
from app.ui import session, states
from app.ui.i18n import _

numbers = dashboards.overview(session.workspace().id)

st.title(_("Overview"))
if not numbers.bots:
    with states.empty(
        _("No bot is connected yet"),
        _("Connect a bot on Telegram, WhatsApp, Slack or Discord. Its messages are classified and turned into tasks "
          "from the first one on."),
        icon="smart_toy",
    ):  # fmt: skip
        pass

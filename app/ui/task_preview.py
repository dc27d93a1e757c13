"""The last message as the task a destination would get, and the request that would make it. Nothing is sent."""

import json
from typing import Any

import streamlit as st

from app.db.tables import Destination, Workspace
from app.services import preview
from app.ui import session, setup, task_card, text
from app.ui.i18n import _


def draw(workspace: Workspace, row: Destination, values: dict[str, Any], fields: dict[str, str]) -> None:
    """values: of the form. fields: the mapping; neither need be saved."""
    if not (decision := preview.latest(workspace.id)):
        return
    with st.expander(_("The last message, as a task"), key="destinations-preview"):
        task = preview.task(workspace.id, decision, fields)
        task_card.draw(task, "preview", workspace.timezone)
        if setup.editable() and st.button(
            _("Show the exact request"), key="destinations-request", icon=":material/code:"
        ):
            shown = setup.attempt(lambda: preview.request(session.actor(), row, values, task))
            if shown is not None:
                st.caption(_("This would be sent. It was not."))
                _request(shown.as_dict())


def _request(shown: dict[str, Any]) -> None:
    text.plain(f"{shown['method']} {shown['url']}")
    try:
        body = json.dumps(json.loads(shown["request"]), indent=2, ensure_ascii=False)
    except ValueError:
        body = shown["request"]  # a form, or longer than what is kept
    st.code(body, language="json", wrap_lines=True)

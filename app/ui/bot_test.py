"""Sending a message of one's own with a bot."""

import streamlit as st

from app.db.tables import Bot
from app.services import bot_test
from app.ui import session, setup, text
from app.ui.i18n import _, ago


def draw(bot: Bot) -> None:
    chats = bot_test.chats(bot.workspace_id, bot.id)
    with st.expander(_("Send a test message"), key="bots-test", icon=":material/send:"):
        if not chats:
            st.caption(_("Write to the bot first: it can only answer where somebody wrote to it."))
            return
        chat = st.selectbox(
            _("To"), chats, format_func=lambda each: f"{text.escape(each.contact)} · {ago(each.last_at)}",
            key="bots-test-chat",
        )  # fmt: skip
        said = st.text_input(_("Text"), value=_("This is a test of the support bot."), key="bots-test-text",
                             max_chars=bot_test.LONGEST)  # fmt: skip
        if st.button(_("Send"), key="bots-test-send") and setup.attempt(
            lambda: bot_test.send(session.actor(), bot.id, chat.id, said)
        ):
            st.success(_("Sent. Look into the chat."), icon=":material/check_circle:")

"""The words and colours of states, the same on every screen. `shown(PRIORITIES, "urgent")` reads one."""

from collections.abc import Mapping

import streamlit as st
from babel import Locale, UnknownLocaleError

from app.ui import i18n, text
from app.ui.i18n import _, later

MESSAGE_STATES = {
    "received": later("Received"),
    "classified": later("Classified"),
    "needs_review": later("Waits for review"),
    "routed": later("Routed"),
    "ignored": later("Nothing to do"),
    "failed": later("Failed"),
}
DELIVERY_STATES = {
    "pending": later("Queued"),
    "sending": later("Sending"),
    "retrying": later("Will try again"),
    "unknown": later("Being looked for"),
    "delivered": later("Delivered"),
    "failed": later("Failed"),
    "cancelled": later("Cancelled"),
}
CHANGES = {"comment": later("Comment"), "update": later("Brought up to date"), "withdraw": later("Withdrawn")}
REMOTE_STATES = {
    "open": later("Open there"),
    "in_progress": later("In progress there"),
    "done": later("Done there"),
    "cancelled": later("Cancelled there"),
    "gone": later("Deleted there"),
}
# Short reasons of the cascade, shown as they are in the passport.
REASONS = (
    later("no rule decided"), later("rule '{0}'"), later("rule '{0}' matched"),
    later("rule '{0}' matched and wants a person to decide"), later("a person decided the same words"),
    later("a person decided nearly the same words"), later("no such message yet"), later("{0} sure"),
    later("by its name and description"), later("too many categories resemble it"),
    later("no word of it stands in a category's name or description"),
    later("an imported ticket says the same words"), later("an imported ticket says nearly the same words"),
    later("decided by a person"), later("no route takes this category"), later("spam"), later("taken back"),
    later("erased"),
)  # fmt: skip
PRIORITIES = {
    "urgent": later("Urgent"),
    "high": later("High"),
    "normal": later("Normal"),
    "low": later("Low"),
}
STRATEGIES = {
    "failover": later("The first that takes it; the next one only when it cannot"),
    "parallel": later("All of them, each on its own"),
}
WHEN_WRONG = {
    "close": later("Close it there, with a comment"),
    "comment": later("Only say so in a comment"),
}
RULE_EFFECTS = {
    "category": later("Sort it into a category"), "review": later("Let a person decide in any case"),
    "ignore": later("Ignore it"), "": later("Leave the category open"),
}  # fmt: skip
SENTIMENTS = {
    "negative": later("Negative"),
    "neutral": later("Neutral"),
    "positive": later("Positive"),
}
# What a message can be filtered by.
LANGUAGES = ("en", "zh", "es", "fr", "de", "pt", "it", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "id", "vi", "th",
             "ja", "ko")  # fmt: skip
SOURCES = {
    "rule": later("Rule"),
    "memory": later("Earlier corrections"),
    "local": later("Local model"),
    "llm": later("Language model"),
    "person": later("Person"),
    "names": later("Names of the categories"),
}
ROLES = {
    "owner": later("Owner"),
    "manager": later("Manager"),
    "agent": later("Agent"),
    "viewer": later("Viewer"),
}
# What the audit log speaks of, and what was done to it.
NOUNS = {
    "bot": later("Bot"), "category": later("Category"), "rule": later("Rule"), "destination": later("Destination"),
    "route": later("Route"), "llm_account": later("LLM account"), "api_key": later("API key"),
    "member": later("Member"), "invitation": later("Invitation"), "workspace": later("Workspace"),
    "learning": later("Learning"), "local model": later("Local model"), "budget": later("Budget"),
    "imported tickets": later("Imported tickets"), "retention": later("Retention"), "contact": later("Contact"),
    "draft": later("Draft"), "release": later("Release"), "topic": later("Topic"),
    "webhook": later("Webhook"),
}  # fmt: skip
ACTIONS = {
    "add": later("added"), "change": later("changed"), "delete": later("deleted"), "remove": later("removed"),
    "archive": later("archived"), "restore": later("brought back"), "move": later("moved"),
    "revoke": later("revoked"), "connect": later("connected"), "set webhook": later("webhook set"),
    "join": later("joined"), "sign_out": later("signed out"), "erase": later("erased"),
    "switch off": later("switched off"), "publish": later("published"), "discard": later("discarded"),
    "take back": later("taken back"), "dismiss": later("dismissed"), "import": later("imported"),
    "apply": later("applied from a file"), "send test message": later("test message sent"),
    "add in draft": later("added in the draft"), "change in draft": later("changed in the draft"),
    "rotate": later("given a new secret"),
    "delete in draft": later("deleted in the draft"), "archive in draft": later("archived in the draft"),
    "restore in draft": later("brought back in the draft"), "move in draft": later("moved in the draft"),
}  # fmt: skip
CAUSES = {
    "": later("On its way"),
    "busy": later("Busy or out of reach"),
    "uncertain": later("Nobody saw how it ended"),
    "circuit_open": later("Paused after many failures"),
    "unauthorized": later("Needs to be connected again"),
    "forbidden": later("A permission is missing"),
    "target_gone": later("The project or board is gone"),
    "rejected": later("The content was refused"),
    "gave_up": later("Given up after two days"),
    "broken": later("A fault in Octopus"),
}
# What to do about a cause.
ADVICE = {
    "busy": later("The vendor is slow or limits requests. They are sent again by themselves."),
    "uncertain": later("The call may have worked. Replay looks for the task first and creates it only if missing."),
    "circuit_open": later("The vendor failed so often that nobody calls it for a while. They go on by themselves."),
    "unauthorized": later("The credentials are refused. Connect the destination again; these go on by themselves."),
    "forbidden": later("The account lacks a permission. Grant it at the vendor, then replay."),
    "target_gone": later("The project or board was deleted or moved. Choose another on the destination, then replay."),
    "rejected": later("The vendor refused the content. Correct the field mapping of the destination, then replay."),
    "gave_up": later("The vendor was out of reach for two days. Check that it is up, then replay."),
    "broken": later("Octopus itself failed. Tell your operator, and replay after an update."),
}
COLOURS = {
    "received": "blue", "classified": "blue", "needs_review": "orange", "routed": "green", "ignored": "gray",
    "failed": "red", "pending": "blue", "sending": "blue", "retrying": "orange", "unknown": "orange",
    "delivered": "green", "cancelled": "gray", "urgent": "red", "high": "orange", "normal": "gray", "low": "gray",
}  # fmt: skip


def shown(names: Mapping[str, str], key: str | None) -> str:
    """The word in the reader's language; the key itself when it is none of ours."""
    return _(names.get(key, key)) if key else ""


def language(code: str | None) -> str:
    """The name of a language in the reader's."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name(i18n.language()) or code if code else ""
    except (UnknownLocaleError, ValueError):
        return code or ""


def badge(names: Mapping[str, str], key: str) -> None:
    st.badge(text.escape(shown(names, key)), color=COLOURS.get(key, "gray"))

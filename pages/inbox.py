"""Inbox: every message, and with `?message=ID` the passport of one."""

from uuid import UUID

import streamlit as st

from app.services import configuration, inbox
from app.services.inbox import Filter
from app.ui import correction, drill, erasure, filters, nav, passport, session, states, tables, text, tour, words
from app.ui.i18n import _, percent, short_moment
from app.ui.tables import Column
from connectors import registry

FILTERS = ("q", "status", "category", "priority", "channel", "bot", "spoken", "days", *drill.KEYS)
workspace = session.workspace()


# ---- the list


@st.fragment(run_every="10s")
def listing() -> None:
    with states.boundary("listing"):
        wanted = _filter()
        found = tables.paged(
            lambda before, after: inbox.page(workspace.id, wanted, before, after), key="messages", scope=wanted
        )
        if not found.lines:
            _nothing(wanted)
            return
        if chosen := tables.rows(found.lines, _columns(len(configuration.current(workspace.id).bots)), key="messages"):
            st.query_params["message"] = str(chosen.id)
            st.rerun()
        tables.pager(found, key="messages")


def _filter() -> Filter:
    config = configuration.current(workspace.id)
    bots = {bot.key: bot.name or bot.key for bot in config.bots.values()}
    categories = {category.key: category.name for category in config.categories}
    channels = {bot.channel: registry.channel(bot.channel).Channel.label for bot in config.bots.values()}
    with filters.bar("inbox"):
        chosen = {
            "text": filters.search("q", _("Search")),
            "status": filters.several("status", _("Status"), list(words.MESSAGE_STATES), _named(words.MESSAGE_STATES)),
            "category": filters.several("category", _("Category"), list(categories), categories.__getitem__),
            "priority": filters.several("priority", _("Priority"), list(words.PRIORITIES), _named(words.PRIORITIES)),
            "days": filters.period("days", "30"),
        }
        with st.popover(_("More filters"), icon=":material/tune:", key="more-filters"):
            chosen["channel"] = filters.several("channel", _("Channel"), sorted(channels), channels.__getitem__)
            chosen["bot"] = filters.several("bot", _("Bot"), sorted(bots), bots.__getitem__)
            chosen["language"] = filters.several("spoken", _("Language"), words.LANGUAGES, words.language)
        chosen |= drill.chosen(workspace.timezone)
        if chosen != {name: () for name in chosen} | {"text": "", "days": 30}:
            filters.clear(FILTERS)
    return Filter(**chosen)


def _named(names: dict[str, str]):
    return lambda key: words.shown(names, key)


def _columns(bots: int) -> list[Column]:
    states_shown = {words.shown(words.MESSAGE_STATES, key): words.COLOURS[key] for key in words.MESSAGE_STATES}
    priorities = {words.shown(words.PRIORITIES, key): words.COLOURS[key] for key in words.PRIORITIES}
    return [
        Column(_("When"), lambda line: short_moment(line.received_at, workspace.timezone), 105),
        *([Column(_("Bot"), lambda line: line.bot, 110)] if bots > 1 else []),
        Column(_("Status"), lambda line: words.shown(words.MESSAGE_STATES, line.status), 138, colours=states_shown),
        Column(_("Category"), lambda line: line.category_name or "", 120),
        Column(_("Priority"), lambda line: words.shown(words.PRIORITIES, line.priority), 85, colours=priorities),
        Column(_("Sure"), lambda line: None if line.confidence is None else percent(line.confidence), 60,
               alignment="right", help=_("How sure the classification is")),
        Column(_("From"), lambda line: line.contact_name, 120),
        Column(_("Message"), lambda line: text.shorten(line.text or line.title, 200)),
    ]  # fmt: skip


def _nothing(wanted: Filter) -> None:
    if wanted != Filter(days=30):
        with states.empty(_("No message matches"), _("Take a filter away, or look further back."), "search_off"):
            return
    with states.empty(
        _("No messages yet"), _("As soon as somebody writes to one of your bots, the message is here within a second.")
    ):
        st.page_link(nav.page("overview"), label=_("See whether your bots are connected"))


# ---- one message


def one(wanted: str) -> None:
    st.button(_("All messages"), icon=":material/arrow_back:", key="back", type="tertiary", on_click=_close)
    try:
        found = inbox.passport(workspace.id, UUID(wanted))
    except ValueError:
        found = None
    if found is None:
        with states.empty(
            _("There is no such message here"),
            _("It may have been erased, or it belongs to another workspace: choose that one on the left."),
            "search_off",
        ):
            return
    tour.message_opened()
    passport.heading(found.message, workspace.timezone)
    left, right = st.container(key="sides").columns([1, 1.25], gap="large")
    with left:
        passport.thread(found, workspace.timezone)
    with right:
        why, went, happened, raw = st.tabs([_("Why"), _("Deliveries"), _("Timeline"), _("As received")])
        with why:
            passport.classifications(found.classifications, workspace.timezone)
            correction.form(found.message)
        with went:
            passport.deliveries(found, workspace.timezone)
        with happened:
            passport.timeline(found.timeline, workspace.timezone)
        with raw:
            passport.raw_event(found.raw_event, workspace.timezone)
            erasure.offer(found.message["id"])


def _close() -> None:
    del st.query_params["message"]


if "message" in st.query_params:
    one(st.query_params["message"])
else:
    st.title(_("Inbox"))
    listing()

"""Overview: how the workspace is doing right now, and what to do next."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.services import dashboards
from app.services.dashboards import Overview, Stage
from app.services.members import Role
from app.ui import ending, nav, session, states, text, tour
from app.ui.i18n import _, ago, duration, number, percent
from connectors import registry

DONE, workspace = ["classified", "routed", "ignored"], session.workspace()


@st.fragment(run_every="5s")
def live() -> None:
    with states.boundary("overview"):
        numbers = dashboards.overview(workspace.id)
        if not numbers.bots:
            _next_step("bots", "smart_toy", _("No bot is connected yet"), _("Connect a bot"), _(
                "Connect a bot on Telegram, WhatsApp, Slack or Discord. Its messages are classified and turned into "
                "tasks from the first one on."))  # fmt: skip
            return
        _funnel(numbers)
        left, right = st.container(key="sides").columns(2, gap="large")
        with left:
            st.subheader(_("Bots"))
            for bot in numbers.bots:
                _bot(bot)
        with right:
            st.subheader(_("Destinations"))
            for destination in numbers.destinations:
                _destination(destination)
            if not numbers.destinations:
                _next_step("destinations", "output", _("No destination yet"), _("Connect a destination"), _(
                    "Messages are classified already. Connect the CRM or tracker that gets their tasks."))  # fmt: skip


def _next_step(screen: str, icon: str, title: str, label: str, explanation: str) -> None:
    with states.empty(title, explanation, icon, key=screen):
        if session.may(Role.MANAGER):
            st.page_link(nav.page(screen), label=label)
        else:
            st.caption(_("A manager of the workspace can do this."))


# ---- the funnel


def _funnel(numbers: Overview) -> None:
    received = numbers.received.count
    st.caption(_("The last 24 hours"))
    with st.container(key="funnel"):
        first, second, third, fourth = st.columns(4, gap="small")
        with first:
            _tile("received", _("Received"), numbers.received, None, "inbox", {"days": "1"})
            _stuck(numbers.received, "inbox", {"status": "received", "days": "all"})
        with second:
            _tile("classified", _("Classified"), numbers.classified, received, "inbox", {"days": "1", "status": DONE})
            if numbers.failed:
                label = _("{n} failed").format(n=number(numbers.failed))
                _alarm(label, "inbox", {"status": "failed", "days": "all"})
        with third:
            _tile("review", _("Waiting for review"), numbers.review, None, "review", {})
            if numbers.review.oldest_at:
                st.caption(_("The oldest came {when}").format(when=ago(numbers.review.oldest_at)))
        with fourth:
            _tile("delivered", _("Delivered"), numbers.delivered, None, "deliveries", {"state": "delivered"})
            _stuck(numbers.delivered, "deliveries", {})


def _tile(key: str, label: str, stage: Stage, whole: int | None, screen: str, query: dict[str, Any]) -> None:
    """A number that opens its list. whole: what the number is a share of; None: no share is shown."""
    count = stage.waiting if screen == "review" else stage.count  # what waits, however old
    with st.container(key=f"tile-{key}", gap=None):
        st.page_link(nav.page(screen), label=label, query_params=query)
        st.markdown(f"**{number(count)}**")
        if whole:
            st.caption(percent(count / whole))


def _stuck(stage: Stage, screen: str, query: dict[str, Any]) -> None:
    if stage.stuck:
        waited_s = (datetime.now(UTC) - stage.oldest_at).total_seconds()
        label = _("{n} stuck, the oldest for {time}").format(n=number(stage.stuck), time=duration(waited_s))
        _alarm(label, screen, query)
    elif stage.waiting:
        st.caption(_("{n} on their way").format(n=number(stage.waiting)))


def _alarm(label: str, screen: str, query: dict[str, Any]) -> None:
    with st.container(key=f"alarm-{screen}-{len(query)}"):
        st.page_link(nav.page(screen), label=f":red[{label}]", icon=":material/error:", query_params=query)


# ---- bots and destinations


def _bot(bot: dict[str, Any]) -> None:
    last = _("last message {when}").format(when=ago(bot["last_event_at"])) if bot["last_event_at"] else ""
    state = ("gray", _("Off")) if not bot["enabled"] else ("green", _("On")) if last else ("blue", _("Nothing yet"))
    with st.container(key=f"bot-{bot['key']}", gap=None):
        channel = registry.channel(bot["channel"]).Channel.label
        _line(bot["name"] or bot["key"], channel, *state, last or _("waits for its first message"))
        if bot["last_refused_at"]:
            said = _("Requests refused: {n}, the last {when}")
            st.markdown(f":orange[{said.format(n=number(bot['refused']), when=ago(bot['last_refused_at']))}]")
            text.plain(bot["last_refused_reason"])


def _destination(row: dict[str, Any]) -> None:
    with st.container(key=f"destination-{row['key']}", gap=None):
        last = _("last success {when}").format(when=ago(row["last_success_at"])) if row["last_success_at"] else ""
        kind = registry.crm(row["connector"]).Connector.label if row["connector"] in registry.crm_keys() else "–"
        _line(row["name"] or row["key"], kind, *_state(row), last or _("nothing delivered yet"))
        if row["parked_reason"] or row["open_until"]:
            text.plain(row["parked_reason"] or row["last_error"])
        list(map(st.markdown, ending.lines(row["ends_on"])))
        with st.container(horizontal=True, gap="medium"):
            for state, said in (("failed", _("{n} failed")), ("waiting", _("{n} waiting"))):
                if row[state]:
                    words = said.format(n=number(row[state]))
                    label = f":red[{words}]" if state == "failed" else words
                    query = {"state": state, "destination": row["key"]}
                    st.page_link(nav.page("deliveries"), label=label, query_params=query)


def _state(row: dict[str, Any]) -> tuple[str, str]:
    if not row["enabled"]:
        return "gray", _("Off")
    if row["parked_reason"]:
        return "red", _("Needs to be connected again")
    if row["open_until"] and row["open_until"] > datetime.now(UTC):
        return "orange", _("Paused, next try {when}").format(when=ago(row["open_until"]))
    return ("orange", _("Some failed")) if row["failed"] else ("green", _("OK"))


def _line(name: str, kind: str, colour: str, state: str, last: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{text.escape(name)}**", width="content")
        st.caption(text.escape(kind), width="content")
        st.badge(state, color=colour)
        st.caption(last, width="stretch", text_alignment="right")


tour.heading(_("Overview"))
live()

"""The guided tour of the demo, on the Overview: six steps that tick themselves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.services import tour
from app.services.tour import ANSWERS, Tour
from app.ui import nav, session, states
from app.ui.i18n import _, later


@dataclass(frozen=True, slots=True)
class Step:
    """Where it is done. links: (label, page). outside: (label, field of the tour with the address)."""

    title: str
    explanation: str
    links: tuple[tuple[str, str], ...] = ()
    query: Callable[[Tour], dict[str, Any]] = field(default=lambda found: {})
    outside: tuple[str, str] | None = None


STEPS = (
    Step(
        later("A customer wrote, and a task was made"),
        later("Simulated customers write on Telegram and Slack, many at first, then fewer. All arrive here at once."),
        ((later("See the messages"), "inbox"),),
        outside=(later("Write one yourself"), "chat_url"),
    ),
    Step(
        later("See why it was sorted so"),
        later("Open a message: its passport says which rule, model or person decided, why, and how it was delivered."),
        ((later("Open the newest one"), "inbox"),),
        lambda found: {"message": str(found.newest)} if found.newest else {},
    ),
    Step(
        later("Answer three messages in Review"),
        later("What nobody was sure about waits for you; one key decides. Whatever is alike is known from then on."),
        ((later("Open Review"), "review"),),
    ),
    Step(
        later("Look at a task where your colleagues work"),
        later("It opens the simulated tracker. A simulated team works there: what it does comes back by itself, and "
              "the customer is told when it is done."),
        outside=(later("Open a task"), "task_url"),
    ),
    Step(
        later("Change a rule or a route"),
        later("Before you save, it says what the change would have done with the messages of the last days."),
        ((later("Rules"), "rules"), (later("Routes"), "routes")),
    ),
    Step(
        later("Put something real in the place of a simulated part"),
        later("Each simulated part has a button for that. The others stay simulated until you replace them, too."),
        ((later("Bots"), "bots"), (later("Destinations"), "destinations"), (later("LLM accounts"), "llm_accounts")),
    ),
)  # fmt: skip


def heading(title: str) -> None:
    """The page's title; in the demo with the tour below it."""
    found = tour.progress(session.actor())
    if found is None:
        st.title(title)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="tour-heading"):
        st.title(title)
        st.badge(_("Demo: customers, vendors and model are simulated"), color="orange", icon=":material/science:")
        if found.hidden:
            st.button(
                _("Show the tour"), key="tour-show", icon=":material/tour:", type="tertiary",
                on_click=tour.hide, args=(session.actor(), False),
            )  # fmt: skip
    if not found.hidden:
        _live()


def message_opened() -> None:
    """Called where a message is shown."""
    if tour.progress(session.actor()) is not None:
        tour.note_opened(session.actor())


@st.fragment(run_every="5s")
def _live() -> None:
    with states.boundary("tour"):
        found = tour.progress(session.actor())
        if found is not None:
            _draw(found)


def _draw(found: Tour) -> None:
    done = found.steps
    with st.container(border=True, key="tour"):
        with st.container(horizontal=True, vertical_alignment="center", key="tour-top"):
            st.markdown(f"#### :material/tour: {_('A tour in six steps')}", width="content")
            st.caption(_("{n} of {all} done").format(n=sum(done), all=len(done)), width="stretch")
            if st.button(_("Hide"), key="tour-hide", type="tertiary", icon=":material/close:"):
                tour.hide(session.actor(), True)
                st.rerun()  # the whole page: the tour is a fragment of it
        current = done.index(False) if not all(done) else None
        for number, step in enumerate(STEPS):
            with st.container(key=f"tour-step-{number + 1}-{'done' if done[number] else 'open'}", gap=None):
                _step(step, found, done[number], number == current)
        if current is None:
            st.success(_("That was all. What is still simulated can be replaced whenever you like."))


def _step(step: Step, found: Tour, is_done: bool, is_current: bool) -> None:
    icon = ":green[:material/check_circle:]" if is_done else ":gray[:material/radio_button_unchecked:]"
    counted = f" ({found.answered}/{ANSWERS})" if step is STEPS[2] and not is_done else ""
    title = f"**{_(step.title)}**" if is_current else _(step.title)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{icon} {title}{counted}", width="stretch")
        for label, page in step.links:
            st.page_link(nav.page(page), label=_(label), query_params=step.query(found), width="content")
        if step.outside and (address := getattr(found, step.outside[1])):
            st.page_link(address, label=_(step.outside[0]), icon=":material/open_in_new:", width="content")
    if is_current:
        st.caption(_(step.explanation))

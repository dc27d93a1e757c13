"""The simulator on the Routes page: what would have happened. Nothing is sent."""

from collections.abc import Mapping
from uuid import UUID

import streamlit as st

from app.db.tables import Route
from app.domain.routing import Strategy
from app.services import what_if
from app.services.what_if import Change, Comparison
from app.ui import nav, states, text
from app.ui.i18n import _, duration, later, number

SHOWN = 10
HOURS = {0.25: later("a quarter of an hour"), 1.0: later("an hour"), 8.0: later("eight hours")}
DAYS = {1: later("the last day"), 7: later("the last 7 days"), 30: later("the last 30 days")}


def draw(workspace_id: UUID, routes: list[Route], names: Mapping[str, str], strategies: Mapping[Strategy, str]) -> None:
    with st.container(border=True, key="routes-what-if"):
        st.markdown("##### :material/psychology_alt: " + _("What if?"))
        st.caption(_("Plays past messages through these routes, with the retries and failover of production."))
        first, second, third = st.columns(3)
        days = first.selectbox(_("Messages of"), list(DAYS), 1, lambda each: _(DAYS[each]), key="what-if-days")
        down = second.selectbox(
            _("Had been down"), list(names), None, names.get, key="what-if-down", placeholder=_("Nothing")
        )
        hours = third.selectbox(_("For"), list(HOURS), 1, lambda each: _(HOURS[each]), key="what-if-hours")
        change = _change(routes, names, strategies)
        if st.button(_("Play it through"), key="what-if-play", disabled=not (down or change)):
            with states.loading(_("Playing it through …")):
                found = what_if.compare(workspace_id, days, down, hours, change)
            _show(found, names, down)


def _change(routes: list[Route], names: Mapping[str, str], strategies: Mapping[Strategy, str]) -> Change | None:
    by_key = {row.key: row for row in routes}
    left, middle, right = st.columns(3)
    key = left.selectbox(_("Had this route gone"), list(by_key), None, key="what-if-route", placeholder=_("As it is"))
    if key is None:
        return None
    chosen = middle.multiselect(
        _("to"), list(names), [each for each in by_key[key].destinations if each in names], names.get,
        key=f"what-if-to-{key}",
    )  # fmt: skip
    strategy = right.selectbox(
        _("Who gets it"), list(strategies), list(strategies).index(Strategy(by_key[key].strategy)),
        lambda each: _(strategies[each]), key=f"what-if-strategy-{key}",
    )  # fmt: skip
    return Change(key, tuple(chosen), strategy) if chosen else None


def _show(found: Comparison, names: Mapping[str, str], down: str | None) -> None:
    said = _("{moved} of {n} messages would have gone elsewhere.")
    st.markdown(f"**{said.format(moved=number(found.moved_count), n=number(found.messages))}**")
    for key in [key for key in names if key in found.usual or key in found.otherwise]:
        usual, otherwise = found.usual.get(key), found.otherwise.get(key)
        parts = [_("{now} tasks, then {then}").format(
            now=number(usual.made if usual else 0), then=number(otherwise.made if otherwise else 0)
        )]  # fmt: skip
        if otherwise and otherwise.most_waiting:
            parts.append(_("{n} waiting at once at most").format(n=number(otherwise.most_waiting)))
        if otherwise and otherwise.drained and found.back_at and key == down:
            late = max(0.0, otherwise.drained - found.back_at)
            parts.append(_("all made {after} after it was back").format(after=duration(late)))
        if otherwise and otherwise.failed:
            parts.append(_("{n} failed").format(n=number(otherwise.failed)))
        st.markdown(f":material/output: **{text.escape(names[key])}**: " + " · ".join(parts))
    for one in found.moved[:SHOWN]:
        now, then = (text.escape(", ".join(names.get(key, key) for key in keys) or "–") for keys in (one.now, one.then))
        label = f"{text.escape(text.shorten(one.text, 70))}: {now} → {then}"
        st.page_link(nav.page("inbox"), label=label, query_params={"message": str(one.message_id)})

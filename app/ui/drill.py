"""From a number to its rows: the address of the Inbox that lists exactly what a number of the Service page counts."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from app.domain.business_hours import day_begins_at
from app.services.service_report import Filter
from app.ui import text
from app.ui.i18n import _, day_label, later

KEYS = ("from", "to", "counted")  # in the address
KINDS = {
    "task": later("with a task"),
    "done": later("whose task is done"),
    "reopened": later("whose task was opened again"),
    "repeat": later("of customers who came back"),
}


def address(wanted: Filter, begin: date, end: date, counted: str = "", **narrower: str) -> dict[str, Any]:
    """Query parameters of the Inbox. narrower: one value of a filter instead of those chosen."""
    chosen = {"category": wanted.category, "priority": wanted.priority, "channel": wanted.channel,
              "spoken": wanted.language}  # fmt: skip
    chosen |= {name: (value,) for name, value in narrower.items()}
    query: dict[str, Any] = {name: list(values) for name, values in chosen.items() if values}
    return query | {"from": begin.isoformat(), "to": end.isoformat()} | ({"counted": counted} if counted else {})


def chosen(zone: str) -> dict[str, Any]:
    """What the address asks the Inbox for, for its Filter, and a line that says so. Nothing if it is none of ours."""
    begin, end = _day("from"), _day("to")
    if begin is None or end is None:
        return {}
    counted = st.query_params.get("counted", "")
    counted = counted if counted in KINDS else ""
    kind = _(KINDS[counted]) if counted else ""
    said = _("Messages from {begin} to {end}") if begin != end else _("Messages of {begin}")
    st.caption(
        text.escape(f"{said.format(begin=day_label(begin), end=day_label(end))} {kind}".strip()), width="content"
    )
    since, until = day_begins_at(begin, zone), day_begins_at(end + timedelta(days=1), zone)
    return {"days": None, "since": since, "until": until, "counted_as": counted}


def _day(key: str) -> date | None:
    try:
        day = date.fromisoformat(st.query_params.get(key, ""))
    except ValueError:
        return None
    return day if date(2000, 1, 1) < day < date(2200, 1, 1) else None

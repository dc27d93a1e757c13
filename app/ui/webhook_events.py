"""What a webhook was told last, what it answered, and sending it again."""

from datetime import datetime, timedelta
from uuid import UUID

import streamlit as st

from app.db.tables import WebhookEvent
from app.db.tables.base import now
from app.services import webhooks
from app.ui import passport, session, states, tables, text, words
from app.ui.i18n import _, later, moment, ngettext, number, short_moment
from app.ui.tables import Column

KEY = "webhook-events"
SAID = f"{KEY}-said"
SINCE = {
    1: later("In the last hour"), 24: later("In the last 24 hours"), 24 * 7: later("In the last 7 days"),
    24 * webhooks.KEPT_DAYS: later("In the last 30 days"),
}  # fmt: skip


def draw(endpoint_id: UUID) -> None:
    st.markdown("##### " + _("What it was told"))
    if said := st.session_state.pop(SAID, None):
        st.success(said, icon=":material/check:")
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}-bar"):
        only_failed = st.segmented_control(
            _("Which"), [False, True], default=False, key=f"{KEY}-failed", required=True, label_visibility="collapsed",
            format_func=lambda failed: _("Only failed") if failed else _("All"),
        )  # fmt: skip
        _replay_failed(endpoint_id)
        st.button(_("Refresh"), key=f"{KEY}-refresh", icon=":material/refresh:", type="tertiary")
    found = tables.paged(
        lambda before, after: webhooks.page(session.workspace().id, endpoint_id, only_failed, before, after),
        key=KEY, scope=(endpoint_id, only_failed),
    )  # fmt: skip
    if not found.lines:
        st.caption(_("Nothing failed.") if only_failed else _("Nothing yet. Send a test to see it here."))
        return
    clicked = tables.rows(found.lines, _columns(), key=f"{KEY}-{endpoint_id}")
    tables.pager(found, key=KEY)
    if clicked:
        _event(next((line for line in found.lines if line.id == clicked.id), clicked))
    else:
        st.caption(_("Click a row to see the request and the answers. Events are kept for 30 days."))


def _columns() -> list[Column]:
    zone = session.workspace().timezone
    colours = {words.shown(words.DELIVERY_STATES, key): words.COLOURS[key] for key in words.DELIVERY_STATES}
    status = Column(_("Status"), lambda row: words.shown(words.DELIVERY_STATES, row.status), 130, colours=colours)
    answer = Column(_("Answer"), lambda row: row.attempts[-1]["status"] if row.attempts else None, 70)
    return [
        Column(_("When"), lambda row: short_moment(row.at, zone), 105),
        Column(_("Event"), lambda row: row.type, 190),
        status,
        Column(_("Tries"), lambda row: row.tries, 55, alignment="right"),
        answer,
        Column(_("What happened"), lambda row: text.shorten(_(row.error), 200)),
    ]


def _event(row: WebhookEvent) -> None:
    zone = session.workspace().timezone
    with st.container(border=True, key=f"{KEY}-event"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{row.type}** `{row.id}`")
            if row.status != "sending":
                st.button(
                    _("Send again"), key=f"{KEY}-again", icon=":material/replay:", on_click=_replay, args=(row.id,)
                )
        st.caption(_("Request"))
        st.code(passport.pretty(webhooks.body(row)), language="json", wrap_lines=True)
        if not row.attempts:
            st.caption(_("It was not sent yet."))
        for attempt in reversed(row.attempts):
            answered = attempt["status"] or _("no answer")
            at = moment(webhooks.attempted_at(attempt), zone, seconds=True)
            st.caption(f"{_('Answer')} · {at} · {answered} · {number(round(attempt['took_ms']))} ms")
            if attempt["answer"]:
                st.code(passport.pretty(attempt["answer"]), language="json", wrap_lines=True)
            elif attempt["error"]:
                text.plain(_(attempt["error"]))


def _replay_failed(endpoint_id: UUID) -> None:
    with st.popover(_("Send failed ones again"), icon=":material/replay:", key=f"{KEY}-replay"):
        hours = st.selectbox(_("Which failed"), list(SINCE), key=f"{KEY}-since", format_func=lambda one: _(SINCE[one]))
        since = now() - timedelta(hours=hours)
        count = webhooks.count_failed(session.workspace().id, endpoint_id, since)
        label = ngettext("Send {n} event again", "Send {n} events again", count).format(n=number(count))
        st.button(
            label, key=f"{KEY}-replay-yes", type="primary", disabled=not count, on_click=_replay_since,
            args=(endpoint_id, since),
        )  # fmt: skip


def _replay(event_id: UUID) -> None:
    with states.boundary("replay"):
        _say(webhooks.replay(session.actor(), [event_id]))


def _replay_since(endpoint_id: UUID, since: datetime) -> None:
    with states.boundary("replay"):
        _say(webhooks.replay_failed(session.actor(), endpoint_id, since))


def _say(count: int) -> None:
    said = ngettext("{n} event is sent again.", "{n} events are sent again.", count)
    st.session_state[SAID] = said.format(n=number(count))

"""Deliveries: what went out, what waits, and what failed, grouped by what is wrong."""

import streamlit as st

from app.services import configuration, deliveries, replay
from app.services.deliveries import Count, Filter, Line, State
from app.services.members import Role
from app.services.replay import Done
from app.ui import filters, nav, reconciliation, session, states, tables, text, words
from app.ui.i18n import _, ago, later, ngettext, number, short_moment
from app.ui.tables import Column

SAID = "deliveries-said"
STATES = {
    State.FAILED: later("Failed"),
    State.WAITING: later("Waiting"),
    State.DELIVERED: later("Delivered"),
    State.CANCELLED: later("Cancelled"),
}
WHY_LEFT = (later("delivered, under way, withdrawn, or taken by another destination"), later("delivered or under way"))
workspace = session.workspace()


def main() -> None:
    counts = deliveries.counts(workspace.id)
    wanted = _filter(counts)
    if said := st.session_state.pop(SAID, None):
        st.success(said, icon=":material/check:")
    _causes([group for group in counts if group.state is wanted.state and group.cause], wanted)
    if wanted.state is State.DELIVERED:
        reconciliation.draw(workspace.id)
    found = tables.paged(
        lambda before, after: deliveries.page(workspace.id, wanted, before, after), key="deliveries", scope=wanted
    )
    if not found.lines:
        _nothing(wanted)
        return
    actions = st.container(key="actions", horizontal=True, vertical_alignment="center", gap="small")
    ticked, opened = tables.choice(found.lines, _columns(wanted.state), key="deliveries")
    if opened:
        st.switch_page(nav.page("inbox"), query_params={"message": str(opened.message_id)})
    with actions:
        _actions(wanted, [line.id for line in ticked], whole=bool(found.older or found.newer))
    tables.pager(found, key="deliveries")


def _filter(counts: list[Count]) -> Filter:
    totals = {state: sum(group.count for group in counts if group.state is state) for state in State}
    names = {place.key: place.name or place.key for place in configuration.current(workspace.id).destinations.values()}
    standard = State.WAITING if totals[State.WAITING] and not totals[State.FAILED] else State.FAILED

    def shown(state: str) -> str:
        return f"{_(STATES[State(state)])} {number(totals[state])}" if totals[state] else _(STATES[State(state)])

    with filters.bar("deliveries"):
        state = State(filters.tab("state", _("State"), list(State), standard, shown))
        every = _("All causes")
        causes = ["", *dict.fromkeys(group.cause for group in counts if group.state is state and group.cause)]
        places = {"": _("All destinations")} | names
        cause = filters.one("cause", _("Cause"), causes, "", lambda key: _(words.CAUSES[key]) if key else every)
        place = filters.one("destination", _("Destination"), list(places), "", places.__getitem__)
    return Filter(state, cause or None, place or None)


def _causes(groups: list[Count], wanted: Filter) -> None:
    """What is wrong and what to do about it, in plain words."""
    for group in groups:
        if wanted.cause in (None, group.cause):
            with st.container(key=f"cause-{group.state}-{group.cause}", gap=None):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.markdown(f"**{number(group.count)}**", width="content")
                    st.markdown(f"**{words.shown(words.CAUSES, group.cause)}**", width="content")
                    st.caption(_("the oldest {when}").format(when=ago(group.oldest_at)))
                st.markdown(words.shown(words.ADVICE, group.cause))


def _columns(state: State) -> list[Column]:
    def when(line: Line) -> str:
        return short_moment(line.delivered_at or line.created_at, workspace.timezone)

    colours = {words.shown(words.DELIVERY_STATES, key): words.COLOURS[key] for key in words.DELIVERY_STATES}
    status = Column(_("Status"), lambda line: words.shown(words.DELIVERY_STATES, line.status), 130, colours=colours)
    following = Column(_("Next try"), lambda line: "" if line.status == "sending" else ago(line.next_try_at), 115)
    remote = Column(_("Remote task"), lambda line: line.ref_url, 110, link_text=_("Open"))
    task = Column(_("Task"), lambda line: line.title, None if state is State.DELIVERED else 280)
    wrong = [] if state is State.DELIVERED else [Column(_("What happened"), lambda line: text.shorten(line.error, 200))]
    return [
        Column(_("When"), when, 105),
        Column(_("Destination"), lambda line: line.destination, 130),
        *{State.WAITING: [status, following], State.DELIVERED: [remote]}.get(state, []),
        Column(_("Tries"), lambda line: line.tries, 55, alignment="right"),
        task,
        *wrong,
    ]


def _actions(wanted: Filter, ticked: list, whole: bool) -> None:
    if wanted.state is State.DELIVERED:
        return
    if not session.may(Role.MANAGER):
        st.caption(_("Replaying and cancelling needs the role manager."))
        return
    ids = ticked
    if whole and not ticked and st.checkbox(_("All that match, not only this page"), key="whole"):
        ids = deliveries.every_id(workspace.id, wanted)
    if not ids:
        st.caption(_("Tick rows to replay or cancel them. Click a row to see everything about its message."))
        return
    replaying = ngettext("Replay {n} delivery", "Replay {n} deliveries", len(ids)).format(n=number(len(ids)))
    cancelling = ngettext("Cancel {n} delivery", "Cancel {n} deliveries", len(ids)).format(n=number(len(ids)))
    with st.popover(replaying, icon=":material/replay:", key="replay"):
        st.markdown(_("They are sent again at once. What another destination has taken stays as it is."))
        st.button(_("Yes, replay"), key="replay-yes", type="primary", on_click=_replay, args=(ids,))
    if wanted.state is not State.CANCELLED:
        with st.popover(cancelling, icon=":material/block:", key="cancel"):
            st.markdown(_("No task is created for them. You can replay them later."))
            st.button(_("Yes, cancel"), key="cancel-yes", type="primary", on_click=_cancel, args=(ids,))


def _replay(ids: list) -> None:
    with states.boundary("replay"):
        _say(replay.replay(session.actor(), ids), later("{n} sent again."))


def _cancel(ids: list) -> None:
    with states.boundary("cancel"):
        _say(replay.cancel(session.actor(), ids), later("{n} cancelled."))


def _say(done: Done, changed: str) -> None:
    left = [_("{n} left as they were: {why}.").format(n=number(n), why=_(why)) for why, n in done.left.items()]
    st.session_state[SAID] = " ".join([_(changed).format(n=number(done.changed)), *left])
    tables.untick("deliveries")


def _nothing(wanted: Filter) -> None:
    calm = wanted == Filter(State.FAILED)
    title = _("Nothing failed") if calm else _("No delivery matches")
    explanation = _("Every task is on its way or where it belongs.") if calm else _("Choose another state or filter.")
    with states.empty(title, explanation, "task_alt" if calm else "search_off"):
        return


st.title(_("Deliveries"))
main()

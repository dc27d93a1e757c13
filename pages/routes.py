"""Routes: which destinations get which messages."""

from typing import Any

import streamlit as st

from app.db.tables import Route
from app.domain.routing import Strategy, WhenWrong
from app.services import connections, taxonomy
from app.ui import conditions, draft_bar, nav, route_trial, session, setup, states, what_if, words
from app.ui.i18n import _

PAGE = "routes"
STRATEGIES, WHEN_WRONG = words.STRATEGIES, words.WHEN_WRONG
workspace = session.workspace()
rows = taxonomy.routes(workspace.id)
destinations = connections.destinations(workspace.id)
known = {row.key: row.name or row.key for row in destinations}


def form(row: Route | None) -> None:
    place = f"routes-{row.key if row else 'new'}"
    key = setup.key_field(PAGE, row.key if row else None, [each.key for each in rows], "route")
    st.markdown("##### " + _("Which messages"))
    others = [each.key for each in rows if each.is_default and (row is None or each.key != row.key)]
    taken = _("There is one such route already: {key}.").format(key=others[0]) if others else None
    default = st.toggle(
        _("Whatever no other route takes"), value=row.is_default if row else False, key=f"{place}-default",
        disabled=bool(others), help=taken,
    )  # fmt: skip
    when = conditions.Drawn({}) if default else conditions.draw(PAGE, row.conditions if row else {}, of_routes=True)
    st.markdown("##### " + _("Where to"))
    before = [each for each in (row.destinations if row else []) if each in known]
    chosen = st.multiselect(
        _("Destinations, in this order"), list(known), before, known.get, key=f"{place}-destinations",
        placeholder=_("Choose one or more"),
    )  # fmt: skip
    strategy = row.strategy if row else Strategy.FAILOVER
    if len(chosen) > 1:
        strategy = st.radio(
            _("Who gets it"), list(STRATEGIES), list(STRATEGIES).index(Strategy(strategy)),
            lambda value: _(STRATEGIES[value]), key=f"{place}-strategy",
        )  # fmt: skip
    go_on = False if default else st.toggle(
        _("Ask the routes below as well"), value=row.go_on if row else False, key=f"{place}-on",
        help=_("Off: the first route that matches is the last one asked."),
    )  # fmt: skip
    when_wrong = st.radio(
        _("When a person decides that a task should not be there"), list(WHEN_WRONG),
        list(WHEN_WRONG).index(WhenWrong(row.when_wrong)) if row else 0, lambda value: _(WHEN_WRONG[value]),
        key=f"{place}-wrong",
    )  # fmt: skip
    replies = reply(row, place)
    foot = st.empty()
    pressed = setup.buttons(PAGE, _("Save"), _("Delete this route") if row else None)
    if pressed == "save" and not when.complete:
        with foot.container(key="error-lines"):
            st.text(_("A line of the condition is empty. Fill it in or remove it."))
    elif pressed == "save":
        enabled = row.enabled if row else True
        act = lambda: taxonomy.save_route(  # noqa: E731
            session.actor(), key, when.condition, strategy, chosen, go_on, default, enabled, when_wrong, replies
        )
        if setup.attempt(act, lambda error: show(error, when, foot)):
            setup.done(PAGE, _("Route {key} is saved in the draft. It works once that is published.").format(key=key))
    elif pressed == "remove":
        setup.remove(
            PAGE, _("Route {key} is deleted in the draft.").format(key=row.key),
            lambda: taxonomy.delete(session.actor(), Route, row.key),
            lambda gone: taxonomy.restore(session.actor(), gone),
        )  # fmt: skip


def reply(row: Route | None, place: str) -> dict[str, str]:
    """What the customer is told when the task is done, by language."""
    kept = row.reply if row else {}
    if not st.toggle(_("Tell the customer when the task is done"), bool(kept), key=f"{place}-reply"):
        return {}
    st.caption(_("In the same chat, once. You may use {names}.").format(names="`{contact.name}` `{message.title}` "
                                                                        "`{category.name}`"))  # fmt: skip
    return {
        language: st.text_area(name, kept.get(language, ""), max_chars=1000, key=f"{place}-reply-{language or 'other'}")
        for language, name in {"en": "English", "zh": "中文", "": _("All other languages")}.items()
    }


def show(error: taxonomy.InvalidInput, when: conditions.Drawn, foot: Any) -> None:
    if error.field.startswith("when") and when.foot is not None:
        when.show(error)
    else:
        with foot.container(key="error-route"):
            st.text(_(setup.said(error)))


def switch(row: Route) -> None:
    with states.boundary("switch"):
        taxonomy.save_route(
            session.actor(), row.key, row.conditions, row.strategy, row.destinations, row.go_on, row.is_default,
            not row.enabled, row.when_wrong,
        )  # fmt: skip


def controls(position: int, row: Route) -> None:
    st.toggle(_("On"), value=row.enabled, key=f"routes-on-{row.key}", on_change=switch, args=(row,),
              label_visibility="collapsed", help=_("Switch on or off"))  # fmt: skip
    setup.mover(PAGE, Route, row.key, position, len(rows))


explanation = _("Asked from top to bottom; the first that matches takes the message.")
setup.heading(_("Routes"), explanation, PAGE, _("Add a route") if rows and known else None)
waiting = draft_bar.draw(PAGE)
if chosen := setup.editing(PAGE):
    with st.container(border=True, width=900, key="routes-form"):
        form(next((each for each in rows if each.key == chosen), None))
elif not known:
    with states.empty(
        _("No destination yet"), _("Connect a destination first; then say here what goes there."), icon="output"
    ):
        st.page_link(nav.page("destinations"), label=_("Destinations"))
elif not rows:
    said = _("Without a route no task is made. Add the first one.")
    setup.empty(PAGE, _("No route yet"), said, "alt_route", _("Add a route"))
for position, row in enumerate(rows if not chosen else []):
    asked = _("Whatever no other route takes") if row.is_default else conditions.in_words(row.conditions)
    to = ":material/arrow_forward: " + route_trial.where(row, known)
    to += " · " + _("the routes below are asked as well") if row.go_on else ""
    controlled = lambda p=position, r=row: controls(p, r)  # noqa: E731
    differs = ("route", row.key) in waiting
    setup.row(PAGE, row.key, "alt_route", row.key, [asked, to], controlled, not row.enabled, differs)
if rows and not chosen:
    route_trial.draw(workspace, destinations)
    what_if.draw(workspace.id, rows, known, STRATEGIES)

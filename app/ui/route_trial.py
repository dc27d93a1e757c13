"""Trying the routes on a past message: where it would go, and how the task would read. Nothing is sent."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import streamlit as st

from app.db.tables import Destination, Route, Workspace
from app.domain import routing
from app.domain.routing import Strategy
from app.services import inbox, preview, taxonomy
from app.services.planning import Decision
from app.ui import setup, task_card, text
from app.ui.i18n import _


def draw(workspace: Workspace, destinations: Sequence[Destination]) -> None:
    """Nothing where no message has come in the last 30 days."""
    by_id = {str(line.id): line for line in inbox.page(workspace.id, inbox.Filter(days=30)).lines}
    if not by_id:
        return
    with st.container(border=True, key="routes-trial"):
        st.markdown("##### :material/science: " + _("Try the routes on a past message"))
        left, right = st.columns([3, 2])
        id_ = left.selectbox(
            _("Message"), list(by_id), None, lambda each: text.shorten(by_id[each].text, 90), key="routes-message",
            placeholder=_("Choose a message; nothing is sent"),
        )  # fmt: skip
        categories = {row.key: row.name for row in taxonomy.categories(workspace.id)}
        category = right.selectbox(
            _("As if it were"), list(categories), None, categories.get, key="routes-category",
            placeholder=by_id[id_].category_name or _("Choose a category") if id_ else _("Its own category"),
        )  # fmt: skip
        decision = setup.attempt(lambda: taxonomy.try_routes(workspace.id, UUID(id_), category)) if id_ else None
        if id_ and decision is None:
            st.info(_("This message has no category yet. Choose one to see where it would go."))
        elif decision and not decision.plan.create:
            said = text.escape(_(decision.reason))
            st.warning(_("No task would be made: {why}").format(why=said), icon=":material/block:")
        for route in decision.plan.create if decision else ():
            _outcome(workspace, {row.key: row for row in destinations}, decision, route)


def _outcome(
    workspace: Workspace, destinations: Mapping[str, Destination], decision: Decision, route: routing.Route
) -> None:
    names = {key: row.name or key for key, row in destinations.items()}
    taking = [key for key in route.destinations if key in destinations and destinations[key].enabled]
    st.markdown(f":material/alt_route: **{text.escape(route.key)}** :material/arrow_forward: {where(route, names)}")
    shown = taking[:1] if route.strategy == Strategy.FAILOVER else taking
    for key, column in zip(shown, st.columns(max(2, len(shown))), strict=False):
        task = preview.task(workspace.id, decision, destinations[key].fields, route)
        with column:
            st.caption(text.escape(names[key]))
            task_card.draw(task, f"{route.key}-{key}", workspace.timezone)


def where(route: Route | routing.Route, names: Mapping[str, str]) -> str:
    """The destinations of a route, in Markdown, escaped."""
    joint = f" _{_('else')}_ " if route.strategy == Strategy.FAILOVER else " + "
    return joint.join(f"**{text.escape(names.get(key, key))}**" for key in route.destinations)

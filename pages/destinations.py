"""Destinations: the CRMs and trackers tasks go to."""

from typing import Any

import streamlit as st

from app.db.tables import Destination
from app.domain.errors import InvalidInput
from app.domain.tasks import Capability
from app.services import connections, dashboards, demo
from app.ui import consent_button, crm_hook, ending, forms, mapping, nav, session, setup, targets, task_preview, text
from app.ui.i18n import _, ago, later, number
from connectors import registry

PAGE = "destinations"
CANNOT = {
    Capability.COMMENT: later("It takes no comments: further messages stay in Octopus."),
    Capability.STATUS: later("It does not report when a task is done."),
    Capability.UPDATE: later("A task cannot be changed from here once it is made."),
    Capability.TARGETS: later("It does not list where tasks can go: type the place yourself."),
    Capability.FIELDS: later("It does not list its fields: type their names yourself."),
}
workspace = session.workspace()
rows = connections.destinations(workspace.id)


def connector_of(row: Destination | None) -> str:
    if row:
        return row.connector
    known = registry.crm_keys()
    return st.pills(
        _("System"), known, default=known[0], required=True, key="destinations-connector",
        format_func=lambda key: registry.crm(key).Connector.label,
    )  # fmt: skip


def form(row: Destination | None) -> None:
    connector = connector_of(row)
    real = row is not None and setup.replacing(PAGE)
    module, place = registry.crm(connector), f"destinations-{row.key if row else connector}{'-real' if real else ''}"
    left, right = st.columns([3, 2], gap="large")
    with left:
        label = module.Connector.label
        name = st.text_input(
            _("Name"), value=row.name if row else "", key=f"{place}-name", max_chars=60, placeholder=label
        )
        kept = {name: value for name, value in row.config.items() if value != targets.NOT_CHOSEN} if row else {}
        drawn = forms.draw(module.Config, place, {} if real else kept)
        key = row.key if row else setup.free_key(name if name.isascii() and name else connector, [r.key for r in rows])
        draft = row or Destination(workspace_id=workspace.id, key=key, connector=connector)
        if Capability.TARGETS in module.Connector.CAN:
            targets.choose(PAGE, place, draft, drawn)
        mapped = fields(row, drawn) if row else mapping.Drawn()
        on = not row or row.enabled or not targets.is_chosen(row)
        enabled = st.toggle(_("Takes tasks"), value=on, key=f"{place}-enabled") if row else on
    with right, st.container(key="setup-help"):
        promises(module.Connector)
        consent_button.draw(PAGE, draft, row is None, name.strip(), drawn)
        if row:
            crm_hook.draw(row)
    rate = row.rate_per_s if row else None
    if setup.connect(
        PAGE, place, _Both(drawn, mapped),
        check=lambda: connections.check(draft, drawn.values(), mapped.fields),
        save=lambda: connections.save_destination(
            session.actor(), key, connector, drawn.values(), name.strip(), mapped.fields, rate, enabled
        ),
        remove=_("Delete this destination") if row else None,
        then=None if row else key,
    ):  # fmt: skip
        setup.remove(
            PAGE, _("{name} is removed.").format(name=row.name or row.key),
            lambda: connections.delete_destination(session.actor(), row.key),
            lambda removed: connections.restore(session.actor(), removed),
        )  # fmt: skip


class _Both:
    """The form and the mapping below it: an error goes to the one it is about."""

    def __init__(self, drawn: forms.Drawn, mapped: mapping.Drawn):
        self.complete, self.drawn, self.mapped = drawn.complete, drawn, mapped

    def show(self, error: InvalidInput) -> None:
        if not self.mapped.show(error):
            self.drawn.show(error)


def promises(connector: Any) -> None:
    """How a second task is prevented, and what this system cannot do."""
    st.markdown("##### :material/verified: " + _("Every message exactly once"))
    st.markdown(text.linked(_(connector.EXACTLY_ONCE)))
    cannot = [sentence for capability, sentence in CANNOT.items() if capability not in connector.CAN]
    if cannot:
        st.markdown("##### " + _("What {system} cannot do").format(system=connector.label))
    for sentence in cannot:
        st.markdown(f":material/remove: {_(sentence)}")


def fields(row: Destination, drawn: forms.Drawn) -> mapping.Drawn:
    kept = setup.draft(PAGE)
    st.markdown("##### " + _("Fields"))
    st.caption(_("Title and text are filled by themselves. Map a field only to fill it with something else."))
    if Capability.FIELDS in registry.crm(row.connector).Connector.CAN and "remote" not in kept:
        label = _("Read the fields of {name}").format(name=row.name or row.key)
        if st.button(label, key="destinations-read", icon=":material/sync:"):
            found = setup.attempt(lambda: connections.remote_fields(row, drawn.values()))
            if found is not None:
                kept["remote"] = found
                st.rerun()
    mapped = mapping.draw(PAGE, row.fields, kept.get("remote", []))
    task_preview.draw(workspace, row, drawn.values(), mapped.fields)
    return mapped


def lines_of(row: Destination, health: dict[str, Any]) -> list[str]:
    facts = [registry.crm(row.connector).Connector.label]
    if health.get("last_success_at"):
        facts.append(_("Last task {when}").format(when=ago(health["last_success_at"])))
    if waiting := health.get("waiting"):
        facts.append(_("{n} on their way").format(n=number(waiting)))
    if failed := health.get("failed"):
        facts.append(_("{n} failed").format(n=number(failed)))
    lines = [" · ".join(facts)]
    lines += ending.lines(row.config.get("ends_on"))
    if health.get("parked_reason"):
        lines.append(f":red[:material/link_off: {text.escape(_(health['parked_reason']))}]")
        lines.append(_("Press Edit, paste new credentials and save; what waits goes out at once."))
    return lines


explanation = _("The systems your tasks are made in. Routes say which message goes where.")
setup.heading(_("Destinations"), explanation, PAGE, _("Add a destination") if rows else None)
st.page_link(nav.page("conformance"), label=_("What each connector was seen to do"), icon=":material/verified:")
if chosen := setup.editing(PAGE):
    with st.container(border=True, key="destinations-form"):
        form(next((each for each in rows if each.key == chosen), None))
elif not rows:
    setup.empty(
        PAGE,
        _("No destination yet"), _("Connect the CRM or tracker your team works in; tasks are made there."),
        "output", _("Add a destination"),
    )  # fmt: skip
else:
    health = {each["key"]: each for each in dashboards.overview(workspace.id).destinations}
    for row in rows:
        said, simulated = lines_of(row, health.get(row.key, {})), demo.is_simulated(row)
        setup.row(PAGE, row.key, "output", row.name or row.key, said, off=not row.enabled, simulated=simulated)

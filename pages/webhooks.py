"""Webhooks: addresses of the workspace's own programs that are told what happens here."""

import streamlit as st

from app.db.tables import WebhookEndpoint
from app.db.tables.webhooks import EventStatus
from app.domain.events import EventType
from app.services import webhooks
from app.ui import session, setup, text, webhook_events
from app.ui.i18n import _, ago, later

PAGE = "webhooks"
MADE = f"{PAGE}-made"  # in the session: the endpoint and the secret just made
EVENTS = {
    EventType.MESSAGE_CLASSIFIED: later("A message was classified"),
    EventType.MESSAGE_NEEDS_REVIEW: later("A message needs review"),
    EventType.TASK_CREATED: later("A task was planned"),
    EventType.TASK_STATUS_CHANGED: later("A task changed its status at its destination"),
    EventType.DELIVERY_DELIVERED: later("A delivery arrived"),
    EventType.DELIVERY_FAILED: later("A delivery failed"),
}
actor = session.actor()
rows = webhooks.endpoints(actor.workspace_id)


def form(row: WebhookEndpoint | None) -> None:
    place = f"{PAGE}-{row.id if row else setup.NEW}"
    url = st.text_input(
        _("Address"), value=row.url if row else "", key=f"{place}-url", max_chars=webhooks.LONGEST_URL,
        placeholder="https://example.com/octopus",
        help=_("It answers 2xx within 15 seconds. Put no password in it: the signature proves who calls."),
    )  # fmt: skip
    name = st.text_input(
        _("Name"), value=row.name if row else "", key=f"{place}-name", max_chars=webhooks.LONGEST_NAME,
        placeholder=_("Data warehouse"),
    )  # fmt: skip
    chosen = st.pills(
        _("What is it told of?"), list(EVENTS), selection_mode="multi", key=f"{place}-events",
        default=[EventType(event) for event in row.events] if row else list(EVENTS),
        format_func=lambda event: _(EVENTS[event]),
    )  # fmt: skip
    st.caption(_("Events name messages and tasks by their ids; what customers wrote is never in them."))
    on = st.toggle(_("Is told"), value=row.enabled, key=f"{place}-on-{row.enabled}") if row else True
    pressed = setup.buttons(PAGE, _("Save") if row else _("Add the webhook"), _("Delete") if row else None)
    if pressed == "save" and row is None:
        made = setup.attempt(lambda: webhooks.add(actor, url, chosen, name))
        if made:
            keep(*made)
    elif pressed == "save" and setup.attempt(lambda: webhooks.change(actor, row.id, url, chosen, name, on)):
        setup.done(PAGE, _("Saved."))
    elif pressed == "remove":
        setup.remove(
            PAGE, _("The webhook {name} was deleted.").format(name=named(row)),
            lambda: webhooks.remove(actor, row.id), lambda removed: webhooks.restore(actor, removed),
        )  # fmt: skip


def named(row: WebhookEndpoint) -> str:
    return row.name or row.url


def keep(row: WebhookEndpoint, secret: str) -> None:
    """Show the secret on the next run, above the webhook it belongs to."""
    st.session_state[MADE] = (actor, row, secret)
    setup.edit(PAGE, str(row.id))
    st.rerun()


def just_made() -> None:
    """The one time a secret is on a screen. Not in another workspace, nor for whoever signs in next in the tab."""
    made_by, row, secret = st.session_state.get(MADE, (None, None, ""))
    if made_by != actor:
        return
    with st.container(border=True, key=f"{PAGE}-just-made"):
        st.markdown(":material/key: **" + _("The secret for {name}").format(name=text.escape(named(row))) + "**")
        st.code(secret, language=None, wrap_lines=True)
        st.caption(_("Copy it now, to where its program keeps secrets: it is shown this once and never again."))
        st.button(_("I have it"), key=f"{PAGE}-copied", type="primary", on_click=st.session_state.pop, args=(MADE,))


def secret_and_test(row: WebhookEndpoint) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{PAGE}-tools"):
        if st.button(_("Send a test"), key=f"{PAGE}-test", icon=":material/send:"):
            sent = setup.attempt(lambda: webhooks.send_test(actor, row.id))
            if sent:
                st.session_state[f"{PAGE}-sent"] = (row.id, sent.status, sent.error)
        with st.popover(_("New secret"), icon=":material/key:", key=f"{PAGE}-rotate"):
            st.markdown(_("For 24 hours everything is signed with both secrets; then the old one ends."))
            if st.button(_("Make a new secret"), key=f"{PAGE}-rotate-yes", type="primary"):
                made = setup.attempt(lambda: webhooks.rotate(actor, row.id))
                if made:
                    keep(*made)
    endpoint_id, status, error = st.session_state.pop(f"{PAGE}-sent", (None, "", ""))
    if endpoint_id == row.id and status == EventStatus.DELIVERED:
        st.success(_("The address has taken the test."), icon=":material/check_circle:")
    elif endpoint_id == row.id:
        st.warning(text.escape(_(error)), icon=":material/error:")


def lines_of(row: WebhookEndpoint) -> list[str]:
    told = " · ".join(_(EVENTS[event]) for event in EVENTS if event in row.events)
    lines = [text.escape(row.url), told if len(row.events) < len(EVENTS) else _("Is told of everything")]
    if row.off_reason:
        lines.append(f":red[:material/block: {text.escape(_(row.off_reason))}]")
    return lines if row.name else lines[1:]


explanation = _("Addresses of your own programs that are told what happens here, signed by Standard Webhooks.")
setup.heading(_("Webhooks"), explanation, PAGE, _("Add a webhook") if rows else None)
opened = setup.editing(PAGE)
chosen_row = next((row for row in rows if str(row.id) == opened), None)
if opened == setup.NEW or chosen_row:
    just_made()
    with st.container(border=True, key=f"{PAGE}-form"):
        form(chosen_row)
    if chosen_row:
        if ends_at := webhooks.old_secret_ends_at(chosen_row):
            st.caption(_("The old secret signs beside the new one; it ends {when}.").format(when=ago(ends_at)))
        secret_and_test(chosen_row)
        webhook_events.draw(chosen_row.id)
elif not rows:
    setup.empty(
        PAGE,
        _("Nobody is told yet"), _("A program that shall know at once what becomes of a message needs one."),
        "webhook", _("Add a webhook"),
    )  # fmt: skip
else:
    for each in rows:
        setup.row(PAGE, str(each.id), "webhook", named(each), lines_of(each), off=not each.enabled)

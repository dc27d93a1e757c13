"""Data retention: how long each kind of data is kept, and the erasure of one contact."""

import streamlit as st

from app.db.retention import DataClass
from app.db.tables.people import Role
from app.services import retention
from app.ui import erasure, session, setup
from app.ui.i18n import _, later, ngettext, number

PAGE = erasure.PAGE
NAMES = {
    DataClass.RAW_EVENTS: later("Requests as received"),
    DataClass.TEXTS: later("Texts and attachments of messages"),
    DataClass.EXCHANGES: later("What was sent to destinations and answered"),
    DataClass.TIMELINE: later("Timelines of messages"),
    DataClass.AUDIT: later("Audit log"),
}
MEANS = {
    DataClass.RAW_EVENTS: later("The raw webhook of each message, for looking into problems."),
    DataClass.TEXTS: later("Also the text in tasks and in comments. Category, times and links to tasks stay."),
    DataClass.EXCHANGES: later("Request and response of each try. That it was tried, and how it ended, stays."),
    DataClass.TIMELINE: later("What happened to a message, step by step."),
    DataClass.AUDIT: later("Who changed the set-up. At least 30 days."),
}
actor = session.actor()
owner = session.may(Role.OWNER)


def main() -> None:
    saved = retention.settings(actor.workspace_id)
    wanted = {data: _days(data, saved[data]) for data in DataClass}
    if wanted != saved and owner:
        _consequences(wanted)


def _days(data: DataClass, saved: int | None) -> int | None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{PAGE}-{data}"):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{_(NAMES[data])}**")
            st.caption(_(MEANS[data]))
        return st.number_input(
            _("Days"), value=saved, min_value=retention.SHORTEST_DAYS.get(data, 1), max_value=retention.LONGEST_DAYS,
            step=30, key=f"{PAGE}-{data}-{saved}", placeholder=_("For ever"), label_visibility="collapsed", width=170,
            disabled=not owner,
        )  # fmt: skip


def _consequences(wanted: dict[str, int | None]) -> None:
    """What would be deleted, before it is saved."""
    counts = setup.attempt(lambda: retention.would_delete(actor.workspace_id, wanted))
    if counts is None:
        return
    losses = {data: count for data, count in counts.items() if count}
    with st.container(border=True, width=760, key=f"{PAGE}-consequences"):
        if losses:
            st.markdown("**" + _("With these limits, this is deleted for good within the hours that follow:") + "**")
            st.markdown("\n".join(f"- {_(NAMES[data])}: **{_count(count)}**" for data, count in losses.items()))
        else:
            st.markdown(_("Nothing is that old yet: nothing is deleted now."))
        st.caption(_("Messages that wait in Review or whose task is not delivered are never deleted."))
        label = _("Save and delete") if losses else _("Save")
        pressed = st.button(label, key=f"{PAGE}-save", type="primary")
        if pressed and setup.attempt(lambda: retention.save(actor, wanted) or True):
            setup.done(PAGE, _("The limits are saved."))


def _count(count: int) -> str:
    if count >= retention.MOST_COUNTED:
        return _("more than {n}").format(n=number(retention.MOST_COUNTED))
    return ngettext("{n} entry", "{n} entries", count).format(n=number(count))


st.title(_("Data retention"))
st.caption(_("How many days each kind of data is kept. Empty: for ever."))
if not owner:
    st.caption(":material/lock: " + _("You can look at the limits. Changes need the role owner."))
if said := st.session_state.pop(f"{PAGE}-said", None):
    st.success(said, icon=":material/check_circle:")
main()
erasure.draw()

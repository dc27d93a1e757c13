"""Audit log: who changed what in this workspace, when, and what it was before."""

from datetime import timedelta
from functools import partial

import streamlit as st

from app.db.tables import AuditEntry
from app.db.tables.base import now
from app.domain.difference import Change, changes
from app.services import audit
from app.services.audit import Wanted
from app.ui import filters, session, states, tables, text, words
from app.ui.i18n import _, ngettext, number, short_moment

KEY, IN_SIGHT, LONGEST = "audit", 6, 300
workspace = session.workspace()


def main() -> None:
    wanted = _filter()
    found = tables.paged(lambda before, after: audit.page(workspace.id, wanted, before, after), KEY, scope=wanted)
    if not found.entries:
        _nothing(wanted)
        return
    for entry in found.entries:
        _entry(entry)
    tables.pager(found, KEY)


def _filter() -> Wanted:
    with filters.bar(KEY):
        people, kinds = _("Everybody"), _("All kinds")
        who = filters.one(
            "who", _("Who"), ["", *audit.known(workspace.id, "actor")], "", lambda key: key or people, 240
        )
        kind = filters.one(
            "kind", _("Kind"), ["", *audit.known(workspace.id, "noun")], "",
            lambda key: words.shown(words.NOUNS, key) if key else kinds,
        )  # fmt: skip
        key = filters.search("called", _("Exact name"))
        days = filters.period("days", "all")
        chosen = (who, kind, key)
        if any(chosen) or days:
            filters.clear(("who", "kind", "called", "days"))
        wanted = Wanted(*chosen, _midnight_before(days) if days else None)
        st.download_button(
            _("Export CSV"), partial(audit.export, workspace.id, wanted), f"audit-{workspace.key}.csv", "text/csv",
            key="audit-export", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    return wanted


def _midnight_before(days: int):
    """Rounded to the hour, so that the filter stays the same from one click to the next."""
    return (now() - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def _entry(entry: AuditEntry) -> None:
    found = changes(entry.before, entry.after)
    with st.container(key=f"setup-audit-{entry.id}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            what = f"{words.shown(words.ACTIONS, entry.action)} · {words.shown(words.NOUNS, entry.noun)}"
            st.markdown(f"**{text.escape(entry.key)}** :gray-badge[{text.escape(what)}]")
            st.caption(f"{text.escape(entry.actor)} · {short_moment(entry.at, workspace.timezone)}", width="content")
        if found:
            st.markdown(_lines(found[:IN_SIGHT]))
        if len(found) > IN_SIGHT:
            rest = len(found) - IN_SIGHT
            label = ngettext("{n} more value", "{n} more values", rest).format(n=number(rest))
            with st.expander(label, key=f"detail-audit-{entry.id}"):
                st.markdown(_lines(found[IN_SIGHT:]))


def _lines(found: list[Change]) -> str:
    return "  \n".join(map(_line, found))


def _line(change: Change) -> str:
    name = f":gray[{text.escape(change.path)}]"
    old, new = (text.escape(text.shorten(value or "", LONGEST)) for value in (change.before, change.after))
    if not old:
        return f"{name} :green[{new}]"
    return f"{name} ~~{old}~~ → :green[{new}]" if new else f"{name} ~~{old}~~"


def _nothing(wanted: Wanted) -> None:
    untouched = wanted == Wanted()
    title = _("Nothing was changed yet") if untouched else _("No entry matches")
    explanation = (
        _("Every change of the set-up will stand here, with who made it.") if untouched else _("Choose another filter.")
    )
    with states.empty(title, explanation, "history" if untouched else "search_off", KEY):
        return


st.title(_("Audit log"))
st.caption(_("Every change of the configuration: who, when, and what it was before. Secrets are never kept here."))
main()

"""Releases: what is not live yet, and everything that ever went live, with a way back."""

import streamlit as st

from app.domain.releases import Change
from app.services import connections, releases, taxonomy
from app.services.releases import Draft, Published
from app.ui import backtest, draft_bar, nav, release_diff, session, setup, states, text
from app.ui.i18n import _, ago, moment, ngettext, number

PAGE = "releases"
ASKED, SHOWN = f"{PAGE}-asked", f"{PAGE}-shown"  # in the session: the release to go back to; how many pages are shown
workspace = session.workspace()


def not_live_yet(draft: Draft, names: dict[str, str]) -> None:
    with st.container(border=True, key="releases-draft"):
        st.markdown(f"##### :material/edit_note: {draft_bar.summary(draft)}")
        begun = _("Begun by {who}, {when}").format(who=text.escape(draft.opened_by), when=ago(draft.opened_at))
        st.caption(f"{begun} · {draft_bar.last_change(draft)}")
        release_diff.draw(draft.changes, names, take_back if setup.editable() else None)
        if not setup.editable():
            return
        note = st.text_input(
            _("{field} (optional)").format(field=_("Note")), key="releases-note", max_chars=releases.LONGEST_NOTE,
            placeholder=_("Why, in a sentence your colleagues understand"),
        )  # fmt: skip
        with st.container(horizontal=True, key="releases-publish"):
            pressed = draft_bar.buttons()
        draft_bar.act(PAGE, pressed, note)
    backtest.draw(draft, names, {row.key: row.name or row.key for row in connections.destinations(workspace.id)})


def take_back(change: Change) -> None:
    st.button(_("Take back"), key=f"releases-take-back-{change.noun}-{change.key or 'order'}", type="tertiary",
              icon=":material/undo:", on_click=as_it_is_live, args=(change,))  # fmt: skip


def as_it_is_live(change: Change) -> None:
    with states.boundary("take-back"):
        releases.take_back(session.actor(), change.noun, change.key)


def release(row: Published, newest: bool, names: dict[str, str]) -> None:
    with st.container(key=f"setup-release-{row.number}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap="xxsmall"):
                live = f" :green-badge[{_('Live')}]" if newest else ""
                note = f" {text.escape(_(row.note))}" if row.note else ""
                st.markdown("**" + _("Release {number}").format(number=number(row.number)) + f"**{live}{note}")
                st.caption(f"{text.escape(row.actor)} · {moment(row.at, workspace.timezone)} ({ago(row.at)})")
            if not newest and setup.editable() and st.session_state.get(ASKED) != row.number:
                st.button(_("Go back to this one"), key=f"releases-back-{row.number}", type="tertiary", on_click=ask,
                          args=(row.number,))  # fmt: skip
        if not newest and st.session_state.get(ASKED) == row.number:
            confirm(row)
        count = len(row.changes)
        label = ngettext("{n} change", "{n} changes", count).format(n=number(count))
        with st.expander(label, key=f"releases-diff-{row.number}", on_change="rerun") as opened:
            if opened.open:
                release_diff.draw(row.changes, names)


def ask(row_number: int | None) -> None:
    st.session_state[ASKED] = row_number


def confirm(row: Published) -> None:
    with st.container(border=True, width=760, key="releases-confirm"):
        said = _("Categories, rules, routes and thresholds become what they were with release {number}, at once and as "
                 "a new release. What is in the draft stays there.")  # fmt: skip
        st.markdown(said.format(number=row.number))
        with st.container(horizontal=True):
            sure = st.button(_("Go back"), key="releases-sure", type="primary")
            st.button(_("Cancel"), key="releases-cancel", on_click=ask, args=(None,))
        if sure:
            made = setup.attempt(lambda: releases.roll_back(session.actor(), row.number))
            if made is not None:
                ask(None)
                told = _("Release {made} is live, with what release {number} held.")
                setup.done(PAGE, told.format(made=made, number=row.number))


def shown() -> list[Published]:
    """Newest first, as many pages as were asked for."""
    rows: list[Published] = []
    for _page in range(st.session_state.get(SHOWN, 1)):
        rows += releases.list_releases(workspace.id, rows[-1].number if rows else None)
    return rows


def history(rows: list[Published], names: dict[str, str]) -> None:
    for position, row in enumerate(rows):
        release(row, position == 0, names)
    if rows[-1].number > 1:
        st.button(_("Show older ones"), key="releases-older", on_click=older)


def older() -> None:
    st.session_state[SHOWN] = st.session_state.get(SHOWN, 1) + 1


explanation = _("Changes of categories, rules, routes and thresholds gather in a draft and go live together. Every "
                "release can be gone back to.")  # fmt: skip
setup.heading(_("Releases"), explanation, PAGE, None)
category_names = {row.key: row.name for row in taxonomy.categories(workspace.id, archived=True)}
open_draft = releases.draft(workspace.id)
if open_draft:
    not_live_yet(open_draft, category_names)
if published := shown():
    history(published, category_names)
elif not open_draft:
    with states.empty(
        _("No release yet"), _("Change a category, a rule or a route; it waits here until you publish it."),
        "published_with_changes", PAGE,
    ):  # fmt: skip
        st.page_link(nav.page("rules"), label=_("Rules"))

"""Try before publish: what past messages would have become under the draft. On the Releases page."""

from collections.abc import Mapping

import streamlit as st

from app.classify.backtest import Outcome, Played, Report, Side
from app.classify.calibration import Interval
from app.services import backtest
from app.services.releases import Draft
from app.ui import nav, session, setup, text, words
from app.ui.i18n import _, later, money, ngettext, number, percent

DAYS = {1: later("the last day"), 7: later("the last 7 days"), 30: later("the last 30 days")}
FOUND = "backtest-found"  # in the session: (what was played, its report)
SHOWN = 50
SHORT = 60  # characters of a message
Names = Mapping[str, str]


def draw(draft: Draft, category_names: Names, destination_names: Names) -> None:
    with st.container(border=True, key="backtest"):
        st.markdown("##### :material/science: " + _("Try before you publish"))
        st.caption(_("Plays past messages through what is live and through the draft. Nothing is sent."))
        if any(change.key == "local.target_accuracy" for change in draft.changes):
            st.caption(_("Not played: how often answers given alone should be right. It counts from the next time the "
                         "local model is fitted; the Learning page says what it would change."))  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            days = st.selectbox(_("Messages of"), list(DAYS), 1, lambda each: _(DAYS[each]), key="backtest-days",
                                width=220)  # fmt: skip
            pressed = st.button(_("Play it through"), key="backtest-play")
        played = (session.workspace().id, draft.changed_at, days)
        if pressed:
            _play(played, days, ask=False)
        kept, report = st.session_state.get(FOUND, (None, None))
        if kept != played:
            return
        if report.unknown and _asks_for_money(report):
            _play(played, days, ask=True)
            st.rerun()
        _show(report, category_names, destination_names)


def _play(played: tuple, days: int, ask: bool) -> None:
    said = _("Asking the language model …") if ask else _("Playing it through …")
    bar = st.progress(0.0, said)
    report = setup.attempt(
        lambda: backtest.play(session.actor(), days, ask, lambda share: bar.progress(share, said))
    )  # fmt: skip
    bar.empty()
    if report is not None:
        st.session_state[FOUND] = (played, report)


def _asks_for_money(report: Report) -> bool:
    """True: somebody pressed the button that spends."""
    said = ngettext(
        "{n} message would be asked of the language model anew, and is left out of the figures below.",
        "{n} messages would be asked of the language model anew, and are left out of the figures below.",
        report.unknown,
    ).format(n=number(report.unknown))
    with st.container(horizontal=True, vertical_alignment="center", key="backtest-unknown"):
        st.markdown(f":material/help: {said}")
        label = _("Ask now, for about {cost}").format(cost=money(report.usd_to_know)) if report.usd_to_know else _(
            "Ask now")  # fmt: skip
        return st.button(label, key="backtest-ask")


# ---- what was found


def _show(report: Report, category_names: Names, destination_names: Names) -> None:
    if not report.messages:
        if not report.unknown:
            st.markdown(_("No message in this period"))
        return
    said = ngettext(
        "{k} of {n} message would be decided differently.", "{k} of {n} messages would be decided differently.",
        report.messages,
    ).format(k=number(len(report.changed)), n=number(report.messages))  # fmt: skip
    st.markdown(f"**{said}**")
    _figures(report, category_names)
    for (left, came), count in report.moved.most_common():
        ends = (destination_names.get(key, key) if key else _("no task") for key in (left, came))
        before, after = (text.escape(each) for each in ends)
        tasks = ngettext("{n} task", "{n} tasks", count).format(n=number(count))
        st.markdown(f":material/output: {tasks}: {before} :material/arrow_right_alt: **{after}**")
    for one in report.changed[:SHOWN]:
        _row(one, category_names, destination_names)
    if len(report.changed) > SHOWN:
        st.caption(_("The newest {n} are shown.").format(n=number(SHOWN)))


def _figures(report: Report, category_names: Names) -> None:
    """Live and draft below each other, so that each column is one comparison."""
    st.dataframe(
        [_line(_("Live"), report.before), _line(_("Draft"), report.after)], hide_index=True, key="backtest-figures"
    )
    rows = [
        {
            _("Category"): category_names.get(key, key),
            _("Live"): _accuracy(report.before.by_category.get(key)),
            _("Draft"): _accuracy(report.after.by_category.get(key)),
        }
        for key in {**report.before.by_category, **report.after.by_category}
    ]
    if rows:
        with st.expander(_("Right of what runs alone, by category")):
            st.caption(_("Of messages that a person has checked. In brackets: where the true share lies, at 90 %."))
            st.dataframe(rows, hide_index=True, key="backtest-categories")


def _line(name: str, side: Side) -> dict[str, str]:
    return {
        "": name,
        _("Runs alone"): percent(side.alone, 1),
        _("Right of what runs alone"): _accuracy(side.accuracy),
        _("Cost of 1,000 messages"): money(side.usd_per_1000),
        _("Tasks"): number(sum(side.tasks.values())),
    }


def _accuracy(found: Interval | None) -> str:
    if found is None or not found.n:
        return "–"
    return _("{share} ({low} to {high}), {n} checked").format(
        share=percent(found.share, 1), low=percent(found.low, 1), high=percent(found.high, 1), n=number(found.n)
    )


def _row(one: Played, category_names: Names, destination_names: Names) -> None:
    before, after = (_outcome(each, category_names, destination_names) for each in (one.before, one.after))
    label = f"{text.escape(text.shorten(one.text, SHORT))}: {before} → **{after}**"
    if one.checked:
        person = category_names.get(one.checked.category or "", _("nothing to do"))
        label += " · " + _("a person said {category}").format(category=text.escape(person))
    st.page_link(nav.page("inbox"), label=label, query_params={"message": str(one.message_id)})


def _outcome(outcome: Outcome, category_names: Names, destination_names: Names) -> str:
    """In Markdown, escaped."""
    named = category_names.get(outcome.category or "", "") if outcome.category else ""
    said = [text.escape(named)] if named else []
    if not outcome.alone:
        said.append(words.shown(words.MESSAGE_STATES, outcome.status))
    said.append(words.shown(words.PRIORITIES, outcome.priority))
    said.append(text.escape(", ".join(destination_names.get(key, key) for key in outcome.destinations)) or _("no task"))
    return " · ".join(said)

"""How right the machine was: better with every correction, honest about its doubts, and category by category."""

from collections.abc import Mapping
from uuid import UUID

import plotly.graph_objects as go
import streamlit as st

from app.classify.calibration import Interval
from app.classify.quality import OfCategory
from app.db.tables import ModelVersion
from app.services import configuration, quality
from app.services.quality import Report
from app.ui import charts, nav, states, text, theme
from app.ui.i18n import _, moment, number, percent

FEWEST = 20  # judged messages before there is anything to draw
BAND = "rgba(128, 128, 128, 0.18)"


def draw(workspace_id: UUID) -> None:
    with states.loading(_("Comparing answers with decisions …")):
        found = quality.report(workspace_id)
    st.subheader(_("How right is it?"))
    if len(found.judged) < FEWEST:
        said = _("Charts stand here once people have decided {n} messages; there are {now} so far.")
        st.caption(said.format(n=FEWEST, now=number(len(found.judged))))
        return
    st.caption(_("What the machine thought first, against what people then decided: the last {n} such messages of 90 "
                 "days. Random checks count for as many messages as they stand for.").format(
                     n=number(len(found.judged))))  # fmt: skip
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**" + _("Right guesses, as corrections came in") + "**")
        _curve(found)
    with right:
        st.markdown("**" + _("How sure it was, and how often right") + "**")
        _promises(found)
    names = {category.key: category.name for category in configuration.current(workspace_id).categories}
    _categories(found, names)
    _mistakes(workspace_id, found, names)


def _curve(found: Report) -> None:
    x = [point.corrections for point in found.curve]
    drawn = go.Figure()
    _band(drawn, x, [point.accuracy for point in found.curve])
    drawn.update_layout(
        xaxis={"title": _("Decisions of people so far")}, yaxis={"tickformat": ".0%", "range": [0, 1.02]}
    )
    charts.show(drawn, "quality-curve")


def _promises(found: Report) -> None:
    x = [one.promised for one in found.promises]
    drawn = go.Figure()
    drawn.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": theme.colour("borderColor", theme.is_dark())},
        name=_("as promised"), hoverinfo="skip",
    )  # fmt: skip
    _band(drawn, x, [one.kept for one in found.promises])
    drawn.update_layout(
        xaxis={"title": _("How sure it was"), "tickformat": ".0%", "range": [0, 1.02]},
        yaxis={"tickformat": ".0%", "range": [0, 1.02]}, showlegend=False,
    )  # fmt: skip
    charts.show(drawn, "quality-promises")


def _band(drawn: go.Figure, x: list, shares: list[Interval]) -> None:
    """A line of shares within their 90 % interval."""
    name = _("right")
    drawn.add_scatter(x=x, y=[one.high for one in shares], mode="lines", line={"width": 0}, showlegend=False,
                      hoverinfo="skip")  # fmt: skip
    drawn.add_scatter(
        x=x, y=[one.low for one in shares], mode="lines", line={"width": 0}, fill="tonexty", fillcolor=BAND,
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    of = [_("{share} of {n}").format(share=percent(one.share), n=number(one.n)) for one in shares]
    drawn.add_scatter(
        x=x, y=[one.share for one in shares], mode="lines+markers", name=name, customdata=of,
        hovertemplate="%{customdata}<extra></extra>", showlegend=False,
    )  # fmt: skip


def _categories(found: Report, names: Mapping[str, str]) -> None:
    rows = [_row(one, names) for one in found.categories]
    st.dataframe(
        rows, hide_index=True, width="stretch", key="quality-categories",
        column_config={
            _("Right when it said so"): st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1,
                help=_("Precision: of the messages it put into this category, the share that belonged there."),
            ),
            _("Found"): st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1,
                help=_("Recall: of the messages that belonged there, the share it put there."),
            ),
            "F1": st.column_config.NumberColumn(
                format="%.2f", help=_("Both in one number: their harmonic mean. 1 is perfect.")
            ),
        },
    )  # fmt: skip


def _row(one: OfCategory, names: Mapping[str, str]) -> dict:
    return {
        _("Category"): names.get(one.key, one.key), _("Messages"): one.messages,
        _("Right when it said so"): one.precision.share if one.precision.n else None,
        _("Found"): one.recall.share if one.recall.n else None, "F1": one.f1,
    }  # fmt: skip


def _mistakes(workspace_id: UUID, found: Report, names: Mapping[str, str]) -> None:
    wrong = [one.key for one in found.categories if any(one.key in pair for pair in found.confusion)]
    if not wrong:
        return
    chosen = st.selectbox(
        _("Show what went wrong in"), wrong, None, lambda key: names.get(key, key), key="quality-mistakes",
        placeholder=_("Choose a category"),
    )  # fmt: skip
    if chosen is None:
        return

    def name(key: str | None, nothing: str) -> str:
        return text.escape(names.get(key, key) if key else nothing)

    for one in quality.mistakes(workspace_id, found.judged, chosen):
        pair = f"{name(one.machine, _('no guess'))} → {name(one.decided, _('nothing to do'))}"
        label = f"{text.escape(text.shorten(one.text, 70))}: {pair}"
        st.page_link(nav.page("inbox"), label=label, query_params={"message": str(one.message_id)})


def examined(versions: list[ModelVersion], zone: str) -> None:
    """versions: newest first, with what they reached on the golden set."""
    known = [(row, Interval(**row.metrics["golden"])) for row in reversed(versions) if row.metrics.get("golden")]
    known = [(row, found) for row, found in known if found.n >= FEWEST]
    if len(known) < 2:
        return
    st.subheader(_("Each version in its examination"))
    st.caption(_("The golden set: messages people decided that no model learns from. The newest version was examined "
                 "on {n}.").format(n=number(known[-1][1].n)))  # fmt: skip
    drawn = go.Figure()
    places = list(range(len(known)))
    _band(drawn, places, [found for _row, found in known])
    labels = [moment(row.created_at, zone) for row, _found in known]  # two may be of the same minute
    drawn.update_layout(
        xaxis={"tickvals": places, "ticktext": labels, "range": [-0.5, len(places) - 0.5]},
        yaxis={"tickformat": ".0%", "range": [0, 1.02]},
    )
    charts.show(drawn, "quality-versions", 220)

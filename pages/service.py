"""Service: how much comes in and when, how long customers wait, and who has to come back."""

from typing import Any

import streamlit as st

from app.services import configuration, service_report, spreadsheet
from app.services.service_report import Filter, Report
from app.ui import drill, filters, nav, service_charts, session, states, tour, words
from app.ui.i18n import _, day_label, later
from app.ui.service_tables import DIMENSIONS, NUMBERS, TIMES, Number, by_value, sheets, shown, times
from connectors import registry

PERIODS = {"1": later("Today"), "7": later("7 days"), "30": later("30 days"), "90": later("90 days"),
           "365": later("A year")}  # fmt: skip
FILTERS = ("days", "channel", "category", "priority", "spoken")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
workspace = session.workspace()


def chosen() -> Filter:
    config = configuration.current(workspace.id)
    categories = {category.key: category.name for category in config.categories}
    channels = {bot.channel: registry.channel(bot.channel).Channel.label for bot in config.bots.values()}
    with filters.bar("service"):
        days = filters.one("days", _("Period"), list(PERIODS), "30", lambda key: _(PERIODS[key]), width=120)
        wanted = Filter(
            days=int(days),
            channel=filters.several("channel", _("Channel"), sorted(channels), channels.__getitem__),
            category=filters.several("category", _("Category"), list(categories), categories.__getitem__),
            priority=filters.several("priority", _("Priority"), list(words.PRIORITIES),
                                     lambda key: words.shown(words.PRIORITIES, key)),
            language=filters.several("spoken", _("Language"), words.LANGUAGES, words.language),
        )  # fmt: skip
        if wanted != Filter():
            filters.clear(FILTERS)
    return wanted


# ---- numbers


def tiles(report: Report, wanted: Filter) -> None:
    with st.container(key="measures"):
        for column, one in zip(st.columns(len(NUMBERS), gap="small"), NUMBERS, strict=True):
            with column:
                tile(report, wanted, one, f"{one.counted or 'received'}")
    for field, (title, _meaning, _counted) in TIMES.items():
        st.subheader(_(title))
        with st.container(key=f"measures-{field}"):
            four = times(field)
            for number, (column, one) in enumerate(zip(st.columns(len(four), gap="small"), four, strict=True)):
                with column:
                    tile(report, wanted, one, f"{field}-{number}")


def tile(report: Report, wanted: Filter, one: Number, key: str) -> None:
    """A number with its meaning on hover; a click opens the rows it counts."""
    with st.container(key=f"tile-{key}", gap=None):
        query = drill.address(wanted, report.begin, report.end, one.counted)
        st.page_link(nav.page("inbox"), label=_(one.name), query_params=query, help=_(one.meaning))
        st.markdown(f"**{shown(one, report.total)}**")


# ---- over time


def over_time(report: Report, dimension: str) -> None:
    service_charts.volume(report, dimension)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(_("By weekday and hour"), help=_("Messages received, on the clock of the workspace."))
        service_charts.heat(report)
    with right:
        st.subheader(_("Busiest days"))
        for day, count in busiest(report):
            label = _("{day}: {n} messages").format(day=day_label(day), n=count)
            st.page_link(nav.page("inbox"), label=label, query_params=drill.address(asked, day, day))


def busiest(report: Report) -> list[tuple[Any, int]]:
    totals = [(day, sum(counts.values())) for day, counts in report.volume.items()]
    return [(day, count) for day, count in sorted(totals, key=lambda one: (-one[1], one[0]))[:5] if count]


def export(report: Report, dimension: str) -> None:
    name = f"service-{report.begin}-{report.end}"
    with st.container(horizontal=True, key="service-export"):
        st.download_button(_("CSV"), lambda: spreadsheet.as_csv(sheets(report, dimension)), f"{name}.csv",
                           "text/csv", icon=":material/download:", on_click="ignore")  # fmt: skip
        st.download_button(_("Excel"), lambda: spreadsheet.as_xlsx(sheets(report, dimension)), f"{name}.xlsx", XLSX,
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def breakdown(report: Report, dimension: str) -> None:
    table = by_value(report, dimension)
    shares = {_(one.name): st.column_config.NumberColumn(format="percent") for one in NUMBERS if one.is_share}
    st.dataframe(
        [dict(zip(table.header, row, strict=True)) for row in table.rows], hide_index=True, key="service-breakdown",
        column_config=shares,
    )  # fmt: skip


tour.heading(_("Service"))
asked = chosen()
split = filters.tab("by", _("Split by"), list(DIMENSIONS), "channel", lambda key: _(DIMENSIONS[key]))
found = service_report.report(workspace.id, asked, split)
st.caption(_("{begin} to {end}, days and hours in {zone}. Business hours: Monday to Friday, 9:00 to 18:00.").format(
    begin=day_label(found.begin), end=day_label(found.end), zone=found.zone))  # fmt: skip
if not found.total.received:
    with states.empty(
        _("No message in this period"), _("Choose a longer period, or take a filter away."), "query_stats"
    ):
        st.page_link(nav.page("inbox"), label=_("Open the Inbox"))
else:
    tiles(found, asked)
    st.subheader(_("Messages by day"), help=_("Messages received on each day, by what you chose above."))
    over_time(found, split)
    breakdown(found, split)
    export(found, split)

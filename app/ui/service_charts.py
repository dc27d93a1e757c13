"""The charts of the Service page."""

import plotly.graph_objects as go

from app.services.service_report import Report
from app.ui import charts, theme
from app.ui.i18n import _, day_label
from app.ui.service_tables import named, weekdays

MOST_SERIES = 8  # more colours cannot be told apart; the rest is one


def volume(report: Report, dimension: str) -> None:
    """Messages of each day, stacked by the values of the dimension."""
    drawn, call = go.Figure(), named(report, dimension)
    days = [day_label(day) for day in report.volume]
    values = list(report.by_value)
    for value in values[:MOST_SERIES]:
        drawn.add_bar(x=days, y=[counts.get(value, 0) for counts in report.volume.values()], name=call(value))
    if rest := values[MOST_SERIES:]:
        summed = [sum(counts.get(value, 0) for value in rest) for counts in report.volume.values()]
        drawn.add_bar(x=days, y=summed, name=_("All others"))
    drawn.update_layout(barmode="stack", xaxis={"type": "category", "nticks": 12}, showlegend=True)
    charts.show(drawn, f"service-volume-{dimension}")


def heat(report: Report) -> None:
    """Messages by weekday and hour, on the clock of the workspace."""
    dark = theme.is_dark()
    low, high = theme.colour("secondaryBackgroundColor", dark), theme.colour("chartCategoricalColors", dark)[0]
    drawn = go.Figure(go.Heatmap(
        z=report.heat, x=[f"{hour:02}" for hour in range(24)], y=weekdays(), colorscale=[[0, low], [1, high]],
        zmin=0, showscale=False, xgap=2, ygap=2, hovertemplate="%{y} %{x}:00<br>%{z}<extra></extra>",
    ))  # fmt: skip
    drawn.update_layout(
        hovermode="closest", xaxis={"type": "category", "nticks": 12},
        yaxis={"autorange": "reversed", "showgrid": False},
    )  # fmt: skip
    charts.show(drawn, "service-heat")

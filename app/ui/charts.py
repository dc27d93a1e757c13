"""Plotly charts in the colours of `.streamlit/config.toml`, light and dark."""

import plotly.graph_objects as go
import streamlit as st

from app.ui import theme


def show(figure: go.Figure, key: str, height: int = 280) -> None:
    """Draw without Streamlit's own theme and without Plotly's toolbar."""
    figure.update_layout(template=template(theme.is_dark()), height=height)
    st.plotly_chart(figure, key=key, theme=None, width="stretch", config={"displayModeBar": False})


def template(dark: bool) -> go.layout.Template:
    ink, line, panel = (theme.colour(name, dark) for name in ("textColor", "borderColor", "secondaryBackgroundColor"))
    axis = {"gridcolor": line, "linecolor": line, "zeroline": False, "ticks": "", "automargin": True}
    return go.layout.Template(
        layout={
            "font": {"family": st.get_option("theme.font"), "size": 13, "color": ink},
            "colorway": theme.colour("chartCategoricalColors", dark),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
            "xaxis": axis | {"showgrid": False},
            "yaxis": axis | {"rangemode": "tozero"},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
            "hoverlabel": {"bgcolor": panel, "bordercolor": line, "font": {"color": ink}},
            "hovermode": "x unified",
            "bargap": 0.3,
        }
    )

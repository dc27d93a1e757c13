"""Plotly charts in our own colours, light and dark."""

import plotly.graph_objects as go
import streamlit as st

from app.ui import theme

FONT = "'Source Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
LIGHT = ("#15292d", "#dbe5e6", "#ffffff")
DARK = ("#e3ecec", "#28383d", "#182529")
COLOURS_LIGHT = ("#0b7a75", "#e9795d", "#2f6fb2", "#d3a03a", "#7c5cb0", "#5b8c3a", "#b44a7a", "#64787d")
COLOURS_DARK = ("#3bb8ac", "#f09a82", "#74aee6", "#e0bd6a", "#ab90d8", "#93bf70", "#d985ad", "#93a7ac")


def show(figure: go.Figure, key: str, height: int = 280) -> None:
    """Draw without Streamlit's own theme and without Plotly's toolbar."""
    figure.update_layout(template=template(theme.is_dark()), height=height)
    st.plotly_chart(figure, key=key, theme=None, width="stretch", config={"displayModeBar": False})


def template(dark: bool) -> go.layout.Template:
    ink, line, panel = DARK if dark else LIGHT
    axis = {"gridcolor": line, "linecolor": line, "zeroline": False, "ticks": "", "title": {"standoff": 12}}
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": ink},
            "colorway": COLOURS_DARK if dark else COLOURS_LIGHT,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
            "xaxis": axis | {"showgrid": False, "automargin": True},
            "yaxis": axis | {"automargin": True, "rangemode": "tozero"},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
            "hoverlabel": {"bgcolor": panel, "bordercolor": line, "font": {"color": ink}},
            "hovermode": "x unified",
            "bargap": 0.3,
        }
    )

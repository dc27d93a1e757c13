import pytest
import streamlit as st

from app.ui import charts


@pytest.mark.parametrize("dark", [False, True])
def test_charts_take_their_colours_from_the_theme(dark):
    layout = charts.template(dark).layout

    theme = "dark" if dark else "light"
    assert list(layout.colorway) == st.get_option(f"theme.{theme}.chartCategoricalColors")
    assert layout.font.color == st.get_option(f"theme.{theme}.textColor")

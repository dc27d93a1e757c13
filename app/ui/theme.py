"""What `.streamlit/config.toml` cannot say: the stylesheet, the mark, and which of our two themes is on."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
MARK = HERE / "assets" / "octopus.svg"
STYLE = HERE / "style.css"


def apply() -> None:
    st.html(STYLE)


def is_dark() -> bool:
    return st.context.theme.type == "dark"

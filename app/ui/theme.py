"""The look that `.streamlit/config.toml` cannot set alone: our stylesheet, our mark, and which theme is on."""

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
MARK = HERE / "assets" / "octopus.svg"
WORDMARK = HERE / "assets" / "wordmark.svg"


def apply() -> None:
    st.html(HERE / "style.css")


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def colour(name: str, dark: bool) -> Any:
    return st.get_option(f"theme.{'dark' if dark else 'light'}.{name}")

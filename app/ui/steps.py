"""Set-up steps of a channel: numbered, addresses clickable, texts to paste in a box that copies."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.services import secrets
from app.ui import text
from app.ui.i18n import _


def draw(steps: Sequence[str], config: Mapping[str, Any], url: str) -> None:
    """config: what is stored, secrets masked; its values and `url` fill the places named in braces."""
    shown = {name: str(value) for name, value in config.items() if value != secrets.MASK}
    values = shown | {"url": url}
    for number, step in enumerate(steps, 1):
        head, _newline, pasted = _(step).partition("\n")
        st.markdown(f"**{number}.** {text.linked(_filled(head, values))}")
        if pasted:
            st.code(_filled(pasted, values), language="yaml", height=180 if "\n" in pasted else "content")


def _filled(words: str, values: Mapping[str, str]) -> str:
    """Not `str.format`: a manifest has braces of its own."""
    for name, value in values.items():
        words = words.replace("{" + name + "}", value)
    return words

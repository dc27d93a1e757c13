"""The filter bar above a list. What is chosen stands in the address, so a filtered screen can be shared and reloaded."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.ui.i18n import _

PERIODS = (1, 7, 30, 90)


def bar(key: str):
    """`with bar("inbox"):` draws the filters inside side by side."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"filters-{key}")


def search(key: str, label: str) -> str:
    return st.text_input(
        label, key=key, icon=":material/search:", placeholder=label, label_visibility="collapsed",
        bind="query-params", width=280,
    ).strip()  # fmt: skip


def several(key: str, label: str, options: Sequence[str], shown: Callable[[str], str] = str) -> tuple[str, ...]:
    """Any of the options; none chosen means all of them."""
    chosen = st.multiselect(
        label, options, key=key, format_func=shown, placeholder=label, label_visibility="collapsed",
        bind="query-params", width=190,
    )  # fmt: skip
    return tuple(chosen)


def period(key: str = "days", standard: int = 7) -> int:
    """How many days back."""
    names = {1: _("Last 24 hours"), 7: _("Last 7 days"), 30: _("Last 30 days"), 90: _("Last 90 days")}
    return st.selectbox(
        _("Period"), PERIODS, index=PERIODS.index(standard), key=key, format_func=names.__getitem__,
        label_visibility="collapsed", bind="query-params", width=160,
    )  # fmt: skip

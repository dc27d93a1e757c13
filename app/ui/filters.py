"""The filter bar above a list. What is chosen stands in the address: a filtered screen can be shared and reloaded.

Streamlit's own `bind="query-params"` would write the translated label of an option, which the next reader's language
may not have; these write the option itself.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from app.ui.i18n import _

PERIODS = ("1", "7", "30", "90")


def bar(key: str):
    """`with bar("inbox"):` draws the filters inside side by side."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"filters-{key}")


def search(key: str, label: str) -> str:
    words = st.text_input(
        label, key=key, icon=":material/search:", placeholder=label, label_visibility="collapsed",
        bind="query-params", width=280,
    )  # fmt: skip
    return words.strip()


def several(key: str, label: str, options: Sequence[str], shown: Callable[[str], str] = str) -> tuple[str, ...]:
    """Any of the options; none chosen means all of them."""
    if key not in st.session_state:
        st.session_state[key] = [value for value in st.query_params.get_all(key) if value in options]
    chosen = st.multiselect(
        label, options, key=key, format_func=shown, placeholder=label, label_visibility="collapsed", width=190
    )
    _write(key, chosen, [])
    return tuple(chosen)


def one(
    key: str, label: str, options: Sequence[str], standard: str, shown: Callable[[str], str] = str, width: int = 170
) -> str:
    """Exactly one of the options."""
    if key not in st.session_state:
        wanted = st.query_params.get(key)
        st.session_state[key] = wanted if wanted in options else standard
    chosen = st.selectbox(label, options, key=key, format_func=shown, label_visibility="collapsed", width=width)
    _write(key, chosen, standard)
    return chosen


def period(key: str = "days", standard: str = "7") -> int:
    """How many days back."""
    names = {"1": _("Last 24 hours"), "7": _("Last 7 days"), "30": _("Last 30 days"), "90": _("Last 90 days")}
    return int(one(key, _("Period"), PERIODS, standard, names.__getitem__))


def _write(key: str, chosen: str | list[str], standard: str | list[str]) -> None:
    if chosen != standard:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]

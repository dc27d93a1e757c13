"""The filter bar above a list. What is chosen stands in the address: a filtered screen can be shared and reloaded.

Streamlit's own `bind="query-params"` would write the translated label of an option, which the next reader's language
may not have; these write the option itself.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from app.ui.i18n import _

PERIODS = ("1", "7", "30", "90", "all")


def bar(key: str):
    """`with bar("inbox"):` draws the filters inside side by side."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"filters-{key}")


def search(key: str, label: str) -> str:
    """What is typed, while it is typed. Draw it in a fragment, so that only the list follows."""
    words = st.text_input(
        label, st.query_params.get(key, ""), key=key, icon=":material/search:", placeholder=label,
        label_visibility="collapsed", live=True, width=220,
    )  # fmt: skip
    _write(key, words, "")
    return words.strip()


def several(
    key: str, label: str, options: Sequence[str], shown: Callable[[str], str] = str, width: int = 150
) -> tuple[str, ...]:
    """Any of the options; none chosen means all of them."""
    chosen_before = st.session_state[key] if key in st.session_state else st.query_params.get_all(key)
    st.session_state[key] = [value for value in chosen_before if value in options]
    chosen = st.multiselect(
        label, options, key=key, format_func=shown, placeholder=label, label_visibility="collapsed", width=width
    )
    _write(key, chosen, [])
    return tuple(chosen)


def one(
    key: str, label: str, options: Sequence[str], standard: str, shown: Callable[[str], str] = str, width: int = 170
) -> str:
    """Exactly one of the options."""
    _keep(key, options, standard)
    chosen = st.selectbox(label, options, key=key, format_func=shown, label_visibility="collapsed", width=width)
    _write(key, chosen, standard)
    return chosen


def tab(key: str, label: str, options: Sequence[str], standard: str, shown: Callable[[str], str] = str) -> str:
    """Exactly one of a few options, all in sight."""
    _keep(key, options, standard)
    chosen = st.segmented_control(
        label, options, key=key, format_func=shown, label_visibility="collapsed", required=True
    )
    _write(key, chosen, standard)
    return chosen


def period(key: str = "days", standard: str = "7") -> int | None:
    """How many days back; None: however long ago."""
    names = {
        "1": _("Last 24 hours"), "7": _("Last 7 days"), "30": _("Last 30 days"), "90": _("Last 90 days"),
        "all": _("All time"),
    }  # fmt: skip
    chosen = one(key, _("Period"), PERIODS, standard, names.__getitem__, width=135)
    return None if chosen == "all" else int(chosen)


def _keep(key: str, options: Sequence[str], standard: str) -> None:
    """Set in every run: a browser that missed the run of the first one would show another option than is in force."""
    wanted = st.session_state.get(key, st.query_params.get(key))
    st.session_state[key] = wanted if wanted in options else standard


def clear(keys: Sequence[str]) -> None:
    """The button that takes these filters away."""
    st.button(_("Clear"), icon=":material/close:", type="tertiary", key="clear-filters", on_click=_clear, args=(keys,))


def _clear(keys: Sequence[str]) -> None:
    for key in keys:
        st.session_state[key] = ""  # a search for nothing, none of several, the standard of one
        st.query_params.pop(key, None)


def _write(key: str, chosen: str | list[str], standard: str | list[str]) -> None:
    if chosen != standard:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]

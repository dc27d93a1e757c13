"""Lists: rows to look at or pick from, and paging by cursor, so that the thousandth page costs what the first does.

Cells are drawn on a canvas by Streamlit: no text in them can become markup.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pandas as pd
import streamlit as st

from app.ui.i18n import _

Row = TypeVar("Row")
Cursor = TypeVar("Cursor")
Width = str | int


@dataclass(frozen=True, slots=True)
class Column:
    """`value` reads the cell from a row: text, number, or None for an empty cell."""

    title: str
    value: Callable[[Any], Any]
    width: Width = "medium"
    help: str | None = None


class Page(Protocol[Cursor]):
    """`older`, `newer`: where the neighbouring pages begin, None at the ends."""

    older: Cursor | None
    newer: Cursor | None


def rows(items: Sequence[Row], columns: Sequence[Column], key: str, height: int | str = "auto") -> Row | None:
    """Draw the rows; returns the one whose cell was clicked."""
    frame = pd.DataFrame({column.title: [column.value(item) for item in items] for column in columns})
    settings = {c.title: st.column_config.Column(width=c.width, help=c.help) for c in columns}
    event = st.dataframe(
        frame, key=key, hide_index=True, column_config=settings, height=height, row_height=38,
        on_select="rerun", selection_mode="single-cell", placeholder="",
    )  # fmt: skip
    cells = event.selection.cells
    return items[cells[0][0]] if cells and cells[0][0] < len(items) else None


def paged(fetch: Callable[[Any, Any], Page], key: str, scope: Hashable = None) -> Page:
    """The page of `fetch(before, after)` the reader is on. `scope`: the filter; another one starts at the newest."""
    if st.session_state.get(f"{key}-scope") != scope:
        st.session_state[f"{key}-scope"] = scope
        st.session_state[f"{key}-cursor"] = (None, None)
    before, after = st.session_state.get(f"{key}-cursor", (None, None))
    return fetch(before, after)


def pager(page: Page, key: str) -> None:
    """The two buttons below a list made with `paged`; nothing when all of it is on the screen."""
    if page.older is None and page.newer is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", key=f"{key}-pager"):
        for name, label, icon, cursor in (
            ("newer", _("Newer"), ":material/chevron_left:", (None, page.newer)),
            ("older", _("Older"), ":material/chevron_right:", (page.older, None)),
        ):
            st.button(
                label, icon=icon, icon_position="left" if name == "newer" else "right", key=f"{key}-{name}",
                disabled=getattr(page, name) is None, on_click=_go, args=(key, cursor),
            )  # fmt: skip


def _go(key: str, cursor: tuple[Any, Any]) -> None:
    st.session_state[f"{key}-cursor"] = cursor
    st.session_state.pop(key, None)

"""Lists: rows to look at or pick from, and paging by cursor, so that the thousandth page costs what the first does.

Cells are drawn on a canvas by Streamlit: no text in them can become markup.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import pandas as pd
import streamlit as st

from app.ui.i18n import _

Row = TypeVar("Row")
Cursor = TypeVar("Cursor")
Width = str | int


@dataclass(frozen=True, slots=True)
class Column:
    """`value` reads the cell from a row: text, number, or None for an empty cell.

    width: None takes the room its content wants, so give it to the last column.
    colours: for cells that hold one word of a few; each word becomes a chip of its colour.
    link_text: for cells that hold a web address; what is written instead of it.
    """

    title: str
    value: Callable[[Any], Any]
    width: Width | None = None
    help: str | None = None
    alignment: Literal["left", "center", "right"] | None = None
    colours: Mapping[str, str] | None = None
    link_text: str | None = None

    def cell(self, item: Any) -> Any:
        value = self.value(item)
        if self.link_text and not str(value or "").startswith(("https://", "http://")):
            return None
        return [value] if self.colours and value else value

    def settings(self) -> Any:
        shape = {"width": self.width, "help": self.help}
        if self.colours:
            # The colours are a list beside the options: the keys and values of one mapping stay in step.
            return st.column_config.MultiselectColumn(
                options=list(self.colours), color=list(self.colours.values()), **shape
            )
        if self.link_text:
            return st.column_config.LinkColumn(display_text=self.link_text, **shape)
        return st.column_config.Column(alignment=self.alignment, **shape)


class Page(Protocol[Cursor]):
    """`older`, `newer`: where the neighbouring pages begin, None at the ends."""

    older: Cursor | None
    newer: Cursor | None


def rows(items: Sequence[Row], columns: Sequence[Column], key: str, height: int | str = "content") -> Row | None:
    """Draw the rows; returns the one whose cell was clicked."""
    clickable = st.session_state.get(f"{key}-drawn", items)  # the rows on the screen when it was clicked
    st.session_state[f"{key}-drawn"] = items
    return _clicked(_draw(items, columns, key, height, "single-cell"), clickable, columns)


def choice(
    items: Sequence[Row], columns: Sequence[Column], key: str, height: int | str = "content"
) -> tuple[list[Row], Row | None]:
    """Draw rows, each with an `id`, and a box to tick before each; returns the ticked ones, and the one clicked.

    Ticks are positions: when other rows come to stand there they are taken away, so that nobody acts on a row unseen.
    """
    shown = hash(tuple(item.id for item in items))
    event = _draw(
        items, columns, f"{key}-{st.session_state.get(f'{key}-round', 0)}-{shown}", height, ["multi-row", "single-cell"]
    )
    ticked = [items[position] for position in event.selection.rows if position < len(items)]
    return ticked, _clicked(event, items, columns)


def untick(key: str) -> None:
    """Take the ticks of a `choice` away, for its next run."""
    st.session_state[f"{key}-round"] = st.session_state.get(f"{key}-round", 0) + 1


def _draw(items: Sequence[Row], columns: Sequence[Column], key: str, height: int | str, mode: str | list[str]) -> Any:
    frame = pd.DataFrame({column.title: [column.cell(item) for item in items] for column in columns})
    return st.dataframe(
        frame, key=key, hide_index=True, column_config={column.title: column.settings() for column in columns},
        height=height, row_height=36, on_select="rerun", selection_mode=mode, placeholder="",
    )  # fmt: skip


def _clicked(event: Any, items: Sequence[Row], columns: Sequence[Column]) -> Row | None:
    """A click on a link opens the link and nothing else."""
    links = {column.title for column in columns if column.link_text}
    cells = [cell for cell in event.selection.cells if cell[0] < len(items) and cell[1] not in links]
    return items[cells[0][0]] if cells else None


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

"""The parts of the import of old tickets: which column is what, what a file would bring, what its categories mean."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.classify.local_model import USABLE_FROM
from app.domain.category_names import proposed
from app.domain.tickets_file import Columns, Table
from app.services.examples import Found
from app.ui import setup, text
from app.ui.i18n import _, number

SHOWN = 20  # refused rows
SCROLLED_FROM, HEIGHT = 8, 420  # categories; pixels
NEW, LEFT_OUT = "+", "-"  # no key of a category is one of these
# What help desks call these columns.
USUAL = {
    "text": ("text", "message", "body", "description", "content", "question", "内容", "正文", "消息", "问题"),
    "category": ("category", "label", "intent", "topic", "type", "类别", "分类", "标签", "类型"),
    "priority": ("priority", "prio", "severity", "优先级"),
    "language": ("language", "lang", "locale", "语言"),
}


def columns(table: Table) -> Columns | None:
    """What the person chose; None until text and category are known."""
    guess = {part: _usual(table, names) for part, names in USUAL.items()}
    first, second, third, fourth = st.columns(4)
    chosen = Columns(
        _column(first, _("Text"), "text", table, guess, required=True) or "",
        _column(second, _("Category"), "category", table, guess, required=True) or "",
        _column(third, _("{field} (optional)").format(field=_("Priority")), "priority", table, guess),
        _column(fourth, _("{field} (optional)").format(field=_("Language")), "language", table, guess),
    )
    return chosen if chosen.text and chosen.category else None


def _column(place, label: str, part: str, table: Table, guess: Mapping[str, str | None], required: bool = False):
    index = table.columns.index(guess[part]) if guess[part] else None
    hint = _("Choose a column") if required else _("None")
    return place.selectbox(label, table.columns, index, key=f"import-column-{part}", placeholder=hint)


def _usual(table: Table, names: Sequence[str]) -> str | None:
    bare = {column.strip().lower(): column for column in reversed(table.columns)}
    return next((bare[name] for name in names if name in bare), None)


def summary(found: Found) -> None:
    """What would come in and what not, and why not."""
    with st.container(key="import-summary"):
        tiles = (
            (_("Rows read"), found.rows, None), (_("New tickets"), len(found.new), None),
            (_("Said twice"), found.repeated, _("Rows that say the same as another one of the file.")),
            (_("Known already"), found.known, _("Rows that an earlier import brought.")),
            (_("Refused"), len(found.refused), _("Rows that nothing can be learnt from; the list says why.")),
        )  # fmt: skip
        for place, (label, value, explained) in zip(st.columns(5, gap="small"), tiles, strict=True):
            place.metric(label, number(value), help=explained)
    if found.refused:
        with st.expander(_("Refused rows: {n}").format(n=number(len(found.refused))), key="import-refused"):
            lines = [
                _("Line {line}: {reason}").format(line=number(one.line), reason=_(one.reason))
                for one in found.refused[:SHOWN]
            ]
            text.plain("\n".join(lines))
            if len(found.refused) > SHOWN:
                st.caption(_("And {n} more.").format(n=number(len(found.refused) - SHOWN)))


def meanings(found: Found, categories: Mapping[str, str], taken: list[str]) -> tuple[dict[str, str | None], dict]:
    """(the category's key for each name of the file, None: left out; names of categories to add, by key).

    categories: names by key. taken: keys that no new category can have.
    """
    meant: dict[str, str | None] = {}
    added: dict[str, str] = {}
    options = [NEW, LEFT_OUT, *categories]
    shown = {NEW: _("+ New category"), LEFT_OUT: _("Leave out")} | dict(categories)
    height = HEIGHT if len(found.counts) > SCROLLED_FROM else "content"
    with st.container(key="import-meanings", height=height, gap="small", width=760):
        for at, (name, count) in enumerate(found.counts.items()):
            with st.container(horizontal=True, vertical_alignment="center", key=f"import-row-{at}"):
                said = _("{n} tickets").format(n=number(count))
                st.markdown(f"**{text.escape(name)}** · {said}", width="stretch")
                st.markdown(":material/arrow_forward:", width="content")
                chosen = st.selectbox(
                    name, options, options.index(_proposal(name, count, categories)), shown.get, width=320,
                    key=f"import-meaning-{name}", label_visibility="collapsed",
                )  # fmt: skip
            key = None if chosen == LEFT_OUT else chosen
            if chosen == NEW:
                key = setup.free_key(name if name.isascii() else "category", [*taken, *added])
                added[key] = name
            meant[name] = key
    return meant, added


def _proposal(name: str, count: int, categories: Mapping[str, str]) -> str:
    """The same or a similar name; a new category where there is enough to learn from; else nothing."""
    return proposed(name, categories) or (NEW if count >= USABLE_FROM else LEFT_OUT)

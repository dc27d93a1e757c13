"""The mapping from a message to a vendor's fields. Fields without a line are filled by the connector itself."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.domain.errors import InvalidInput
from app.domain.tasks import RemoteField
from app.domain.templates import NAMES
from app.ui import setup, text
from app.ui.i18n import _, later

MEANINGS = {
    "message.title": later("the message in one line"), "message.text": later("the whole message"),
    "message.id": later("our number of the message"), "message.sent_at": later("when it was written"),
    "message.link": later("the address of the message here"), "contact.name": later("who wrote it"),
    "channel": later("the chat service"), "bot": later("the bot it was sent to"),
    "category.key": later("the category's key"), "category.name": later("the category's name"),
    "priority": later("low, normal, high or urgent"), "language": later("the language as two letters"),
    "sentiment": later("negative, neutral or positive"),
}  # fmt: skip


@dataclass
class Drawn:
    """`fields`: the vendor's field -> template; an empty template leaves the field out."""

    fields: dict[str, str] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)

    def show(self, error: InvalidInput) -> bool:
        """Whether the error was about a line here, and is shown beside it now."""
        place = self.places.get(error.field.removeprefix("fields."))
        if place is not None and error.field.startswith("fields."):
            with place.container(key=f"error-mapping-{len(self.places)}"):
                st.text(_(setup.said(error)))
        return place is not None


def draw(page: str, stored: dict[str, str], remote: list[RemoteField]) -> Drawn:
    """remote: the target's fields, where they could be read; a star marks those it requires."""
    kept = setup.draft(page)
    lines: list[str] = kept.setdefault("mapped", list(stored))
    known = {each.key: each for each in remote}
    drawn = Drawn()
    for name in lines:
        _line(page, name, stored.get(name, ""), known.get(name), lines, drawn)
    free = [key for key in known if key not in lines]
    st.selectbox(
        _("Add a field"), free, None, lambda key: _named(known.get(key), key), key=f"{page}-add-field-{len(lines)}",
        placeholder=_("Choose, or type the vendor's name of it"), accept_new_options=True, on_change=_add,
        args=(page, lines), label_visibility="collapsed",
    )  # fmt: skip
    with st.popover(_("What can be filled in"), icon=":material/data_object:"):
        st.markdown("\n".join(f"- `{{{name}}}` {_(MEANINGS[name])}" for name in NAMES))
        st.caption(_("Everything else is sent as you write it. A field left empty is left out."))
    return drawn


def _line(
    page: str, name: str, template: str, remote: RemoteField | None, lines: list[str], drawn: Drawn
) -> None:  # fmt: skip
    what, how, gone = st.columns([2, 3, 0.4], vertical_alignment="center", gap="small")
    what.markdown(text.escape(_named(remote, name)))
    key = f"{page}-map-{name}"
    with how:
        if remote and remote.options:
            options = list(remote.options) + [each for each in [template] if each and each not in remote.options]
            value = st.selectbox(
                name, options, options.index(template) if template else None, key=key, accept_new_options=True,
                placeholder=_("Choose"), label_visibility="collapsed",
            )  # fmt: skip
        else:
            value = st.text_input(name, template, key=key, placeholder="{message.title}", label_visibility="collapsed")
        drawn.places[name] = st.empty()
    drawn.fields[name] = value or ""
    gone.button(
        "", key=f"{key}-drop", icon=":material/close:", type="tertiary", help=_("Remove this line"),
        on_click=lines.remove, args=(name,),
    )  # fmt: skip


def _named(remote: RemoteField | None, key: str) -> str:
    if remote is None:
        return key
    return f"{remote.name} *" if remote.required else remote.name


def _add(page: str, lines: list[str]) -> None:
    name = st.session_state[f"{page}-add-field-{len(lines)}"]
    if name and name not in lines:
        lines.append(name)

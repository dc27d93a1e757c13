"""What the pages of the set-up share: a list, a form in its place, and who may change what."""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.db.tables.people import Role
from app.domain.errors import InvalidInput, OctopusError, RemoteError
from app.services import taxonomy
from app.ui import forms, session, states, text, undo
from app.ui.i18n import _

NEW = "+"
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9_-]+")


def editable() -> bool:
    return session.may(Role.MANAGER)


# ---- the list and the form: one of the two is on the screen


def heading(title: str, explanation: str, page: str, add: str | None) -> None:
    """add: the label of the button for something new; None where there is none here."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{page}-heading"):
        with st.container(gap="xxsmall"):
            st.title(title)
            st.caption(explanation)
        if add:
            _add_button(page, add)
    if not editable():
        st.caption(":material/lock: " + _("You can look at everything here. Changes need the role manager."))
    undo.banner(page)
    if said := st.session_state.pop(f"{page}-said", None):
        st.success(text.escape(said), icon=":material/check_circle:")


def empty(page: str, title: str, explanation: str, icon: str, add: str) -> None:
    """Instead of an empty list, with the button in its middle."""
    with states.empty(title, explanation, icon, page):
        _add_button(page, add)


def _add_button(page: str, label: str) -> None:
    if editable() and editing(page) is None:
        st.button(label, key=f"{page}-add", type="primary", icon=":material/add:", on_click=edit, args=(page, NEW))


def editing(page: str) -> str | None:
    """The key of what is being edited, NEW for something new, None for the list."""
    return st.session_state.get(f"{page}-editing") if editable() else None


def edit(page: str, key: str | None) -> None:
    st.session_state[f"{page}-editing"] = key
    st.session_state[f"{page}-draft"] = {}


def replace(page: str, key: str) -> None:
    """Edit something simulated, beginning with an empty form: what is typed takes its place."""
    edit(page, key)
    draft(page)["replaces"] = True


def replacing(page: str, fed: bool = True) -> bool:
    """Whether what is edited shall take the place of something simulated; says so above the form.

    fed: customers' messages reach it, and those of simulated customers as long as a bot is simulated.
    """
    if not draft(page).get("replaces"):
        return False
    said = [_("What you type here takes the place of the simulated one. Rules and routes go on as they are.")]
    if fed:
        said.append(
            _("What simulated customers write from now on reaches it, too. If you do not want that, replace or switch "
              "off the simulated bots first.")
        )  # fmt: skip
    st.info(" ".join(said), icon=":material/swap_horiz:")
    return True


def draft(page: str) -> dict[str, Any]:
    """What a form remembers between runs, besides its widgets; empty again with the next form."""
    return st.session_state.setdefault(f"{page}-draft", {})


def done(page: str, said: str, then: str | None = None) -> None:
    """Back to the list, or on to editing `then`, with a sentence about what happened."""
    st.session_state[f"{page}-said"] = said
    edit(page, then)
    st.rerun()


def remove(page: str, said: str, take_away: Callable[[], Any], put_back: Callable[[Any], None]) -> None:
    """Take something away and offer to take that back."""
    removed = attempt(take_away)
    if removed is not None:
        undo.offer(said, lambda: put_back(removed), page)
        edit(page, None)
        st.rerun()


def row(
    page: str, key: str, icon: str, title: str, lines: list[str], extra: Callable[[], None] | None = None,
    off: bool = False, waiting: bool = False, simulated: bool = False,
) -> None:  # fmt: skip
    """One thing of the list, with what can be done about it at the right. `lines`: Markdown, escaped already.

    waiting: it differs from what is live.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"setup-{page}-{key}"):
        with st.container(gap="xxsmall"):
            mark = f" :gray-badge[{_('Off')}]" if off else ""
            mark += f" :orange-badge[{_('not live yet')}]" if waiting else ""
            mark += f" :orange-badge[:material/science: {_('Simulated')}]" if simulated else ""
            st.markdown(f":material/{icon}: **{text.escape(title)}**{mark}")
            for line in lines:
                st.caption(line)
        if editable():
            if extra:
                extra()
            if simulated:
                st.button(
                    _("Replace by a real one"), key=f"{page}-replace-{key}", type="tertiary",
                    icon=":material/swap_horiz:", on_click=replace, args=(page, key),
                )  # fmt: skip
            st.button(_("Edit"), key=f"{page}-edit-{key}", on_click=edit, args=(page, key))


def mover(page: str, table: type, key: str, position: int, count: int) -> None:
    """Two arrows that change the order of a list."""
    for name, icon, to in (("up", "arrow_upward", position - 1), ("down", "arrow_downward", position + 1)):
        st.button(
            "", key=f"{page}-{name}-{key}", icon=f":material/{icon}:", type="tertiary", disabled=not 0 <= to < count,
            help=_("Move up") if name == "up" else _("Move down"), on_click=_move, args=(table, key, to),
        )  # fmt: skip


def _move(table: type, key: str, to: int) -> None:
    with states.boundary("move"):
        taxonomy.move(session.actor(), table, key, to)


# ---- parts of a form


def key_field(page: str, existing: str | None, taken: list[str], proposal: str) -> str:
    """The name of what has no other; it cannot be changed later."""
    if existing:
        st.markdown(f"#### {text.escape(existing)}")
        return existing
    return st.text_input(
        _("Name"), value=free_key(proposal, taken), key=f"{page}-key", max_chars=60,
        help=_("Small letters, digits, - and _. It is shown in lists and reasons, and cannot be changed later."),
    ).strip()  # fmt: skip


def free_key(proposal: str, taken: list[str]) -> str:
    """A key made of a name, different from those taken."""
    key = _NOT_IN_A_KEY.sub("-", proposal.lower()).strip("-_")[:50] or "new"
    return next(each for each in (key, *(f"{key}-{n}" for n in range(2, len(taken) + 3))) if each not in taken)


def buttons(page: str, save: str, remove: str | None = None, insist: str | None = None) -> str | None:
    """The end of a form; says which was pressed: save, insist or remove. Without a label a button is not drawn."""
    pressed = None
    with st.container(horizontal=True, key=f"{page}-buttons"):
        if st.button(save, key=f"{page}-save", type="primary"):
            pressed = "save"
        if insist and st.button(insist, key=f"{page}-insist"):
            pressed = "insist"
        st.button(_("Cancel"), key=f"{page}-cancel", on_click=edit, args=(page, None))
        st.space("stretch")
        if remove and st.button(remove, key=f"{page}-delete", type="tertiary", icon=":material/delete:"):
            pressed = "remove"
    return pressed


def connect(
    page: str, place: str, drawn: forms.Drawn, check: Callable[[], str], save: Callable[[], Any],
    remove: str | None = None, then: str | None = None,
) -> bool:  # fmt: skip
    """Save what a vendor confirms. When the check fails, its error is shown and the person may insist.

    place: names the form, so that a warning about another one is not shown. Returns whether `remove` was pressed.
    """
    about, warning = draft(page).get("unchecked", (None, ""))
    warned = about == place
    if warned:
        states.failed(_("The check failed, so nothing is saved yet"), _(warning), "unchecked")
    pressed = buttons(page, _("Check and save"), remove, _("Save without the check") if warned else None)
    if pressed in ("save", "insist") and drawn.complete():
        said = _("Saved without a check.") if pressed == "insist" else _checked(page, place, drawn, check)
        if said and attempt(save, drawn.show) is not None:
            done(page, said, then)
    return pressed == "remove"


def _checked(page: str, place: str, drawn: forms.Drawn, check: Callable[[], str]) -> str | None:
    try:
        with states.loading(_("Asking whether this works …")):
            return _("Connected as {who}.").format(who=check())
    except InvalidInput as error:
        drawn.show(error)
        return None
    except RemoteError as error:
        draft(page)["unchecked"] = (place, str(error))
        st.rerun()


def attempt(act: Callable[[], Any], show: Callable[[InvalidInput], None] | None = None) -> Any:
    """The result, or None after telling beside the field (or here) what is wrong."""
    try:
        return act()
    except InvalidInput as error:
        if show:
            show(error)
        else:
            states.failed(_("That cannot be used as it is"), _(said(error)), "attempt")
    except OctopusError as error:
        states.failed(_("This did not work"), _(str(error)), "attempt")
    return None


def said(error: InvalidInput) -> str:
    """The sentence without the code name of its field."""
    return str(error).removeprefix(f"{error.field}: ")

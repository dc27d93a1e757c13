"""Choosing the project, board or list of a destination from what the vendor says there is."""

from typing import Any

import streamlit as st
from pydantic import SecretStr

from app.db.tables import Destination
from app.domain.tasks import Target
from app.services import connections
from app.ui import forms, setup
from app.ui.i18n import _

NOT_CHOSEN = "-"


def is_chosen(row: Destination) -> bool:
    """False while only the account is known: a destination saved in order to connect it."""
    return NOT_CHOSEN not in row.config.values()


def choose(page: str, place: str, row: Destination, drawn: forms.Drawn) -> None:
    """A button that asks the vendor, then a list; what is chosen is written into the form's fields."""
    kept = setup.draft(page)
    if kept.get("targets-of") != place:
        pressed = st.button(_("Choose the place from a list"), key=f"{page}-targets", icon=":material/list:")
        if not pressed or not drawn.complete(besides=after_the_account(drawn)):
            return
        found = setup.attempt(lambda: connections.targets(row, with_places(drawn)), drawn.show)
        if found is None:
            return
        kept |= {"targets": found, "targets-of": place}
        st.rerun()
    found: list[Target] = kept["targets"]
    if not found:
        st.caption(":material/info: " + _("This account sees no place where tasks can go."))
        return
    now = (at for at, each in enumerate(found) if each.config.items() <= drawn.typed.items())
    st.selectbox(
        _("Where tasks go"), range(len(found)), next(now, None), lambda at: found[at].name, key=f"{page}-target",
        placeholder=_("Choose"), on_change=_write, args=(page, place, found),
    )  # fmt: skip


def after_the_account(drawn: forms.Drawn) -> list[str]:
    """The fields that may still be empty: a `Config` describes the account first, up to its last secret."""
    names = list(drawn.model.model_fields)
    secrets = [at for at, name in enumerate(names) if _is_secret(drawn.model.model_fields[name])]
    return names[max(secrets, default=-1) + 1 :]


def _is_secret(info: Any) -> bool:
    return SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ()))


def with_places(drawn: forms.Drawn) -> dict[str, Any]:
    """A required place that is not chosen yet must not stop the question which places there are."""
    fields = drawn.model.model_fields
    return {name: NOT_CHOSEN for name in after_the_account(drawn) if fields[name].is_required()} | drawn.values()


def _write(page: str, place: str, found: list[Target]) -> None:
    at = st.session_state[f"{page}-target"]
    if at is not None:
        for name, value in found[at].config.items():
            st.session_state[f"{place}-{name}"] = value

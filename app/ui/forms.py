"""Draws the form of an adapter's `Config` and reads what was typed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel, HttpUrl, SecretStr
from pydantic.fields import FieldInfo

from app.domain.errors import InvalidInput
from app.ui.i18n import _

OPTIONAL_BELOW = ("hook_secret", "ends_on", "refresh_token", "base_url", "price_cached_in", "timeout_s", "structured")


@dataclass
class Drawn:
    """The widgets of a form, and beside each a place for its error."""

    model: type[BaseModel]
    typed: dict[str, Any] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    places: dict[str, Any] = field(default_factory=dict)
    foot: Any = None

    def values(self) -> dict[str, Any]:
        """What was typed. Left out: what is empty; so a secret left empty keeps its stored value."""
        return {name: value for name, value in self.typed.items() if value not in ("", None, [])}

    def complete(self, besides: Collection[str] = ()) -> bool:
        """Say which required fields are empty; True when none is. `besides`: those that may be."""
        values = self.values()
        missing = [
            name
            for name, info in self.model.model_fields.items()
            if info.is_required() and name not in values and name not in self.stored and name not in besides
        ]
        for name in missing:
            self.places[name].error(_("Please fill this in."))
        return not missing

    def show(self, error: InvalidInput) -> None:
        """Put the error beside its field, or under the form when it has none."""
        name = error.field.split(".")[0]
        said = str(error).removeprefix(f"{error.field}: ")
        place = self.places.get(name, self.foot)
        with place.container(key=f"error-{name or 'form'}"):
            st.text(_(said))


def draw(
    model: type[BaseModel], key: str, current: Mapping[str, Any] | None = None, without: Collection[str] = ()
) -> Drawn:
    """Draw every field of `model`, but those in `without`.

    current: the stored configuration; of its secrets only the names are used.
    """
    current = current or {}
    secrets = {name for name, info in model.model_fields.items() if _kind(info) is SecretStr}
    drawn = Drawn(model, stored=frozenset(secrets & current.keys() | set(without)))
    names = [name for name in model.model_fields if name not in without]
    below = [name for name in names if name in OPTIONAL_BELOW and not model.model_fields[name].is_required()]
    for name in [name for name in names if name not in below]:
        _draw_field(drawn, name, model.model_fields[name], key, current)
    if below:
        with st.expander(_("More options")):
            for name in below:
                _draw_field(drawn, name, model.model_fields[name], key, current)
    drawn.foot = st.empty()
    return drawn


def _draw_field(drawn: Drawn, name: str, info: FieldInfo, key: str, current: Mapping[str, Any]) -> None:
    label = _(info.title or name)
    if not info.is_required() and _kind(info) is not bool:
        label = _("{field} (optional)").format(field=label)
    options: dict[str, Any] = {"key": f"{key}-{name}", "help": _(info.description) if info.description else None}
    value = current.get(name, None if info.is_required() else info.get_default(call_default_factory=True))
    drawn.typed[name] = _widget(name, _kind(info), label, value, name in drawn.stored, options)
    drawn.places[name] = st.empty()


def _widget(name: str, kind: Any, label: str, value: Any, is_stored: bool, options: dict[str, Any]) -> Any:
    if kind is SecretStr:
        hint = _("Stored. Leave empty to keep it") if is_stored else None
        # Without `live`, a password left with Tab is not taken in: Tab leads to the eye in the same box.
        return st.text_input(
            label, type="password", placeholder=hint, autocomplete="new-password", live=True, **options
        )
    if kind is bool:
        return st.toggle(label, value=bool(value), **options)
    if kind is int or kind is float:
        return st.number_input(label, value=value, step=1 if kind is int else None, **options)
    if kind is date:
        return st.date_input(label, date.fromisoformat(value) if value else None, format="YYYY-MM-DD", **options)
    if choices := _choices(kind):
        index = choices.index(str(value)) if str(value) in choices else None
        return st.selectbox(label, choices, index=index, placeholder=_("Choose"), format_func=_, **options)
    if kind is HttpUrl:
        return st.text_input(label, value=str(value or ""), placeholder="https://", **options).strip()
    if kind is str:
        return st.text_input(label, value=value or "", **options).strip()
    if get_origin(kind) is list:
        lines = st.text_area(label, value="\n".join(map(str, value or ())), placeholder=_("One per line"), **options)
        return [line.strip() for line in lines.splitlines() if line.strip()]
    raise TypeError(f"No form field is known for '{name}' of type {kind}.")


def _kind(info: FieldInfo) -> Any:
    """The field's type without `| None`."""
    kind = info.annotation
    if get_origin(kind) in (Union, UnionType):
        kinds = [option for option in get_args(kind) if option is not NoneType]
        kind = kinds[0] if len(kinds) == 1 else kind
    # `Annotated[HttpUrl, ...] | None` keeps its metadata inside the union.
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return []

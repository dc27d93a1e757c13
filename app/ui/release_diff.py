"""What a release changes, in words: entity by entity, field by field, as it was and as it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.domain.releases import Change, ChangeKind
from app.ui import conditions, text, words
from app.ui.i18n import _, duration, later, percent

LONG = 70  # characters; longer texts stand below each other
LOOKS = {
    ChangeKind.ADDED: (":green[:material/add_circle:]", later("new")),
    ChangeKind.CHANGED: (":blue[:material/edit:]", ""),
    ChangeKind.REMOVED: (":red[:material/do_not_disturb_on:]", later("removed")),
    ChangeKind.ORDERED: (":blue[:material/swap_vert:]", ""),
}
TITLES = {
    "category": later("Category {name}"), "rule": later("Rule {name}"), "route": later("Route {name}"),
    "setting": later("Setting: {name}"),
}  # fmt: skip
ORDERS = {
    "category": later("Order of the categories"), "rule": later("Order of the rules"),
    "route": later("Order of the routes"),
}  # fmt: skip
SETTINGS = {
    "bar": later("A language model's answer stands alone from"),
    "instructions": later("House rules for the language model"),
    "local.enabled": later("Use the local model"),
    "local.target_accuracy": later("Answers given alone should be right"),
    "local.audit_share": later("Looked at by chance"),
    "local.double_share": later("Decided by two persons"),
    "local.learn_from_llm": later("Learn from the language model's answers"),
}
FIELDS = {
    "name": later("Name"), "description": later("What belongs here"), "priority": later("Priority"),
    "sla_min": later("Answer within"), "when": later("Condition"), "then": later("Then"),
    "continue": later("Those below are asked as well"), "enabled": later("Switched on"),
    "strategy": later("Who gets it"), "destinations": later("Destinations"),
    "default": later("Whatever no other route takes"), "when_wrong": later("When it should not be there"),
    "reply": later("What the customer is told"), "order": later("Order"), "value": "",
}  # fmt: skip
USUAL = {"enabled": True, "continue": False, "default": False, "strategy": "failover", "when_wrong": "close",
         "priority": "normal"}  # fmt: skip


def draw(
    changes: Sequence[Change], category_names: Mapping[str, str], control: Callable[[Change], None] | None = None
) -> None:
    """control: draws what can be done about a change, at its right."""
    for change in changes:
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"change-{change.noun}-{change.key or 'order'}"
        ):
            with st.container(gap="xxsmall"):
                icon, mark = LOOKS[change.kind]
                said = f" :gray[{_(mark)}]" if mark else ""
                st.markdown(f"{icon} **{_title(change, category_names)}**{said}")
                for name, before, after in _worth_saying(change):
                    _field(change, name, before, after, category_names)
            if control:
                control(change)


def _title(change: Change, category_names: Mapping[str, str]) -> str:
    if change.kind == ChangeKind.ORDERED:
        return _(ORDERS[change.noun])
    name = change.key
    if change.noun == "setting":
        name = _(SETTINGS.get(change.key, change.key))
    elif change.noun == "category":
        named = {field: before or after for field, before, after in change.fields}
        name = named.get("name") or category_names.get(change.key, change.key)
    return _(TITLES[change.noun]).format(name=text.escape(name))


def _worth_saying(change: Change) -> list[tuple[str, Any, Any]]:
    """Of something new, what is not as it is in most; of something that is gone, nothing."""
    if change.kind == ChangeKind.REMOVED:
        return []
    if change.kind != ChangeKind.ADDED:
        return list(change.fields)
    named = {"name"} if change.noun == "category" else set()
    return [
        (name, before, after)
        for name, before, after in change.fields
        if name not in named and after not in (None, "", [], {}) and USUAL.get(name) != after
    ]


def _field(change: Change, name: str, before: Any, after: Any, category_names: Mapping[str, str]) -> None:
    label = _(FIELDS.get(name, name)) if FIELDS.get(name, name) else ""
    if isinstance(after or before, str) and max(len(before or ""), len(after or "")) > LONG:
        if label:
            st.caption(label)
        if before:
            text.plain("− " + before)
        if after:
            text.plain("+ " + after)
        return
    old, new = (_value(change, name, value, category_names) for value in (before, after))
    to = new if change.kind == ChangeKind.ADDED else f"{old} :material/arrow_right_alt: {new}"
    st.caption(f"{label}: {to}" if label else to)


def _value(change: Change, name: str, value: Any, category_names: Mapping[str, str]) -> str:
    """In Markdown, escaped."""
    if name == "when":
        return conditions.in_words(value or {})
    if name == "then" and value:
        return effect(value, category_names)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value in (None, "", [], {}):
        return "–"
    if name in ("strategy", "when_wrong", "priority"):
        table = {"strategy": words.STRATEGIES, "when_wrong": words.WHEN_WRONG, "priority": words.PRIORITIES}[name]
        return words.shown(table, value)
    if name == "sla_min":
        return duration(value * 60)
    if change.noun == "setting" and isinstance(value, int | float):
        return percent(value, 1)
    if isinstance(value, list):
        known = category_names if change.noun == "category" else {}
        return text.escape(", ".join(known.get(each, each) for each in value))
    if isinstance(value, dict):
        return text.escape(" / ".join(text.shorten(str(each), LONG) for each in value.values()))
    return text.escape(str(value))


def effect(actions: Mapping[str, Any], category_names: Mapping[str, str]) -> str:
    """What a rule does, in one line of Markdown, escaped."""
    said = []
    if category := actions.get("category"):
        said.append(_("Category") + f" **{text.escape(category_names.get(category, category))}**")
    said += [_(words.RULE_EFFECTS[name]) for name in ("review", "ignore") if actions.get(name)]
    if actions.get("priority"):
        said.append(_("Priority") + f" **{words.shown(words.PRIORITIES, actions['priority'])}**")
    if actions.get("tag"):
        said.append(_("Tag the contact") + f" **{text.escape(actions['tag'])}**")
    return " · ".join(said)

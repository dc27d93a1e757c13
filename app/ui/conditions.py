"""The builder of conditions that rules and routes share.

A condition is shown as lines in three sections: all of them hold, at least one holds, none holds. What is nested
deeper is written as JSON, in the words of the configuration file, so nothing a file can say is out of reach.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

import streamlit as st

from app.domain.conditions import Condition
from app.domain.errors import InvalidInput
from app.services import connections, secrets, taxonomy
from app.ui import session, setup, text, words
from app.ui.i18n import _, later, number
from connectors import registry

TESTS = {
    "text_contains": later("Text contains"), "text_any_of": later("Text has one of the words"),
    "text_matches": later("Text matches the pattern"), "channel": later("Channel"), "bot": later("Bot"),
    "language": later("Language"), "contact_tag": later("Contact has the tag"), "hours": later("Received between"),
    "has_attachment": later("Attachment"), "min_length": later("Letters at least"),
    "max_length": later("Letters at most"), "category": later("Category"), "priority": later("Priority"),
    "sentiment": later("Mood"),
}  # fmt: skip
KNOWN_AFTER = ("category", "priority", "sentiment")  # classification finds these out, so rules cannot ask
SECTIONS = {
    "all": later("All of these hold"), "any": later("And at least one of these"), "none": later("And none of these"),
}  # fmt: skip
ADD = {"all": later("Condition"), "any": later("One of several"), "none": later("Exception")}
LANGUAGES = [
    "en", "zh", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "uk", "tr", "ar", "he", "fa", "hi", "id", "ms", "th",
    "vi", "ja", "ko", "sv", "da", "no", "fi", "cs", "sk", "hu", "ro", "bg", "el",
]  # fmt: skip
DAYS = {1: later("Mon"), 2: later("Tue"), 3: later("Wed"), 4: later("Thu"), 5: later("Fri"), 6: later("Sat"),
        7: later("Sun")}  # fmt: skip

Test = tuple[str, Any]
Sections = dict[str, list[Test]]


# ---- between a condition and its lines; pure


def to_lines(condition: Mapping[str, Any]) -> Sections | None:
    """None when the condition says more than the three sections can."""
    sections: Sections = {"all": [], "any": [], "none": []}
    for name, value in condition.items():
        if name in TESTS:
            sections["all"].append((name, value))
            continue
        inner = value.get("any", [value]) if name == "not" else value
        single = [next(iter(each.items())) for each in inner if len(each) == 1]
        if not single or len(single) < len(inner) or any(test not in TESTS for test, _value in single):
            return None
        if name == "not" and "any" in value and len(value) > 1:
            return None
        sections["none" if name == "not" else name].extend(single)
    return sections


def from_lines(sections: Sections) -> tuple[dict[str, Any], dict[tuple[str, int], str]]:
    """The condition, and where in it each line (section, number) stands, as a dotted path."""
    condition: dict[str, Any] = {}
    paths: dict[tuple[str, int], str] = {}
    for at, (name, value) in enumerate(sections["all"]):
        if name not in condition:
            condition[name], paths["all", at] = value, name
        else:
            again = condition.setdefault("all", [])
            paths["all", at] = f"all.{len(again)}.{name}"
            again.append({name: value})
    for section, place in (("any", "any"), ("none", "not.any")):
        for at, (name, _value) in enumerate(sections[section]):
            paths[section, at] = f"{place}.{at}.{name}"
    if sections["any"]:
        condition["any"] = [{name: value} for name, value in sections["any"]]
    if sections["none"]:
        condition["not"] = {"any": [{name: value} for name, value in sections["none"]]}
    return condition, paths


# ---- on the screen


@dataclass
class Drawn:
    """`complete`: no line lacks its value. `places`: where errors go, by path inside the condition."""

    condition: dict[str, Any]
    complete: bool = True
    places: dict[str, Any] = field(default_factory=dict)
    foot: Any = None

    def show(self, error: InvalidInput) -> None:
        path = error.field.removeprefix("when.")
        place = next((self.places[each] for each in self.places if path.startswith(each)), self.foot)
        with place.container(key=f"error-condition-{len(path)}"):
            st.text(_(setup.said(error)))


def draw(page: str, current: dict[str, Any], of_routes: bool) -> Drawn:
    """of_routes: the message is classified, so its category can be asked about."""
    kept = setup.draft(page).setdefault("conditions", {})
    if not kept:
        lines = to_lines(current)
        kept |= {"next": 0, "built": current, "json": lines is None}
        _fill(kept, lines or to_lines({}))
    drawn = _written(page, kept) if kept["json"] else _lines(page, kept, of_routes)
    kept["built"] = drawn.condition
    if kept.pop("stays", False):
        st.caption(":material/info: " + _("The form cannot show this: it is nested too deeply, or not valid yet."))
    label = _("Back to the form") if kept["json"] else _("Write it as JSON")
    st.button(label, key=f"{page}-json", type="tertiary", icon=":material/code:", on_click=_switch, args=(kept,))
    return drawn


def _fill(kept: dict[str, Any], sections: Sections) -> None:
    """Lines get numbers of their own, so that a removed one takes its widgets along."""
    kept["lines"] = {name: [] for name in SECTIONS}
    for section, tests in sections.items():
        for name, value in tests:
            _add(kept, section, name, value)


def _add(kept: dict[str, Any], section: str, name: str = "text_contains", value: Any = None) -> None:
    kept["lines"][section].append({"id": kept["next"], "name": name, "value": value})
    kept["next"] += 1


def _drop(kept: dict[str, Any], section: str, line: dict[str, Any]) -> None:
    kept["lines"][section].remove(line)


def _switch(kept: dict[str, Any]) -> None:
    if not kept["json"]:
        kept["json"] = True
        return
    try:
        lines = to_lines(taxonomy.stored_condition(secrets.validated(Condition, kept["built"])))
    except InvalidInput:
        lines = None  # the preview below the JSON says what is wrong
    if lines is None:
        kept["stays"] = True
    else:
        kept["json"] = False
        _fill(kept, lines)


def _lines(page: str, kept: dict[str, Any], of_routes: bool) -> Drawn:
    typed: Sections = {section: [] for section in SECTIONS}
    places, complete = {}, True
    names = [name for name in TESTS if of_routes or name not in KNOWN_AFTER]
    if not any(kept["lines"].values()):
        st.caption(_("Nothing is asked yet, so this holds for every message."))
    for section, lines in kept["lines"].items():
        if lines and (section != "all" or len(lines) > 1):
            st.caption(_(SECTIONS[section]))
        for at, line in enumerate(lines):
            name, value = _line(page, kept, section, line, names)
            places[section, at] = st.empty()
            complete &= value not in (None, "", [])
            typed[section].append((name, value))
    with st.container(horizontal=True, key=f"{page}-add-lines"):
        for section, label in ADD.items():
            st.button(
                _(label), key=f"{page}-add-{section}", icon=":material/add:", type="tertiary", on_click=_add,
                args=(kept, section),
            )  # fmt: skip
    condition, paths = from_lines(typed)
    return Drawn(condition, complete, {paths[line]: place for line, place in places.items()}, st.empty())


def _line(page: str, kept: dict[str, Any], section: str, line: dict[str, Any], names: list[str]) -> Test:
    key = f"{page}-line-{line['id']}"
    known = names if line["name"] in names else [*names, line["name"]]
    what, how, gone = st.columns([3, 6, 0.6], vertical_alignment="center", gap="small")
    name = what.selectbox(
        _("What is asked"), known, known.index(line["name"]), lambda each: _(TESTS[each]), key=f"{key}-what",
        label_visibility="collapsed",
    )  # fmt: skip
    with how:
        value = _value(f"{key}-{name}", name, line["value"] if name == line["name"] else None)
    gone.button(
        "", key=f"{key}-drop", icon=":material/close:", type="tertiary", help=_("Remove this line"), on_click=_drop,
        args=(kept, section, line),
    )  # fmt: skip
    return name, value


def _value(key: str, name: str, value: Any) -> Any:
    options = {"key": key, "label_visibility": "collapsed"}
    label = _(TESTS[name])
    if name in ("text_contains", "text_matches"):
        hint = r"(?i)refund|money back" if name == "text_matches" else _("A word or a part of a sentence")
        return st.text_input(label, value or "", placeholder=hint, **options)
    if name in ("min_length", "max_length"):
        return st.number_input(label, 0, value=value, step=10, placeholder=_("A number"), **options)
    if name == "has_attachment":
        shown = {True: _("With one"), False: _("Without")}
        return st.segmented_control(label, [True, False], default=value, format_func=shown.__getitem__, **options)
    if name == "hours":
        return _hours(key, value or {})
    known = _known(name)
    own = name in ("text_any_of", "contact_tag")
    listed = [*known, *(each for each in value or [] if each not in known)]
    return st.multiselect(
        label, listed, value, format_func=lambda each: known.get(each, each), accept_new_options=own,
        placeholder=_("Type a word and press Enter") if own else _("Choose one or more"), **options,
    )  # fmt: skip


def _hours(key: str, value: dict[str, Any]) -> dict[str, Any] | None:
    since, until, days = st.columns([1, 1, 3], vertical_alignment="center", gap="small")
    hidden = {"label_visibility": "collapsed"}
    first = since.time_input(_("From"), time.fromisoformat(value.get("from", "18:00")), key=f"{key}-from", **hidden)
    last = until.time_input(_("To"), time.fromisoformat(value.get("to", "09:00")), key=f"{key}-to", **hidden)
    chosen = days.pills(
        _("Days"), list(DAYS), default=value.get("days", list(DAYS)), selection_mode="multi", key=f"{key}-days",
        format_func=lambda day: _(DAYS[day]), **hidden,
    )  # fmt: skip
    return {"from": f"{first:%H:%M}", "to": f"{last:%H:%M}", "days": sorted(chosen)} if chosen else None


def _known(name: str) -> dict[str, str]:
    """What can be chosen: key -> the word shown."""
    workspace_id = session.workspace().id
    if name == "category":
        return {row.key: row.name for row in taxonomy.categories(workspace_id)}
    if name == "bot":
        return {row.key: row.name or row.key for row in connections.bots(workspace_id)}
    if name == "channel":
        return {key: registry.channel(key).Channel.label for key in registry.channel_keys()}
    if name == "language":
        return {code: words.language(code) for code in LANGUAGES}
    shown = {"priority": words.PRIORITIES, "sentiment": words.SENTIMENTS}.get(name, {})
    return {key: _(word) for key, word in shown.items()}


def _written(page: str, kept: dict[str, Any]) -> Drawn:
    shown = json.dumps(kept["built"], ensure_ascii=False, indent=2)
    typed = st.text_area(_("Condition"), shown, key=f"{page}-written-{kept['next']}", height=220)
    drawn = Drawn(kept["built"], foot=st.empty())
    try:
        drawn.condition = json.loads(typed or "{}")
        if not isinstance(drawn.condition, dict):
            raise InvalidInput(_("The condition is a JSON object, in braces."))
    except json.JSONDecodeError as error:
        drawn.complete = False
        why = _("This is not valid JSON, at line {line}: {why}").format(line=error.lineno, why=error.msg)
        drawn.show(InvalidInput(why))
    except InvalidInput as error:
        drawn.complete, drawn.condition = False, kept["built"]
        drawn.show(error)
    return drawn


# ---- for lists


def in_words(condition: Mapping[str, Any]) -> str:
    """One line of Markdown, escaped."""
    lines = to_lines(condition)
    if lines is None:
        return _("A nested condition") + ": " + text.escape(text.shorten(json.dumps(condition, ensure_ascii=False), 90))
    parts = [_said(*test) for test in lines["all"]]
    if lines["any"]:
        parts.append(_("at least one of ({tests})").format(tests="; ".join(_said(*test) for test in lines["any"])))
    if lines["none"]:
        parts.append(_("none of ({tests})").format(tests="; ".join(_said(*test) for test in lines["none"])))
    return " · ".join(parts) or _("Every message")


def _said(name: str, value: Any) -> str:
    if name == "hours":
        days = value.get("days", list(DAYS))
        shown = f"{value['from'][:5]}–{value['to'][:5]}"
        shown += "" if len(days) == len(DAYS) else " " + " ".join(_(DAYS[day]) for day in days)
    elif name == "has_attachment":
        shown = _("With one") if value else _("Without")
    elif isinstance(value, list):
        known = _known(name)
        shown = text.escape(text.shorten(", ".join(known.get(each, each) for each in value), 60))
    else:
        shown = number(value) if isinstance(value, int) else "“" + text.escape(text.shorten(str(value), 50)) + "”"
    return f"{_(TESTS[name])} **{shown}**"

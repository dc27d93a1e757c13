"""What a release holds: how two states differ, and how a draft and what went live meanwhile become one. Pure.

Content has the shape of the configuration file's parts, each with all its fields spelled out:
{"categories": [{"key": ...}], "rules": [...], "routes": [...], "classify": {"bar": 0.6, "local": {...}}}.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Content = dict[str, Any]
Parts = dict[str, dict[str, Any]]  # noun -> key -> what it is (never None), in order
NOUNS = {"categories": "category", "rules": "rule", "routes": "route"}
SETTING = "setting"
ORDER = ""  # stands in the place of a key for the order of a list


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    ORDERED = "ordered"


@dataclass(frozen=True, slots=True)
class Change:
    """One entity that differs. fields: (name as in the file, before, after); of an order the keys."""

    noun: str
    key: str
    kind: ChangeKind
    fields: tuple[tuple[str, Any, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Change":
        fields = tuple((name, before, after) for name, before, after in stored["fields"])
        return cls(stored["noun"], stored["key"], ChangeKind(stored["kind"]), fields)


def parts_of(content: Content) -> Parts:
    named = {noun: {part["key"]: part for part in content[name]} for name, noun in NOUNS.items()}
    return named | {SETTING: dict(sorted(_leaves(content["classify"])))}


def content_of(parts: Parts) -> Content:
    classify: dict[str, Any] = {}
    for path, value in parts[SETTING].items():
        inner = classify
        *groups, name = path.split(".")
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return {name: list(parts[noun].values()) for name, noun in NOUNS.items()} | {"classify": classify}


def _leaves(settings: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield path + name, value


# ---- how two states differ


def diff(before: Content, after: Content) -> list[Change]:
    """In the order of the file; within a list first what was removed, then the rest in its place."""
    old, new = parts_of(before), parts_of(after)
    return [change for noun in old for change in _diff(noun, old[noun], new[noun])]


def _diff(noun: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for key in old:
        if key not in new:
            yield Change(noun, key, ChangeKind.REMOVED, _fields(old[key], None))
    for key in new:
        if key not in old:
            yield Change(noun, key, ChangeKind.ADDED, _fields(None, new[key]))
        elif old[key] != new[key]:
            yield Change(noun, key, ChangeKind.CHANGED, _fields(old[key], new[key]))
    if is_reordered(old, new):
        yield Change(noun, ORDER, ChangeKind.ORDERED, (("order", list(old), list(new)),))


def _fields(old: Any, new: Any) -> tuple[tuple[str, Any, Any], ...]:
    if not isinstance(old or new, dict):
        return (("value", old, new),)
    old, new = old or {}, new or {}
    names = [name for name in dict.fromkeys((*new, *old)) if name != "key"]
    return tuple((name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def is_reordered(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the list stands otherwise than by leaving out what is gone and appending what is new."""
    expected = [key for key in old if key in new] + [key for key in new if key not in old]
    return bool(old) and expected != list(new)


# ---- a draft, and what went live since it was opened


@dataclass(frozen=True, slots=True)
class Merged:
    """content: the draft's changes put upon what is live. conflicts: (noun, key) of what both sides changed; there
    the draft's is taken. base: what the draft's changes are changes of from now on.
    """

    content: Content
    conflicts: list[tuple[str, str]]
    base: Content


def merge(base: Content, draft: Content, live: Content) -> Merged:
    was, mine, theirs = parts_of(base), parts_of(draft), parts_of(live)
    content: Parts = {}
    new_base: Parts = {}
    conflicts: list[tuple[str, str]] = []
    for noun in mine:
        content[noun], new_base[noun], found = _merge(was[noun], mine[noun], theirs[noun])
        conflicts += [(noun, key) for key in found]
    return Merged(content_of(content), conflicts, content_of(new_base))


def _merge(was: dict, mine: dict, theirs: dict) -> tuple[dict, dict, list[str]]:
    keys = dict.fromkeys((*was, *mine, *theirs))
    ours = [key for key in keys if mine.get(key) != was.get(key)]
    conflicts = [key for key in ours if theirs.get(key) not in (was.get(key), mine.get(key))]
    wanted = {key: (mine if key in ours else theirs).get(key) for key in keys}
    i_moved, they_moved = is_reordered(was, mine), is_reordered(was, theirs)
    order = _woven(mine, theirs) if i_moved else _woven(theirs, mine)
    base = {key: (was if key in conflicts else theirs).get(key) for key in keys}
    disputed = i_moved and they_moved and is_reordered(mine, theirs)
    base_order = _woven(was, theirs) if disputed else _woven(theirs, was)
    return (
        {key: wanted[key] for key in order if wanted[key] is not None},
        {key: base[key] for key in base_order if base[key] is not None},
        conflicts + ([ORDER] if disputed else []),
    )


def reverted(draft: Content, live: Content, noun: str, key: str) -> Content:
    """The draft with one entity, or the order of one list, as it is live."""
    mine, theirs = parts_of(draft), parts_of(live)
    kept = dict(mine[noun])
    if key in theirs[noun]:
        kept[key] = theirs[noun][key]
    elif key != ORDER:
        kept.pop(key, None)
    order = _woven(theirs[noun], kept) if key == ORDER else _woven(mine[noun], theirs[noun])
    return content_of(mine | {noun: {each: kept[each] for each in order if each in kept}})


def _woven(leading: dict, other: dict) -> list[str]:
    """The keys of both: those of `leading` in its order, the others before what they stood before, or last."""
    order = list(leading)
    following = None
    for key in reversed(other):
        if key not in leading:
            order.insert(order.index(following) if following else len(order), key)
        following = key
    return order

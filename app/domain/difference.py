"""What changed between two states of a setting, one line for each value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """path: names from the outside in, such as `when.category`. None: there was, or is, no such value."""

    path: str
    before: str | None
    after: str | None


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Values that are the same on both sides are left out, and so are empty ones of which the other side is without."""
    old, new = _flat(before or {}), _flat(after or {})
    paths = dict.fromkeys([*old, *new])
    found = [Change(path, old.get(path), new.get(path)) for path in paths]
    return [change for change in found if (change.before or None) != (change.after or None)]


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, each in value.items():
        path = f"{above}{name}"
        if isinstance(each, Mapping) and each:
            found |= _flat(each, f"{path}.")
        elif isinstance(each, list) and any(isinstance(one, Mapping | list) for one in each):
            found |= _flat({str(place): one for place, one in enumerate(each, 1)}, f"{path}.")
        else:
            found[path] = _words(each)
    return found


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value == {} else str(value)

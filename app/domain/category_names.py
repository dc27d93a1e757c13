"""Which of a workspace's categories a name from elsewhere means. Pure."""

from collections.abc import Mapping
from difflib import SequenceMatcher

SIMILAR = 0.8  # of the letters in common: "Refunds" and "Refund", not "Refund" and "Return"


def proposed(foreign: str, categories: Mapping[str, str]) -> str | None:
    """The key of the category with the same or the most similar name; None where none is similar.

    categories: names by key.
    """
    wanted = _bare(foreign)
    names = [(key, bare) for key, name in categories.items() for bare in dict.fromkeys((_bare(name), _bare(key)))]
    likeness, key = max(((_likeness(wanted, bare), key) for key, bare in names if bare), default=(0.0, ""))
    return key if wanted and likeness >= SIMILAR else None


def _bare(name: str) -> str:
    """Small letters and digits, words in order of the alphabet: "Report: Bug" and "bug_report" are the same."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    return " ".join(sorted(words))


def _likeness(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other).ratio()

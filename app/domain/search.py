"""What a message can be found by: words, and pairs of characters where a script writes no spaces. Pure.

PostgreSQL's own parser takes a Chinese sentence for one word; pairs need no dictionary and find any part of it.
"""

import re
import unicodedata

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
RUN = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+")
MOST_TERMS, LONGEST_TERM = 400, 40


def terms(text: str) -> list[str]:
    """Distinct terms in order of appearance, at most 400."""
    found: dict[str, None] = {}
    for run in RUN.findall(unicodedata.normalize("NFKC", text[:20_000]).casefold()):
        if re.match(f"[{UNSPACED}]", run):
            found.update(dict.fromkeys([run] if len(run) == 1 else map("".join, zip(run, run[1:], strict=False))))
        else:
            found[run[:LONGEST_TERM]] = None
        if len(found) >= MOST_TERMS:
            break
    return list(found)[:MOST_TERMS]


def vector(text: str) -> str:
    """The terms as PostgreSQL writes a tsvector."""
    return " ".join(f"'{term}'" for term in sorted(terms(text)))


def query(text: str) -> str:
    """All terms must be there; the last one may be the beginning of a word. Empty when there is nothing to look for."""
    wanted = terms(text)
    return " & ".join([f"'{term}'" for term in wanted[:-1]] + [f"'{wanted[-1]}':*"]) if wanted else ""

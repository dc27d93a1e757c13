"""What services say: sentences of errors and reasons, found in their code so that they can be translated.

A sentence with parts filled in, such as f"There is no bot '{key}' any more.", is known by its template with numbered
places; what stands in the places is translated in its turn where it is a sentence itself.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("app/services", "app/classify", "app/domain")
SENTENCE = re.compile(r"[A-Z{'].*\s.*[.…]", re.DOTALL)
SHORTEST, LONGEST = 15, 400  # characters besides the places: what says less fits too much; a prompt says more
PLACE = re.compile(r"\{(\d+)\}")


def in_code() -> Iterator[tuple[str, str]]:
    """(template, file) of each sentence the services can say."""
    for source in SOURCES:
        for file in sorted((ROOT / source).glob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            unsaid = _docstrings(tree) | _inside_f_strings(tree)
            for node in ast.walk(tree):
                template = None if id(node) in unsaid else _template(node)
                if template and SENTENCE.fullmatch(template) and SHORTEST <= len(PLACE.sub("", template)) <= LONGEST:
                    yield template, str(file.relative_to(ROOT))


def _template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[a-z_:,.0-9]+\}", _Numbered(), node.value)
    if isinstance(node, ast.JoinedStr):
        numbered = _Numbered()
        return "".join(part.value if isinstance(part, ast.Constant) else numbered() for part in node.values)
    return None


class _Numbered:
    """{0}, {1} and so on, in order of asking."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self, match: re.Match | None = None) -> str:
        self.next += 1
        return f"{{{self.next - 1}}}"


def _docstrings(tree: ast.AST) -> set[int]:
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _inside_f_strings(tree: ast.AST) -> set[int]:
    return {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
            if part is not node}  # fmt: skip


@cache
def pattern(template: str) -> re.Pattern | None:
    """Matches what the template can say; None for a text without places."""
    if not PLACE.search(template):
        return None
    parts = PLACE.split(template)
    return re.compile(
        "".join(f"(?P<p{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.S
    )

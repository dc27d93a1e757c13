"""Keeps the catalogues complete: `python -m app.ui.catalogue` adds what the code says and drops what it no longer says.

A text is found where it is passed to `_`, `ngettext` or `later`, and in the forms: each
adapter's `Config` and set-up steps, and the LLM account. What services say is found by `sentences`.
"""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import ModuleType

from babel.messages import Catalog, pofile
from pydantic import BaseModel

from app.classify import llm
from app.ui import i18n, sentences
from connectors import registry

ROOT = Path(__file__).parents[2]
SOURCES = ("app/main.py", "app/ui", "pages")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SINGULAR, PLURAL = {"_", "later"}, "ngettext"

Text = str | tuple[str, str]  # a pair where there is a plural


def texts() -> dict[Text, list[str]]:
    """Every text to translate, with the places that say it."""
    found: dict[Text, list[str]] = {}
    for text, place in (*_in_code(), *_in_adapters(), *sentences.in_code()):
        found.setdefault(text, []).append(place)
    return found


def untranslated(name: str) -> list[Text]:
    catalogue = _read(name)
    known = {message.id for message in catalogue if message.id and message.string and all(_forms(message.string))}
    return [text for text in texts() if text not in known]


def update(name: str) -> int:
    """Rewrite the file in order of the texts; returns how many still want a translation."""
    old, new = _read(name), _new(name)
    for text, places in texts().items():
        known = old.get(text[0] if isinstance(text, tuple) else text)
        kept = known.string if known and isinstance(known.id, tuple) == isinstance(text, tuple) else None
        new.add(text, kept, locations=[(place, 0) for place in sorted(set(places))])
    written = BytesIO()
    pofile.write_po(written, new, width=120, include_lineno=False, sort_output=True)
    i18n.catalogue_path(name).write_bytes(written.getvalue())
    return len(untranslated(name))


def _in_code() -> Iterator[tuple[Text, str]]:
    """Read from the syntax tree, because Babel's own extractor does not look into f-strings on Python 3.11."""
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(file.read_text())):
                if text := _marked(node):
                    yield text, str(file.relative_to(ROOT))


def _marked(node: ast.AST) -> Text | None:
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = tuple(each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str))
    if name in SINGULAR and len(texts) == 1:
        return texts[0]
    return texts if name == PLURAL and len(texts) == 2 else None


def _in_adapters() -> Iterator[tuple[str, str]]:
    modules = [registry.channel(key) for key in registry.channel_keys()]
    modules += [registry.crm(key) for key in registry.crm_keys()]
    for module in modules:
        place = module.__name__.replace(".", "/") + ".py"
        for text in _of_adapter(module):
            if text:
                yield text, place
    for text in _of_fields(llm.Account):
        if text:
            yield text, "app/classify/llm.py"


def _of_fields(model: type[BaseModel]) -> Iterator[str]:
    for field in model.model_fields.values():
        yield field.title or ""
        yield field.description or ""


def _of_adapter(module: ModuleType) -> Iterator[str]:
    yield from _of_fields(module.Config)
    adapter = getattr(module, "Channel", None) or module.Connector
    yield from getattr(adapter, "SETUP_STEPS", ())
    yield getattr(adapter, "EXACTLY_ONCE", "")


def _new(name: str) -> Catalog:
    """With a header that says nothing about when or by whom, so the file changes only with the texts."""
    return Catalog(
        name, project="Octopus", version="1", charset="utf-8", fuzzy=False, header_comment=f"# Octopus in {name}",
        creation_date=EPOCH, revision_date=EPOCH, last_translator="", language_team="", msgid_bugs_address="",
    )  # fmt: skip


def _forms(string: str | tuple[str, ...]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else string


def _read(name: str) -> Catalog:
    path = i18n.catalogue_path(name)
    if not path.exists():
        return _new(name)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=name)


if __name__ == "__main__":
    for language in set(i18n.LANGUAGES) - {"en"}:
        print(f"{language}: {update(language)} texts want a translation")

"""The values Notion's properties and blocks hold. Pure.
Source: https://developers.notion.com/reference/property-value-object, limits:
https://developers.notion.com/reference/request-limits (read 2026-11).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteField
from connectors.answers import clipped, inside, one_line
from connectors.waits import number

PIECE = 1_000  # characters of one rich text; Notion takes 2,000 UTF-16 units, and an emoji needs two of them
MOST_BLOCKS = 100  # in one request, the block with the key among them
LONGEST_BODY = PIECE * (MOST_BLOCKS - 1) // 2  # a piece may end early, at a line or a word
LONGEST_OPTION, MOST_IN_LIST = 100, 100
LONGEST = {"url": 2_000, "email": 200, "phone_number": 200}
PEOPLE = "people"

Schema = dict[str, dict[str, Any]]


def fields_of(schema: Schema, key_property: str) -> list[RemoteField]:
    """What can be written; Notion fills the other types itself."""
    return [
        RemoteField(name, name, kind["type"], kind["type"] == "title", options(kind))
        for name, kind in schema.items()
        if name != key_property and kind.get("type") in WRITTEN
    ]


def title_of(schema: Schema) -> str:
    """The name of the title property; each data source has exactly one."""
    return next((name for name, kind in schema.items() if kind.get("type") == "title"), "Name")


def options(kind: dict[str, Any]) -> tuple[str, ...]:
    return tuple(option["name"] for option in inside(kind, kind["type"], "options") or ())


def first_of(schema: Schema, names: tuple[str, ...], kinds: tuple[str, ...]) -> str:
    """The first of these properties the data source has; empty when it has none."""
    return next((name for name in names if inside(schema, name, "type") in kinds), "")


def known(schema: Schema, name: str, wanted: tuple[str, ...]) -> list[str]:
    """The property's own options that are called like the wanted ones."""
    lower = {one.casefold() for one in wanted}
    return [option for option in (options(schema[name]) if name else ()) if option.casefold() in lower]


def typed(name: str, kind: dict[str, Any], text: str) -> dict[str, Any]:
    """A mapped text as the value of a property described by `kind`. People: their ids. Raises Rejected."""
    write = WRITTEN.get(kind["type"])
    if write is None:
        raise refusal(name, "is filled by Notion itself")
    if kind["type"] == "status" and text not in options(kind):  # through the API no new one can be made
        raise refusal(name, f"has no option '{text}' but {', '.join(options(kind))}")
    return {kind["type"]: write(name, text)}


def refusal(name: str, what: str) -> Rejected:
    return Rejected(f"Notion's property '{name}' {what}; nothing was sent. Correct the field mapping and replay.", name)


def _title(name: str, text: str) -> Any:
    return rich_text(one_line(text, PIECE))


def _rich_text(name: str, text: str) -> Any:
    return rich_text(clipped(text, LONGEST_BODY))


def _option(name: str, text: str) -> Any:
    """Notion refuses commas and more than 100 characters in the name of an option."""
    return {"name": one_line(text.replace(",", " "), LONGEST_OPTION)}


def _options(name: str, text: str) -> Any:
    return [_option(name, part) for part in _parts(text)]


def _ids(name: str, text: str) -> Any:
    return [{"id": part} for part in _parts(text)]


def _date(name: str, text: str) -> Any:
    """ISO 8601, a day or a moment; two of them with a slash between are a period."""
    start, _slash, end = (part.strip() for part in text.partition("/"))
    try:
        for one in filter(None, (start, end)):
            datetime.fromisoformat(one)
    except ValueError as error:
        raise refusal(name, "takes a date like 2026-12-31 or 2026-12-31T09:30:00Z") from error
    if not start:
        raise refusal(name, "takes a date like 2026-12-31 or 2026-12-31T09:30:00Z")
    return {"start": start, "end": end} if end else {"start": start}


def _number(name: str, text: str) -> Any:
    value = number(text)
    if value is None:
        raise refusal(name, "takes a number")
    return value


def _files(name: str, text: str) -> Any:
    return [{"name": part[:LONGEST_OPTION], "external": {"url": part}} for part in _parts(text)]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()][:MOST_IN_LIST]


def _short(kind: str) -> Callable[[str, str], Any]:
    return lambda name, text: text[: LONGEST[kind]]


WRITTEN: dict[str, Callable[[str, str], Any]] = {
    "title": _title, "rich_text": _rich_text, "number": _number, "select": _option, "multi_select": _options,
    "status": _option, "date": _date, PEOPLE: _ids, "relation": _ids, "files": _files,
    "checkbox": lambda name, text: text.strip().lower() in ("true", "yes", "1"),
    "url": _short("url"), "email": _short("email"), "phone_number": _short("phone_number"),
}  # fmt: skip


# ---- texts


def pieces(text: str) -> Iterator[str]:
    """text in pieces of at most PIECE characters, cut at a line or a word in the second half where there is one."""
    while len(text) > PIECE:
        cut = max(text.rfind("\n", PIECE // 2, PIECE), text.rfind(" ", PIECE // 2, PIECE)) + 1 or PIECE
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def rich_text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": piece}} for piece in pieces(text)]


def paragraph(text: str) -> dict[str, Any]:
    return {"object": "block", "type": "paragraph", "paragraph": {"rich_text": rich_text(text)}}


def plain(rich_text: Any) -> str:
    return "".join(part.get("plain_text", "") for part in rich_text or ())

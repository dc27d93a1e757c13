"""The values Notion's properties and blocks hold. Source: https://developers.notion.com/reference/property-value-object,
limits: https://developers.notion.com/reference/request-limits. Pure.
"""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import Rejected
from connectors.answers import clipped, inside, one_line

PIECE = 1_000  # characters of one rich text; Notion takes 2,000 UTF-16 units, and an emoji needs two of them
MOST_BLOCKS = 100  # in one request, the block with the key among them
LONGEST_BODY = PIECE * (MOST_BLOCKS - 1) // 2  # a piece may end early, at a line or a word
TEXT_TYPES = ("url", "email", "phone_number")
ID_LISTS = ("people", "relation")


def typed(name: str, kind: str, text: str) -> dict[str, Any]:
    """A mapped text as the value of a property of this type."""
    if kind == "title":
        return {kind: rich_text(one_line(text, PIECE))}
    if kind == "rich_text":
        return {kind: rich_text(clipped(text, LONGEST_BODY))}
    if kind in ("select", "status"):
        return {kind: {"name": _option(text)}}
    if kind == "multi_select":
        return {kind: [{"name": _option(part)} for part in text.split(",") if part.strip()]}
    if kind == "date":
        return {kind: {"start": text}}
    if kind == "checkbox":
        return {kind: text.strip().lower() in ("true", "yes", "1")}
    if kind in ID_LISTS:
        return {kind: [{"id": part.strip()} for part in text.split(",")]}
    if kind in TEXT_TYPES:
        return {kind: text[:PIECE]}
    if kind != "number":
        raise Rejected(f"Notion fills the property '{name}' itself. Correct the field mapping and replay.", name)
    try:
        return {kind: float(text)}
    except ValueError as error:
        text = f"Notion's property '{name}' takes a number; nothing was sent. Correct the field mapping and replay."
        raise Rejected(text, name) from error


def _option(text: str) -> str:
    """The name of an option: Notion refuses commas and more than 100 characters there."""
    return one_line(text.replace(",", " "), 100)


def options(kind: dict[str, Any]) -> tuple[str, ...]:
    return tuple(option["name"] for option in inside(kind, kind["type"], "options") or ())


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

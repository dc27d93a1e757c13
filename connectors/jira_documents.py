"""Texts as Jira stores them, in Atlassian Document Format. Pure.
Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ (read 2026-11).
"""

from typing import Any

BLOCKS = ("paragraph", "heading", "codeBlock", "listItem", "taskItem", "decisionItem", "tableRow", "rule", "mediaGroup")
SHOWN = {"mention": "text", "emoji": "text", "status": "text", "inlineCard": "url", "blockCard": "url"}


def document(text: str) -> dict[str, Any]:
    """A paragraph a line; Jira refuses a text node that is empty."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []} for line in text.split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def text_of(node: Any) -> str:
    """The words of a document, a line for each of its blocks; pictures and other media are left out."""
    return _words(node).strip()


def _words(node: Any) -> str:
    if not isinstance(node, dict):
        return ""
    kind, attributes = node.get("type"), node.get("attrs") or {}
    if kind == "text":
        return str(node.get("text") or "")
    if kind == "hardBreak":
        return "\n"
    if kind in SHOWN:
        return str(attributes.get(SHOWN[kind]) or attributes.get("shortName") or "")
    words = "".join(map(_words, node.get("content") or ()))
    # A block that ends with another one, as a list item with its paragraph, has ended its line already.
    return f"{words}\n" if kind in BLOCKS and not words.endswith("\n") else words

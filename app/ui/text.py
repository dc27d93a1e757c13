"""The only ways customers' and vendors' words reach the screen: none of them can become a link, an image or HTML."""

import re
from urllib.parse import quote

import streamlit as st

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINKED_AFTER_PARSING = re.compile(r"(:|@|www)", re.IGNORECASE)
_INVISIBLE = "\u2060"
_IN_ADDRESS = ":/?#[]@!$&'()*+,;=%~"
_ADDRESS = re.compile(r"(https?://[^\s)'\"]*[^\s)'\".,;:])")


def plain(words: str, **options) -> None:
    """A paragraph, line breaks kept."""
    st.text(words, **options)


def escape(words: str) -> str:
    """For places that read Markdown, such as the label of a button or an expander; one line.

    A backslash stops Markdown, but addresses and :emoji: are found in the text that is left after it: an invisible
    word joiner stops those.
    """
    line = " ".join(words.split())
    return _LINKED_AFTER_PARSING.sub(rf"\1{_INVISIBLE}", _backslashed(line))


def linked(words: str) -> str:
    """Markdown of our own texts, such as set-up steps: escaped, web addresses can be clicked, names copied."""
    return "".join(_link(part) if at % 2 else _backslashed(part) for at, part in enumerate(_ADDRESS.split(words)))


def _link(address: str) -> str:
    return f"[{_backslashed(address)}](<{quote(address, safe=_IN_ADDRESS)}>)"


def _backslashed(words: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", words)


def shorten(words: str, length: int = 80) -> str:
    """One line of at most `length` characters."""
    line = " ".join(words.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"

"""From what a model wrote to an answer that may be believed. Pure.

A model may have followed a customer's instructions, or may serve badly: nothing it writes passes unchecked. Category,
priority and sentiment come from closed sets, the language is two letters, title and reason are one plain short line.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from app.classify.prompt import NONE_OF_THESE, visible
from app.domain.classification import Priority, Sentiment

TITLE_CHARS, REASON_CHARS, LABEL_CHARS = 120, 300, 40
LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][A-Za-z]{2,4})?")  # also "zh-CN" and "pt_BR"
# No tag, and no Markdown link below: a title is copied into systems that may render what they are given.
HARMLESS = str.maketrans({"<": "‹", ">": "›", "`": "'"})
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Answer:
    """One call's result. `category` None means a person decides, and `problem` says why.

    confidence: 0..1. input_tokens: all of them, those read from the vendor's cache (`cached_tokens`) included.
    cost_usd, took_ms: of this call, whatever became of it.
    """

    category: str | None = None
    priority: Priority | None = None
    sentiment: Sentiment | None = None
    language: str | None = None
    title: str = ""
    confidence: float | None = None
    reason: str = ""
    problem: str = ""
    none_fits: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    took_ms: float = 0.0


def fields_of(written: str, categories: frozenset[str]) -> dict[str, Any]:
    """The checked fields of an `Answer`. Unknown extra fields are left out; nothing is guessed for a missing one."""
    said = _json_object(written)
    if said is None:
        return {"problem": "The model's answer is not the JSON object it was asked for."}
    confidence = _confidence(said.get("confidence"))
    problem = _problem(said.get("category"), confidence, categories)
    return {
        "category": None if problem else said["category"],
        "priority": _one_of(Priority, said.get("priority")),
        "sentiment": _one_of(Sentiment, said.get("sentiment")),
        "language": _language(said.get("language")),
        "title": plain_line(said.get("title"), TITLE_CHARS),
        "confidence": confidence,
        "reason": plain_line(said.get("reason"), REASON_CHARS),
        "problem": problem,
        "none_fits": said.get("category") == NONE_OF_THESE,
    }


def plain_line(said: object, limit: int) -> str:
    """One line without control characters or anything a browser or a chat would take for markup."""
    if not isinstance(said, str):
        return ""
    line = " ".join(visible(said[: 4 * limit]).split()).translate(HARMLESS).replace("](", "] (")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _json_object(written: str) -> dict[str, Any] | None:
    """Servers without strict output like to wrap the object in a code fence or in thoughts."""
    try:
        said = json.loads(written[written.find("{") : written.rfind("}") + 1])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _problem(category: object, confidence: float | None, categories: frozenset[str]) -> str:
    if category == NONE_OF_THESE:
        return "The model found that none of the categories fits."
    if not isinstance(category, str) or category not in categories:
        label = plain_line(category, LABEL_CHARS)
        return f"The model answered outside the categories: '{label}'." if label else "The model named no category."
    if confidence is None:
        return "The model did not say how sure it is."
    return ""


def _confidence(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if 0 <= said <= 1 else None


def _language(said: object) -> str | None:
    match = LANGUAGE.fullmatch(said) if isinstance(said, str) else None
    return match[1] if match else None


def _one_of(choices: type[Choice], said: object) -> Choice | None:
    return next((choice for choice in choices if choice == said), None)

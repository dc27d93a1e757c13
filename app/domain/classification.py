"""The vocabulary of a classification. Pure data."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


TAKEN_BACK = "taken back"  # the reason of a decision that undoes the one before it


class Source(StrEnum):
    """Who decided, in the order they are asked."""

    RULE = "rule"
    MEMORY = "memory"
    LOCAL = "local"
    NAMES = "names"  # only suggests
    LLM = "llm"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Category:
    """One label of a workspace's taxonomy."""

    key: str
    name: str
    description: str = ""
    priority: Priority = Priority.NORMAL
    sla_min: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One tier's answer, kept for the passport: what it said, how sure it was, what it cost."""

    source: Source
    answer: str | None
    confidence: float | None = None
    reason: str = ""
    took_ms: float = 0.0
    cost_usd: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Classification:
    """The cascade's result. `category` None means nobody was sure: a person decides (`review_reason` says why).

    confidence: 0..1. cost_usd: sum over all steps, failed calls included. active_s: seconds a person looked at it.
    """

    category: str | None
    priority: Priority
    source: Source | None
    confidence: float | None = None
    sentiment: Sentiment | None = None
    language: str | None = None
    title: str = ""
    reason: str = ""
    review_reason: str = ""
    ignore_reason: str = ""
    review_rate: float | None = None  # how likely a person's look was, where the message waits for one
    tags: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    active_s: float | None = None

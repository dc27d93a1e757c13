"""Conditions of rules and routes: one vocabulary, one meaning. Pure.

    {text_matches: "(?i)down|outage"}                         all named tests must hold
    {all: [...], any: [...], not: {...}}                       nested as deep as needed (at most 8)

Regular expressions run on RE2 (linear time), so a pattern can never hang a worker; look-around and
back-references are refused when the rule is saved. Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.domain.classification import Priority, Sentiment

MAX_DEPTH = 8
Texts = list[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask about one message. The last three are known only after it is classified."""

    text: str
    channel: str
    bot: str
    received_at: datetime
    language: str | None = None
    contact_tags: frozenset[str] = frozenset()
    has_attachment: bool = False
    timezone: str = "UTC"
    category: str | None = None
    priority: Priority | None = None
    sentiment: Sentiment | None = None


class Hours(BaseModel):
    """A daily window in the workspace's time zone; `from` after `to` runs over midnight."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: time = Field(alias="from")
    to: time
    days: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], description="ISO weekdays, 1 is Monday")

    @field_validator("days")
    @classmethod
    def _weekdays(cls, days: list[int]) -> list[int]:
        if not days or not set(days) <= set(range(1, 8)):
            raise ValueError("days are numbers from 1 (Monday) to 7 (Sunday)")
        return days

    def holds(self, moment: datetime) -> bool:
        now = moment.time()
        if self.from_ <= self.to:
            return moment.isoweekday() in self.days and self.from_ <= now < self.to
        started_today = now >= self.from_
        day = moment.isoweekday() if started_today else (moment.isoweekday() - 2) % 7 + 1
        return day in self.days and (started_today or now < self.to)


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # the error is raised and shown; RE2 would print it a second time


@lru_cache(maxsize=4096)
def compiled(pattern: str):
    return re2.compile(pattern, _OPTIONS)


class Condition(BaseModel):
    """Every test that is set must hold; an empty condition holds for every message."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    all: list[Condition] | None = None
    any: list[Condition] | None = None
    not_: Condition | None = Field(None, alias="not")
    text_contains: str | None = None
    text_any_of: Texts | None = None
    text_matches: str | None = None
    channel: Texts | None = None
    bot: Texts | None = None
    language: Texts | None = None
    contact_tag: Texts | None = None
    hours: Hours | None = None
    min_length: int | None = Field(None, ge=0)
    max_length: int | None = Field(None, ge=0)
    has_attachment: bool | None = None
    category: Texts | None = None
    priority: list[Priority] | None = None
    sentiment: list[Sentiment] | None = None

    @field_validator("text_matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                compiled(pattern)
            except re2.error as error:
                raise ValueError(f"is not a regular expression RE2 can run: {_said(error)}") from error
        return pattern

    @field_validator("text_contains")
    @classmethod
    def _says_something(cls, text: str | None) -> str | None:
        if text is not None and not text.strip():
            raise ValueError("is empty, and would match every message; remove it or write a text")
        return text

    @field_validator("text_any_of")
    @classmethod
    def _all_say_something(cls, texts: Texts | None) -> Texts | None:
        if texts is not None and not all(text.strip() for text in texts):
            raise ValueError("holds an empty text, which would match every message; remove it")
        return texts

    @model_validator(mode="after")
    def _not_too_deep(self) -> Condition:
        if _depth(self) > MAX_DEPTH:
            raise ValueError(f"conditions are nested more than {MAX_DEPTH} levels deep")
        return self

    def holds(self, facts: Facts) -> bool:
        return _tests_hold(self, facts) and _groups_hold(self, facts)

    def is_empty(self) -> bool:
        return not self.model_fields_set or self == Condition()


def _said(error: re2.error) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _depth(condition: Condition) -> int:
    inner = [*(condition.all or ()), *(condition.any or ()), *filter(None, [condition.not_])]
    return 1 + max(map(_depth, inner), default=0)


def _groups_hold(condition: Condition, facts: Facts) -> bool:
    if condition.all is not None and not all(c.holds(facts) for c in condition.all):
        return False
    if condition.any is not None and not any(c.holds(facts) for c in condition.any):
        return False
    return condition.not_ is None or not condition.not_.holds(facts)


def _tests_hold(c: Condition, facts: Facts) -> bool:
    if not _text_holds(c, facts.text):
        return False
    one_of = (
        (c.channel, facts.channel),
        (c.bot, facts.bot),
        (c.language, facts.language),
        (c.category, facts.category),
        (c.priority, facts.priority),
        (c.sentiment, facts.sentiment),
    )
    if any(allowed is not None and value not in allowed for allowed, value in one_of):
        return False
    if c.contact_tag is not None and not facts.contact_tags.intersection(c.contact_tag):
        return False
    if c.has_attachment is not None and c.has_attachment != facts.has_attachment:
        return False
    return c.hours is None or c.hours.holds(facts.received_at.astimezone(ZoneInfo(facts.timezone)))


def _text_holds(c: Condition, text: str) -> bool:
    if c.min_length is not None and len(text) < c.min_length:
        return False
    if c.max_length is not None and len(text) > c.max_length:
        return False
    if c.text_contains is None and c.text_any_of is None and c.text_matches is None:
        return True
    folded = text.casefold()
    if c.text_contains is not None and c.text_contains.casefold() not in folded:
        return False
    if c.text_any_of is not None and not any(word.casefold() in folded for word in c.text_any_of):
        return False
    return c.text_matches is None or compiled(c.text_matches).search(text) is not None

"""The customers' messages: made from templates with slots, always the same ones. Pure."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

COUNT, SEED = 500, 7
CHINESE, HARD = 0.35, 0.12  # shares
CUSTOMERS = 180
SLOT = re.compile(r"{(\w+)}")
# How many of a hundred messages are about what, roughly: shops are asked about parcels and bugs most.
WEIGHTS = {
    "delivery": 18, "bug": 16, "returns": 13, "billing": 12, "account": 11, "how_to": 10, "feature": 7, "sales": 5,
    "privacy": 4, "feedback": 4,
}  # fmt: skip
NAMES = {
    "en": ["Ada", "Ben", "Clara", "Dylan", "Elif", "Femi", "Greta", "Hugo", "Inês", "Jonas", "Kofi", "Lena", "Marco",
           "Nora", "Oskar", "Priya", "Quinn", "Rosa", "Sami", "Tess"],
    "zh": ["陈晨", "李娜", "王伟", "张敏", "刘洋", "杨帆", "赵静", "黄磊", "周颖", "吴桐", "徐婷", "孙浩"],
}  # fmt: skip
INITIALS = "ABCDEFGHKLMNPRSTVW"


@dataclass(frozen=True, slots=True)
class Message:
    """number: 0..499, in the order they are sent. customer: 0..179. hard: a person may well be unsure, too."""

    number: int
    customer: int
    name: str
    language: str
    text: str
    category: str
    hard: bool


@cache
def messages() -> tuple[Message, ...]:
    return tuple(_made(random.Random(SEED), texts()))


@cache
def by_text() -> dict[str, Message]:
    return {message.text: message for message in messages()}


@cache
def texts() -> dict[str, Any]:
    return yaml.safe_load((Path(__file__).parent / "texts.yaml").read_text(encoding="utf-8"))


def _made(rng: random.Random, written: dict[str, Any]) -> Iterator[Message]:
    said: set[str] = set()
    people = [_person(rng) for _ in range(CUSTOMERS)]
    while len(said) < COUNT:
        category = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        customer = rng.randrange(CUSTOMERS)
        name, language = people[customer]
        hard = rng.random() < HARD
        text = _text(rng, written, category, language, hard)
        if text not in said:
            said.add(text)
            yield Message(len(said) - 1, customer, name, language, text, category, hard)


def _person(rng: random.Random) -> tuple[str, str]:
    language = "zh" if rng.random() < CHINESE else "en"
    name = rng.choice(NAMES[language])
    return (name if language == "zh" else f"{name} {rng.choice(INITIALS)}."), language


def _text(rng: random.Random, written: dict[str, Any], category: str, language: str, hard: bool) -> str:
    templates = written["categories"][category]
    body = templates["hard"][language == "zh"] if hard else rng.choice(templates[language])
    body = SLOT.sub(lambda slot: rng.choice(written["slots"][slot[1]]), body)
    opening, closing = (rng.choice(written[part][language]) for part in ("openings", "closings"))
    text = opening + body + closing
    return text[0].upper() + text[1:]

"""A simulated language model, in the shape of Anthropic's Messages API: right about 85 times of a hundred.

It knows what the demo's customers write. Of other texts it takes the words they share with those, and is unsure.
"""

import asyncio
import json
import random
import re
import textwrap
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.messages import Message, by_text, messages, texts

SLOW_S = (0.3, 0.9)
RIGHT, RIGHT_WHEN_HARD = 0.88, 0.6
SURE, UNSURE = (0.72, 0.97), (0.35, 0.58)  # confidence
UNSURE_SHARE, UNSURE_WHEN_HARD = 0.05, 0.7
FENCED = re.compile(r"\[message \w+\]\n(.*?)\n\[end of message \w+\]", re.DOTALL)
ALIKE = 0.5  # share of words, from which a text of a visitor is as good as known
NONE_OF_THESE = "none_of_these"
UPSET, HAPPY = ("returns", "bug", "billing"), ("feedback",)


async def answer(request: Request) -> Response:
    asked = await request.json()
    text = FENCED.findall(asked["messages"][0]["content"])[-1]
    offered = asked["output_config"]["format"]["schema"]["properties"]["category"]["enum"]
    await asyncio.sleep(random.uniform(*SLOW_S))
    said = json.dumps(verdict(text, offered), ensure_ascii=False)
    usage = {"input_tokens": len(asked["system"][0]["text"]) // 4 + len(text) // 3, "output_tokens": 90}
    return JSONResponse({
        "id": "msg_simulated", "type": "message", "role": "assistant", "model": asked["model"],
        "content": [{"type": "text", "text": said}], "stop_reason": "end_turn", "usage": usage,
    })  # fmt: skip


def verdict(text: str, offered: list[str]) -> dict[str, Any]:
    """The same for the same text, so a second try says the same. offered: categories' keys and none_of_these."""
    rng = random.Random(text)
    known = by_text().get(text)
    if known:
        category, unsure = _of_known(known, offered, rng)
    else:
        category, likeness = _resembling(text)
        unsure = likeness < ALIKE
        category = category if likeness else NONE_OF_THESE
    confidence = rng.uniform(*(UNSURE if unsure else SURE))
    category = category if category in offered else NONE_OF_THESE
    mood = "negative" if category in UPSET else "positive" if category in HAPPY else "neutral"
    return {
        "category": category, "confidence": round(confidence, 2), "priority": "normal", "sentiment": mood,
        "language": "zh" if re.search("[\u4e00-\u9fff]", text) else "en", "title": _title(text),
        "reason": f"The words sound like '{category}'.",
    }  # fmt: skip


def _of_known(known: Message, offered: list[str], rng: random.Random) -> tuple[str, bool]:
    """(category, unsure): now and then another than the right one."""
    others = [key for key in offered if key not in (known.category, NONE_OF_THESE)]
    wrong = others and rng.random() >= (RIGHT_WHEN_HARD if known.hard else RIGHT)
    category = rng.choice(others) if wrong else known.category
    return category, rng.random() < (UNSURE_WHEN_HARD if known.hard else UNSURE_SHARE)


def _title(text: str) -> str:
    """The first sentence, without a greeting."""
    greetings = [each for language in texts()["openings"].values() for each in language if each]
    text = next((text[len(each) :] for each in greetings if text.startswith(each)), "") or text
    first = re.match(r"[^.?!。？！]*(?:[.?!](?=\w)[^.?!。？！]*)*[.?!。？！]?", text)[0].strip() or text
    return textwrap.shorten(first[0].upper() + first[1:], 80, placeholder="…")


def _resembling(text: str) -> tuple[str, float]:
    """(category, 0..1) of the customer's message that shares most words with this one."""
    words = _words(text)
    shared = [(len(words & theirs) / (len(words | theirs) or 1), message.number) for message, theirs in _all_words()]
    likeness, number = max(shared)
    return messages()[number].category, likeness


@cache
def _all_words() -> list[tuple[Message, frozenset[str]]]:
    return [(message, _words(message.text)) for message in messages()]


def _words(text: str) -> frozenset[str]:
    """Words of letters; of Chinese the pairs of neighbouring characters."""
    chinese = re.findall("[\u4e00-\u9fff]+", text)
    pairs = {run[i : i + 2] for run in chinese for i in range(len(run) - 1)}
    return frozenset(pairs | set(re.findall("[a-z]{3,}", text.lower())))


ROUTES = [Route("/llm/v1/messages", answer, methods=["POST"])]

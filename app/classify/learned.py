"""The two tiers that learn: what persons decided before, word for word, and the workspace's own model."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from time import perf_counter

from app.classify.calibration import Thresholds
from app.classify.local_model import LocalModel
from app.classify.memory import Memory, Neighbour
from app.classify.opinion import Opinion
from app.classify.prompt import Prompt
from app.domain.classification import Category, Source, Step
from app.domain.conditions import Facts

LIKELIEST, WORDS = 5, 6  # shown in the passport
ASKED_ABOUT = 10  # the right category is among the model's ten likeliest for 99 messages of 100
SHOWN = 8  # nearest corrections in a question to the LLM
ENOUGH_EACH, ENOUGH = 20, 50  # corrections per category before any is left out; and before any is shown
RESEMBLES = 0.15  # cosine below which a correction helps nobody
UNCHECKED = "An imported ticket with the same words suggests the category; nobody has checked it here yet."


@dataclass(frozen=True, slots=True)
class Learned:
    """What a process knows of one workspace."""

    model: LocalModel
    memory: Memory
    thresholds: Thresholds


def by_memory(
    learned: Callable[[], Learned], categories: Container[str], without: str = ""
) -> Callable[[str, Facts], Opinion]:
    """without: the key of a correction that does not count."""

    def tier(text: str, facts: Facts) -> Opinion:
        memory = learned().memory
        if not len(memory):
            return Opinion(Source.MEMORY, ())
        started = perf_counter()
        found = memory.duplicate(text, without)
        took_ms = (perf_counter() - started) * 1000
        if found is None or found.correction.category not in categories:
            return Opinion(Source.MEMORY, (Step(Source.MEMORY, None, None, "no such message yet", took_ms),))
        category, reason = found.correction.category, _same_words(found)
        origin = "imported_ticket" if found.correction.imported else "message"
        detail = {origin: found.correction.key, "similarity": round(found.similarity, 3)}
        step = Step(Source.MEMORY, category, found.similarity, reason, took_ms, detail=detail)
        if found.correction.imported:  # nobody here has looked at it: one wrong old label must not decide alone
            return Opinion(Source.MEMORY, (step,), unsure_because=UNCHECKED)
        return Opinion(Source.MEMORY, (step,), category, found.similarity, reason=reason)

    return tier


def _same_words(found: Neighbour) -> str:
    same = found.similarity >= 1
    if found.correction.imported:
        return "an imported ticket says the same words" if same else "an imported ticket says nearly the same words"
    return "a person decided the same words" if same else "a person decided nearly the same words"


def by_model(learned: Callable[[], Learned], categories: Container[str]) -> Callable[[str, Facts], Opinion]:
    def tier(text: str, facts: Facts) -> Opinion:
        started = perf_counter()
        known = learned()
        answer = known.model.answer(text)
        if answer.category is None:
            return Opinion(Source.LOCAL, ())
        why_not = known.thresholds.refuses(answer)
        if not why_not and answer.category not in categories:
            why_not = f"The category '{answer.category}' does not exist any more."
        words = known.model.explain(text, answer.category, WORDS)
        detail = {
            "raw": round(answer.raw, 4), "stands": not why_not,
            "likeliest": [[key, round(p, 4)] for key, p in answer.likeliest(LIKELIEST)],
            "words": [[word, round(share, 3)] for word, share in words],
        }  # fmt: skip
        reason = why_not or f"{answer.probability:.0%} sure"
        took_ms = (perf_counter() - started) * 1000
        answered = answer.category if answer.category in categories else None
        step = Step(Source.LOCAL, answered, answer.probability, reason, took_ms, detail=detail)
        if why_not:
            return Opinion(Source.LOCAL, (step,), unsure_because=why_not)
        return Opinion(
            Source.LOCAL, (step,), answer.category, answer.probability, priority=answer.priority,
            sentiment=answer.sentiment, reason=reason,
        )  # fmt: skip

    return tier


def narrowed(learned: Learned, categories: Sequence[Category], text: str, instructions: str = "") -> Prompt | None:
    """A cheaper and better question to the LLM: the likeliest categories and the nearest corrections.

    None while too little was learnt to leave anything out or to show.
    """
    by_key = {category.key: category for category in categories}
    near = learned.memory.nearest(text, SHOWN) if len(learned.memory) >= ENOUGH else []
    examples = [(one.correction.text, one.correction.category) for one in near if one.similarity >= RESEMBLES]
    likeliest: list[Category] = []
    if len(categories) > ASKED_ABOUT and len(learned.memory) >= ENOUGH_EACH * len(categories):
        keys = [key for key, _ in learned.model.answer(text).likeliest(ASKED_ABOUT)]
        keys += [key for _, key in examples]
        likeliest = [by_key[key] for key in dict.fromkeys(keys) if key in by_key]
    asked = tuple(likeliest) if len(likeliest) >= ASKED_ABOUT else tuple(categories)
    shown = tuple((text, key) for text, key in reversed(examples) if key in by_key)  # the nearest last
    return Prompt(asked, shown, instructions) if shown or len(asked) < len(categories) else None

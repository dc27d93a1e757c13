"""The cascade: rules, each tier in order, the LLM accounts, a person. It stops at the first that is sure.

It knows no database: circuits and limits are asked through `gate` and told through `report`.

Priority: what a rule says; else what the LLM says, if that is not the colourless "normal"; else the category's default.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter

from app.classify import llm, rules_engine
from app.classify.accounts import Ask, Gate, Report, always_open, ask_in_order, unheard
from app.classify.opinion import Opinion, Tier
from app.classify.prompt import HEAD_CHARS, Prompt, visible
from app.classify.rules_engine import RuleOutcome
from app.domain.classification import Category, Classification, Priority, Source, Step
from app.domain.conditions import Facts
from app.domain.messages import MessageKind
from app.domain.rules import Rule


def _whole(text: str) -> None:
    return None


def _always() -> str:
    return ""


@dataclass(frozen=True, eq=False)
class CascadeConfig:
    """A workspace's configuration as the cascade needs it. Keep the object: it caches the prompt.

    accounts: in the order they are asked. tiers: asked between the rules and the LLM.
    bar: the least confidence (0..1) at which the LLM's answer stands without a person. narrow: a prompt for this very
    text, or None. afford: why no LLM is to be asked just now; empty: it may be. instructions: the team's, for the LLM.
    ask: asks the accounts.
    """

    categories: Sequence[Category]
    rules: Sequence[Rule] = ()
    accounts: Sequence[llm.Account] = ()
    bar: float = 0.6
    gate: Gate = always_open
    report: Report = unheard
    tiers: tuple[Tier, ...] = ()
    narrow: Callable[[str], Prompt | None] = _whole
    afford: Callable[[], str] = _always
    ask: Ask = ask_in_order
    instructions: str = ""

    @cached_property
    def by_key(self) -> dict[str, Category]:
        return {category.key: category for category in self.categories}

    @cached_property
    def prompt(self) -> Prompt:
        return Prompt(tuple(self.categories), instructions=self.instructions)


@dataclass(slots=True)
class _Passport:
    """What was found out so far, carried from tier to tier."""

    steps: list[Step] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, opinion: Opinion) -> None:
        self.steps += opinion.steps
        self.input_tokens += opinion.input_tokens
        self.output_tokens += opinion.output_tokens

    def stamp(self, result: Classification) -> Classification:
        cost_usd = sum(step.cost_usd for step in self.steps)
        return replace(
            result, steps=tuple(self.steps), input_tokens=self.input_tokens, output_tokens=self.output_tokens,
            cost_usd=cost_usd,
        )  # fmt: skip


def classify(text: str, facts: Facts, config: CascadeConfig, kind: str = MessageKind.TEXT) -> Classification:
    """Classify one message. Never invents: where nobody is sure, `category` is None and `review_reason` says why.

    Raises TransientError when no LLM account could answer just now but one may later: keep the message, come back.
    """
    passport = _Passport()
    outcome = _ask_rules(facts, config, passport)
    result = _by_rules(outcome, facts, config) or _without_text(text, kind, outcome, facts)
    if result is not None:
        return passport.stamp(result)
    opinion = _first_sure(text, facts, config, passport)
    return passport.stamp(_from(opinion, outcome, facts, config))


def _first_sure(text: str, facts: Facts, config: CascadeConfig, passport: _Passport) -> Opinion:
    opinion = None
    for tier in config.tiers:
        said = tier(text, facts)
        passport.add(said)
        if said.category is not None:
            return said
        if opinion is None or any(step.answer for step in said.steps):
            opinion = said
    if not config.accounts and opinion is not None and any(step.answer for step in opinion.steps):
        return opinion  # its guess was not good enough, which says more than that there is no LLM
    if config.accounts and (why_not := config.afford()):
        return replace(opinion or Opinion(Source.LLM, ()), unsure_because=why_not)
    narrow = config.narrow(text)
    opinion = _ask_llm(text, narrow or config.prompt, config, passport)
    if narrow and opinion.none_fits and len(narrow.categories) < len(config.categories):
        opinion = _ask_llm(text, config.prompt, config, passport)  # the right one may have been left out
    return opinion


def _ask_llm(text: str, prompt: Prompt, config: CascadeConfig, passport: _Passport) -> Opinion:
    opinion = config.ask(text, prompt, config.accounts, config.bar, config.gate, config.report)
    passport.add(opinion)
    return opinion


def _from(opinion: Opinion, outcome: RuleOutcome, facts: Facts, config: CascadeConfig) -> Classification:
    return Classification(
        category=opinion.category,
        priority=_priority(outcome.priority, opinion.priority, config.by_key.get(opinion.category or "")),
        source=opinion.source if opinion.category is not None else None,
        confidence=opinion.confidence,
        sentiment=opinion.sentiment,
        language=facts.language or opinion.language,
        title=opinion.title,
        reason=opinion.reason,
        review_reason=opinion.unsure_because,
        tags=outcome.tags,
    )


def _priority(by_rule: Priority | None, by_llm: Priority | None, category: Category | None) -> Priority:
    if by_rule is not None:
        return by_rule
    if by_llm not in (None, Priority.NORMAL):
        return by_llm
    return category.priority if category else Priority.NORMAL


# ---- rules


def _ask_rules(facts: Facts, config: CascadeConfig, passport: _Passport) -> RuleOutcome:
    started = perf_counter()
    outcome = rules_engine.apply(config.rules, facts, config.by_key.keys())
    if config.rules:
        took_ms = (perf_counter() - started) * 1000
        passport.steps.append(
            Step(Source.RULE, outcome.category, None, _decided_by(outcome), took_ms, detail=outcome.detail())
        )
    return outcome


def _decided_by(outcome: RuleOutcome) -> str:
    for effect in ("review", "ignore", "category"):
        if effect in outcome.set_by:
            return f"rule '{outcome.set_by[effect]}'"
    return "no rule decided"


def _by_rules(outcome: RuleOutcome, facts: Facts, config: CascadeConfig) -> Classification | None:
    """A rule's word on the message, or None when the rules leave it open."""
    why = f"{_decided_by(outcome)} matched"
    if outcome.ignore:
        verdict = {"source": Source.RULE, "ignore_reason": why}
    elif outcome.review:
        verdict = {"source": None, "review_reason": f"{why} and wants a person to decide"}
    elif outcome.category is not None:
        verdict = {"source": Source.RULE, "confidence": 1.0, "reason": why}
    else:
        return None
    suggested = config.by_key.get(outcome.category or "")
    return Classification(
        category=None if outcome.review else outcome.category,
        priority=_priority(outcome.priority, None, suggested),
        language=facts.language,
        tags=outcome.tags,
        **verdict,
    )


def _without_text(text: str, kind: str, outcome: RuleOutcome, facts: Facts) -> Classification | None:
    """Nothing to read: no model is asked about it."""
    if visible(text[:HEAD_CHARS]).strip() and kind != MessageKind.STICKER:
        return None
    what = "no text" if kind == MessageKind.TEXT else f"no text to read, only a {kind}"
    return Classification(
        category=None,
        priority=outcome.priority or Priority.NORMAL,
        source=None,
        language=facts.language,
        review_reason=f"The message has {what}; a person has to look at it.",
        tags=outcome.tags,
    )

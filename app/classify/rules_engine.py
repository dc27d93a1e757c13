"""Rules in the manager's order: the first that matches ends the search, unless it says `continue`. Pure.

With `continue` the rules below may still set what is unset; whoever sets a field first keeps it. Category and ignore
exclude each other, so the first of the two wins. Review always holds, unless the message was ignored before.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from app.domain.classification import Priority
from app.domain.conditions import Facts
from app.domain.rules import Actions, Rule


@dataclass(slots=True)
class RuleOutcome:
    """What the rules say about one message, and why.

    set_by: field (`category`, `priority`, `ignore`, `review`) -> key of the rule that set it.
    matched, missed: keys of the rules whose conditions held or not. skipped: key -> reason.
    Rules after the one that ended the search were not asked and appear nowhere.
    """

    category: str | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    ignore: bool = False
    review: bool = False
    set_by: dict[str, str] = field(default_factory=dict)
    matched: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def detail(self) -> dict[str, Any]:
        """For the passport: only what says something."""
        parts = {"set_by": self.set_by, "matched": self.matched, "missed": self.missed, "skipped": self.skipped}
        return {name: part for name, part in parts.items() if part}


def apply(rules: list[Rule], facts: Facts, categories: Collection[str]) -> RuleOutcome:
    """categories: the keys a rule may set; a rule that names another one is skipped as a whole."""
    outcome = RuleOutcome()
    for rule in rules:
        why = _unusable(rule, categories)
        if why:
            outcome.skipped[rule.key] = why
        elif not rule.when.holds(facts):
            outcome.missed.append(rule.key)
        else:
            outcome.matched.append(rule.key)
            _take(outcome, rule.key, rule.then)
            if not rule.go_on:
                break
    return outcome


def _unusable(rule: Rule, categories: Collection[str]) -> str:
    if not rule.enabled:
        return "switched off"
    if rule.then.category and rule.then.category not in categories:
        return f"names the category '{rule.then.category}', which does not exist (any more)"
    return ""


def _take(outcome: RuleOutcome, key: str, then: Actions) -> None:
    if then.ignore and outcome.category is None and not outcome.review and not outcome.ignore:
        outcome.ignore = True
        outcome.set_by["ignore"] = key
    if then.category and outcome.category is None and not outcome.ignore:
        outcome.category = then.category
        outcome.set_by["category"] = key
    if then.review and not outcome.ignore and not outcome.review:
        outcome.review = True
        outcome.set_by["review"] = key
    if then.priority and outcome.priority is None:
        outcome.priority = then.priority
        outcome.set_by["priority"] = key
    if then.tag and then.tag not in outcome.tags:
        outcome.tags += (then.tag,)

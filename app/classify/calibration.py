"""When the local model may answer alone: probabilities made honest, thresholds, and the check that they hold. Pure.

Everything here is learnt from audited traffic: messages picked at random for a person's look, each standing for as many
as its sampling rate says. Picked by doubt or by category they would say nothing about the traffic.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.classify.local_model import UNMEASURED_TEMPERATURE, LocalAnswer

FEWEST_REVIEWED = 150  # before that nothing is answered without a person or the LLM
CAREFUL_UNTIL, CAREFUL, USUAL = 300, 0.10, 0.25  # reviewed messages; the risk that the bound is wrong, before and after
SHRUNK_AS_IF = 50  # messages: a category with fewer of its own is judged mostly like all others
WINDOW, SLACK = 200, 0.02  # audited local answers looked at; how far their lower bound may lie under the target
FEWEST_TO_JUDGE = 30  # of them; one wrong answer among the first three says nothing
RAISED_BY = 0.25  # log odds, in one step
GATES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)  # shares of the traffic the raw score may turn away
GATE_COSTS = 0.01  # at most, of the traffic answered alone, where it keeps out-of-scope messages from being answered
CLOSED = float("inf")


@dataclass(frozen=True, slots=True)
class Audited:
    """One message of the random sample: what the local model said (unseen), and whether a person agreed.

    stands_for: how many messages of the traffic, 1 / sampling rate. out_of_scope: none of the categories was right.
    """

    category: str
    probability: float
    raw: float
    correct: bool
    stands_for: float = 1.0
    out_of_scope: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 90 % interval. `n`: messages it rests on."""

    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the model must reach to answer alone. Log odds of its probability, moved for each category.

    gate: least raw score; under it the message resembles nothing the model knows. harder: of each category, how much
    surer the model must be (less than 0: not as sure). pinned: stricter levels a manager asked for, by category.
    expected_share: of the traffic that passes. bound: the accuracy that holds with the confidence asked for.
    """

    target: float
    level: float = CLOSED
    gate: float = -CLOSED
    harder: Mapping[str, float] = field(default_factory=dict)
    pinned: Mapping[str, float] = field(default_factory=dict)
    expected_share: float = 0.0
    bound: float = 0.0
    reviewed: int = 0

    def probability(self, category: str) -> float:
        """The least probability at which this category is answered; above 1 where it never is."""
        level = max(self.level, self.pinned.get(category, -CLOSED)) + self.harder.get(category, 0.0)
        return 2.0 if level == CLOSED else float(1 / (1 + np.exp(-level)))

    def refuses(self, answer: LocalAnswer) -> str:
        """Why this answer may not stand alone; empty: it may."""
        if answer.category is None:
            return "The local model knows no category yet."
        if not answer.usable:
            return f"There are too few examples of '{answer.category}' yet."
        if self.level == CLOSED:
            return f"Not enough audited answers reach {self.target:.0%} to let the local model answer alone."
        if answer.raw < self.gate:
            return "The message resembles nothing the local model has learnt."
        least = self.probability(answer.category)
        if answer.probability < least:
            return f"{answer.probability:.0%} sure of '{answer.category}', {least:.0%} is needed."
        return ""

    def as_json(self) -> dict[str, Any]:
        """JSON has no infinity: a closed level and an open gate become null."""
        return {
            "target": self.target, "harder": dict(self.harder), "pinned": _finite_or_none(self.pinned),
            "level": None if self.level == CLOSED else self.level, "gate": None if self.gate == -CLOSED else self.gate,
            "expected_share": self.expected_share, "bound": self.bound, "reviewed": self.reviewed,
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Thresholds":
        pinned = {key: CLOSED if level is None else level for key, level in stored["pinned"].items()}
        level = CLOSED if stored["level"] is None else stored["level"]
        gate = -CLOSED if stored["gate"] is None else stored["gate"]
        return cls(**{**stored, "pinned": pinned, "level": level, "gate": gate})


def _finite_or_none(levels: Mapping[str, float]) -> dict[str, float | None]:
    return {key: None if level == CLOSED else level for key, level in levels.items()}


# ---- fitting


def fit_honesty(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """(temperature, stranger): under which the probabilities of raw scores (float[n, categories]) are most honest.

    truth: int[n], the column of the right category; -1 where it is none of them. The temperature divides the scores;
    `stranger` is the score "none of these" competes with, minus infinity while no such message was seen.
    Found by golden section, in turns: along each of the two the loss has one valley.
    """
    if len(truth) == 0:
        return UNMEASURED_TEMPERATURE, -CLOSED
    weights = np.ones(len(truth)) if weights is None else weights
    strange = truth < 0
    own = scores[np.arange(len(truth)), truth]  # of a stranger: any, it is not looked at

    def log_sums(temperature: float) -> np.ndarray:
        top = scores.max(axis=1) / temperature
        return top + np.log(np.exp(scores / temperature - top[:, None]).sum(axis=1))

    def loss(log_sum: np.ndarray, temperature: float, stranger: float) -> float:
        right = np.where(strange, stranger, own) / temperature
        return float(weights @ (np.logaddexp(log_sum, stranger / temperature) - right))

    temperature, stranger = UNMEASURED_TEMPERATURE, -1.0 if strange.any() else -CLOSED
    for _ in range(3 if strange.any() else 1):
        now = stranger
        log_temperature = _valley(lambda x: loss(log_sums(np.exp(x)), np.exp(x), now), np.log(0.01), np.log(10.0))  # noqa: B023
        temperature = float(np.exp(log_temperature))
        if strange.any():
            sums, at = log_sums(temperature), temperature
            stranger = _valley(lambda x: loss(sums, at, x), -3.0, 3.0)  # noqa: B023
    return temperature, stranger if strange.any() else -CLOSED


def _valley(loss: Callable[[float], float], low: float, high: float) -> float:
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(25):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float((low + high) / 2)


def fit_thresholds(
    audited: Sequence[Audited], target: float, pins: Mapping[str, float] | None = None, risk: float | None = None
) -> Thresholds:
    """The most traffic the model may answer alone while the lower bound of its accuracy stays at `target` (0..1).

    pins: stricter targets of single categories. risk: that the bound is wrong; default 0.10 until 300, then 0.25.
    Too few reviewed messages, or none good enough: closed.
    """
    n = len(audited)
    if n < FEWEST_REVIEWED:
        return Thresholds(target, reviewed=n)
    risk = risk if risk is not None else (CAREFUL if n < CAREFUL_UNTIL else USUAL)
    weight = np.array([a.stands_for for a in audited])
    correct = np.array([a.correct for a in audited], float)
    raw = np.array([a.raw for a in audited])
    harder = _harder(audited, weight, correct)
    level = np.array([log_odds(a.probability) - harder[a.category] for a in audited])
    closed = Thresholds(target, harder=harder, reviewed=n)
    strange = weight * np.array([a.out_of_scope for a in audited])
    candidates = []
    for turned_away in GATES:
        gate = -CLOSED if turned_away == 0 else float(np.quantile(raw, turned_away))
        passed = raw >= gate
        at, share, bound = _lowest_level(level[passed], correct[passed], weight[passed], target, risk)
        opened = replace(closed, level=at, gate=gate, expected_share=share / float(weight.sum()), bound=bound)
        candidates.append((float(strange[passed & (level >= at)].sum()), opened))
    most = max(opened.expected_share for _, opened in candidates)
    near = [candidate for candidate in candidates if candidate[1].expected_share >= most - GATE_COSTS]
    # The fewest strangers; among those the most traffic; among those the most open gate, which comes first.
    best = min(near, key=lambda candidate: (candidate[0], -candidate[1].expected_share))[1] if most else closed
    passed = raw >= best.gate
    pinned = {
        category: _lowest_level(level[passed], correct[passed], weight[passed], stricter, risk)[0]
        for category, stricter in (pins or {}).items()
    }
    return replace(best, pinned=pinned)


def _harder(audited: Sequence[Audited], weight: np.ndarray, correct: np.ndarray) -> dict[str, float]:
    """Of each predicted category, by how many log odds its probabilities promise too much; shrunk towards none.

    One Newton step of a logistic regression with an intercept for each category, which SHRUNK_AS_IF messages like all
    others hold at 0.
    """
    probability = np.array([a.probability for a in audited])
    spread = probability * (1 - probability) + 0.01  # a certain answer that was wrong must not weigh without end
    relative = weight / weight.mean()
    usual = float((relative * spread).mean())
    over_all = float(relative @ (probability - correct) / (relative @ spread))
    predicted = np.array([a.category for a in audited])
    harder = {}
    for category in np.unique(predicted).tolist():
        mine = predicted == category
        promised = float(relative[mine] @ (probability[mine] - correct[mine] - over_all * spread[mine]))
        harder[category] = promised / (float(relative[mine] @ spread[mine]) + SHRUNK_AS_IF * usual)
    return harder


def _lowest_level(
    level: np.ndarray, correct: np.ndarray, weight: np.ndarray, target: float, risk: float
) -> tuple[float, float, float]:
    """(the lowest level at whose upper side the accuracy's lower bound reaches target, weight that passes, bound)."""
    order = np.argsort(-level, kind="stable")
    level, correct, weight = level[order], correct[order], weight[order]
    passing = np.cumsum(weight)
    n = passing**2 / np.cumsum(weight**2)  # as many unweighted messages would say as much
    bound = lower_bound(np.cumsum(weight * correct) / passing * n, n, risk)
    last_of_its_level = np.append(level[1:] != level[:-1], True)
    good = np.flatnonzero((bound >= target) & last_of_its_level)
    if len(good) == 0:
        return CLOSED, 0.0, 0.0
    at = good[-1]
    return float(level[at]), float(passing[at]), float(bound[at])


def log_odds(probability: float) -> float:
    probability = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(probability / (1 - probability)))


# ---- watching


def lower_bound(right: np.ndarray | float, n: np.ndarray | float, risk: float) -> np.ndarray:
    """One-sided Clopper-Pearson: the accuracy is at least this, but for `risk`, after `right` of `n` were right."""
    from scipy.special import betaincinv  # 50 ms to import, and only the background needs it

    right, n = np.asarray(right, float), np.asarray(n, float)
    wrong = np.maximum(n - right, 0)
    return np.where(right > 0, betaincinv(np.maximum(right, 1e-9), wrong + 1, risk), 0.0)


def realised(audited: Sequence[Audited]) -> Interval:
    """How often the answers given alone were right, with the 90 % interval. Nothing audited: 0 to 1."""
    return weighed_share([one.correct for one in audited], [one.stands_for for one in audited])


def weighed_share(right: Sequence[bool], stands_for: Sequence[float]) -> Interval:
    """Of messages that each stand for so many, the share that is right, with its 90 % interval. None: 0 to 1.

    The interval is Clopper and Pearson's, with as many messages as these are worth (Kish, "Survey Sampling", 1965).
    """
    if not right:
        return Interval(0.0, 0.0, 1.0, 0)
    weight = np.array(stands_for, float)
    share = float(weight @ np.array(right, float) / weight.sum())
    n = float(weight.sum() ** 2 / (weight @ weight))
    low, high = float(lower_bound(share * n, n, 0.05)), 1 - float(lower_bound((1 - share) * n, n, 0.05))
    return Interval(share, low, high, len(right))


def raised(thresholds: Thresholds, audited: Sequence[Audited]) -> Thresholds | None:
    """Stricter thresholds when the audited answers these thresholds let through (oldest first) fall short; else None.

    Short: of the newest 200, the lower bound lies more than 2 points under the target; while there are fewer, so many
    were wrong that the target is out of reach. The level goes up step by step until those of them that still pass
    would have reached the target; where none would, it closes. Start counting anew with the new thresholds.
    """
    window = audited[-WINDOW:]
    if thresholds.level == CLOSED or not _falls_short(sum(a.correct for a in window), len(window), thresholds.target):
        return None
    stricter, passing = thresholds, list(window)
    while passing and sum(a.correct for a in passing) < thresholds.target * len(passing):
        stricter = replace(stricter, level=stricter.level + RAISED_BY)
        passing = [a for a in passing if a.probability >= stricter.probability(a.category)]
    return stricter if passing else replace(thresholds, level=CLOSED)


def _falls_short(right: int, n: int, target: float) -> bool:
    if n < FEWEST_TO_JUDGE or right >= target * n:
        return False
    if n < WINDOW:
        return 1 - lower_bound(n - right, n, CAREFUL) < target
    return bool(lower_bound(right, n, USUAL) < target - SLACK)

"""A workspace's life, simulated message by message with the product's own parts and an LLM that errs.

Memory of corrections -> local model -> simulated LLM. A wrong LLM answer is one of the three categories most like the
right one. Managers look at a share of the LLM's answers and, blindly, at a share of the local ones; they
are always right.
"""

from dataclasses import dataclass

import numpy as np

from app.classify.calibration import Audited, Thresholds, fit_thresholds, raised
from app.classify.features import BUCKETS, Vectoriser
from app.classify.local_model import LocalModel
from app.classify.memory import Correction, Memory
from app.classify.training import Example, fit, out_of_fold
from app.domain.classification import Source

TARGET, LLM_RIGHT = 0.95, 0.85
REVIEWED, AUDITED = 0.2, 0.05  # shares of the LLM's answers and of the local ones that a manager looks at
FIRST_FIT, GROWTH = 200, 1.2  # examples; times as many as at the last fit
PROMPT_TOP, PROMPT_FROM = 10, 20  # categories in a pruned prompt; examples of each category from which it is pruned
# US dollars per call at $1 and $5 per million tokens: the whole list of categories, or the likeliest ones.
FULL_CALL, PRUNED_CALL = (1500 * 1 + 40 * 5) / 1e6, (500 * 1 + 40 * 5) / 1e6


@dataclass(frozen=True)
class End:
    """The last messages of a stream. local, realised (right of those), overall, cost of LLM-only: 0..1."""

    local: float
    realised: float
    overall: float
    cost: float
    looks: int
    realised_of_all: float
    local_of_all: float


class Stream:
    def __init__(self, messages: list[Example], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.messages = [messages[i] for i in self.random.permutation(len(messages))]
        self.look_alikes = _look_alikes(messages)
        self.model, self.thresholds = LocalModel(), Thresholds(TARGET)
        self.memory = Memory(self.model.vectoriser)
        self.known: list[Example] = []
        self.reviewed: list[int] = []  # places in `known`
        self.stands_for: list[float] = []
        self.audited: list[Audited] = []  # under the present thresholds
        self.next_fit = FIRST_FIT

    def run(self, last: int) -> End:
        lived = np.array([self._live(message) for message in self.messages])
        local, right, cost = lived[-last:].T
        of_all = lived[lived[:, 0] > 0]
        return End(
            local.mean(), right[local > 0].mean() if local.any() else 0.0, right.mean(), cost.mean() / FULL_CALL,
            len(self.reviewed), of_all[:, 1].mean() if len(of_all) else 0.0, lived[:, 0].mean(),
        )  # fmt: skip

    def _live(self, message: Example) -> tuple[float, float, float]:
        """(decided locally, right, dollars)"""
        answer, duplicate, cost = self.model.answer(message.text), self.memory.duplicate(message.text), 0.0
        if duplicate:
            said, rate = duplicate.correction.category, AUDITED
        elif not self.thresholds.refuses(answer):
            said, rate = answer.category, AUDITED
        else:
            said, cost = self._ask_llm(message, answer)
            rate = REVIEWED
        if self.random.random() < rate:
            self._look(message, answer, rate, by_model=rate == AUDITED and not duplicate)
        elif rate == REVIEWED:
            self.known.append(Example(message.text, said, Source.LLM))
        if len(self.known) >= self.next_fit:
            self._refit()
        return rate == AUDITED, said == message.category, cost

    def _ask_llm(self, message: Example, answer) -> tuple[str, float]:
        pruned = len(self.known) >= PROMPT_FROM * len(self.look_alikes)
        offered = [category for category, _ in answer.likeliest(PROMPT_TOP)] if pruned else self.look_alikes
        wrong = self.look_alikes[message.category][int(self.random.integers(3))]
        right = self.random.random() < LLM_RIGHT and message.category in offered
        return message.category if right else wrong, PRUNED_CALL if pruned else FULL_CALL

    def _look(self, message: Example, answer, rate: float, by_model: bool) -> None:
        self.reviewed.append(len(self.known))
        self.stands_for.append(1 / rate)
        self.known.append(message)
        self.model.learn(message.text, message.category)
        self.memory.add(Correction(str(len(self.known)), message.text, message.category))
        if by_model:
            right = answer.category == message.category
            self.audited.append(Audited(answer.category, answer.probability, answer.raw, right))
            self._set(raised(self.thresholds, self.audited))

    def _set(self, thresholds: Thresholds | None) -> None:
        if thresholds is not None:
            self.thresholds, self.audited = thresholds, []

    def _refit(self) -> None:
        self.next_fit = int(len(self.known) * GROWTH)
        held_out = out_of_fold(self.known, self.reviewed, sampling_weights=np.array(self.stands_for))
        self.model = fit(self.known, honesty=held_out.honesty)
        truth = [self.known[i].category for i in self.reviewed]
        self._set(fit_thresholds(held_out.audited(truth, self.stands_for), TARGET))
        corrections = [Correction(str(i), self.known[i].text, self.known[i].category) for i in self.reviewed]
        self.memory = Memory(self.model.vectoriser, corrections)


def _look_alikes(messages: list[Example]) -> dict[str, list[str]]:
    """Of each category the three whose mean messages are nearest to its own."""
    _, rows = Vectoriser.fitted_rows([message.text for message in messages])
    names = sorted({message.category for message in messages})
    place = {name: i for i, name in enumerate(names)}
    centres = np.zeros((len(names), BUCKETS), np.float32)
    for i, message in enumerate(messages):
        buckets, values = rows.row(i)
        centres[place[message.category], buckets] += values
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    alike = centres @ centres.T - 2 * np.eye(len(names))
    return {name: [names[j] for j in np.argsort(-alike[i])[:3]] for i, name in enumerate(names)}

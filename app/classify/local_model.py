"""A workspace's own model: linear over hashed n-grams. Answers in about 0.1 ms, learns from one correction in 1 ms.

Two layers in one set of weights: what `training.fit` found over all examples, and on top of it the steps of `learn`
since then. The next fit starts anew from all examples. Answering and learning need numpy only.
"""

import math
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.classify import features
from app.classify.features import BUCKETS, Vectoriser
from app.domain.classification import Priority, Sentiment

# Columns of the weights: "at least this urgent", then the moods, then one for each category.
PRIORITIES = (Priority.NORMAL, Priority.HIGH, Priority.URGENT)
SENTIMENTS = tuple(Sentiment)
CATEGORIES_FROM = len(PRIORITIES) + len(SENTIMENTS)

USABLE_FROM = 5  # examples of a category before the model may answer with it
STEPS, MOST_STEPS = 3, 30  # of one correction on itself: always; and at most, until it is answered as corrected
REPLAYED = 4  # past examples repeated with each correction, and as many of the category that was taken for it
RATE, CAUTION = 1.0, 0.1  # AdaGrad: length of a step; how much an untouched bucket counts as learnt already
KEPT_TO_REPLAY = 4000
_PUNCTUATION = " .,;:!?()[]\"'…。，！？、：；（）"
UNMEASURED_TEMPERATURE = 0.25  # divides raw scores before the softmax, until it is measured


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """What the model thinks. Whether that is enough to act on is decided in `calibration`, not here.

    category: the likeliest, None where it knows none. usable: enough examples of it were seen.
    probability: of that category among all and none of them, 0..1. raw: its score before that, about -1 to 1.
    """

    category: str | None
    probability: float
    raw: float
    usable: bool
    categories: tuple[str, ...]
    scores: np.ndarray  # float32[len(categories)], raw
    probabilities: np.ndarray  # float32[len(categories)]
    priority: Priority | None = None
    sentiment: Sentiment | None = None

    def likeliest(self, n: int) -> list[tuple[str, float]]:
        """The n likeliest categories with their probabilities, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:n]
        return [(self.categories[i], float(self.probabilities[i])) for i in order]

    @property
    def margin(self) -> float:
        """Between the best and the second best, 0..1: the smaller, the more a person's look teaches."""
        best = self.likeliest(2)
        return best[0][1] - best[1][1] if len(best) == 2 else self.probability


@dataclass(frozen=True, slots=True)
class _Weights:
    """Replaced as a whole whenever its shape changes, so that an answer never sees half of a change.

    row_of: int32[BUCKETS], the row of each bucket; 0 is an empty row for what the model never met.
    table: float32[at least rows, columns]. bias: float32[columns], NaN for a head that knows nothing.
    labels: of the columns from CATEGORIES_FROM on. One label may have several columns (see `rename`).
    """

    row_of: np.ndarray
    rows: int
    table: np.ndarray
    bias: np.ndarray
    labels: tuple[str, ...]
    distinct: bool


class LocalModel:
    """Safe to share between threads: many may answer while one learns."""

    def __init__(self, vectoriser: Vectoriser | None = None, temperature: float = UNMEASURED_TEMPERATURE) -> None:
        self.vectoriser = vectoriser or Vectoriser()
        self.temperature = temperature
        self.stranger = -math.inf  # the raw score of "none of these", from `calibration.fit_honesty`
        self.counts: Counter[str] = Counter()  # examples seen of each category
        self.caution = np.full(BUCKETS, CAUTION, np.float32)  # AdaGrad's memory: what much was learnt from moves little
        self._to_replay: deque[tuple[np.ndarray, np.ndarray, str]] = deque(maxlen=KEPT_TO_REPLAY)
        self._random = np.random.default_rng(0)
        self._learning = threading.Lock()
        bias = np.full(CATEGORIES_FROM, np.nan, np.float32)
        table = np.zeros((1, CATEGORIES_FROM), np.float32)
        self._weights = _Weights(np.zeros(BUCKETS, np.int32), 1, table, bias, (), True)

    @classmethod
    def from_rows(
        cls, vectoriser: Vectoriser, temperature: float, buckets: np.ndarray, table: np.ndarray, bias: np.ndarray,
        labels: Sequence[str], counts: dict[str, int],
    ) -> "LocalModel":  # fmt: skip
        """From weights: row i of `table` (float32[n, columns]) is of `buckets[i]`; labels name the last columns."""
        model = cls(vectoriser, temperature)
        row_of = np.zeros(BUCKETS, np.int32)
        row_of[buckets] = np.arange(1, len(buckets) + 1)
        table = np.vstack([np.zeros((1, table.shape[1]), np.float32), table])
        distinct = len(set(labels)) == len(labels)
        model._weights = _Weights(row_of, len(table), table, bias.copy(), tuple(labels), distinct)
        model.counts.update(counts)
        return model

    def as_rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
        """(buckets, table, bias, labels), the parts `from_rows` takes; buckets ascending."""
        weights = self._weights
        buckets = np.flatnonzero(weights.row_of)
        return buckets, weights.table[weights.row_of[buckets]], weights.bias, weights.labels

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._weights.labels))

    # ---- answering

    def answer(self, text: str) -> LocalAnswer:
        weights = self._weights
        buckets, values = self.vectoriser.vector(text)
        scores = values @ weights.table.take(weights.row_of.take(buckets), axis=0) + weights.bias
        return self._read(scores, weights)

    def _read(self, scores: np.ndarray, weights: _Weights) -> LocalAnswer:
        priority, sentiment = _priority(scores), _sentiment(scores)
        labels, scores = weights.labels, scores[CATEGORIES_FROM:]
        if not labels:
            return LocalAnswer(None, 0.0, 0.0, False, (), scores, scores, priority, sentiment)
        if not weights.distinct:
            labels, scores = _best_of_each(labels, scores)
        best = int(scores.argmax())
        powers = np.exp((scores - scores[best]) / self.temperature)
        none_of_them = math.exp(min((self.stranger - float(scores[best])) / self.temperature, 700.0))
        probabilities = powers / (float(powers.sum()) + none_of_them)
        category = labels[best]
        return LocalAnswer(
            category, float(probabilities[best]), float(scores[best]), self.counts[category] >= USABLE_FROM,
            labels, scores, probabilities, priority, sentiment,
        )  # fmt: skip

    def explain(self, text: str, category: str, n: int = 5) -> list[tuple[str, float]]:
        """The words (pieces of two or three characters in scripts without spaces) that spoke most for a category.

        (word, its share of the score), strongest first; only what spoke for it. About 0.1 ms.
        """
        weights = self._weights
        columns = [CATEGORIES_FROM + i for i, label in enumerate(weights.labels) if label == category]
        if not columns:
            return []
        normalised = features.normalise(text)
        buckets, times = features.counts(normalised)
        _, values = self.vectoriser.weigh(buckets, times)
        said = (weights.table[weights.row_of[buckets]][:, columns].max(axis=1) * values) / times
        spoke: dict[str, float] = defaultdict(float)
        for words, its_buckets in features.parts(normalised):
            spoke[words] += float(said[buckets.searchsorted(its_buckets)].sum())
        strongest: list[tuple[str, float]] = []
        for words, share in sorted(spoke.items(), key=lambda pair: (-pair[1], -len(pair[0]))):
            shown = words.strip(_PUNCTUATION)
            if share <= 0 or len(strongest) == n:
                break
            if shown and not any(shown in longer for longer, _ in strongest):
                strongest.append((shown, share))
        return strongest

    # ---- learning

    def learn(self, text: str, category: str) -> None:
        """Take one correction to heart: the next answer knows it. A category never heard of is added."""
        with self._learning:
            buckets, values = self.vectoriser.vector(text)
            self.counts[category] += 1
            self._make_room(buckets, category)
            rival, steps = self.answer(text).category, 0
            while not self._step(buckets, values, category) and steps < MOST_STEPS or steps < STEPS:
                steps += 1
            self._replay(list(self._to_replay))
            if rival != category:  # the category that loses this message must not lose its own
                self._replay([past for past in self._to_replay if past[2] == rival])
            self._to_replay.append((buckets, values, category))

    def _replay(self, past: list[tuple[np.ndarray, np.ndarray, str]]) -> None:
        for i in self._random.integers(len(past), size=REPLAYED) if past else ():
            self._step(*past[i])

    def remember(self, text: str, category: str) -> None:
        """An example to repeat now and then while learning others. After a load: give it the newest corrections."""
        with self._learning:
            if category in self._weights.labels:
                buckets, values = self.vectoriser.vector(text)
                met = self._weights.row_of[buckets] > 0  # the empty row belongs to no bucket and must stay empty
                self._to_replay.append((buckets[met], values[met], category))

    def _step(self, buckets: np.ndarray, values: np.ndarray, category: str) -> bool:
        """One step of softmax regression down the surprise, in the units of raw scores. True: it was right before."""
        weights = self._weights
        rows = weights.row_of[buckets]
        table = weights.table[rows]
        scores = (values @ table + weights.bias)[CATEGORIES_FROM:] / self.temperature
        surprise = np.exp(scores - scores.max())
        surprise /= surprise.sum()
        mine = [i for i, label in enumerate(weights.labels) if label == category]
        best_of_mine = mine[int(scores[mine].argmax())]
        surprise[best_of_mine] -= 1
        self.caution[buckets] += values * values * float(surprise @ surprise)
        lengths = RATE * self.temperature * values / np.sqrt(self.caution[buckets])
        table[:, CATEGORIES_FROM:] -= np.outer(lengths, surprise)
        weights.table[rows] = table
        return best_of_mine == int(scores.argmax())

    def _make_room(self, buckets: np.ndarray, category: str) -> None:
        weights = self._weights
        table, bias, labels, rows = weights.table, weights.bias, weights.labels, weights.rows
        unmet = buckets[weights.row_of[buckets] == 0]
        if category not in labels:
            table = np.pad(table, ((0, 0), (0, 1)))
            # As sure of itself as the usual category, so that it neither wins nor loses everything at first.
            known = bias[CATEGORIES_FROM:]
            bias = np.append(bias, np.float32(np.median(known) if len(known) else 0.0))
            labels = (*labels, category)
        if rows + len(unmet) > len(table):
            table = np.pad(table, ((0, max(1024, len(table) // 4, len(unmet))), (0, 0)))
        row_of = weights.row_of
        if len(unmet):
            row_of = row_of.copy()
            row_of[unmet] = np.arange(rows, rows + len(unmet))
        self._weights = _Weights(row_of, rows + len(unmet), table, bias, labels, weights.distinct)

    # ---- categories that change

    def rename(self, old: str, new: str) -> None:
        """What was called `old` is called `new` from now on. Where `new` exists already, the two become one."""
        with self._learning:
            weights = self._weights
            labels = tuple(new if label == old else label for label in weights.labels)
            distinct = len(set(labels)) == len(labels)
            self.counts[new] += self.counts.pop(old, 0)
            self._to_replay = deque(
                ((b, v, new if label == old else label) for b, v, label in self._to_replay), maxlen=KEPT_TO_REPLAY
            )
            self._weights = _Weights(weights.row_of, weights.rows, weights.table, weights.bias, labels, distinct)

    merge = rename


def _best_of_each(labels: tuple[str, ...], scores: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    best: dict[str, np.float32] = {}
    for label, score in zip(labels, scores, strict=True):
        best[label] = max(score, best.get(label, score))
    return tuple(best), np.array(list(best.values()), np.float32)


def _priority(scores: np.ndarray) -> Priority | None:
    """The highest level reached; None where the model never saw two levels."""
    normal, high, urgent = scores[: len(PRIORITIES)].tolist()
    if normal != normal:  # NaN
        return None
    if urgent > 0:
        return Priority.URGENT
    if high > 0:
        return Priority.HIGH
    return Priority.NORMAL if normal > 0 else Priority.LOW


def _sentiment(scores: np.ndarray) -> Sentiment | None:
    moods = scores[len(PRIORITIES) : CATEGORIES_FROM].tolist()
    known = [(score, mood) for score, mood in zip(moods, SENTIMENTS, strict=True) if score == score]  # not NaN
    return max(known)[1] if len(known) > 1 else None

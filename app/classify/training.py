"""Fitting the local model: a linear SVM over all of a workspace's examples. For the background; needs scikit-learn.

Cost: about 3 s of CPU for 10,000 short messages and 77 categories, on one thread.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.classify.calibration import Audited, fit_honesty
from app.classify.features import BUCKETS, Rows, Vectoriser
from app.classify.local_model import (
    CATEGORIES_FROM,
    CAUTION,
    PRIORITIES,
    SENTIMENTS,
    UNMEASURED_TEMPERATURE,
    LocalModel,
)
from app.domain.classification import Priority, Sentiment, Source

# How far a label is believed. The LLM's unreviewed answers are many and mostly right; a person's word is the truth.
TRUST = {Source.PERSON: 1.0, Source.MEMORY: 1.0, Source.RULE: 0.5, Source.LLM: 0.3}
SOFTNESS = 0.5  # LinearSVC's C
ROUNDS = 8  # of coordinate descent; further ones cost CPU and change no answer
CLEAN_SHARE = 0.2  # of the examples a person labelled, held out of one extra fit to measure the temperature
MOST_HELD_OUT = 1000
TO_REPLAY = 1000  # examples the model repeats while it learns corrections


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message. `category` None: only its priority or sentiment is known."""

    text: str
    category: str | None
    source: Source = Source.PERSON
    priority: Priority | None = None
    sentiment: Sentiment | None = None


def fit(
    examples: Sequence[Example],
    other_texts: Sequence[str] = (),
    trust: Mapping[Source, float] = TRUST,
    honesty: tuple[float, float] | None = None,
) -> LocalModel:
    """A new model from all examples. `other_texts`: unlabelled traffic, only for learning which words are rare.

    honesty: temperature and stranger known from `out_of_fold`; None measures them for as much CPU again.
    """
    vectoriser, rows = Vectoriser.fitted_rows([example.text for example in examples], other_texts)
    matrix = _matrix(rows)
    weights = np.array([trust[example.source] for example in examples])
    model = _fitted(vectoriser, matrix, examples, weights)
    learnt = np.bincount(rows.buckets, rows.values**2, minlength=BUCKETS)
    model.caution = (CAUTION + learnt).astype(np.float16).astype(np.float32)  # rounded as it is stored
    labelled = [example for example in examples if example.category is not None]
    for i in np.random.default_rng(0).permutation(len(labelled))[:TO_REPLAY]:
        model.remember(labelled[i].text, labelled[i].category)
    model.temperature, model.stranger = honesty or _measured_honesty(matrix, examples, weights)
    return model


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores of examples by models that had not seen them. Row i belongs to example `which[i]`."""

    which: np.ndarray  # int[n]
    categories: tuple[str, ...]
    scores: np.ndarray  # float32[n, categories], raw
    honesty: tuple[float, float]  # temperature and stranger at which these scores' probabilities are honest

    def audited(self, truth: Sequence[str | None], stands_for: Sequence[float]) -> list[Audited]:
        """What `calibration` learns from. truth: of each row the right category, None where it is none of them."""
        best = self.scores.argmax(axis=1)
        raw = self.scores[np.arange(len(best)), best]
        temperature, stranger = self.honesty
        others = np.exp((self.scores - raw[:, None]) / temperature).sum(axis=1)
        probability = 1 / (others + np.exp((stranger - raw) / temperature))
        return [
            Audited(
                self.categories[column],
                float(p),
                float(score),
                self.categories[column] == right,
                weight,
                out_of_scope=right is None,
            )  # fmt: skip
            for column, p, score, right, weight in zip(best, probability, raw, truth, stands_for, strict=True)
        ]


def out_of_fold(
    examples: Sequence[Example],
    which: Sequence[int],
    folds: int = 3,
    sampling_weights: np.ndarray | None = None,
    trust: Mapping[Source, float] = TRUST,
) -> HeldOut:
    """Score the examples `which` (places in `examples`, in any order) each by a model fitted without it.

    sampling_weights: for each of `which`, how many messages of the traffic it stands for; used for the temperature.
    """
    _, rows = Vectoriser.fitted_rows([example.text for example in examples])
    matrix = _matrix(rows)
    weights = np.array([trust[example.source] for example in examples])
    which = np.asarray(which)
    fold_of = np.random.default_rng(0).permutation(len(which)) % folds
    names = sorted({example.category for example in examples if example.category is not None})
    # A category whose every example is held out has no column in that fold: far below any real score.
    scores = np.full((len(which), len(names)), -3.0, np.float32)
    for fold in range(folds):
        held_out = which[fold_of == fold]
        kept = np.setdiff1d(np.arange(len(examples)), held_out)
        found, columns, bias = _categories(matrix[kept], [examples[i] for i in kept], weights[kept])
        places = [names.index(name) for name in found]
        scores[np.ix_(fold_of == fold, places)] = matrix[held_out] @ columns + bias
    place = {name: i for i, name in enumerate(names)}
    truth = np.array([place.get(examples[i].category, -1) for i in which])
    return HeldOut(which, tuple(names), scores, fit_honesty(scores, truth, sampling_weights))


def _matrix(rows: Rows):
    from scipy.sparse import csr_matrix

    return csr_matrix((rows.values, rows.buckets, rows.starts), shape=(len(rows), BUCKETS), dtype=np.float64)


def _fitted(vectoriser: Vectoriser, matrix, examples: Sequence[Example], weights: np.ndarray) -> LocalModel:
    names, category_columns, category_bias = _categories(matrix, examples, weights)
    head_columns, head_bias = _heads(matrix, examples, weights)
    columns = np.hstack([head_columns, category_columns])
    used = np.flatnonzero(columns.any(axis=1))
    bias = np.concatenate([head_bias, category_bias])
    counts = Counter(example.category for example in examples if example.category is not None)
    return LocalModel.from_rows(vectoriser, UNMEASURED_TEMPERATURE, used, columns[used], bias, names, counts)


def _categories(matrix, examples: Sequence[Example], weights: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(names, float[BUCKETS, n], float[n]). One category alone cannot be told from anything: its column is zero."""
    labelled = np.flatnonzero([example.category is not None for example in examples])
    labels = np.array([examples[i].category for i in labelled], dtype=str)
    return _one_against_the_rest(matrix[labelled], labels, weights[labelled])


def _one_against_the_rest(matrix, labels: np.ndarray, weights: np.ndarray, balanced: bool = False):
    names = np.unique(labels).tolist()
    columns, bias = np.zeros((BUCKETS, len(names)), np.float32), np.zeros(len(names), np.float32)
    if len(names) < 2:
        return names, columns, bias
    # Only the buckets in use, the common ones side by side: the solver's memory stays small and near.
    times = np.bincount(matrix.indices, minlength=BUCKETS)
    used = np.argsort(-times, kind="stable")[: np.count_nonzero(times)]
    coef, intercept = _svm(matrix[:, used], labels, weights, balanced)
    if len(names) == 2:
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    columns[used], bias[:] = coef.T, intercept
    return names, columns, bias


def _svm(matrix, labels: np.ndarray, weights: np.ndarray, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    svm = LinearSVC(C=SOFTNESS, tol=0.1, max_iter=ROUNDS, random_state=0, class_weight="balanced" if balanced else None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ROUNDS is where it stops on purpose
        svm.fit(matrix, labels, sample_weight=weights)
    return svm.coef_, svm.intercept_


def _heads(matrix, examples: Sequence[Example], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of priority ("at least this urgent") and sentiment. NaN bias: nothing to learn that answer from."""
    columns, bias = np.zeros((BUCKETS, CATEGORIES_FROM), np.float32), np.full(CATEGORIES_FROM, np.nan, np.float32)
    rated = [i for i, example in enumerate(examples) if example.priority is not None]
    order = list(Priority)
    for at, level in enumerate(PRIORITIES):
        reached = np.array([order.index(examples[i].priority) >= order.index(level) for i in rated], dtype=str)
        # Balanced: an urgent message is rare, and to miss one costs more than a false alarm.
        names, fitted, fitted_bias = _one_against_the_rest(matrix[rated], reached, weights[rated], balanced=True)
        if len(names) == 2:
            columns[:, at], bias[at] = fitted[:, 1], fitted_bias[1]
        elif names:
            bias[at] = 1.0 if names == ["True"] else -1.0
    felt = [i for i, example in enumerate(examples) if example.sentiment is not None]
    moods = np.array([examples[i].sentiment for i in felt], dtype=str)
    names, fitted, fitted_bias = _one_against_the_rest(matrix[felt], moods, weights[felt])
    for name, column, of_column in zip(names, fitted.T, fitted_bias, strict=True):
        at = len(PRIORITIES) + SENTIMENTS.index(Sentiment(name))
        columns[:, at], bias[at] = column, of_column
    return columns, bias


def _measured_honesty(matrix, examples: Sequence[Example], weights: np.ndarray) -> tuple[float, float]:
    """From one extra fit without a fifth of what persons labelled (of everything, where persons labelled little)."""
    by_person = [i for i, e in enumerate(examples) if e.category is not None and e.source == Source.PERSON]
    pool = by_person if len(by_person) >= 50 else [i for i, e in enumerate(examples) if e.category is not None]
    n = min(MOST_HELD_OUT, int(len(pool) * CLEAN_SHARE))
    if n < 10:
        return UNMEASURED_TEMPERATURE, -np.inf
    held_out = np.random.default_rng(0).permutation(pool)[:n]
    kept = np.setdiff1d(np.arange(len(examples)), held_out)
    names, columns, bias = _categories(matrix[kept], [examples[i] for i in kept], weights[kept])
    place = {name: i for i, name in enumerate(names)}
    truth = np.array([place.get(examples[i].category, -1) for i in held_out])
    return fit_honesty(matrix[held_out] @ columns + bias, truth)

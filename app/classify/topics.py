"""Topics nobody has a category for: recent messages that resemble each other and nothing that is known. Pure.

For the background; needs scikit-learn. `bench/learning.py topics` leaves one category of a public set out and puts 30
of its messages among 600 others (three sets, five seeds each): told in 13 of 15 streams, and of the messages told 91 %
to 98 % belong there. In the same 15 streams without a new category it told of two.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.classify.cold_start import words_of
from app.classify.features import BUCKETS, Vectoriser

FEWEST = 5  # messages of a topic
MOST_COMPARED = 800  # known messages from which it is learnt how alike strangers are
# Two messages of different categories resemble each other so much only once in 200 times.
STRANGERS_BELOW = 0.995
NEAREST = 3
NEW_FROM = 1.2  # a topic's messages are so many times as near to each other as to the nearest that are known
WORDS = 3  # of its name


@dataclass(frozen=True, slots=True)
class Topic:
    """members: places in the list of messages. words: what they speak of and others do not, the tellingest first."""

    members: tuple[int, ...]
    words: tuple[str, ...]


def find(messages: Sequence[str], known: Sequence[tuple[str, str]], vectoriser: Vectoriser) -> list[Topic]:
    """The largest first. known: (text, category) of decided messages; with one category alone nothing is found."""
    from sklearn.cluster import AgglomerativeClustering

    chosen = [known[i] for i in np.random.default_rng(0).permutation(len(known))[:MOST_COMPARED]]
    alike = _how_alike_strangers_are(chosen, vectoriser)
    if len(messages) < FEWEST or alike is None:
        return []
    rows = _directions(messages, vectoriser)
    likeness = (rows @ rows.T).toarray()
    groups = AgglomerativeClustering(
        None, metric="precomputed", linkage="average", distance_threshold=1 - alike
    ).fit_predict(np.clip(1 - likeness, 0, None))
    to_known = _nearest((rows @ _directions([text for text, _category in known], vectoriser).T).toarray())
    others = [*messages, *(text for text, _category in chosen)]
    found = []
    for group, size in Counter(groups.tolist()).most_common():
        members = np.flatnonzero(groups == group)
        own = likeness[np.ix_(members, members)] - np.eye(size)  # none is its own neighbour
        if size >= FEWEST and _nearest(own).mean() >= NEW_FROM * to_known[members].mean():
            found.append(Topic(tuple(members.tolist()), _name([messages[i] for i in members], others)))
    return found


def _how_alike_strangers_are(known: Sequence[tuple[str, str]], vectoriser: Vectoriser) -> float | None:
    categories = np.array([category for _text, category in known])
    of_different = categories[:, None] != categories[None, :]
    if not of_different.any():
        return None
    rows = _directions([text for text, _category in known], vectoriser)
    return float(np.quantile((rows @ rows.T).toarray()[of_different], STRANGERS_BELOW))


def _directions(texts: Sequence[str], vectoriser: Vectoriser):
    """Sparse rows of length 1, so that a product of two is their cosine. An empty text's row is empty."""
    from scipy.sparse import csr_matrix

    rows = vectoriser.rows(texts)
    lengths = np.sqrt(np.bincount(np.repeat(np.arange(len(rows)), np.diff(rows.starts)), rows.values**2, len(rows)))
    values = rows.values / np.repeat(lengths, np.diff(rows.starts))
    return csr_matrix((values, rows.buckets, rows.starts), shape=(len(rows), BUCKETS))


def _nearest(likeness: np.ndarray) -> np.ndarray:
    """Of each row the mean of its three highest."""
    return np.sort(likeness, axis=1)[:, -NEAREST:].mean(axis=1)


def _name(members: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Words in many of the members and in few of the others; of two that hold each other, the longer."""
    inside, outside = (
        Counter(word for text in texts for word in {word for word, _pieces in words_of(text)})
        for texts in (members, others)
    )
    worth = {
        word: (n / len(members)) * np.log((1 + len(others)) / (1 + outside[word] - n))
        for word, n in inside.items()
        if n > 1 and len(word) > 1 and not word.isdigit()
    }
    named: list[str] = []
    for word in sorted(worth, key=lambda word: (-worth[word], -len(word), word)):
        if not any(word in longer or longer in word for longer in named):
            named.append(word)
    return tuple(named[:WORDS])

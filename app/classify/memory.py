"""What persons decided, kept word for word: duplicates get the same answer, and the nearest ones help and explain.

In the process, numpy only; under 1 ms a question at 10,000 corrections. Safe to share between threads.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from app.classify.features import BLOCK, BUCKETS, Rows, Vectoriser, normalise, rows_of

DUPLICATE = 0.95  # cosine from which two messages are the same but for a detail
MOST_UNSORTED = 256  # new corrections looked through one by one before they are sorted in
POSTINGS_READ = 5000  # of the rarest buckets of a question; the common ones only blur who is near
CANDIDATES = 64  # compared exactly, at least


@dataclass(frozen=True, slots=True)
class Correction:
    """One message and the category a person gave it. `key`: whatever finds it again, usually the message's id.

    imported: it was labelled elsewhere and is no message of the workspace.
    """

    key: str
    text: str
    category: str
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """similarity: cosine, 0..1; 1 says the normalised texts are the same."""

    correction: Correction
    similarity: float


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Corrections with, for every bucket, the list of those that contain it: `starts[b]:starts[b + 1]`."""

    corrections: list[Correction]
    rows: Rows
    lengths: np.ndarray  # of the rows, as vectors
    starts: np.ndarray
    places: np.ndarray
    values: np.ndarray


class Memory:
    def __init__(self, vectoriser: Vectoriser, corrections: Iterable[Correction] = ()) -> None:
        self._vectoriser = vectoriser
        self._lock = threading.Lock()
        self._alive: dict[str, Correction] = {}  # by key, oldest first
        self._exact: dict[str, dict[str, Correction]] = {}  # by normalised text, then as above
        self._sorted = _sort([], rows_of([]))
        self._unsorted: list[tuple[Correction, tuple[np.ndarray, np.ndarray]]] = []
        self._sorting = False
        self._question = np.zeros(BUCKETS, np.float32)  # reused, all zero between questions
        corrections = list(corrections)
        for correction in corrections:
            self._put(correction)
        kept = list(self._alive.values())
        self._sorted = _sort(kept, vectoriser.rows([correction.text for correction in kept]))

    def __len__(self) -> int:
        return len(self._alive)

    # ---- changing

    def add(self, correction: Correction) -> None:
        """Remember it; the same key again replaces what was there."""
        vector = self._vectoriser.vector(correction.text)
        with self._lock:
            self._drop(correction.key)
            self._put(correction)
            self._unsorted.append((correction, vector))
            due = len(self._unsorted) > MOST_UNSORTED and not self._sorting
            self._sorting = self._sorting or due
        if due:  # 0.2 s at 10,000 corrections, for which no answer should wait
            threading.Thread(target=self._sort_in, name="sort corrections", daemon=True).start()

    def remove(self, key: str) -> None:
        """Forget it, at once. A key that is not there is no error: undo may come twice."""
        with self._lock:
            self._drop(key)

    def rename(self, old: str, new: str) -> None:
        """Every correction to category `old` counts for `new`. For a merge as well."""
        with self._lock:
            renamed = {c.key: replace(c, category=new) for c in self._alive.values() if c.category == old}
            self._alive.update(renamed)
            for same in self._exact.values():
                same.update({key: renamed[key] for key in same.keys() & renamed.keys()})

    def _put(self, correction: Correction) -> None:
        self._alive.pop(correction.key, None)
        self._alive[correction.key] = correction
        self._exact.setdefault(normalise(correction.text), {})[correction.key] = correction

    def _drop(self, key: str) -> None:
        known = self._alive.pop(key, None)
        if known is not None:
            text = normalise(known.text)
            del self._exact[text][key]
            if not self._exact[text]:
                del self._exact[text]
            self._unsorted = [(c, vector) for c, vector in self._unsorted if c.key != key]

    def _sort_in(self) -> None:
        """What is added or removed meanwhile stays as it is: `_nearest` looks at both and believes `_alive`."""
        with self._lock:
            old, taken = self._sorted, list(self._unsorted)
            alive = {correction.key: correction.text for correction in self._alive.values()}
        newer = {correction.key for correction, _ in taken}
        kept = [
            (c, old.rows.row(i))
            for i, c in enumerate(old.corrections)
            if alive.get(c.key) == c.text and c.key not in newer
        ]
        kept += taken
        made = _sort([c for c, _ in kept], rows_of([vector for _, vector in kept]))
        sorted_in = {id(entry) for entry in taken}
        with self._lock:
            self._sorted = made
            self._unsorted = [entry for entry in self._unsorted if id(entry) not in sorted_in]
            self._sorting = False

    def _holds(self, correction: Correction) -> bool:
        """False once it was removed, or replaced by another text. The category may have been renamed since."""
        now = self._alive.get(correction.key)
        return now is not None and now.text == correction.text

    # ---- asking

    def duplicate(self, text: str, without: str = "") -> Neighbour | None:
        """The correction that is this message again: the same text (the newest, if persons disagreed), or nearly.

        without: the key of a correction that does not count.
        """
        same = [one for one in list(self._exact.get(normalise(text), {}).values()) if one.key != without]
        if same:
            return Neighbour(same[-1], 1.0)
        near = [one for one in self.nearest(text, 2 if without else 1) if one.correction.key != without]
        return near[0] if near and near[0].similarity >= DUPLICATE else None

    def nearest(self, text: str, k: int) -> list[Neighbour]:
        """Up to k corrections that resemble the text most, most similar first; none that has nothing in common."""
        buckets, values = self._vectoriser.vector(text)
        with self._lock:
            self._question[buckets] = values
            try:
                return self._nearest(buckets, values, k)
            finally:
                self._question[buckets] = 0

    def _nearest(self, buckets: np.ndarray, values: np.ndarray, k: int) -> list[Neighbour]:
        places = _candidates(self._sorted, buckets, values, max(CANDIDATES, 2 * k))
        shared = _shared(self._sorted.rows, places, self._question) / self._sorted.lengths[places]
        found = [(s, i, self._sorted.corrections[i]) for s, i in zip(shared.tolist(), places.tolist(), strict=True)]
        for i, (correction, (its_buckets, its_values)) in enumerate(self._unsorted, start=len(self._sorted.rows)):
            length = np.sqrt(its_values @ its_values)
            found.append((float(its_values @ self._question[its_buckets] / length) if length else 0.0, i, correction))
        length = float(np.sqrt(values @ values))
        nearest: list[Neighbour] = []
        newest_first = sorted(found, key=lambda entry: entry[:2], reverse=True)  # of equals
        for shared_part, _, correction in newest_first:
            if len(nearest) == k or shared_part <= 0:
                break
            # A changed mind about the same text stands twice until it is sorted in; `_alive` has the newer word.
            if self._holds(correction) and all(near.correction.key != correction.key for near in nearest):
                nearest.append(Neighbour(self._alive[correction.key], min(shared_part / length, 1.0)))
        return nearest


def _sort(corrections: list[Correction], rows: Rows) -> _Sorted:
    # Two sorts of 16-bit numbers are ten times as fast as one of 32-bit numbers.
    words = np.flatnonzero(rows.buckets < BLOCK)
    chars = np.flatnonzero(rows.buckets >= BLOCK)
    order = np.concatenate([
        words[np.argsort(rows.buckets[words].astype(np.uint16), kind="stable")],
        chars[np.argsort((rows.buckets[chars] - BLOCK).astype(np.uint16), kind="stable")],
    ])  # fmt: skip
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows.buckets, minlength=BUCKETS))])
    places = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(rows.starts))
    lengths = np.sqrt(np.bincount(places, rows.values**2, minlength=len(rows)))
    return _Sorted(corrections, rows, lengths, starts, places[order], rows.values[order])


def _candidates(known: _Sorted, buckets: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Places of the n corrections that share most with the question, judged by its rarest buckets."""
    lengths = known.starts[buckets + 1] - known.starts[buckets]
    rarest_first = np.argsort(lengths, kind="stable")
    read = rarest_first[: int(np.cumsum(lengths[rarest_first]).searchsorted(POSTINGS_READ)) + 1]
    at = _ranges(known.starts[buckets[read]], lengths[read])
    if len(at) == 0:
        return at
    shared = np.bincount(
        known.places[at], known.values[at] * np.repeat(values[read], lengths[read]), minlength=len(known.corrections)
    )
    n = min(n, len(shared))
    best = np.argpartition(-shared, n - 1)[:n]
    return best[shared[best] > 0]


def _shared(rows: Rows, places: np.ndarray, question: np.ndarray) -> np.ndarray:
    """The product of each of these rows, none of them empty, with the question (float32[BUCKETS])."""
    if len(places) == 0:
        return np.empty(0, np.float32)
    lengths = rows.starts[places + 1] - rows.starts[places]
    at = _ranges(rows.starts[places], lengths)
    return np.add.reduceat(rows.values[at] * question[rows.buckets[at]], np.cumsum(lengths) - lengths)


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """starts[0], starts[0] + 1, ... (lengths[0] of them), then the same of starts[1], and so on."""
    return np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())

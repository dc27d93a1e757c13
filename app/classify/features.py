"""Text as hashed n-grams: what the local model and the memory of corrections read. Pure; numpy only.

Two blocks of 2^16 buckets, each of length 1: words (1-2 in a row) and characters inside words (1-4; in scripts written
without spaces 1-3). Hashing keeps no vocabulary: a word never seen before, in any language, has its bucket already.
One path for training and for answering, so that both always see the same numbers.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np

BLOCK = 1 << 16
BUCKETS = 2 * BLOCK  # words first, then characters
HEAD_CHARS, TAIL_CHARS = 1500, 500  # of a long message: the matter stands at its start, the request at its end
LONGEST_TOKEN = 64  # characters; what is longer is a blob or a script without spaces, and is cut into pieces

_WORD = re.compile(r"\w+")
# Han and kana: no spaces between words, and one character says about as much as two or three letters.
_CJK = "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_PIECE = re.compile(rf"[{_CJK}]+|[^{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_URL = re.compile(r"(?:https?://|www\.)\S+")
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.\w+")
_LONG_NUMBER = re.compile(r"\d[\d\-.,/ ]{2,}\d{2}|\d{4,}")  # order numbers, phones, cards, dates, large amounts
_HAS_LONG_NUMBER = re.compile(r"\d[\d\-.,/ ]{2}")


def normalise(text: str) -> str:
    """One spelling for what means the same: NFKC, lower case, single spaces; what names one customer is masked."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    text = unicodedata.normalize("NFKC", text).lower()
    if "www." in text or "://" in text:
        text = _URL.sub(" <url> ", text)
    if "@" in text:
        text = _EMAIL.sub(" <email> ", text)
    if _HAS_LONG_NUMBER.search(text):
        text = _LONG_NUMBER.sub(" <number> ", text)
    return " ".join(text.split())


def _char_grams(piece: str) -> list[str]:
    if is_cjk(piece):
        longest = 3
    else:
        piece, longest = f" {piece} ", 4
    grams = list(piece.strip()) if longest == 4 else list(piece)
    for n in range(2, longest + 1):
        grams += [piece[i : i + n] for i in range(len(piece) - n + 1)]
    return grams


def bucket(gram: str) -> int:
    """Where a word, a pair of words or a piece of one is counted, within its block."""
    return crc32(gram.encode(errors="replace")) & 0xFFFF


def is_cjk(run: str) -> bool:
    """Whether a run, as `runs` cuts them, is Han or kana."""
    return bool(_IS_CJK.match(run))


def runs(normalised: str) -> list[str]:
    """What stands between spaces; Han and kana, written without them, apart from everything else."""
    return [run for token in normalised.split(" ") for run in _pieces(token)]


def _pieces(token: str) -> list[str]:
    return [piece for at in range(0, len(token), LONGEST_TOKEN) for piece in _PIECE.findall(token[at:][:LONGEST_TOKEN])]


def _grams(token: str) -> list[str]:
    return [gram for piece in _pieces(token) for gram in _char_grams(piece)]


@lru_cache(maxsize=20_000)
def _token(token: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Of one run between spaces: the buckets of its character grams (repeats kept), and its words."""
    words = tuple(word for piece in _pieces(token) for word in _WORD.findall(piece))
    return np.array([BLOCK + bucket(gram) for gram in _grams(token)], np.int32), words


def parts(normalised: str) -> list[tuple[str, np.ndarray]]:
    """(what a reader recognises, its buckets with repeats) of a normalised text; each bucket belongs to one part.

    A run between spaces is a part, with its words and its characters; so is each pair of neighbouring words. Runs of
    Han and kana are cut into their pieces of one to three characters.
    """
    found: list[tuple[str, np.ndarray]] = []
    words: list[str] = []
    for token in normalised.split(" "):
        buckets, its_words = _token(token)
        words += its_words
        if _IS_CJK.search(token):
            found += [(gram, np.array([BLOCK + bucket(gram)])) for gram in _grams(token)]
            found += [(word, np.array([bucket(word)])) for word in its_words]
        else:
            found.append((token, np.concatenate([buckets, np.array([bucket(word) for word in its_words], np.int32)])))
    pairs = [f"{a} {b}" for a, b in pairwise(words)]
    return found + [(pair, np.array([bucket(pair)])) for pair in pairs]


def counts(normalised: str) -> tuple[np.ndarray, np.ndarray]:
    """(buckets int32 ascending, how often each occurs int64) of a normalised text. Empty text: two empty arrays."""
    tokens = [_token(token) for token in normalised.split(" ")]
    words = [word for _, of_token in tokens for word in of_token]
    hashed = [bucket(word) for word in words]
    hashed += [bucket(f"{a} {b}") for a, b in pairwise(words)]
    buckets = np.concatenate([np.array(hashed, np.int32), *(grams for grams, _ in tokens)])
    buckets.sort()
    first = np.flatnonzero(np.concatenate(([True], buckets[1:] != buckets[:-1]))) if len(buckets) else np.empty(0, int)
    return buckets[first], np.diff(first, append=len(buckets))


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows: row i is `buckets[starts[i]:starts[i + 1]]` with `values` beside it (the layout of CSR)."""

    starts: np.ndarray  # int64[n + 1]
    buckets: np.ndarray  # int32[total]
    values: np.ndarray  # float32[total]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(self.starts[i], self.starts[i + 1])
        return self.buckets[part], self.values[part]


class Vectoriser:
    """Turns texts into sparse vectors. `idf`: float32[BUCKETS], what an occurrence of each bucket is worth."""

    def __init__(self, idf: np.ndarray | None = None) -> None:
        self.idf = np.ones(BUCKETS, np.float32) if idf is None else idf

    @classmethod
    def fitted_rows(cls, texts: Sequence[str], other_texts: Iterable[str] = ()) -> tuple["Vectoriser", Rows]:
        """Learns from a workspace's own traffic what is rare; also returns the vectors of `texts`.

        other_texts: traffic that only counts for rarity.
        """
        counted = [counts(normalise(text)) for text in texts]
        n, seen_in = len(counted), np.zeros(BUCKETS, np.int64)
        for buckets, _ in counted:
            seen_in[buckets] += 1
        for text in other_texts:
            seen_in[counts(normalise(text))[0]] += 1
            n += 1
        # Rounded as it is stored, so that a model answers the same before and after it was saved.
        idf = (np.log((1 + n) / (1 + seen_in)) + 1).astype(np.float16)
        vectoriser = cls(idf.astype(np.float32))
        return vectoriser, rows_of([vectoriser.weigh(*found) for found in counted])

    def vector(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """(buckets int32 ascending, values float32); each block of the values has length 1 or is empty."""
        return self.weigh(*counts(normalise(text)))

    def weigh(self, buckets: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = (np.log(times) + 1).astype(np.float32) * self.idf[buckets]
        chars_from = int(buckets.searchsorted(BLOCK))
        for block in (values[:chars_from], values[chars_from:]):
            if len(block):
                block /= np.sqrt(block @ block)
        return buckets, values

    def rows(self, texts: Sequence[str]) -> Rows:
        return rows_of([self.vector(text) for text in texts])


def rows_of(vectors: Sequence[tuple[np.ndarray, np.ndarray]]) -> Rows:
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in vectors)], dtype=np.int64)
    if not vectors:
        return Rows(starts, np.empty(0, np.int32), np.empty(0, np.float32))
    return Rows(starts, np.concatenate([b for b, _ in vectors]), np.concatenate([v for _, v in vectors]))

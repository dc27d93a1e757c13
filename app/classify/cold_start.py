"""Before there is anything to learn from: what a message shares with the names and descriptions of the categories.

It only suggests, in the steps of the passport, and falls silent as soon as the workspace's own model is better.
Pure; about 0.2 ms a message.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from app.classify import features
from app.classify.language import COMMON
from app.classify.learned import LIKELIEST, WORDS, Learned
from app.classify.opinion import Opinion
from app.domain.classification import Category, Source, Step
from app.domain.conditions import Facts

# Below so many examples for each category names are right more often than the model: with 77 to 150 categories and
# nothing but their names, 48 % to 50 % against 35 % to 53 % at two examples each and 45 % to 61 % at three.
ENOUGH_EACH = 3
# Divides the scores before the softmax. With it, what was 60 % to 80 % sure was right for 61 % to 71 % of the messages
# of three English sets, which is what such numbers promise.
TEMPERATURE = 0.1
LEAST, CLEARER = 0.3, 1.5  # probability from which it is shown as the suggestion; and times that of the second
# Share of a word's pieces that stand in a category's text, from which the word counts as found there. A single
# character never does: it is in too many words.
ALIKE = 0.4
WORD = re.compile(r"\w+")
COMMON_WORDS = frozenset(word for words in COMMON.values() for word in words.split())
COMMON_HAN = frozenset("的了是我你他她它您们在有不没和就都也吗呢啊吧请这那很与及或等到为把被给对上下个一么什怎")

NOTHING_SHARED = "no word of it stands in a category's name or description"
UNSURE = "Too little is learnt yet. The suggestion only compares words with the names and descriptions of categories."


@dataclass(frozen=True, slots=True)
class Likeness:
    """likeliest: (category's key, probability), best first. words: of the message, found in the best one's text.

    Each word comes with its share of the score. No words: nothing worth suggesting was found.
    """

    likeliest: list[tuple[str, float]]
    words: list[tuple[str, float]]


class Names:
    """The texts of a workspace's categories, ready to be compared."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._keys = [category.key for category in categories]
        texts = [_pieces(f"{category.name}. {category.description}") for category in categories]
        seen_in = Counter(piece for pieces in texts for piece in pieces)
        self._worth = {piece: math.log((1 + len(texts)) / (1 + n)) + 1 for piece, n in seen_in.items()}
        self._places: dict[str, list[tuple[int, float]]] = defaultdict(list)  # piece -> (category, weight)
        for place, pieces in enumerate(texts):
            weights = self._weighed(pieces)
            length = math.sqrt(sum(weight * weight for weight in weights.values()))
            for piece, weight in weights.items():
                self._places[piece].append((place, weight / length))

    def _weighed(self, pieces: Counter[str]) -> dict[str, float]:
        """What no category speaks of weighs nothing: a long message is not less sure than a short one."""
        known = self._worth.keys() & pieces.keys()
        return {piece: (math.log(pieces[piece]) + 1) * self._worth[piece] for piece in known}

    def likeness(self, text: str) -> Likeness:
        weights = self._weighed(_pieces(text))
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        if not length:
            return Likeness([], [])
        scores = [0.0] * len(self._keys)
        for piece, weight in weights.items():
            for place, its_weight in self._places[piece]:
                scores[place] += weight * its_weight / length
        powers = [math.exp(score / TEMPERATURE) for score in scores]
        total = sum(powers)
        best_first = sorted(range(len(scores)), key=lambda place: -scores[place])
        likeliest = [(self._keys[place], powers[place] / total) for place in best_first]
        return Likeness(likeliest, self._found(text, weights, best_first[0]))

    def _found(self, text: str, weights: dict[str, float], place: int) -> list[tuple[str, float]]:
        """The words of a text that stand in a category's, each with its share of what they have in common."""
        its = {piece: weight for piece in weights for at, weight in self._places[piece] if at == place}
        score = sum(weights[piece] * weight for piece, weight in its.items())
        shares: dict[str, float] = {}
        for word, pieces in words_of(text):
            shared = [piece for piece in pieces if piece in its]
            if len(shared) >= ALIKE * len(pieces) and len(word) > 1:
                shares[word] = sum(weights[piece] * its[piece] for piece in shared) / score
        found: list[tuple[str, float]] = []
        for word, share in sorted(shares.items(), key=lambda pair: (-pair[1], -len(pair[0]))):
            if not any(word in longer or longer in word for longer, _ in found):
                found.append((word, share))
        return found


def by_names(learned: Callable[[], Learned], categories: Sequence[Category]) -> Callable[[str, Facts], Opinion]:
    names = Names(categories)

    def tier(text: str, facts: Facts) -> Opinion:
        counts = learned().model.counts
        if sum(counts[category.key] for category in categories) >= ENOUGH_EACH * len(categories):
            return Opinion(Source.NAMES, ())
        started = perf_counter()
        found = names.likeness(text)
        took_ms = (perf_counter() - started) * 1000
        if not found.words:
            return Opinion(Source.NAMES, (Step(Source.NAMES, None, None, NOTHING_SHARED, took_ms),))
        (key, probability), (_, second) = (*found.likeliest, ("", 0.0))[:2]
        detail = {
            "likeliest": [[key, round(p, 4)] for key, p in found.likeliest[:LIKELIEST]],
            "words": [[word, round(share, 3)] for word, share in found.words[:WORDS]],
        }
        answer = key if probability >= max(LEAST, CLEARER * second) else None
        step = Step(Source.NAMES, answer, probability, _reason(answer), took_ms, detail=detail)
        return Opinion(Source.NAMES, (step,), unsure_because=UNSURE)

    return tier


def _reason(answer: str | None) -> str:
    return "by its name and description" if answer else "too many categories resemble it"


# ---- words and their pieces


def words_of(text: str) -> list[tuple[str, list[str]]]:
    """Each word that says something, with its pieces. In scripts without spaces each piece is a word."""
    words: list[tuple[str, list[str]]] = []
    for run in features.runs(features.normalise(text)):
        if features.is_cjk(run):
            pieces = [run[at : at + n] for n in (1, 2, 3) for at in range(len(run) - n + 1)]
            words += [(piece, [piece]) for piece in pieces if piece not in COMMON_HAN]
        else:
            words += [(word, _grams(word)) for word in WORD.findall(run)]
    return [one for one in words if one[0] not in COMMON_WORDS]


def _grams(word: str) -> list[str]:
    """Three and four letters in a row, with the word's ends, so that inflections and small slips still match."""
    framed = f" {word} "
    return list({framed[at : at + n] for n in (3, 4) for at in range(len(framed) - n + 1)} | {framed})


def _pieces(text: str) -> Counter[str]:
    return Counter(piece for _, pieces in words_of(text) for piece in pieces)

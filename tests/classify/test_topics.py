"""New topics are found among messages that resemble each other, and none is invented."""

import random

import pytest

from app.classify import topics
from app.classify.features import Vectoriser

KNOWN = [
    (template.format(thing), category)
    for category, templates in (
        ("bug", ("the {} page crashes at once", "error five on the {} screen", "the {} view stays black today")),
        ("billing", ("please refund my payment for {}", "the invoice of {} is wrong", "I was charged twice for {}")),
    )
    for template in templates
    for thing in ("orders", "maps", "chat", "photos", "calendar", "reports", "search", "profile")
]  # fmt: skip
ODD = (
    "who sings this song",
    "what a lovely morning",
    "my cat likes fish",
    "two plus two",
    "tell me a joke",
    "nice weather",
)


@pytest.fixture(scope="module")
def vectoriser():
    return Vectoriser.fitted_rows([text for text, _ in KNOWN])[0]


@pytest.mark.parametrize(
    ("template", "word"),
    [("my wheelchair does not fit through the {} door of the hotel", "wheelchair"), ("{}的轮椅能进酒店吗", "轮椅")],
)
def test_messages_of_one_new_thing_are_one_topic_named_by_its_words(template, word, vectoriser):
    new = [template.format(place) for place in ("front", "back", "garden", "bath", "lift", "pool")]
    mixed = [*ODD, *new]
    random.Random(3).shuffle(mixed)

    [found] = topics.find(mixed, KNOWN, vectoriser)

    assert sorted(mixed[i] for i in found.members) == sorted(new)
    assert any(word in said for said in found.words)


def test_odd_messages_that_have_nothing_in_common_are_no_topic(vectoriser):
    assert topics.find(ODD, KNOWN, vectoriser) == []


@pytest.mark.parametrize("known", [[], [("the app crashes", "bug")] * 9])
def test_without_two_categories_to_compare_nothing_is_called_new(known, vectoriser):
    assert topics.find(["my wheelchair does not fit"] * 9, known, vectoriser) == []


def test_empty_texts_are_like_nothing(vectoriser):
    assert topics.find([""] * 9, KNOWN, vectoriser) == []

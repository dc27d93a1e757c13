"""Which message a person sees first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.review_order import Candidate, first

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
A, B, C = (UUID(int=n) for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ({"confidence": 0.2}, {"confidence": 0.9}),
        ({"priority": "urgent"}, {"priority": "normal"}),
        ({"received_at": NOON - timedelta(days=1)}, {}),
        ({"is_check": True, "confidence": 0.99}, {"confidence": 0.8}),
        ({"asked": True, "confidence": 0.99}, {"priority": "urgent", "confidence": 0.0}),
        ({}, {"skipped": 1, "received_at": NOON - timedelta(hours=8)}),
    ],
    ids=["doubt", "cost of an error", "waiting", "a random check", "a colleague asks", "put off"],
)
def test_what_comes_first(sooner, later):
    candidates = [Candidate(A, **({"received_at": NOON} | later)), Candidate(B, **({"received_at": NOON} | sooner))]

    assert first(candidates, 2, NOON) == [B, A]


def test_a_person_does_not_see_one_suggestion_ten_times_in_a_row():
    same = [Candidate(UUID(int=n), NOON, "billing", 0.4) for n in range(10, 15)]
    other = Candidate(C, NOON, "bug", 0.5)

    assert C in first([*same, other], 3, NOON)


def test_everything_comes_up_in_the_end():
    candidates = [Candidate(UUID(int=n), NOON, "billing", 0.4) for n in range(20)]

    assert set(first(candidates, 50, NOON)) == {one.id for one in candidates}

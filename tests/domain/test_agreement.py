"""Cohen's kappa, against figures worked out by hand."""

import pytest

from app.domain.agreement import agreement, mixed_up


def test_kappa_of_a_textbook_table():
    """Fifty grant applications, two readers: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no; kappa 0.4."""
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15

    found = agreement(pairs)

    assert (found.n, found.share, found.kappa) == (50, 0.7, pytest.approx(0.4))


def test_always_alike_is_one_and_one_label_alone_proves_nothing():
    assert agreement([("a", "a"), ("b", "b")]).kappa == pytest.approx(1.0)
    assert agreement([("a", "a")] * 3).kappa is None
    assert agreement([]).kappa is None


def test_what_is_mixed_up_counts_in_either_order():
    pairs = [("billing", "refund"), ("refund", "billing"), ("bug", None), ("bug", "bug")]

    assert mixed_up(pairs) == [(("billing", "refund"), 2), ((None, "bug"), 1)]

"""How right the machine was: figures one can compute by hand."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app.classify import quality
from app.classify.quality import Judged
from app.db.tables.base import new_id


def judged(machine, decided, confidence=0.9, stands_for=1.0, corrections=0):
    return Judged(uuid4(), datetime(2026, 1, 1, tzinfo=UTC), machine, confidence, decided, stands_for, corrections)


def test_a_random_check_counts_for_as_many_messages_as_it_stands_for():
    rows = [judged("bug", "billing"), judged("bug", "bug", stands_for=9.0)]

    assert quality.accuracy(rows).share == pytest.approx(0.9)


def test_precision_recall_and_f1_of_a_category():
    rows = [judged("bug", "bug"), judged("bug", "bug"), judged("bug", "billing"), judged("billing", "bug"),
            judged(None, "bug")]  # fmt: skip

    bug = next(one for one in quality.by_category(rows) if one.key == "bug")

    assert (bug.messages, bug.precision.share, bug.recall.share) == (4, pytest.approx(2 / 3), pytest.approx(0.5))
    assert bug.f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


def test_a_category_the_machine_never_named_has_no_f1():
    [bug] = quality.by_category([judged(None, "bug")])

    assert (bug.precision.n, bug.f1) == (0, None)


def test_only_what_went_wrong_is_confused():
    rows = [judged("bug", "bug"), judged("bug", "billing"), judged("bug", "billing"), judged(None, "bug")]

    assert quality.confusion(rows) == {("billing", "bug"): 2, ("bug", None): 1}


def test_what_was_promised_stands_beside_what_was_kept():
    rows = [judged("bug", "bug", 0.95), judged("bug", "billing", 0.97), judged("bug", "bug", 1.0),
            judged("bug", "billing", 0.31), judged(None, "bug", None)]  # fmt: skip

    low, high = quality.promises(rows)

    assert (low.low, low.promised, low.kept.share) == (0.3, pytest.approx(0.31), 0.0)
    assert (high.high, high.promised, high.kept.share) == (1.0, pytest.approx(2.92 / 3), pytest.approx(2 / 3))


def test_the_curve_has_a_point_for_each_fifty_messages():
    rows = [judged("bug", "bug" if place >= 50 else "billing", corrections=place) for place in range(120)]

    assert [(p.corrections, p.accuracy.share, p.accuracy.n) for p in quality.curve(rows)] == [
        (0, 0.0, 50), (50, 1.0, 50), (100, 1.0, 20)
    ]  # fmt: skip


def test_the_golden_set_is_that_share_of_the_messages_and_always_the_same_ones():
    ids = [new_id() for _ in range(10_000)]
    golden = [one for one in ids if quality.kept_for_examination(one, 0.1)]

    assert len(golden) == pytest.approx(0.1 * len(ids), rel=0.15)
    assert all(quality.kept_for_examination(one, 0.2) for one in golden)
    assert not any(quality.kept_for_examination(one, 0.0) for one in ids)

import json
from dataclasses import replace

import numpy as np
import pytest

from app.classify.calibration import (
    CLOSED,
    FEWEST_REVIEWED,
    Audited,
    Thresholds,
    fit_honesty,
    fit_thresholds,
    lower_bound,
    raised,
    realised,
)
from app.classify.local_model import LocalAnswer


def traffic(n, seed=0, honest=1.0, category="a", **more):
    """Audited messages whose probabilities are right (honest = 1) or promise too much (honest < 1)."""
    rng = np.random.default_rng(seed)
    return [
        Audited(category, float(p), float(p), bool(rng.random() < p * honest), **more)
        for p in rng.beta(4, 0.7, n).clip(0.01, 0.999)
    ]


def answer(probability, category="a", raw=1.0, usable=True):
    return LocalAnswer(category, probability, raw, usable, (category,), np.ones(1), np.ones(1))


def right_of_passing(thresholds, messages):
    passing = [m for m in messages if not thresholds.refuses(answer(m.probability, m.category, m.raw))]
    return np.mean([m.correct for m in passing]), len(passing) / len(messages)


# ---- honesty


def test_the_temperature_that_made_the_labels_is_found_again():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (4000, 5))
    chances = np.exp(scores / 0.4)
    truth = np.array([rng.choice(5, p=row / row.sum()) for row in chances])

    temperature, stranger = fit_honesty(scores, truth)

    assert temperature == pytest.approx(0.4, rel=0.1) and stranger == -CLOSED


def test_strangers_raise_the_score_of_none_of_these():
    rng = np.random.default_rng(0)
    known = rng.normal(-1, 0.2, (300, 4))
    known[np.arange(300), np.arange(300) % 4] = 0.8
    scores = np.vstack([known, rng.normal(-1, 0.2, (60, 4))])
    truth = np.concatenate([np.arange(300) % 4, np.full(60, -1)])

    _, stranger = fit_honesty(scores, truth)

    assert -0.9 < stranger < 0.8


def test_without_anything_to_learn_from_the_temperature_is_the_usual_one():
    assert fit_honesty(np.empty((0, 3)), np.empty(0, int)) == (0.25, -CLOSED)


# ---- thresholds


def test_nothing_is_answered_before_enough_was_reviewed():
    thresholds = fit_thresholds([Audited("a", 0.99, 1.0, True)] * (FEWEST_REVIEWED - 1), 0.9)

    assert thresholds.level == CLOSED and "Not enough audited" in thresholds.refuses(answer(0.999))


def test_the_target_holds_on_later_traffic_whatever_the_probabilities_promise():
    for honest in (1.0, 0.97):
        reached = []
        for seed in range(10):
            thresholds = fit_thresholds(traffic(600, seed, honest), 0.9)
            reached.append(right_of_passing(thresholds, traffic(4000, seed + 100, honest))[0])
        assert np.mean(np.array(reached) >= 0.89) >= 0.9, honest


def test_a_target_out_of_reach_closes():
    assert fit_thresholds([Audited("a", 0.9, 1.0, i % 3 > 0) for i in range(400)], 0.95).level == CLOSED


def test_a_stricter_target_lets_less_through():
    audited = traffic(1500)

    shares = [fit_thresholds(audited, target).expected_share for target in (0.85, 0.9, 0.95)]

    assert shares[0] > shares[1] > shares[2] > 0


def test_a_message_stands_for_as_many_as_its_sampling_rate_says():
    good = [Audited("a", 0.9 + i / 1e4, 1.0, True) for i in range(300)]
    bad = [Audited("a", 0.5 + i / 1e4, 1.0, i % 2 == 0) for i in range(100)]

    rare = fit_thresholds(good + [replace(m, stands_for=0.05) for m in bad], 0.95)
    usual = fit_thresholds(good + [replace(m, stands_for=5.0) for m in bad], 0.95)

    assert not rare.refuses(answer(0.502)) and usual.refuses(answer(0.502))


def test_a_category_whose_answers_are_worse_than_promised_must_be_surer():
    audited = traffic(900, 0) + traffic(300, 1, honest=0.8, category="bad")

    thresholds = fit_thresholds(audited, 0.85)

    assert thresholds.probability("bad") > thresholds.probability("a")


def test_a_category_with_few_messages_is_judged_like_the_others():
    audited = traffic(900, 0) + [Audited("new", 0.9, 0.9, False)]

    thresholds = fit_thresholds(audited, 0.85)

    assert thresholds.harder["new"] < 0.5
    assert thresholds.probability("never audited") == pytest.approx(thresholds.probability("a"), abs=0.1)


def test_a_pinned_category_keeps_its_own_stricter_target():
    audited = traffic(2000, 0) + traffic(2000, 1, category="churn")

    thresholds = fit_thresholds(audited, 0.85, pins={"churn": 0.95})

    assert thresholds.probability("churn") > thresholds.probability("a") + 0.05


def test_the_gate_keeps_strangers_out_that_look_sure():
    known = [Audited("a", 0.9, 0.5 + i / 1e4, True) for i in range(400)]
    strangers = [Audited("a", 0.9, -0.5 - i / 1e4, False, out_of_scope=True) for i in range(60)]

    thresholds = fit_thresholds(known + strangers, 0.95)

    assert "resembles nothing" in thresholds.refuses(answer(0.95, raw=-0.6))
    assert not thresholds.refuses(answer(0.95, raw=0.6))


def test_an_answer_says_why_it_may_not_stand_alone():
    thresholds = Thresholds(0.95, level=2.0)

    assert "no category" in thresholds.refuses(replace(answer(1.0), category=None))
    assert "too few examples" in thresholds.refuses(answer(1.0, usable=False))
    assert "60% sure of 'a', 88% is needed" in thresholds.refuses(answer(0.6))
    assert thresholds.refuses(answer(0.9)) == ""


@pytest.mark.parametrize("thresholds", [
    Thresholds(0.95), fit_thresholds(traffic(600), 0.85, pins={"a": 0.9}),
    Thresholds(0.9, level=1.0, gate=-0.3, pinned={"x": CLOSED}),
])  # fmt: skip
def test_thresholds_survive_json(thresholds):
    stored = json.dumps(thresholds.as_json(), allow_nan=False)

    assert Thresholds.from_json(json.loads(stored)) == thresholds


# ---- watching


def test_the_lower_bound_is_the_clopper_pearson_one():
    # 0 wrong of n: the risk is right ** n. 190 of 200: the chance of as many or more at the bound is the risk.
    assert lower_bound(59, 59, 0.05) == pytest.approx(0.05 ** (1 / 59))
    assert lower_bound(0, 20, 0.1) == 0.0
    assert lower_bound(190, 200, 0.1) == pytest.approx(0.9239, abs=0.001)


def test_realised_accuracy_comes_with_its_interval():
    audited = [Audited("a", 0.9, 1.0, i >= 8) for i in range(200)]

    found = realised(audited)

    assert found.share == pytest.approx(0.96) and found.n == 200
    assert 0.92 < found.low < 0.96 < found.high < 0.99
    assert realised([]).n == 0


def test_thresholds_rise_when_too_many_audited_answers_were_wrong():
    thresholds = Thresholds(0.95, level=1.0)
    audited = [Audited("a", 0.75 + i / 1000, 1.0, i >= 30) for i in range(200)]

    stricter = raised(thresholds, audited)

    passing = [m for m in audited if not stricter.refuses(answer(m.probability))]
    assert stricter.level > 1.0 and passing
    assert np.mean([m.correct for m in passing]) >= 0.95


def test_thresholds_close_when_even_the_surest_were_wrong():
    audited = [Audited("a", 0.9, 1.0, i % 3 > 0) for i in range(200)]

    assert raised(Thresholds(0.95, level=1.0), audited).level == CLOSED


@pytest.mark.parametrize(("n", "wrong"), [(200, 9), (200, 10), (3, 1), (29, 9), (60, 3)])
def test_thresholds_stay_while_the_target_is_kept_or_too_little_is_known(n, wrong):
    audited = [Audited("a", 0.9, 1.0, i >= wrong) for i in range(n)]

    assert raised(Thresholds(0.95, level=1.0), audited) is None


def test_only_the_newest_200_audited_answers_count():
    old = [Audited("a", 0.9, 1.0, False)] * 50

    assert raised(Thresholds(0.95, level=1.0), old + [Audited("a", 0.9, 1.0, True)] * 200) is None

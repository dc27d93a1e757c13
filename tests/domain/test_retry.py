import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import retry
from app.domain.errors import Ambiguous, Refused, Rejected, TargetGone, TransientError, Unauthorized
from app.domain.lifecycle import DeliveryStatus
from app.domain.retry import Cause, CircuitOpen, Verdict, after_error
from app.domain.tasks import Capability

FINDS = frozenset({Capability.FIND})
IDEMPOTENT = frozenset({Capability.IDEMPOTENT_CREATE})


def verdict(error, tries=1, age_s=0.0, can=FINDS, has_alternative=False) -> Verdict:
    return after_error(error, tries=tries, age_s=age_s, can=can, has_alternative=has_alternative, random=lambda: 1.0)


@given(tries=st.integers(1, 10_000), draw=st.floats(0, 1))
def test_waits_grow_to_half_a_minute_and_never_beyond(tries, draw):
    wait_s = retry.backoff_s(tries, lambda: draw)

    assert 0.5 * retry.FIRST_WAIT_S <= wait_s <= retry.LONGEST_WAIT_S


def test_the_vendors_wait_is_obeyed_when_longer_than_ours():
    assert verdict(TransientError("busy", retry_after_s=30.0)).wait_s == 30.0


def test_our_wait_holds_when_the_vendor_asks_for_less():
    assert verdict(TransientError("busy", retry_after_s=0.1), tries=5).wait_s == 16.0


def test_a_transient_error_is_retried_at_the_same_place_first():
    assert verdict(TransientError("busy"), has_alternative=True).status is DeliveryStatus.RETRYING


def test_after_several_transient_errors_the_next_destination_is_asked():
    handed_on = verdict(TransientError("busy"), tries=retry.TRIES_BEFORE_FAILOVER, has_alternative=True)

    assert (handed_on.status, handed_on.fail_over) == (DeliveryStatus.CANCELLED, True)


def test_a_vendor_that_wants_a_long_wait_is_passed_over_at_once():
    assert verdict(TransientError("busy", retry_after_s=120), has_alternative=True).fail_over


@pytest.mark.parametrize("tries", [1, 3, 50])
def test_an_uncertain_end_is_looked_into_before_anything_is_handed_on(tries):
    uncertain = verdict(Ambiguous("cut"), tries=tries, has_alternative=True)

    assert (uncertain.status, uncertain.fail_over) == (DeliveryStatus.UNKNOWN, False)


def test_where_nothing_can_be_looked_up_an_uncertain_end_goes_to_a_person():
    uncertain = verdict(Ambiguous("cut"), can=frozenset())

    assert uncertain == Verdict(DeliveryStatus.FAILED, Cause.UNCERTAIN)


@pytest.mark.parametrize(
    ("error", "cause"),
    [(Rejected("x"), Cause.REJECTED), (TargetGone("x"), Cause.TARGET_GONE), (Refused("x"), Cause.FORBIDDEN)],
)
def test_a_permanent_error_is_not_tried_again(error, cause):
    assert verdict(error) == Verdict(DeliveryStatus.FAILED, cause)
    assert verdict(error, has_alternative=True) == Verdict(DeliveryStatus.CANCELLED, cause, fail_over=True)


def test_dead_credentials_park_the_delivery_instead_of_failing_it():
    parked = verdict(Unauthorized("revoked"))

    assert (parked.status, parked.wait_s) == (DeliveryStatus.RETRYING, retry.PARKED_RECHECK_S)


def test_an_open_circuit_hands_on_at_once_or_waits_for_it_to_close():
    assert verdict(CircuitOpen("open", 40.0), has_alternative=True).fail_over
    assert verdict(CircuitOpen("open", 40.0)).wait_s == 40.0


def test_a_day_of_outage_is_outlasted_and_two_are_not():
    day_s = 24 * 3600.0

    assert verdict(TransientError("down"), tries=100, age_s=day_s).status is DeliveryStatus.RETRYING
    assert verdict(TransientError("down"), tries=200, age_s=2 * day_s + 1).cause is Cause.GAVE_UP


def test_only_vendors_without_an_idempotency_key_are_searched_first():
    assert retry.must_look_first(DeliveryStatus.UNKNOWN, FINDS)
    assert not retry.must_look_first(DeliveryStatus.UNKNOWN, IDEMPOTENT)
    assert not retry.must_look_first(DeliveryStatus.RETRYING, FINDS)


def test_a_lagging_search_is_asked_twice_and_a_sure_one_once():
    lags = FINDS | {Capability.FIND_LAGS}

    assert [retry.must_look_again(looks, lags) for looks in (1, 2)] == [True, False]
    assert not retry.must_look_again(1, FINDS)

import itertools

import pytest

from app.domain.lifecycle import STEPS, DeliveryStatus, IllegalStep, MessageStatus, advance

PAIRS = [*itertools.product(MessageStatus, MessageStatus), *itertools.product(DeliveryStatus, DeliveryStatus)]


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_every_pair_of_states_is_either_a_step_or_refused(current, target):
    if target in STEPS[current]:
        assert advance(current, target) is target
    else:
        with pytest.raises(IllegalStep, match=f"from {current} to {target}"):
            advance(current, target)


def test_a_delivered_task_is_final():
    assert STEPS[DeliveryStatus.DELIVERED] == frozenset()


def test_an_unknown_end_is_never_cancelled_because_the_task_may_exist():
    assert DeliveryStatus.CANCELLED not in STEPS[DeliveryStatus.UNKNOWN]


@pytest.mark.parametrize("kind", [MessageStatus, DeliveryStatus])
def test_every_state_can_be_reached(kind):
    first = {MessageStatus.RECEIVED, DeliveryStatus.PENDING}
    reached = {target for state, targets in STEPS.items() if isinstance(state, kind) for target in targets}

    assert set(kind) - first <= reached


def test_a_step_between_a_message_and_a_delivery_is_refused():
    with pytest.raises(IllegalStep):
        advance(MessageStatus.FAILED, DeliveryStatus.PENDING)

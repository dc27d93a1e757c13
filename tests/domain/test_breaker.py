from app.domain.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, SECONDS_TO_OPEN, Circuit, after_failure

NOW = 1_000.0


def failing(
    times: int, circuit: Circuit | None = None, start: float = NOW, seconds: float = SECONDS_TO_OPEN
) -> Circuit:
    """So many failures in a row, spread evenly over the seconds, the last one at their end."""
    circuit = circuit or Circuit()
    for number in range(times):
        circuit = after_failure(circuit, start + seconds * number / max(1, times - 1))
    return circuit


OPENED_AT = NOW + SECONDS_TO_OPEN


def test_a_few_failures_leave_the_circuit_closed():
    assert not failing(FAILURES_TO_OPEN - 1).is_open(OPENED_AT)


def test_failures_in_a_row_open_it_for_a_while():
    circuit = failing(FAILURES_TO_OPEN)

    assert circuit.is_open(OPENED_AT + FIRST_PAUSE_S - 0.1)
    assert not circuit.is_open(OPENED_AT + FIRST_PAUSE_S)


def test_many_failures_within_a_moment_are_no_outage():
    assert not failing(200, seconds=SECONDS_TO_OPEN / 2).is_open(OPENED_AT)


def test_a_failing_probe_opens_it_for_twice_as_long():
    probed_at = OPENED_AT + FIRST_PAUSE_S

    reopened = after_failure(failing(FAILURES_TO_OPEN), probed_at)

    assert reopened.open_until == probed_at + 2 * FIRST_PAUSE_S


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause():
    opened = failing(FAILURES_TO_OPEN)

    assert after_failure(opened, OPENED_AT + 1) == opened


def test_the_pause_never_exceeds_five_minutes():
    circuit, now = failing(FAILURES_TO_OPEN), OPENED_AT
    for _ in range(30):
        now = circuit.open_until
        circuit = after_failure(circuit, now)

    assert circuit.open_until - now == LONGEST_PAUSE_S

from app.domain.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, Circuit, after_failure

NOW = 1_000.0


def failing(times: int, circuit: Circuit | None = None, now: float = NOW) -> Circuit:
    circuit = circuit or Circuit()
    for _ in range(times):
        circuit = after_failure(circuit, now)
    return circuit


def test_a_few_failures_leave_the_circuit_closed():
    assert not failing(FAILURES_TO_OPEN - 1).is_open(NOW)


def test_failures_in_a_row_open_it_for_a_while():
    circuit = failing(FAILURES_TO_OPEN)

    assert circuit.is_open(NOW + FIRST_PAUSE_S - 0.1)
    assert not circuit.is_open(NOW + FIRST_PAUSE_S)


def test_a_failing_probe_opens_it_for_twice_as_long():
    reopened = failing(1, failing(FAILURES_TO_OPEN), NOW + FIRST_PAUSE_S)

    assert reopened.open_until == NOW + FIRST_PAUSE_S + 2 * FIRST_PAUSE_S


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause():
    assert failing(FAILURES_TO_OPEN + 50) == failing(FAILURES_TO_OPEN)


def test_the_pause_never_exceeds_five_minutes():
    circuit, now = failing(FAILURES_TO_OPEN), NOW
    for _ in range(30):
        now = circuit.open_until
        circuit = after_failure(circuit, now)

    assert circuit.open_until - now == LONGEST_PAUSE_S

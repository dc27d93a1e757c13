"""A circuit breaker's arithmetic: after some failures in a row nobody calls for a while, then one call probes. Pure.

Source: Nygard, "Release It!", 2nd ed., 2018, chapter 5.
"""

from dataclasses import dataclass

FAILURES_TO_OPEN = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """failures: in a row. open_until: Unix time in seconds before which nobody calls; 0: closed."""

    failures: int = 0
    open_until: float = 0.0

    def is_open(self, now: float) -> bool:
        return now < self.open_until


def after_failure(circuit: Circuit, now: float) -> Circuit:
    """A failure while it is open (a call that was already under way) does not lengthen the pause."""
    if circuit.is_open(now):
        return circuit
    failures = circuit.failures + 1
    if failures < FAILURES_TO_OPEN:
        return Circuit(failures)
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - FAILURES_TO_OPEN))
    return Circuit(failures, now + pause_s)

"""A circuit breaker's arithmetic: after some failures in a row nobody calls for a while, then one call probes. Pure.

Source: Nygard, "Release It!", 2nd ed., 2018, chapter 5.
"""

from dataclasses import dataclass, replace

FAILURES_TO_OPEN, SECONDS_TO_OPEN = 10, 3.0  # both: a burst of refusals within a moment is not an outage
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """failures: in a row, the first at `since`. open_until: no call before; 0: closed. pauses: openings so far.

    Times are Unix seconds.
    """

    failures: int = 0
    since: float = 0.0
    open_until: float = 0.0
    pauses: int = 0

    def is_open(self, now: float) -> bool:
        return now < self.open_until


def after_failure(circuit: Circuit, now: float) -> Circuit:
    """A failure while it is open (a call that was already under way) does not lengthen the pause."""
    if circuit.is_open(now):
        return circuit
    failing = replace(circuit, failures=circuit.failures + 1, since=circuit.since or now)
    if failing.failures < FAILURES_TO_OPEN or now - failing.since < SECONDS_TO_OPEN:
        return failing
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failing.pauses, 10))
    return replace(failing, open_until=now + pause_s, pauses=failing.pauses + 1)

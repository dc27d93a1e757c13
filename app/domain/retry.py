"""What to do after a try that failed: one policy for all deliveries and for classification. Pure.

Waits double from 1 s to 30 s with jitter on the upper half, and obey the vendor's Retry-After. They need not grow
longer: a vendor that is really down opens its circuit breaker, and then nobody calls.
Source of the jitter: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import (
    Ambiguous,
    PermanentError,
    Refused,
    Rejected,
    RemoteError,
    TargetGone,
    TransientError,
    Unauthorized,
)
from app.domain.lifecycle import DeliveryStatus
from app.domain.tasks import Capability

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
GIVE_UP_AFTER_S = 48 * 3600.0  # outlasts a vendor that is down for a day, and a weekend's second one
TRIES_BEFORE_FAILOVER = 8  # a vendor with a fault in three keeps its tasks; one that is down opens its circuit before
LONG_WAIT_S = 60.0  # a vendor that asks for more than this is passed over at once
SEARCH_LAG_S = 15.0  # how late a vendor's search may show a new record
PARKED_RECHECK_S = 3600.0
LLM_PATIENCE_S = 600.0  # then a person decides


class Cause(StrEnum):
    """Groups failed deliveries on the screen: what is wrong, so that one repair replays them all."""

    BUSY = "busy"  # rate limit, time-out before sending, 5xx on a read
    UNCERTAIN = "uncertain"  # it may have taken effect
    CIRCUIT_OPEN = "circuit_open"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TARGET_GONE = "target_gone"
    REJECTED = "rejected"
    GAVE_UP = "gave_up"
    BROKEN = "broken"  # our own fault
    WITHDRAWN = "withdrawn"  # a person decided differently before it was sent


class CircuitOpen(TransientError):
    """The destination failed so often that nobody calls it before `retry_after_s` is over. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """status: the delivery's next state. wait_s: seconds until the next try (None: no next try).
    fail_over: the task goes to the next destination now."""

    status: DeliveryStatus
    cause: Cause
    wait_s: float | None = None
    fail_over: bool = False


def backoff_s(tries: int, random: Callable[[], float]) -> float:
    """tries: failures so far, from 1. random: uniform in 0..1. Returns seconds."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(tries - 1, 20))
    return longest * (0.5 + 0.5 * random())


def after_error(
    error: RemoteError,
    *,
    tries: int,
    age_s: float,
    can: frozenset[Capability],
    has_alternative: bool,
    random: Callable[[], float],
) -> Verdict:
    """tries: calls made so far, this one included. age_s: seconds since the delivery was planned.

    has_alternative: the route is a failover with a destination that was not asked yet. A task is handed on only
    when it is certain that this destination does not have it.
    """
    if isinstance(error, Unauthorized):
        if has_alternative:
            return _handed_on(Cause.UNAUTHORIZED)
        return Verdict(DeliveryStatus.RETRYING, Cause.UNAUTHORIZED, PARKED_RECHECK_S)
    if isinstance(error, PermanentError):
        cause = _permanent_cause(error)
        return _handed_on(cause) if has_alternative else Verdict(DeliveryStatus.FAILED, cause)
    wait_s = max(backoff_s(tries, random), getattr(error, "retry_after_s", None) or 0.0)
    if isinstance(error, CircuitOpen):
        if has_alternative:
            return _handed_on(Cause.CIRCUIT_OPEN)
        return Verdict(DeliveryStatus.RETRYING, Cause.CIRCUIT_OPEN, wait_s)
    if isinstance(error, Ambiguous):
        return _after_ambiguous(wait_s, age_s, can)
    if age_s > GIVE_UP_AFTER_S:
        return _handed_on(Cause.GAVE_UP) if has_alternative else Verdict(DeliveryStatus.FAILED, Cause.GAVE_UP)
    if has_alternative and (tries >= TRIES_BEFORE_FAILOVER or wait_s > LONG_WAIT_S):
        return _handed_on(Cause.BUSY)
    return Verdict(DeliveryStatus.RETRYING, Cause.BUSY, wait_s)


def _handed_on(cause: Cause) -> Verdict:
    """Cancelled rather than failed: the task is taken care of elsewhere and nobody needs to look."""
    return Verdict(DeliveryStatus.CANCELLED, cause, fail_over=True)


def _after_ambiguous(wait_s: float, age_s: float, can: frozenset[Capability]) -> Verdict:
    if age_s > GIVE_UP_AFTER_S or not can & {Capability.FIND, Capability.IDEMPOTENT_CREATE}:
        return Verdict(DeliveryStatus.FAILED, Cause.UNCERTAIN)
    return Verdict(DeliveryStatus.UNKNOWN, Cause.UNCERTAIN, wait_s)


def _permanent_cause(error: PermanentError) -> Cause:
    causes = {Refused: Cause.FORBIDDEN, TargetGone: Cause.TARGET_GONE, Rejected: Cause.REJECTED}
    return causes.get(type(error), Cause.REJECTED)


def must_look_first(status: DeliveryStatus, can: frozenset[Capability]) -> bool:
    """After an end nobody saw, ask for the key before creating; unless creating twice is harmless at this vendor."""
    return status is DeliveryStatus.UNKNOWN and Capability.IDEMPOTENT_CREATE not in can


def must_look_again(looks: int, can: frozenset[Capability]) -> bool:
    """looks: searches since the uncertain call that found nothing. A lagging search is asked twice."""
    return Capability.FIND_LAGS in can and looks < 2

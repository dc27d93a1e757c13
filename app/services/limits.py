"""Rate limits per destination account, shared by all workers through Redis."""

import time
from functools import cache
from uuid import UUID

from pyrate_limiter import Duration, Rate, RateItem, RedisBucket
from redis import RedisError
from redis.exceptions import NoScriptError

from app.domain.errors import TransientError
from app.enqueue import redis
from app.services import circuits
from app.services.configuration import ConfiguredDestination

LONGEST_WAIT_S = 2  # a thread may wait this long; longer, and the delivery is put back


class OurOwnLimit(TransientError):
    """We held a call back to stay under the vendor's limit. Nothing was sent and nothing went wrong."""


def admit(destination: ConfiguredDestination) -> None:
    """Raises a TransientError while the circuit is open, or when there is no place under the rate within 2 s."""
    label = destination.name or destination.key
    circuits.check(destination.workspace_id, destination.id, label)
    rate_per_s = destination.rate_per_s or destination.vendor_rate_per_s
    if rate_per_s:
        wait_for_turn(destination.id, rate_per_s, label)


def wait_for_turn(destination_id: UUID, rate_per_s: float, label: str) -> None:
    """Blocks up to 2 s for a place under the limit; raises OurOwnLimit when there is none, or Redis cannot be asked."""
    try:
        try:
            has_place = _has_place(destination_id, rate_per_s)
        except NoScriptError:  # Redis was restarted and has forgotten what the limiter does
            _bucket.cache_clear()
            has_place = _has_place(destination_id, rate_per_s)
    except RedisError as error:
        said = f"The limit of {label} cannot be asked while Redis is away. Nothing was sent; it is tried again."
        raise OurOwnLimit(said, LONGEST_WAIT_S) from error
    if not has_place:
        raise OurOwnLimit(f"{label} takes {rate_per_s:g} calls a second; this one waits its turn.", LONGEST_WAIT_S)


def _has_place(destination_id: UUID, rate_per_s: float) -> bool:
    bucket = _bucket(destination_id, rate_per_s)
    give_up_at = time.monotonic() + LONGEST_WAIT_S
    while True:
        call = RateItem("call", bucket.now())
        bucket.leak(call.timestamp)  # by ourselves: the library's thread for it dies with Redis
        if bucket.put(call):
            return True
        wait_s = max(bucket.waiting(call), 1) / 1000
        if time.monotonic() + wait_s > give_up_at:
            return False
        time.sleep(wait_s)


@cache
def _bucket(destination_id: UUID, rate_per_s: float) -> RedisBucket:
    """A rate under 1/s becomes one call in so many milliseconds."""
    rate = Rate(int(rate_per_s), Duration.SECOND) if rate_per_s >= 1 else Rate(1, int(1000 / rate_per_s))
    return RedisBucket.init([rate], redis(), f"limit:{destination_id}")

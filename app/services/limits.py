"""Rate limits per destination account, shared by all workers through Redis."""

import time
from uuid import UUID

from redis import RedisError

from app.domain.errors import TransientError
from app.services import circuits, sliding_window
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
    limit = (int(rate_per_s), 1.0) if rate_per_s >= 1 else (1, 1 / rate_per_s)
    give_up_at = time.monotonic() + LONGEST_WAIT_S
    try:
        while wait_s := sliding_window.take(f"limit:{destination_id}", limit):
            if time.monotonic() + wait_s > give_up_at:
                said = f"{label} takes {rate_per_s:g} calls a second; this one waits its turn."
                raise OurOwnLimit(said, LONGEST_WAIT_S)
            time.sleep(wait_s)
    except RedisError as error:
        said = f"The limit of {label} cannot be asked while Redis is away. Nothing was sent; it is tried again."
        raise OurOwnLimit(said, LONGEST_WAIT_S) from error

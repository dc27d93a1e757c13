"""What a workspace's webhooks tell of, and when a telling that failed is tried again. Pure.

An event names things and says what became of them; it holds no words of a customer, so that an erasure need not follow
it. Whoever wants more reads it from the REST API.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Deliverability and
# reliability" (read 2026-11): at once, then after these, more than three days in all.
WAITS_S = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)


class EventType(StrEnum):
    MESSAGE_CLASSIFIED = "message.classified"
    MESSAGE_NEEDS_REVIEW = "message.needs_review"
    TASK_CREATED = "task.created"
    TASK_STATUS_CHANGED = "task.status_changed"
    DELIVERY_DELIVERED = "delivery.delivered"
    DELIVERY_FAILED = "delivery.failed"


TEST_EVENT = "webhook.test"  # sent by hand only; nobody subscribes to it


@dataclass(frozen=True, slots=True)
class Event:
    """data: JSON of ids, keys and states."""

    type: EventType
    data: dict[str, Any]


def wait_s(tries: int, asked_s: float | None, random: Callable[[], float]) -> float | None:
    """Seconds until the next try after `tries` that failed; None: no more. asked_s: the receiver's own wish.

    random: uniform in 0..1. Up to a tenth is added, so that what failed together does not come back together.
    """
    if tries > len(WAITS_S):
        return None
    return max(WAITS_S[tries - 1] * (1 + 0.1 * random()), asked_s or 0.0)

"""The states of a message and of a delivery, and which step may follow which. Pure; the one place that knows.

A row changes only `WHERE status = <current>`, so two workers can never both take a step.
"""

from enum import StrEnum
from typing import TypeVar

from app.domain.errors import OctopusError


class MessageStatus(StrEnum):
    RECEIVED = "received"
    CLASSIFIED = "classified"
    NEEDS_REVIEW = "needs_review"
    ROUTED = "routed"
    IGNORED = "ignored"
    FAILED = "failed"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


S = TypeVar("S", MessageStatus, DeliveryStatus)
M, D = MessageStatus, DeliveryStatus

STEPS: dict[StrEnum, frozenset[StrEnum]] = {
    M.RECEIVED: frozenset({M.CLASSIFIED, M.NEEDS_REVIEW, M.IGNORED, M.FAILED}),
    M.CLASSIFIED: frozenset({M.ROUTED, M.IGNORED, M.FAILED}),
    M.NEEDS_REVIEW: frozenset({M.CLASSIFIED, M.IGNORED}),
    M.ROUTED: frozenset({M.CLASSIFIED, M.NEEDS_REVIEW}),  # a person corrects it, or takes their decision back
    M.IGNORED: frozenset({M.CLASSIFIED, M.RECEIVED, M.NEEDS_REVIEW}),
    M.FAILED: frozenset({M.RECEIVED, M.CLASSIFIED, M.NEEDS_REVIEW}),
    D.PENDING: frozenset({D.SENDING, D.CANCELLED}),
    D.SENDING: frozenset({D.DELIVERED, D.RETRYING, D.UNKNOWN, D.FAILED, D.CANCELLED}),  # cancelled: handed on
    D.RETRYING: frozenset({D.SENDING, D.CANCELLED}),
    D.UNKNOWN: frozenset({D.DELIVERED, D.SENDING, D.FAILED}),
    D.DELIVERED: frozenset(),
    D.FAILED: frozenset({D.PENDING, D.UNKNOWN, D.CANCELLED}),  # unknown: it is looked for before it is sent again
    D.CANCELLED: frozenset({D.PENDING, D.UNKNOWN}),
}


class IllegalStep(OctopusError):
    pass


def advance(current: S, target: S) -> S:
    """Return `target` if it may follow `current`, else raise IllegalStep."""
    if type(current) is not type(target) or target not in STEPS[current]:
        raise IllegalStep(f"{type(current).__name__} cannot go from {current} to {target}")
    return target

"""What a key of the REST API may do in a while, and an answer kept for a request that comes again. Both in Redis."""

import hashlib
import json
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from app.domain.errors import InvalidInput, OctopusError
from app.enqueue import redis
from app.services import sliding_window

A_SECOND, A_MINUTE = 20, 600
LIMITS = ((A_SECOND, 1.0), (A_MINUTE, 60.0))
KEPT_S = 24 * 3600
UNDER_WAY_S = 120  # after that, whoever began it is dead: the request may be made again
LONGEST_KEY = 255


class TooManyRequests(OctopusError):
    def __init__(self, text: str, retry_after_s: int):
        super().__init__(text)
        self.retry_after_s = retry_after_s


class UnderWay(OctopusError):
    """The same request is being answered at this moment."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before."""

    status: int
    content_type: str
    body: str


def admit(key_id: UUID) -> None:
    """Raises TooManyRequests when the key has used up what it may; such a request does not count."""
    wait_s = ceil(sliding_window.take(f"api-limit:{key_id}", *LIMITS))
    if wait_s:
        raise TooManyRequests(
            f"A key may make {A_SECOND} requests a second and {A_MINUTE} a minute; this one was not carried out. "
            f"Try again in {wait_s} s.",
            wait_s,
        )


class Once:
    """One request under an idempotency key: carried out once in 24 hours, and answered alike each time it comes."""

    def __init__(self, key_id: UUID, idempotency_key: str, request: bytes):
        """request: whatever makes it this request and no other. Raises InvalidInput."""
        if not idempotency_key.isprintable() or not 0 < len(idempotency_key) <= LONGEST_KEY:
            raise InvalidInput(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", "Idempotency-Key")
        self._place = f"api-answer:{key_id}:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"
        self._request = hashlib.sha256(request).hexdigest()

    def begin(self) -> Kept | None:
        """The answer it had before; None: carry it out, then `keep` or `let_go`.

        Raises UnderWay, and InvalidInput when another request used the key.
        """
        if redis().set(self._place, json.dumps({"request": self._request}), nx=True, ex=UNDER_WAY_S):
            return None
        kept = json.loads(redis().get(self._place) or "{}")
        if kept.get("request", self._request) != self._request:
            raise InvalidInput(
                "Another request had this Idempotency-Key within the last 24 hours. This one was not carried out; "
                "give it a key of its own.",
                "Idempotency-Key",
            )
        if "status" not in kept:
            raise UnderWay("The same request is being carried out at this moment. Ask again for its answer.")
        return Kept(kept["status"], kept["content_type"], kept["body"])

    def keep(self, answer: Kept) -> None:
        kept = {
            "request": self._request, "status": answer.status, "content_type": answer.content_type,
            "body": answer.body,
        }  # fmt: skip
        redis().set(self._place, json.dumps(kept), ex=KEPT_S)

    def let_go(self) -> None:
        """It was refused, so nothing was done: it may be tried again under the same key."""
        redis().delete(self._place)

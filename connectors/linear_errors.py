"""What Linear's refusals mean. Pure. Source: https://linear.app/developers/rate-limiting, schema (read 2026-11)."""

import re
import time
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import number, retry_after_s, within_reason

CREDENTIALS_ENDED = ("invalid_grant", "invalid_client", "unauthorized_client")  # RFC 6749, section 5.2


class AlreadyThere(Rejected):
    """The id we chose is taken: an earlier try got through."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`errors[].extensions.code`, under any status; 200 as well. The token endpoint answers `{"error": code}`."""
    if inside(body, "error") in CREDENTIALS_ENDED:
        return Unauthorized(
            "Linear gives no new access token: the connection was ended there, or Client ID and Client secret are "
            "wrong. Nothing was sent. Press Connect on Destinations again."
        )
    error = inside(body, "errors", 0)
    if not isinstance(error, dict):
        return None
    code = inside(error, "extensions", "code")
    message = str(inside(error, "extensions", "userPresentableMessage") or error.get("message"))[:300]
    if code == "RATELIMITED":
        return TransientError("Linear is asked too often; nothing was done. It is tried again.", _wait_s(headers))
    if code == "AUTHENTICATION_ERROR" or status == 401:
        return Unauthorized("Linear refused the credentials; nothing was done. Make new ones and connect it again.")
    if code in ("FORBIDDEN", "FEATURE_NOT_ACCESSIBLE", "USAGE_LIMIT_EXCEEDED") or status == 403:
        return Refused(f'Linear does not allow this account to do it: "{message}". Grant it in Linear and replay.')
    if "already exists" in message:
        return AlreadyThere(
            "Linear has something with this id already, which this account cannot see; nothing was done. Look in "
            "Linear's trash, or give the account access to the team, and replay.",
            "id",
        )
    if "not found" in message.lower():
        return TargetGone("Linear does not know the team or issue; nothing was done. Choose another one and replay.")
    if status == 429 or status >= 500:
        return None  # the status says it all
    if code in ("INTERNAL_SERVER_ERROR", "LOCK_TIMEOUT", None):
        return Ambiguous("Linear has a fault of its own, after which the change may exist. It is tried again.")
    field = _field_of(error)
    place = f" the field '{field}'" if field else " the request"
    return Rejected(
        f'Linear refused{place}: "{message}". Nothing was done. Correct the field mapping and replay.', field
    )


def _field_of(error: dict[str, Any]) -> str:
    named = inside(error, "extensions", "validationErrors", 0, "property")
    quoted = re.search(r'at "input\.(\w+)', str(error.get("message")))
    return named or (quoted[1] if quoted else "")


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After, else the time the quota is full again, which Linear gives in milliseconds since 1970."""
    reset_ms = number(headers.get("x-ratelimit-requests-reset", ""))
    if "retry-after" not in headers and reset_ms is not None:
        return within_reason(reset_ms / 1000 - time.time())
    return retry_after_s(headers)

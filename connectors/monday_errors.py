"""What monday.com's refusals mean. Pure but for the clock.
Source: https://developer.monday.com/api-reference/docs/error-handling and
https://developer.monday.com/api-reference/docs/rate-limits (read 2026-11).
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import number, retry_after_s, within_reason

DAY_S = 86_400.0
CREDENTIALS_ENDED = ("invalid_grant", "invalid_client", "unauthorized_client", "invalid_token")
UNAUTHORIZED = ("Unauthorized", "UNAUTHENTICATED", "Not Authenticated")
ADDRESS_REFUSED = ("IpRestricted", "IP_RESTRICTED")
REFUSED = ("UserUnauthorizedException", "USER_UNAUTHORIZED", "USER_ACCESS_DENIED", "missingRequiredPermissions")
GONE = ("InvalidBoardIdException", "InvalidItemIdException", "ResourceNotFoundException")
DAILY = "DAILY_LIMIT_EXCEEDED"
TOO_OFTEN = (
    "COMPLEXITY_BUDGET_EXHAUSTED", "ComplexityException", "RATE_LIMIT_EXCEEDED", "RateLimitExceeded",
    "IP_RATE_LIMIT_EXCEEDED", "FIELD_LIMIT_EXCEEDED", "FIELD_MINUTE_RATE_LIMIT_EXCEEDED", "maxConcurrencyExceeded",
    "MAX_CONCURRENCY_EXCEEDED", "API_TEMPORARILY_BLOCKED", DAILY,
)  # fmt: skip
FAULTS = ("INTERNAL_SERVER_ERROR", "InternalServerError", "")
LOCKED = 423  # another process writes to the board at this moment


class UnknownColumn(Rejected):
    """The board has no column of this id; nothing was written."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`errors[].extensions.code`, mostly inside a 200. The token endpoint answers `{"error": code}`."""
    if inside(body, "error") in CREDENTIALS_ENDED:
        return Unauthorized(
            "monday.com gives no new access token: the connection was ended there, or Client ID and Client secret are "
            "wrong. Nothing was sent. Press Connect on Destinations again."
        )
    error = inside(body, "errors", 0)
    if not error or _is_done_all_the_same(body, error):
        return _busy(status, "", headers, None)
    code = error if isinstance(error, str) else str(inside(error, "extensions", "code") or "")
    means = inside(error, "extensions", "status_code")  # what the HTTP status would have been
    busy = _busy(status if means is None else means, code, headers, error)
    if busy is not None:
        return busy
    if code in ADDRESS_REFUSED:
        return Refused(
            "monday.com takes no calls from this server's address; nothing was done. Let an administrator allow the "
            "address under Administration, Security, and replay."
        )
    if code in UNAUTHORIZED or 401 in (status, means):
        return Unauthorized("monday.com refused the token; nothing was done. Copy it once more and connect again.")
    said = str(inside(error, "message") or code)[:300]
    if code in REFUSED or 403 in (status, means):
        return Refused(
            f'monday.com says "{said}": the user whose token this is may not do that, or the app lacks a scope. '
            "Nothing was done. Let somebody give the user the right to edit the board, and replay."
        )
    if code in GONE or 404 in (status, means):
        return TargetGone("monday.com does not know the board or item; nothing was done. Choose another and replay.")
    if status >= 500:
        return None  # the status says it all
    if code in FAULTS or (isinstance(means, int) and means >= 500):
        return Ambiguous("monday.com has a fault of its own, after which the change may exist. It is tried again.")
    return _rejection(code, error, said)


def _is_done_all_the_same(body: Any, error: Any) -> bool:
    """A part of the answer is missing, but the item that was made or changed is there."""
    root = inside(error, "path", 0)
    return isinstance(root, str) and bool(inside(body, "data", root, "id"))


def _busy(status: int, code: str, headers: Mapping[str, str], error: Any) -> TransientError | None:
    if status == LOCKED:
        return TransientError("The monday.com board is locked for a moment; nothing was done. It is tried again.")
    if status != 429 and code not in TOO_OFTEN:
        return None
    if code == DAILY:
        text = "monday.com's calls of this day are used up, as the plan allows no more"
    else:
        text = "monday.com is asked too often, or for too much at once"
    return TransientError(f"{text}; nothing was done. It is tried again.", _wait_s(code, headers, error))


def _wait_s(code: str, headers: Mapping[str, str], error: Any) -> float | None:
    told = re.search(r"reset in (\d+) second", str(inside(error, "message")))
    wait_s = number(str(inside(error, "extensions", "retry_in_seconds") or (told[1] if told else "")))
    if wait_s is not None:
        return within_reason(wait_s)
    if "retry-after" in headers:
        return retry_after_s(headers)
    return DAY_S - time.time() % DAY_S if code == DAILY else None  # the day ends at midnight UTC


def _rejection(code: str, error: Any, said: str) -> Rejected:
    """Of a column's value monday.com writes the value itself into the message, which may be the customer's words."""
    field = inside(error, "extensions", "error_data", "column_id")
    field = field if isinstance(field, str) else ""
    if code == "ItemNameTooLongException":
        field = "name"
    if code == "InvalidColumnIdException":
        return UnknownColumn(
            f"The monday.com board has no column '{field}'. Nothing was done. Add it there or name another one on "
            "Destinations, and replay.",
            field,
        )
    if field or code == "ColumnValueException":
        why = inside(error, "extensions", "error_data", "column_validation_error_code") or code
        return Rejected(
            f"monday.com refused the value of the column '{field}' ({str(why)[:100]}). Nothing was done. Correct the "
            "field mapping, or map the column to an empty text to leave it out, and replay.",
            field,
        )
    return Rejected(f'monday.com refused the request: "{said}". Nothing was done. Correct the mapping and replay.')

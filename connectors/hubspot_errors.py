"""What HubSpot's refusals mean. Pure. Source: https://developers.hubspot.com/docs/api-reference/error-handling
(read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

WAIT_S = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}  # where Retry-After is missing
CREDENTIALS_ENDED = ("invalid_grant", "invalid_client", "unauthorized_client")  # RFC 6749, section 5.2
OAUTH_REFUSED = ("BAD_REFRESH_TOKEN", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET")  # the older token endpoint's own words


class Conflict(Rejected):
    """A unique value is taken, by the record `existing_id`."""

    def __init__(self, text: str, existing_id: str):
        super().__init__(text)
        self.existing_id = existing_id


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"status", "category", "message", "errors"}`; a batch reports its failures in a 207."""
    if inside(body, "error") in CREDENTIALS_ENDED or inside(body, "status") in OAUTH_REFUSED:
        return Unauthorized(
            "HubSpot ended the connection or does not know the app; nothing was sent. Connect it again."
        )
    failed = inside(body, "errors", 0) if status == 207 else body
    message = str(inside(failed, "message"))
    existing = re.search(r"[Ee]xisting ID: (\d+)", message)
    if existing:
        text = (
            f"HubSpot has record {existing[1]} with the same unique value, made by somebody else; nothing was created."
        )
        return Conflict(f"{text} Correct the field mapping and replay.", existing[1])
    if status == 429:
        wait_s = retry_after_s(headers) or WAIT_S.get(str(inside(body, "policyName")))
        return TransientError("HubSpot is asked too often; nothing was done. It is tried again.", wait_s)
    if inside(body, "category") == "MISSING_SCOPES":
        return _missing_scopes(body)
    if status not in (207, 400) or failed is None:
        return None
    named = re.search(r'"name"\s*:\s*"([^"]+)"|Property "([^"]+)"', message)
    field = inside(failed, "errors", 0, "context", "propertyName", 0) or (named and (named[1] or named[2])) or ""
    place = f"the property '{field}'" if field else "the request"
    return Rejected(
        f'HubSpot refused {place}: "{message[:300]}". Nothing was done. Correct the field mapping and replay.', field
    )


def _missing_scopes(body: Any) -> Refused:
    context = inside(body, "errors", 0, "context")
    scopes = inside(context, "requiredGranularScopes") or inside(context, "requiredScopes")
    lacks = f"one of the scopes {', '.join(map(str, scopes))}" if isinstance(scopes, list) and scopes else "a scope"
    return Refused(
        f"HubSpot says that the app lacks {lacks}; nothing was done. Give it to the app in HubSpot (under Scopes), "
        "connect again and replay."
    )

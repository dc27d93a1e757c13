"""What Zoho CRM's refusals mean. Pure. Source: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html and
https://www.zoho.com/accounts/protocol/oauth/web-apps/errors.html (read 2026-11).
"""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

ROWS = ("data", "watch")  # where Zoho puts the outcome of each record
CONNECTION_ENDED = ("invalid_code", "invalid_grant", "invalid_client", "invalid_client_secret", "unauthorized_client")
TOKEN_INVALID = ("INVALID_TOKEN", "AUTHENTICATION_FAILURE")
NO_PERMISSION = ("OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "PERMISSION_DENIED", "AUTHORIZATION_FAILED")
ASKED_TOO_OFTEN = ("TOO_MANY_REQUESTS", "LIMIT_EXCEEDED")
OWN_FAULT = ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR")


class NotModified(RemoteError):
    """Nothing was changed since the moment asked for (HTTP 304)."""


class AlreadyThere(Rejected):
    """A record with this value in a unique field is there already; record_id: its id, where Zoho tells."""

    def __init__(self, text: str, field: str, record_id: str):
        super().__init__(text, field)
        self.record_id = record_id


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"code", "details", "message", "status": "error"}`, as the whole answer or for each record, in a 2xx as well."""
    if status == 304:
        return NotModified("Zoho CRM has nothing newer.")
    if status == 200 and body is None:  # "nothing found" is a 204
        return Ambiguous("Zoho CRM answered with nothing, so it may have done what it was asked. It is tried again.")
    if isinstance(inside(body, "error"), str):
        return _no_token(status, body)
    failed = next((row for row in (body, *(inside(body, name, 0) for name in ROWS)) if _is_failure(row)), None)
    if failed is None:
        return None
    code, said = failed["code"], str(failed.get("message"))[:300]
    if code in TOKEN_INVALID:
        return Unauthorized("Zoho CRM refused the access token, and a new one too. Press Connect on Destinations.")
    if code in NO_PERMISSION:
        missing = inside(failed, "details", "permissions")
        place = f" ({', '.join(map(str, missing))})" if isinstance(missing, list) else ""
        return Refused(
            f'Zoho CRM says the user or the connection lacks a permission{place}: "{said}". Nothing was done. Grant '
            "it in Zoho under Setup, Profiles, or press Connect once more, and replay."
        )
    if code in ASKED_TOO_OFTEN or status == 429:
        return TransientError(
            "Zoho CRM is asked too often; nothing was done. It is tried again.", retry_after_s(headers)
        )
    if code in OWN_FAULT:
        return Ambiguous("Zoho CRM has a fault of its own, after which the record may exist. It is tried again.")
    return _refused(code, said, failed)


def _is_failure(row: Any) -> bool:
    return isinstance(row, dict) and row.get("status") == "error" and isinstance(row.get("code"), str)


def _no_token(status: int, body: Any) -> RemoteError | None:
    """The token endpoint answers `{"error": code}`, with status 200 as well."""
    if body["error"] in CONNECTION_ENDED:
        return Unauthorized(
            "Zoho gives no new access token: the connection was ended there, or Client ID, Client secret or data "
            "centre are wrong. Nothing was sent. Correct them on Destinations and press Connect again."
        )
    if "too many requests" in str(body.get("error_description")).lower():
        return TransientError("Zoho gave too many access tokens lately; nothing was sent. It is tried again.", 600.0)
    return None if status >= 300 else Unauthorized("Zoho gives no access token; nothing was sent. Connect it again.")


def _refused(code: str, said: str, failed: dict[str, Any]) -> RemoteError:
    details = failed.get("details")
    field = str(inside(details, "api_name") or "")
    if code == "INVALID_MODULE" or inside(details, "resource_path_index") is not None or field == "id":
        return TargetGone(
            f'Zoho CRM does not know the record or module: "{said}". Nothing was done. Choose another module on '
            "Destinations and replay."
        )
    place = f"the field '{field}'" if field else "the request"
    text = f'Zoho CRM refused {place} ({code}): "{said}". Nothing was done. Correct the field mapping and replay.'
    if code == "DUPLICATE_DATA":
        record_id = inside(details, "duplicate_record", "id") or inside(details, "id") or ""
        return AlreadyThere(text, field, str(record_id))
    return Rejected(text, field)

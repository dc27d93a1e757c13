"""What Salesforce's refusals mean. Pure.

Source: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm and
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm (read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

QUOTA_WAIT_S = 600.0  # the quota counts the last 24 hours, so some of it comes back all the time
CREDENTIALS_REFUSED = ("INVALID_SESSION_ID", "INVALID_AUTH_HEADER")
NO_PERMISSION = (
    "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
)  # fmt: skip
GONE = ("NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_TYPE", "INVALID_CROSS_REFERENCE_KEY")
CONNECTION_ENDED = (
    "invalid_grant", "invalid_client", "invalid_client_id", "inactive_user", "inactive_org", "invalid_app_access",
)  # fmt: skip
COLUMN = re.compile(r"No such column '(\w+)'")


class AlreadyThere(Rejected):
    """Another record holds the same value in a unique field."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`[{"message", "errorCode", "fields"}]`; of the token endpoint `{"error", "error_description"}`."""
    if status == 300:
        return Rejected(
            "Salesforce has several records with the task's key; nothing was changed. Delete all but one there, mark "
            "the key's field as unique, and replay."
        )
    if isinstance(inside(body, "error"), str):
        return _no_token(body["error"])
    failure = inside(body, 0) if isinstance(body, list) else None
    if not isinstance(inside(failure, "errorCode"), str):
        return None
    code, said = failure["errorCode"], str(failure.get("message"))[:300]
    if code == "REQUEST_LIMIT_EXCEEDED":
        wait_s = retry_after_s(headers) or QUOTA_WAIT_S
        return TransientError(
            "Salesforce's daily number of API calls is used up; nothing was done. It is tried again.", wait_s
        )
    if code == "UNABLE_TO_LOCK_ROW":
        return TransientError(
            "Somebody else is saving the same Salesforce record; nothing was done. It is tried again."
        )
    return None if status >= 500 else _refused(status, code, said, _field(failure, said))


def _refused(status: int, code: str, said: str, field: str) -> RemoteError:
    if code in CREDENTIALS_REFUSED or status == 401:
        return Unauthorized(
            "Salesforce refused the access token, and a new one too; nothing was done. Connect it again."
        )
    if code in NO_PERMISSION or (status == 403 and not field):
        return Refused(
            f'Salesforce says the user lacks a permission ({code}): "{said}". Nothing was done. Grant it there in '
            "Setup, Permission Sets, and replay."
        )
    if code in GONE and not field:
        return TargetGone(
            f'Salesforce does not know the record or object: "{said}". Nothing was done. It was deleted there, or '
            "the user does not see it: choose another object on Destinations or grant access, and replay."
        )
    place = f"the field '{field}'" if field else "the request"
    text = f'Salesforce refused {place} ({code}): "{said}". Nothing was done. Correct the field mapping and replay.'
    return AlreadyThere(text, field) if code == "DUPLICATE_VALUE" else Rejected(text, field)


def _field(failure: dict[str, Any], said: str) -> str:
    unknown = COLUMN.search(said)
    return str(inside(failure, "fields", 0) or (unknown[1] if unknown else ""))


def _no_token(error: str) -> RemoteError | None:
    if error in CONNECTION_ENDED:
        return Unauthorized(
            f"Salesforce gives no access token ({error}): the connection was ended there, the app does not allow this "
            "way of signing in, or the values on Destinations are wrong. Nothing was sent. Correct them, or press "
            "Connect again."
        )
    if error == "rate_limit_exceeded":
        return TransientError(
            "Salesforce gave too many access tokens lately; nothing was sent. It is tried again.", 60.0
        )
    return None

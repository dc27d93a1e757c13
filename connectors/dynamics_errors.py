"""What Dataverse's and Entra ID's refusals mean. Pure.

Source: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors and
https://learn.microsoft.com/entra/identity-platform/reference-error-codes (read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, Unauthorized
from connectors.answers import inside

NO_PRIVILEGE, NO_USER, NO_ROW, DUPLICATE = ("0x80040220", "0x80048306"), "0x80072560", "0x80040217", "0x80040237"
PRIVILEGE = re.compile(r"\bprv\w+")
NAMED_FIELD = re.compile(r"property '([\w@.]+)'|the '(\w+)' attribute|of '(\w+)' on record|attribute '(\w+)'")
MISSING_ROW = re.compile(r"(\w+) With Ids? = ", re.IGNORECASE)
FIELD_OF = {"systemuser": "ownerid", "team": "ownerid", "account": "customerid", "contact": "customerid"}
ENTRA_CODE = re.compile(r"AADSTS\d+")
PASSING = ("temporarily_unavailable", "server_error")


class AlreadyThere(Rejected):
    """A row with this id, or with the same value in a key of the table, is there already."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"error": {"code": "0x...", "message"}}`; of the token endpoint `{"error": word, "error_description"}`."""
    if isinstance(inside(body, "error"), str):
        return _no_token(body)
    code, said = inside(body, "error", "code"), str(inside(body, "error", "message") or "")[:300]
    if not isinstance(code, str) or status == 429 or status >= 500:
        return None
    if code == NO_USER:
        return Refused(
            "Dynamics 365 does not know the user or application; nothing was done. In the Power Platform admin center "
            "open the environment, Settings, Application users, add the application with a security role, and connect "
            "again."
        )
    if code in NO_PRIVILEGE or status == 403:
        missing = PRIVILEGE.search(said)
        place = f" {missing[0]}" if missing else ""
        return Refused(
            f'Dynamics 365 says the user lacks the privilege{place}: "{said}". Nothing was done. Add it to a security '
            "role of the user there, and replay."
        )
    if status == 412 or code == DUPLICATE:
        return AlreadyThere(
            f'Dynamics 365 has such a record already: "{said}". Nothing was done. Change that record there or correct '
            "the field mapping, and replay."
        )
    if status == 404 or code == NO_ROW:
        return _not_found(said)
    return _rejected(status, said) if status == 400 else None


def _not_found(said: str) -> RemoteError:
    missing = MISSING_ROW.search(said)
    field = FIELD_OF.get(missing[1].lower(), "") if missing else ""
    if field:
        return _rejected(404, said, field)
    return TargetGone(
        f'Dynamics 365 does not know the record or table: "{said}". Nothing was done. It was deleted there, or the '
        "user does not see it: choose another table on Destinations or grant access, and replay."
    )


def _rejected(status: int, said: str, field: str = "") -> Rejected:
    named = NAMED_FIELD.search(said)
    field = field or (next(filter(None, named.groups())) if named else "")
    place = f"the field '{field}'" if field else f"the request (HTTP {status})"
    text = f'Dynamics 365 refused {place}: "{said}". Nothing was done. Correct the field mapping and replay.'
    return Rejected(text, field)


def _no_token(body: dict[str, Any]) -> RemoteError | None:
    if body["error"] in PASSING:
        return None
    code = ENTRA_CODE.search(str(body.get("error_description")))
    return Unauthorized(
        f"Microsoft Entra ID gives no access token ({code[0] if code else body['error'][:60]}): the connection was "
        "ended there, or tenant, client ID or client secret are wrong or expired. Nothing was sent. Correct them on "
        "Destinations, or press Connect again."
    )

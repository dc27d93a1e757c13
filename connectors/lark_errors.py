"""What Lark's and Feishu's refusals mean. Pure.

Source: https://open.larksuite.com/document/server-docs/getting-started/server-error-codes and the task API's pages
(read 2026-11). The codes come with HTTP 200 as well as with 4xx.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import number, retry_after_s, within_reason

TOKEN_INVALID = (99991661, 99991663, 99991664)
WRONG_APP = (10003, 10012, 10014)
ASKED_TOO_OFTEN = 99991400
NO_PERMISSION = (99991672, 1470403)
NOT_FOUND = 1470404
OWN_FAULT = 1470500


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"code", "msg"}`: any code but 0 is a failure, whatever the status."""
    code, said = inside(body, "code"), str(inside(body, "msg"))[:300]
    if not isinstance(code, int) or code == 0:
        return None
    if code in TOKEN_INVALID:
        return Unauthorized(
            "Lark refused the app's access token, and a new one too. Check the app and connect it again."
        )
    if code in WRONG_APP:
        return Unauthorized("Lark refused App ID and App Secret; nothing was done. Copy them again and connect.")
    if code == ASKED_TOO_OFTEN or status == 429:
        return TransientError("Lark is asked too often; nothing was done. It is tried again.", _wait_s(headers))
    if code in NO_PERMISSION:
        return _no_permission(said)
    if code == NOT_FOUND:
        return TargetGone("Lark does not know the task or task list any more. Choose another one and replay.")
    if code == OWN_FAULT and status < 300:
        return Ambiguous("Lark has a fault of its own, after which the task may exist. It is tried again.")
    if status in (401, 403, 404) or status >= 500:
        return None  # the status says it all
    field = inside(body, "error", "field_violations", 0, "field") or ""
    place = f"the field '{field}'" if field else "the request"
    return Rejected(
        f'Lark refused {place} (code {code}): "{said}". Nothing was done. Correct the field mapping and replay.', field
    )


def _no_permission(said: str) -> Refused:
    scopes = re.search(r"required: \[([\w:., -]+)\]", said)
    missing = f"one of the permissions {scopes[1]}" if scopes else "a permission for this, or a place in the task list"
    return Refused(
        f"Lark says the app lacks {missing}; nothing was done. Grant the permission in the developer console and "
        "publish the app, or share the task list with the app as editor, and replay."
    )


def _wait_s(headers: Mapping[str, str]) -> float | None:
    reset_s = number(headers.get("x-ogw-ratelimit-reset", ""))
    return retry_after_s(headers) if reset_s is None else within_reason(reset_s)

"""What DingTalk's refusals mean: words with a status in the new API, `errcode` inside a 200 in the old one. Pure.

Source: the error tables on https://open.dingtalk.com/document/development/add-dingtalk-to-do-task and
https://open.dingtalk.com/document/development/updates-dingtalk-to-do-tasks (new API), and the old API's errors 88 and
60011 with their `sub_code`.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

TASK_EXISTS = "task exist"
GONE = ("task not exist", "task not belong to bizTag")
LIMITS_COUNT_BY_S = 1.0  # DingTalk counts calls by the second and names no wait
BUSY = ("flowControlError", "lockError")
OLD_TOKEN_REFUSED, OLD_WRONG_APP = ("40014", "41001", "42001"), ("40089", "40096")
OLD_ASKED_TOO_OFTEN = ("90002", "90018", "90019")
OLD_NO_PERMISSION, OLD_UNKNOWN_ADDRESS = ("50002", "50004", "60011"), "60020"
OLD_NO_SUCH_PERSON = ("33012", "60121")
AT_FAULT = re.compile(r"^(\w+) is (?:oversize|invalid)")
OUR_NAMES = {"executors": "executorIds", "participants": "participantIds"}
SCOPES = re.compile(r"\[([\w:., -]+)\]")


class AlreadyThere(Rejected):
    """A to-do with this sourceId exists."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"code", "message"}` of the new API or `{"errcode", "errmsg", "sub_code"}` of the old one."""
    code, old_code = inside(body, "code"), inside(body, "errcode")
    if isinstance(code, str) and code:
        return _new(status, headers, code, str(inside(body, "message"))[:300], body)
    if isinstance(old_code, int) and old_code != 0:
        said = str(inside(body, "sub_msg") or inside(body, "errmsg"))[:300]
        return _old(headers, str(inside(body, "sub_code") or old_code), said)
    return None


def _new(status: int, headers: Mapping[str, str], code: str, said: str, body: Any) -> RemoteError | None:
    if code == "InvalidAuthentication":
        return _token_refused()
    if code.startswith("invalidClientId"):
        return _wrong_app()
    if "QpsLimit" in code or code.startswith("Throttling"):
        return _asked_too_often(headers)
    if code.endswith(BUSY):
        return TransientError(f"DingTalk is asked too often ({code}); nothing was done. It is tried again.")
    if "IpNotInWhiteList" in code:
        return _unknown_address(said)
    if code.startswith("Forbidden.AccessDenied"):
        scopes = inside(body, "accessdenieddetail", "requiredScopes")
        return _no_permission(", ".join(map(str, scopes)) if isinstance(scopes, list) else "", said)
    if said.startswith(TASK_EXISTS):
        return AlreadyThere(
            "DingTalk says that this to-do exists already; no second one was made. It is looked for by its sourceId.",
            "sourceId",
        )
    if said.startswith(GONE):
        return TargetGone(
            f'DingTalk does not know the to-do, or another app made it: "{said}". Nothing was done. It may have been '
            "deleted; choose another place and replay."
        )
    if status in (401, 403, 404, 410, 429) or status >= 500:
        return None  # the status says it all
    return _rejected(code, said)


def _old(headers: Mapping[str, str], code: str, said: str) -> RemoteError:
    if code in OLD_TOKEN_REFUSED:
        return _token_refused()
    if code in OLD_WRONG_APP:
        return _wrong_app()
    if code in OLD_ASKED_TOO_OFTEN:
        return _asked_too_often(headers)
    if code == OLD_UNKNOWN_ADDRESS:
        return _unknown_address(said)
    if code in OLD_NO_PERMISSION:
        named = SCOPES.search(said)
        return _no_permission(named[1] if named else "", said)
    if code in OLD_NO_SUCH_PERSON:
        return Rejected(
            "DingTalk does not know the person in the field 'assignee'. The to-do was not written. Correct the person "
            "on Routes or in the field mapping and replay.",
            "assignee",
        )
    return _rejected(code, said)


def _token_refused() -> Unauthorized:
    return Unauthorized("DingTalk refused the app's access token, and a new one too. Check the app and connect again.")


def _wrong_app() -> Unauthorized:
    return Unauthorized("DingTalk refused Client ID and Client Secret; nothing was done. Copy both again and connect.")


def _asked_too_often(headers: Mapping[str, str]) -> TransientError:
    text = "DingTalk is asked too often; nothing was done. It is tried again."
    return TransientError(text, retry_after_s(headers) or LIMITS_COUNT_BY_S)


def _unknown_address(said: str) -> Refused:
    return Refused(
        f'DingTalk does not take calls from this server\'s address: "{said}". Nothing was done. Add the address to the '
        "app's server egress IPs under Security Settings and replay."
    )


def _no_permission(scopes: str, said: str) -> Refused:
    missing = f"the permission {scopes}" if scopes else f'a permission ("{said}")'
    return Refused(
        f"DingTalk says that the app lacks {missing}; nothing was done. Grant it in the developer console under "
        "Permission Management, or widen the app's range of contacts there, and replay."
    )


def _rejected(code: str, said: str) -> Rejected:
    named = AT_FAULT.match(said)
    field = OUR_NAMES.get(named[1], named[1]) if named else ""
    place = f"the field '{field}'" if field else "the request"
    return Rejected(
        f'DingTalk refused {place} ({code}): "{said}". Nothing was done. Correct the field mapping and replay.', field
    )

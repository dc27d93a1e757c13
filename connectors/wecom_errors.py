"""What WeCom's refusals mean: HTTP is always 200, `errcode` tells. Pure.

Source: https://developer.work.weixin.qq.com/document/path/90313. The numbers of smart sheets (2022xxx)
are not listed there, so of those WeCom's own words are read as well.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

TOKEN_REFUSED = (40014, 41001, 42001)
WRONG_APP = (40001, 40013)  # 40001 is said of a token as well
ASKED_TOO_OFTEN = (45009, 45011, 45033)
LIMITS_COUNT_BY_S = 60.0  # https://developer.work.weixin.qq.com/document/path/90312; WeCom names no wait
NO_PERMISSION = (48002, 60011, 301002, 851003)
UNKNOWN_ADDRESS = 60020
NO_SUCH_MEMBER = (46004, 60111)
BUSY = -1
GONE = re.compile(
    r"(?:record|sheet|doc)\w*(?: id)? (?:is )?(?:not exists?|not found|deleted)|invalid (?:record|sheet|doc) ?id", re.I
)
FIELD = re.compile(r"field\w*[ :=]*[\"'\[]([^\"'\]]+)[\"'\]]", re.I)


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"errcode", "errmsg"}`: any code but 0 is a failure, whatever the status."""
    code, said = inside(body, "errcode"), str(inside(body, "errmsg"))[:300]
    if not isinstance(code, int) or code == 0:
        return None
    if code in TOKEN_REFUSED:
        return Unauthorized("WeCom refused the app's access token, and a new one too. Check the app and connect again.")
    if code in WRONG_APP:
        return Unauthorized("WeCom refused Corp ID or Secret; nothing was done. Copy both again and connect.")
    if code in ASKED_TOO_OFTEN:
        text = f"WeCom is asked too often (code {code}); nothing was done. It is tried again."
        return TransientError(text, retry_after_s(headers) or LIMITS_COUNT_BY_S)
    if code == BUSY:
        return Ambiguous(
            "WeCom says that it is busy, so nobody knows whether it did what it was asked. It is looked for before "
            "anything is sent again."
        )
    return _refused(code, said)


def _refused(code: int, said: str) -> RemoteError:
    if code == UNKNOWN_ADDRESS:
        return Refused(
            f'WeCom does not take calls from this server\'s address: "{said}". Nothing was done. Add the address to '
            "the app's Trusted IPs in the admin console and replay."
        )
    if code in NO_PERMISSION:
        return Refused(
            f'WeCom says that the app may not do that (code {code}): "{said}". Nothing was done. In the admin console '
            "let the app call the API under Collaboration, Documents, put the members it concerns into its visible "
            "range, and use a smart sheet the app itself made; then replay."
        )
    if code in NO_SUCH_MEMBER:
        return Rejected(
            "WeCom does not know the field 'assignee', or the app does not see that member. The task was not written. "
            "Correct the member on Routes or in the field mapping, or the app's visible range, and replay.",
            "assignee",
        )
    if GONE.search(said):
        return TargetGone(
            f'WeCom does not know the row or smart sheet (code {code}): "{said}". Nothing was done. Choose another '
            "smart sheet and replay."
        )
    named = FIELD.search(said)
    field = named[1] if named else ""
    place = f"the column '{field}'" if field else "the request"
    return Rejected(
        f'WeCom refused {place} (code {code}): "{said}". Nothing was done. Correct the field mapping and replay.', field
    )

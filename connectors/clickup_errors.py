"""What ClickUp's refusals mean. Pure. Source: https://developer.clickup.com/docs/common_errors and
https://developer.clickup.com/docs/rate-limits (read 2026-11).
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError
from connectors.answers import inside
from connectors.waits import number, retry_after_s, within_reason

# "Team not authorized", under 401: the token is good, but not for the workspace of this list or task.
NOT_LET_IN = frozenset(f"OAUTH_{code:03}" for code in (23, 26, 27, *range(29, 46)))
NAMED_BY = (  # word in ClickUp's sentence -> field
    ("status", "status"),
    ("assignee", "assignees"),
    ("priority", "priority"),
    ("due", "due_date"),
    ("start", "start_date"),
    ("tag", "tags"),
    ("points", "points"),
    ("name", "name"),
)


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"err": sentence, "ECODE": code}`, now and then inside a 200 as well. No code names a field: the words do."""
    said, code = inside(body, "err"), str(inside(body, "ECODE") or "")
    if status == 429:
        return TransientError("ClickUp is asked too often; nothing was done. It is tried again.", _wait_s(headers))
    if status >= 500 or not isinstance(said, str) or not said:
        return None
    said = said[:300]
    if code in NOT_LET_IN:
        return Refused(
            f'ClickUp says "{said}": the member whose token this is has no access to the workspace, the list or the '
            "task. Nothing was done. Let somebody share the list with the member, or choose another one, and replay."
        )
    if status == 401:
        return None  # the status says it all
    if status == 403:
        return Refused(
            f'ClickUp says "{said}": the member whose token this is may not do that. Nothing was done. Give the member '
            "the right to edit the list and replay."
        )
    if status in (404, 410):
        return TargetGone(f'ClickUp does not know the list or task: "{said}". Choose another list and replay.')
    field = _field_of(said, code)
    if not field:
        return Rejected(f'ClickUp refused the request: "{said}". Nothing was done. Correct the mapping and replay.')
    return Rejected(
        f"ClickUp refused the field '{field}': \"{said}\". Nothing was done. Correct the field mapping, or map the "
        "field to an empty text to leave it out, and replay.",
        field,
    )


def _field_of(said: str, code: str) -> str:
    if code.startswith("FIELD_"):
        return "custom_fields"  # which of them, ClickUp does not say
    return next((field for word, field in NAMED_BY if re.search(rf"\b{word}", said, re.IGNORECASE)), "")


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Until the minute is over, which ClickUp gives in seconds since 1970."""
    reset_s = number(headers.get("x-ratelimit-reset", ""))
    return retry_after_s(headers) if reset_s is None else within_reason(reset_s - time.time())

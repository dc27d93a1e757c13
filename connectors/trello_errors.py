"""What Trello's refusals mean. Pure. Source: https://developer.atlassian.com/cloud/trello/guides/rest-api/status-codes/
and https://developer.atlassian.com/cloud/trello/guides/rest-api/rate-limits/ (read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError
from connectors.answers import inside
from connectors.waits import retry_after_s

LIMIT_WINDOW_S = 10.0  # 100 calls of a token in 10 s; Trello does not say when the window ends


class AlreadySet(Rejected):
    """Trello sends this board's changes to this address already."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """Trello writes a plain sentence, or `{"message", "error"}`: only its words tell a field, or what a 401 means."""
    said = str(inside(body, "message") or "")
    if status == 429:
        wait_s = retry_after_s(headers)
        return TransientError(
            "Trello is asked too often; nothing was done. It is tried again.",
            LIMIT_WINDOW_S if wait_s is None else wait_s,
        )
    if status == 401 and "permission" in said:
        return Refused(
            f'Trello says "{said[:300]}": the member whose token this is may not do that there, or the token only '
            "reads. Nothing was done. Add the member to the board, or make a token that may write, and replay."
        )
    if status != 400:
        return None
    if said.startswith("A webhook with that callback"):
        return AlreadySet("Trello sends the changes to this address already; nothing was changed.")
    if said == "invalid id":
        return TargetGone("Trello does not know the card, list or board. Choose another list and replay.")
    field = re.match(r"invalid value for (\w+)", said)
    if field is None:
        return None
    if field[1] == "idList":
        return TargetGone(
            "Trello does not know the list ('idList'); nothing was done. Choose another one on Destinations and replay."
        )
    return Rejected(
        f"Trello refused the field '{field[1]}'. Nothing was done. Correct the field mapping, or map the field to an "
        "empty text to leave it out, and replay.",
        field[1],
    )

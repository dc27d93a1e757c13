"""What Jira's refusals mean. Pure. Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes
(read 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone
from connectors.answers import inside

# How a search says it: "The value 'OCT' does not exist for the field 'project'."
NO_SUCH_PROJECT = re.compile(r"does not exist for the field 'project'")


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"errorMessages": [...], "errors": {field: text}}`; the field names are what our error adds."""
    errors, messages = inside(body, "errors"), inside(body, "errorMessages")
    if status == 400 and isinstance(errors, dict) and errors:
        return _field_refused(*next(iter(errors.items())))
    said = " ".join(map(str, messages))[:300] if isinstance(messages, list) else ""
    if not said:
        return None
    if status == 404 or (status == 400 and NO_SUCH_PROJECT.search(said)):
        return TargetGone(
            f'Jira says "{said}": the issue or project was deleted, or this user may not see it. Nothing was changed. '
            "Give the user access, or choose another project on Destinations, and replay."
        )
    if status == 403:
        return Refused(
            f'Jira does not let this user do that: "{said}". Nothing was changed. Let a Jira administrator grant it '
            "in the project's permissions, and replay."
        )
    if status == 400:
        return Rejected(f'Jira refused the request: "{said}". Nothing was changed. Correct the mapping and replay.')
    return None


def _field_refused(field: str, said: Any) -> RemoteError:
    if field == "project":
        return TargetGone("Jira does not show this user the project; nothing was created. Choose another and replay.")
    return Rejected(
        f"Jira refused the field '{field}': \"{str(said)[:300]}\". Nothing was changed. Correct the field mapping, or "
        "map the field to an empty text to leave it out, and replay.",
        field,
    )

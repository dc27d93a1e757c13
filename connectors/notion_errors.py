"""What Notion's refusals mean. Pure but for the `needs` block.
Source: https://developers.notion.com/reference/status-codes (read 2026-11).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.domain.errors import Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.answers import inside
from connectors.waits import retry_after_s

# As they are called among an integration's capabilities: https://developers.notion.com/reference/capabilities
READ, UPDATE, INSERT = "Read content", "Update content", "Insert content"
READ_COMMENTS, INSERT_COMMENTS = "Read comments", "Insert comments"
READ_USERS = "Read user information including email addresses"
CAPABILITIES = (READ, UPDATE, INSERT, READ_COMMENTS, INSERT_COMMENTS, READ_USERS)

NOT_LET_IN = ("invalid_grant", "invalid_client", "unauthorized_client")  # RFC 6749, of the token endpoint
NAMES_A_PROPERTY = re.compile(
    r"body\.properties\.([^.`\"]+)|^(.+?) is (?:expected to be|not a property)|\bproperty with name or id: (.+)"
)


def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"object": "error", "code", "message"}`, or OAuth's `{"error"}`, where they say more than the status."""
    code, message = inside(body, "code"), str(inside(body, "message"))[:300]
    if inside(body, "error") in NOT_LET_IN:
        return Unauthorized("Notion ended the connection or does not know the app; nothing was sent. Connect it again.")
    if code == "conflict_error":
        text = "Notion was busy with another change of the same data; nothing was done. It is tried again."
        return TransientError(text, retry_after_s(headers))
    if code == "restricted_resource":
        return Refused(
            f"Notion says that the integration lacks a capability for this; nothing was done. It needs "
            f"{', '.join(CAPABILITIES)}: tick them at notion.so/profile/integrations, and try again."
        )
    if code == "object_not_found":
        return TargetGone(
            f'Notion does not show the integration the page or database: "{message}". Nothing was done. Add the '
            "integration to the database under •••, Connections, or choose another one, and replay."
        )
    if code != "validation_error":
        return None
    if "is archived" in message:  # "Can't edit block that is archived. You must unarchive the block before editing."
        return TargetGone(f'The page is in Notion\'s trash: "{message}". Nothing was done. Restore it and replay.')
    named = NAMES_A_PROPERTY.search(message)
    field = next(filter(None, named.groups()), "").rstrip(".") if named else ""
    place = f"the property '{field}'" if field else "the request"
    return Rejected(
        f'Notion refused {place}: "{message}". Nothing was done. Correct the field mapping and replay.', field
    )


@contextmanager
def needs(capability: str) -> Iterator[None]:
    """Notion does not say which capability a refused call lacks; the caller knows."""
    try:
        yield
    except Refused as error:
        raise missing(capability) from error


def missing(*capabilities: str) -> Refused:
    return Refused(
        f"The Notion integration lacks the capability {' and '.join(capabilities)}; nothing was changed. Tick it at "
        "notion.so/profile/integrations, and try again."
    )

"""A mapped text in the shape Jira wants for its field. Pure, but for people who are named by e-mail.
Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post and
https://developer.atlassian.com/server/jira/platform/jira-rest-api-examples/ (read 2026-11).
"""

from collections.abc import Callable
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteField
from connectors.answers import clipped, inside, one_line
from connectors.jira_documents import document
from connectors.waits import number

LONGEST_SUMMARY, LONGEST_TEXT = 255, 30_000  # a text may have 32,767 with its markup
CUSTOM = "customfield_"
NAMED = {  # by the type of the field, or of what a list holds: the property that takes the text
    "option": "value", "option-with-child": "value", "user": "accountId", "group": "name", "version": "name",
    "component": "name",
}  # fmt: skip

AccountId = Callable[[str, str], str]


def remote_field(described: dict[str, Any]) -> RemoteField:
    return RemoteField(
        key=described["fieldId"],
        name=described.get("name", described["fieldId"]),
        type=inside(described, "schema", "type") or "",
        required=bool(described.get("required")) and not described.get("hasDefaultValue"),
        options=tuple(
            option.get("name") or option.get("value") or "" for option in described.get("allowedValues") or ()
        ),
    )


def typed(name: str, text: str, described: list[dict[str, Any]], account_id: AccountId) -> Any:
    """described: the fields of the issue type, needed for custom fields only. Raises Rejected.

    account_id: from the field and a person, who may be given by e-mail, the person's id.
    """
    if name == "summary":
        return one_line(text, LONGEST_SUMMARY)
    if name in ("description", "environment"):
        return document(clipped(text, LONGEST_TEXT))
    if name in ("priority", "issuetype", "resolution"):
        return {"name": text}
    if name in ("assignee", "reporter"):
        return {"accountId": account_id(name, text)}
    if name in ("project", "parent"):
        return {"key": text}
    if name in ("components", "versions", "fixVersions"):
        return [{"name": part} for part in _parts(text)]
    if not name.startswith(CUSTOM):
        return text
    schema = next((field.get("schema") or {} for field in described if field.get("fieldId") == name), {})
    return _typed_custom(name, text, schema, account_id)


def _typed_custom(name: str, text: str, schema: dict[str, Any], account_id: AccountId) -> Any:
    kind = schema.get("type")
    if kind == "number":
        value = number(text)
        if value is None:
            raise Rejected(
                f"Jira's field '{name}' takes a number; nothing was sent. Correct the field mapping and replay.", name
            )
        return value
    if kind == "array":
        return [_named(name, schema.get("items"), part, account_id) for part in _parts(text)]
    if str(schema.get("custom")).endswith(":textarea"):
        return document(clipped(text, LONGEST_TEXT))
    return _named(name, kind, text, account_id)


def _named(name: str, kind: Any, text: str, account_id: AccountId) -> Any:
    if kind not in NAMED:
        return text
    return {NAMED[kind]: account_id(name, text) if kind == "user" else text}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

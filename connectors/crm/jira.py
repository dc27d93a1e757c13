"""Jira Cloud, REST API v3. Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from app.domain.errors import Rejected, RemoteError, TargetGone
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import Kept, body_of, clipped, day, inside, one_line, rows
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.oauth import TokenStore
from connectors.payloads import answered

LONGEST_SUMMARY, LONGEST_TEXT, LONGEST_LABEL = 255, 30_000, 255  # a text may have 32,767 with its markup
FIELDS_GOOD_FOR_S = 300.0
STATUS = {"new": TaskStatus.OPEN, "indeterminate": TaskStatus.IN_PROGRESS, "done": TaskStatus.DONE}


class Config(AdapterConfig):
    site: str = Field(
        "",
        title="Site",
        description="The part before .atlassian.net in your browser's address bar when Jira is open, such as acme",
    )
    email: str = Field(
        title="E-mail", min_length=3, description="Of the Jira user who shall appear as the author of the tasks"
    )
    token: SecretStr = Field(
        title="API token",
        min_length=1,
        description="As that user, open id.atlassian.com, then Security, API tokens, Create API token",
    )
    project: str = Field(
        title="Project key", min_length=1, description="The letters before the dash in issue numbers: OCT in OCT-12"
    )
    issue_type: str = Field(
        "Task", title="Issue type", min_length=1, description="As shown when you create an issue in this project"
    )

    @field_validator("site")
    @classmethod
    def _only_the_name(cls, site: str) -> str:
        name = re.sub(r"^https?://", "", site).split("/")[0].removesuffix(".atlassian.net")
        if not re.fullmatch(r"[A-Za-z0-9-]*", name):
            raise ValueError("should be one word such as acme, the part before .atlassian.net")
        return name

    @model_validator(mode="after")
    def _has_an_address(self) -> "Config":
        if not self.site and self.base_url is None:
            raise ValueError("Site is missing: the part before .atlassian.net in your browser's address bar")
        return self


class Connector:
    label: ClassVar[str] = "Jira"
    docs: ClassVar[str] = "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/"
    CAN: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.FIND,
            Capability.FIND_LAGS,
            Capability.UPDATE,
            Capability.COMMENT,
            Capability.STATUS,
            Capability.TARGETS,
            Capability.FIELDS,
        }
    )
    EXACTLY_ONCE: ClassVar[str] = (
        "Jira takes no idempotency key, so each issue carries the task's key as a label, and after an uncertain end "
        "that label is searched, twice because the search lags, before anything is created again. "
        "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/"
    )
    RATE_PER_S: ClassVar[float | None] = None  # burst limits are announced in the headers only

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or f"https://{config.site}.atlassian.net"
        self._fields: Kept[list[dict[str, Any]]] = Kept()

    @cached_property
    def api(self) -> ApiClient:
        token = self.config.token.get_secret_value()
        return ApiClient(
            self.label, f"{self.address}/rest/api/3", auth=(self.config.email, token), transport=self.transport,
            error_of=_error_of, secrets=(token,),
        )  # fmt: skip

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", "/myself"), "displayName")
        self._issue_type_id()
        return name

    def targets(self) -> list[Target]:
        found: list[Target] = []
        while True:
            asked = {"startAt": len(found), "maxResults": 50}
            answer = self.api.call("GET", "/project/search", params=asked)
            page = rows(self.label, answer, "values")
            found += [
                Target(f"{project.get('name')} ({project['key']})", {"project": project["key"]}) for project in page
            ]
            if answer.get("isLast", True) or not page:
                return found

    def fields(self) -> list[RemoteField]:
        return [
            RemoteField(
                key=field["fieldId"],
                name=field.get("name", field["fieldId"]),
                type=inside(field, "schema", "type") or "",
                required=bool(field.get("required")) and not field.get("hasDefaultValue"),
                options=tuple(
                    option.get("name") or option.get("value") or "" for option in field.get("allowedValues") or ()
                ),
            )
            for field in self._fields.get(self._ask_fields)
        ]

    def create(self, task: Task) -> TaskRef:
        labels = [_label_of(task.key), *(re.sub(r"\s+", "_", label)[:LONGEST_LABEL] for label in task.labels)]
        fields = {"project": {"key": self.config.project}, "issuetype": {"name": self.config.issue_type}}
        fields |= self._content(task) | {"labels": labels}
        if "labels" in task.fields:
            fields["labels"] = labels[:1] + task.fields["labels"].split()
        return self._ref(answered(self.label, self.api.call("POST", "/issue", json={"fields": fields}), "key"))

    def find(self, key: str) -> TaskRef | None:
        wanted = {
            "jql": f"labels = {_quoted(_label_of(key))} AND project = {_quoted(self.config.project)}",
            "fields": ["status"],
            "maxResults": 1,
        }
        answer = self.api.call("POST", "/search/jql", json=wanted, changes_nothing=True)
        found = rows(self.label, answer, "issues")
        return self._ref(answered(self.label, found[0], "key"), found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        self.api.call("PUT", f"/issue/{ref.id}", json={"fields": self._content(task)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Jira takes no key here: a comment whose end was uncertain may appear twice."""
        self.api.call("POST", f"/issue/{ref.id}/comment", json={"body": _document(clipped(text, LONGEST_TEXT))})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(ref.id, self.api.call("GET", f"/issue/{ref.id}", params={"fields": "status"}))

    def _ref(self, key: str, issue: dict[str, Any] | None = None) -> TaskRef:
        category = inside(issue, "fields", "status", "statusCategory", "key")
        status = STATUS.get(category, TaskStatus.UNKNOWN) if category else TaskStatus.OPEN
        return TaskRef(key, f"{self.address}/browse/{key}", status)

    def _content(self, task: Task) -> dict[str, Any]:
        """Priority is sent only when mapped: many projects have no such field and refuse the whole issue."""
        fields: dict[str, Any] = {
            "summary": one_line(task.title, LONGEST_SUMMARY),
            "description": _document(clipped(body_of(task), LONGEST_TEXT)),
        }
        if task.due_at:
            fields["duedate"] = day(task.due_at)
        if task.assignee:
            fields["assignee"] = {"accountId": task.assignee}
        for name, text in task.fields.items():
            if not text:  # mapped to nothing: the manager wants it left out
                fields.pop(name, None)
            elif name != "labels":
                fields[name] = self._typed(name, text)
        return fields

    def _typed(self, name: str, text: str) -> Any:
        """A mapped text in the shape Jira wants for the field."""
        if name == "summary":
            return one_line(text, LONGEST_SUMMARY)
        if name in ("description", "environment"):
            return _document(clipped(text, LONGEST_TEXT))
        if name in ("priority", "issuetype", "resolution"):
            return {"name": text}
        if name in ("assignee", "reporter"):
            return {"accountId": text}
        if name in ("project", "parent"):
            return {"key": text}
        if name in ("components", "versions", "fixVersions"):
            return [{"name": part.strip()} for part in text.split(",")]
        return self._typed_custom(name, text) if name.startswith("customfield_") else text

    def _typed_custom(self, name: str, text: str) -> Any:
        known = self._fields.get(self._ask_fields)
        schema = next((field.get("schema") or {} for field in known if field.get("fieldId") == name), {})
        kind, custom = schema.get("type"), str(schema.get("custom"))
        if kind == "number":
            try:
                return float(text)
            except ValueError as error:
                raise Rejected(
                    f"Jira's field {name} takes a number. Correct the field mapping and replay.", name
                ) from error
        if kind == "option":
            return {"value": text}
        if kind == "user":
            return {"accountId": text}
        if kind == "array":
            parts = [part.strip() for part in text.split(",")]
            return [{"value": part} for part in parts] if schema.get("items") == "option" else parts
        return _document(clipped(text, LONGEST_TEXT)) if custom.endswith(":textarea") else text

    def _ask_fields(self) -> tuple[list[dict[str, Any]], float]:
        path = f"/issue/createmeta/{self.config.project}/issuetypes/{self._issue_type_id()}"
        answer = self.api.call("GET", path, params={"maxResults": 200})
        return rows(self.label, answer, "fields"), FIELDS_GOOD_FOR_S

    def _issue_type_id(self) -> str:
        path = f"/issue/createmeta/{self.config.project}/issuetypes"
        types = rows(self.label, self.api.call("GET", path, params={"maxResults": 200}), "issueTypes")
        for one in types:
            if str(one.get("name")).casefold() == self.config.issue_type.casefold():
                return answered(self.label, one, "id")
        names = ", ".join(str(one.get("name")) for one in types) or "none this user may create"
        raise Rejected(
            f"The Jira project {self.config.project} has no issue type '{self.config.issue_type}'; it has: {names}. "
            "Choose one of these on Destinations.",
            "issuetype",
        )


def _label_of(key: str) -> str:
    return f"octopus-{key}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _document(text: str) -> dict[str, Any]:
    """Atlassian Document Format: a paragraph a line; Jira refuses a text node that is empty."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []} for line in text.split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def _error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"errorMessages": [...], "errors": {field: text}}`; the field names are what our error adds."""
    errors = inside(body, "errors")
    if status != 400 or not isinstance(errors, dict) or not errors:
        return None
    field, said = next(iter(errors.items()))
    if field == "project":
        return TargetGone("Jira does not show this user the project; nothing was created. Choose another and replay.")
    return Rejected(
        f"Jira refused the field '{field}': \"{str(said)[:300]}\". Nothing was changed. Correct the field mapping, or "
        "map the field to an empty text to leave it out, and replay.",
        field,
    )

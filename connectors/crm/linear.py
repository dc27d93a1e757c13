"""Linear, GraphQL API. Source: https://linear.app/developers/graphql and its schema."""

import re
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

import httpx
from pydantic import Field, SecretStr

from app.domain.classification import Priority
from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import body_of, clipped, day, inside, one_line, rows
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.payloads import answered
from connectors.waits import number, retry_after_s, within_reason

LONGEST_TITLE, LONGEST_TEXT = 255, 100_000  # ours: Linear publishes none
PRIORITY = {Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4}
STATUS = {
    "triage": TaskStatus.OPEN, "backlog": TaskStatus.OPEN, "unstarted": TaskStatus.OPEN,
    "started": TaskStatus.IN_PROGRESS, "completed": TaskStatus.DONE, "canceled": TaskStatus.CANCELLED,
    "duplicate": TaskStatus.CANCELLED,
}  # fmt: skip
NUMBERS = ("priority", "estimate")
LISTS = ("labelIds", "subscriberIds", "releaseIds")
FIELDS = (
    RemoteField("title", "Title", "text", required=True),
    RemoteField("description", "Description", "markdown"),
    RemoteField("priority", "Priority", "number", options=tuple(PRIORITY)),
    RemoteField("dueDate", "Due date", "date"),
    RemoteField("estimate", "Estimate", "number"),
    RemoteField("assigneeId", "Assignee", "id"),
    RemoteField("stateId", "Status", "id"),
    RemoteField("projectId", "Project", "id"),
    RemoteField("labelIds", "Labels", "ids, separated by commas"),
)

VIEWER = "query Viewer($team: String!) { viewer { name } team(id: $team) { name } }"
TEAMS = """query Teams($after: String) {
  teams(first: 100, after: $after) { nodes { id key name } pageInfo { hasNextPage endCursor } } }"""
CREATE = "mutation Create($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { id url } } }"
UPDATE = "mutation Update($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }"
COMMENT = "mutation Comment($input: CommentCreateInput!) { commentCreate(input: $input) { success } }"
FIND = """query Find($id: ID!) {
  issues(filter: {id: {eq: $id}}, includeArchived: true, first: 1) { nodes { id url state { type } } } }"""


class Config(AdapterConfig):
    api_key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="In Linear open Settings, then Security & access, Personal API keys, New API key (read and write)",
    )
    team: str = Field(
        title="Team",
        min_length=1,
        description="Choose it from the list, or in Linear open the team, press Ctrl+K and choose Copy model UUID",
    )


class AlreadyThere(Rejected):
    """The id we chose is taken: an earlier try got through."""


class Connector:
    label: ClassVar[str] = "Linear"
    docs: ClassVar[str] = "https://linear.app/developers/graphql"
    CAN: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.IDEMPOTENT_CREATE,
            Capability.FIND,
            Capability.UPDATE,
            Capability.COMMENT,
            Capability.STATUS,
            Capability.TARGETS,
            Capability.FIELDS,
        }
    )
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus chooses the issue's id from the task's key and Linear takes each id only once, so a second try finds "
        "the first one's issue. https://linear.app/developers/graphql"
    )
    RATE_PER_S: ClassVar[float | None] = None  # the hourly quota depends on the plan and is announced in the headers

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        key = self.config.api_key.get_secret_value()
        return ApiClient(
            self.label, self.config.base_url or "https://api.linear.app", headers={"Authorization": key},
            transport=self.transport, error_of=_error_of, secrets=(key,),
        )  # fmt: skip

    def check(self) -> str:
        answer = self._ask(VIEWER, team=self.config.team)
        return f"{answered(self.label, answer, 'viewer', 'name')} in {answered(self.label, answer, 'team', 'name')}"

    def targets(self) -> list[Target]:
        found: list[Target] = []
        after = None
        while True:
            answer = self._ask(TEAMS, after=after)
            teams = rows(self.label, answer, "teams", "nodes")
            found += [Target(f"{team.get('name')} ({team.get('key')})", {"team": team["id"]}) for team in teams]
            after = inside(answer, "teams", "pageInfo", "endCursor")
            if not inside(answer, "teams", "pageInfo", "hasNextPage") or not after:
                return found

    def fields(self) -> list[RemoteField]:
        return list(FIELDS)

    def create(self, task: Task) -> TaskRef:
        wanted = {"id": _id_of(task.key), "teamId": self.config.team} | _content(task)
        try:
            answer = self._change(CREATE, input=wanted)
        except AlreadyThere:
            ref = self.find(task.key)
            if ref is None:
                raise
            return ref
        return TaskRef(
            answered(self.label, answer, "issueCreate", "issue", "id"),
            inside(answer, "issueCreate", "issue", "url") or "",
        )

    def find(self, key: str) -> TaskRef | None:
        return self._find(_id_of(key))

    def update(self, ref: TaskRef, task: Task) -> None:
        self._succeeded(self._change(UPDATE, id=ref.id, input=_content(task)), "issueUpdate")

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        wanted = {"id": _id_of(key), "issueId": ref.id, "body": clipped(text, LONGEST_TEXT)}
        try:
            self._succeeded(self._change(COMMENT, input=wanted), "commentCreate")
        except AlreadyThere:
            return  # an earlier try got through

    def status(self, ref: TaskRef) -> TaskRef:
        found = self._find(ref.id)
        if found is None:
            raise TargetGone("Linear does not know the issue any more: it was deleted there, or access to it ended.")
        return found

    def _find(self, issue_id: str) -> TaskRef | None:
        issues = rows(self.label, self._ask(FIND, id=issue_id), "issues", "nodes")
        if not issues:
            return None
        kind = inside(issues[0], "state", "type")
        status = STATUS.get(kind, TaskStatus.UNKNOWN) if kind else TaskStatus.OPEN
        return TaskRef(answered(self.label, issues[0], "id"), issues[0].get("url") or "", status)

    def _ask(self, query: str, **variables: Any) -> Any:
        wanted = {"query": query, "variables": variables}
        return inside(self.api.call("POST", "/graphql", json=wanted, changes_nothing=True), "data")

    def _change(self, mutation: str, **variables: Any) -> Any:
        return inside(self.api.call("POST", "/graphql", json={"query": mutation, "variables": variables}), "data")

    def _succeeded(self, answer: Any, mutation: str) -> None:
        if inside(answer, mutation, "success") is not True:
            raise Ambiguous(f"Linear did not say whether {mutation} succeeded. It is tried again.")


def _id_of(key: str) -> str:
    """Linear wants version 4: the same bits with another version number, so equal keys give equal ids."""
    return str(UUID(hex=key, version=4))


def _content(task: Task) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "title": one_line(task.title, LONGEST_TITLE),
        "description": clipped(body_of(task), LONGEST_TEXT),
        "priority": PRIORITY[task.priority],
    }
    if task.due_at:
        wanted["dueDate"] = day(task.due_at)
    if task.assignee:
        wanted["assigneeId"] = task.assignee
    for name, text in task.fields.items():
        if text:
            wanted[name] = _typed(name, text)
        else:  # mapped to nothing: the manager wants it left out
            wanted.pop(name, None)
    return wanted


def _typed(name: str, text: str) -> Any:
    """A mapped text in the type of IssueCreateInput."""
    if name == "priority" and text in PRIORITY:
        return PRIORITY[Priority(text)]
    if name in NUMBERS:
        try:
            return int(text)
        except ValueError as error:
            text = (
                f"Linear's field {name} takes a whole number; nothing was sent. Correct the field mapping and replay."
            )
            raise Rejected(text, name) from error
    if name in LISTS:
        return [part.strip() for part in text.split(",")]
    return one_line(text, LONGEST_TITLE) if name == "title" else clipped(text, LONGEST_TEXT)


def _error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`errors[].extensions.code`, under any status; 200 as well."""
    error = inside(body, "errors", 0)
    if not isinstance(error, dict):
        return None
    code = inside(error, "extensions", "code")
    message = str(inside(error, "extensions", "userPresentableMessage") or error.get("message"))[:300]
    if code == "RATELIMITED":
        return TransientError("Linear is asked too often; nothing was done. It is tried again.", _wait_s(headers))
    if code == "AUTHENTICATION_ERROR" or status == 401:
        return Unauthorized("Linear refused the API key; nothing was done. Make a new key and connect it again.")
    if code in ("FORBIDDEN", "FEATURE_NOT_ACCESSIBLE", "USAGE_LIMIT_EXCEEDED") or status == 403:
        return Refused(f'Linear does not allow this key to do it: "{message}". Grant it in Linear and replay.')
    if "already exists" in message:
        return AlreadyThere("Linear has something with this id already, which this key cannot see. Look there.", "id")
    if "not found" in message.lower():
        return TargetGone("Linear does not know the team or issue; nothing was done. Choose another one and replay.")
    if status == 429 or status >= 500:
        return None  # the status says it all
    if code in ("INTERNAL_SERVER_ERROR", "LOCK_TIMEOUT", None):
        return Ambiguous("Linear has a fault of its own, after which the change may exist. It is tried again.")
    field = _field_of(error)
    place = f" the field '{field}'" if field else " the request"
    return Rejected(
        f'Linear refused{place}: "{message}". Nothing was done. Correct the field mapping and replay.', field
    )


def _field_of(error: dict[str, Any]) -> str:
    named = inside(error, "extensions", "validationErrors", 0, "property")
    quoted = re.search(r'at "input\.(\w+)', str(error.get("message")))
    return named or (quoted[1] if quoted else "")


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After, else the time the quota is full again, which Linear gives in milliseconds since 1970."""
    reset_ms = number(headers.get("x-ratelimit-requests-reset", ""))
    if "retry-after" not in headers and reset_ms is not None:
        return within_reason(reset_ms / 1000 - time.time())
    return retry_after_s(headers)

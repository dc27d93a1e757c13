"""DingTalk (钉钉), to-dos (待办) of one person. Source: https://open.dingtalk.com/document/development/add-dingtalk-to-do-task.

An app makes work to-dos: they stand in their executors' lists, and a click on one opens the message in Octopus.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import Rejected, TargetGone, TransientError
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import inside
from connectors.base import CrmConfig
from connectors.dingtalk_errors import AlreadyThere, error_of
from connectors.dingtalk_events import CHANGED, CHECK, opened, success
from connectors.dingtalk_people import People
from connectors.dingtalk_todos import (
    FIELDS,
    content_of,
    given_at_first,
    parts,
    ref_of,
    text_of,
    updates_of,
    with_update,
)
from connectors.http import ApiClient, recording
from connectors.oauth import USUAL_LIFE_S, Consent, Token, TokenClient, TokenStore, tokens_of_process
from connectors.payloads import identifier, walks_the_body
from connectors.waits import number

ADDRESS, OLD_ADDRESS = "https://api.dingtalk.com", "https://oapi.dingtalk.com"
OLD_PATHS = "/topapi/"
NO_TASK = "octopus-connection-check"


class Config(CrmConfig):
    client_id: str = Field(
        title="Client ID",
        min_length=1,
        description="In the developer console open-dev.dingtalk.com open your app, then Credentials & Basic "
        "Information; formerly AppKey",
    )
    client_secret: SecretStr = Field(
        title="Client Secret",
        min_length=1,
        description="Beside the Client ID. Under Permission Management the app needs Todo.Todo.Write, Todo.Todo.Read, "
        "qyapi_get_member, qyapi_get_department_list, qyapi_get_department_member and fieldEmail",
    )
    department: int = Field(
        1,
        title="Department",
        ge=1,
        description="Whose members, and those of departments below it, are offered as assignees; 1 is the whole "
        "organisation. The number stands in the admin console oa.dingtalk.com, Contacts",
    )
    owner: str = Field(
        title="Owner",
        min_length=1,
        description="Choose the person from the list. To-dos are made in their name, and given to them where a route "
        "names nobody",
    )
    hook_token: SecretStr = Field(
        SecretStr(""), title="Callback token", description="Of the app's Events & Callbacks; needed only for webhooks"
    )
    hook_secret: SecretStr = Field(
        SecretStr(""), title="aes_key", description="Beside the callback token; needed only for webhooks"
    )


@dataclass(frozen=True, slots=True)
class _Account:
    """Both generations of the API with one token: the new one takes it in a header, the old one in the query."""

    new: ApiClient
    old: ApiClient
    token: str

    def call(self, method: str, path: str, **options: Any) -> Any:
        if path.startswith(OLD_PATHS):
            return self.old.call(method, path, params={"access_token": self.token}, **options)
        return self.new.call(method, path, **options)


class Connector:
    label: ClassVar[str] = "DingTalk"
    docs: ClassVar[str] = "https://open.dingtalk.com/document/development/add-dingtalk-to-do-task"
    # Not COMMENTS: a to-do has none to read. Not CHANGES: the list of to-dos cannot be asked for changed ones.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE,
        Capability.FIND_LAGS,
        Capability.COMMENTS,
        Capability.CHANGES,
        Capability.SETS_HOOK,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus sends the task's key as sourceId and looks for it before it tries again; DingTalk refuses a second "
        "to-do with the same sourceId. https://open.dingtalk.com/document/development/add-dingtalk-to-do-task"
    )
    RATE_PER_S: ClassVar[float | None] = 20.0  # of one app, in an organisation of the standard edition
    CONSENT: ClassVar[Consent | None] = None  # the app acts for itself, with Client ID and Client Secret
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "In the developer console open your app, then Events & Callbacks, and choose HTTP as the way of pushing.",
        "Press the buttons that make an aes_key and a token, paste both into the fields 'aes_key' and 'Callback "
        "token' on Destinations and save there first: DingTalk tests the address at once.",
        "Back in the developer console enter {url} as request address and save.",
        "Subscribe to 'To-do task updated' (todo_task_update) and 'To-do task deleted' (todo_task_delete), then "
        "publish a version of the app.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self._secret = config.client_secret.get_secret_value()
        tokens = tokens or tokens_of_process(config.base_url or ADDRESS, config.client_id, self._secret)
        self.api = TokenClient(self._account, self._renew, tokens)
        self._people = People(self.api, config.department)
        self._todos = f"/v1.0/todo/users/{quote(config.owner, safe='')}"
        self._as_owner = {"operatorId": config.owner}

    def check(self) -> str:
        """Reading is tried on the owner's list, writing on a to-do that does not exist."""
        self.api.call("POST", f"{self._todos}/org/tasks/query", json={"isDone": False}, changes_nothing=True)
        with suppress(TargetGone, Rejected):  # as it should be: a missing permission is told first
            self._change(NO_TASK, {"done": False})
        return self._people.name(self.config.owner)

    def targets(self) -> list[Target]:
        return [Target(person.name, {"owner": person.id}) for person in self._people.all()]

    def fields(self) -> list[RemoteField]:
        return [*FIELDS]

    def people(self) -> list[Person]:
        return self._people.all()

    def create(self, task: Task) -> TaskRef:
        owner = self.config.owner
        wanted = content_of(task) | given_at_first(task, owner)
        executors = self._union_ids(task.fields.get("executorIds") or task.assignee)
        wanted["executorIds"] = executors or [owner]
        if participants := self._union_ids(task.fields.get("participantIds", "")):
            wanted["participantIds"] = participants
        try:
            return ref_of(self.api.call("POST", f"{self._todos}/tasks", params=self._as_owner, json=wanted))
        except AlreadyThere:
            found = self.find(task.key)
            if found is None:
                raise
            return found

    def find(self, key: str) -> TaskRef | None:
        try:
            return self._ref(self.api.call("GET", f"{self._todos}/tasks/sources/{quote(key, safe='')}"))
        except TargetGone:
            return None

    def update(self, ref: TaskRef, task: Task) -> None:
        """Priority cannot be changed any more; executors and participants stay: people may have changed them."""
        self._change(ref.id, content_of(task, updates_of(self._todo(ref))))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """A to-do has no comments: the text is added to its own, where the card shows its end.

        DingTalk takes no key, but a text that stands at the end already is not added again.
        """
        self._change(ref.id, text_of(with_update(self._todo(ref), text)))

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """DingTalk knows only done or not, so cancelled is done as well."""
        wanted = TaskStatus.OPEN if status is TaskStatus.OPEN else TaskStatus.DONE
        if ref_of(self._todo(ref)).status is not wanted:
            self._change(ref.id, {"done": wanted is TaskStatus.DONE})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self._todo(ref))

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """An old request sent again is let pass: it is a hint only."""
        self._event(request)

    def answer_hook(self, request: RawRequest) -> Answer:
        body = success(*self._hook_secrets(), self.config.client_id, time.time())
        is_test = self._event(request).get("EventType") == CHECK
        return Answer(body=body, content_type="application/json", store=not is_test)

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        event = self._event(request)
        return (identifier(event["taskId"]),) if event["EventType"] in CHANGED else ()

    def _event(self, request: RawRequest) -> dict[str, Any]:
        return opened(self.label, request, *self._hook_secrets(), self.config.client_id)

    def _hook_secrets(self) -> tuple[str, str]:
        return self.config.hook_token.get_secret_value(), self.config.hook_secret.get_secret_value()

    def _todo(self, ref: TaskRef) -> Any:
        return self.api.call("GET", f"{self._todos}/tasks/{quote(ref.id, safe='')}")

    def _change(self, todo: str, change: dict[str, Any]) -> None:
        path = f"{self._todos}/tasks/{quote(todo, safe='')}"
        self.api.call("PUT", path, params=self._as_owner, json=change)

    def _ref(self, todo: Any) -> TaskRef:
        return ref_of(todo, ", ".join(self._people.name(one) for one in inside(todo, "executorIds") or []))

    def _union_ids(self, people: str) -> list[str]:
        return [self._people.union_id(one) for one in parts(people)]

    def _renew(self, kept: Token | None) -> Token:
        """Source: https://open.dingtalk.com/document/development/obtain-the-access-token-of-an-internal-app."""
        asked = {"appKey": self.config.client_id, "appSecret": self._secret}
        with recording():  # and thrown away: the answer holds the token
            answer = self._client(ADDRESS).call("POST", "/v1.0/oauth2/accessToken", json=asked, changes_nothing=True)
        token = inside(answer, "accessToken")
        if not isinstance(token, str) or not token:
            raise TransientError("DingTalk gave no access token; nothing was sent. It is asked again by itself.")
        return Token(token, time.time() + (number(str(inside(answer, "expireIn"))) or USUAL_LIFE_S))

    def _account(self, token: Token) -> _Account:
        new = self._client(ADDRESS, token.value)
        return _Account(new, self._client(OLD_ADDRESS, token.value), token.value)

    def _client(self, address: str, token: str = "") -> ApiClient:
        return ApiClient(
            self.label, self.config.base_url or address,
            headers={"x-acs-dingtalk-access-token": token} if token and address == ADDRESS else None,
            transport=self.transport, error_of=error_of, secrets=(self._secret, token),
        )  # fmt: skip

"""Lark and Feishu, task API v2. Source: https://open.larksuite.com/document/task-v2/overview (read 2026-11)."""

import time
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import httpx
import orjson
from pydantic import Field, SecretStr

from app.domain.errors import Refused, TransientError
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import Kept, clipped, inside, rows
from connectors.base import CrmConfig
from connectors.http import ApiClient, recording
from connectors.lark_errors import error_of
from connectors.lark_events import check_event, event_of
from connectors.lark_tasks import (
    FIELDS,
    KNOWN,
    LONGEST_TEXT,
    comment_of,
    content_of,
    custom_field,
    members_of,
    name_of,
    ref_of,
)
from connectors.oauth import USUAL_LIFE_S, Consent, Token, TokenClient, TokenStore, tokens_of_process
from connectors.payloads import answered, identifier, walks_the_body
from connectors.waits import number

ADDRESSES = {"lark": "https://open.larksuite.com", "feishu": "https://open.feishu.cn"}
FIELDS_GOOD_FOR_S = 300.0
NOT_COMPLETED = "0"


class Config(CrmConfig):
    region: Literal["lark", "feishu"] = Field("lark", title="Service", description="Feishu in China, Lark elsewhere")
    app_id: str = Field(
        title="App ID",
        min_length=1,
        description="In the developer console open your app, then Credentials & Basic Info",
    )
    app_secret: SecretStr = Field(
        title="App Secret",
        min_length=1,
        description="Beside the App ID; the app needs the permissions task:task:write, task:tasklist:read and "
        "task:comment:write",
    )
    tasklist: str = Field(
        "",
        title="Task list",
        description="Choose it from the list. Share it with your team and with the app: a task in no list is seen by "
        "its assignee only",
    )
    hook_secret: SecretStr = Field(
        SecretStr(""),
        title="Encrypt Key",
        description="In the developer console, Events & Callbacks, Encryption Strategy; needed only for Lark to tell "
        "of changes",
    )


class Connector:
    label: ClassVar[str] = "Lark"
    docs: ClassVar[str] = "https://open.larksuite.com/document/task-v2/task/create"
    # Not FIND: client_token cannot be searched. Not CHANGES: a list of tasks does not say when each was changed.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.FIND,
        Capability.FIND_LAGS,
        Capability.CHANGES,
        Capability.SETS_HOOK,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus sends the task's key as client_token, and Lark answers a second try with the first one's task. "
        "https://open.larksuite.com/document/task-v2/task/create"
    )
    RATE_PER_S: ClassVar[float | None] = None  # differs by call and tenant, and is announced when it is reached
    CONSENT: ClassVar[Consent | None] = None  # the app acts for itself, with App ID and App Secret
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "In the developer console open your app, then Events & Callbacks, Encryption Strategy: set an Encrypt Key.",
        "Paste the same Encrypt Key into the field 'Encrypt Key' on Destinations and save.",
        "Under Event Configuration choose 'Send events to developer's server' and enter {url} as Request URL.",
        "Add the events 'Task updated' (task.task.updated_v1) and 'Task comment updated' "
        "(task.task.comment.updated_v1), then create and publish a version of the app.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or ADDRESSES[config.region]
        tokens = tokens or tokens_of_process(self.address, config.app_id, config.app_secret.get_secret_value())
        self.api = TokenClient(lambda token: self._client(token.value), self._renew, tokens)
        self._custom_fields: Kept[list[dict[str, Any]]] = Kept()

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", "/bot/v3/info"), "bot", "app_name")
        if self.config.tasklist:
            me = {"id": self.config.app_id, "type": "app", "role": "viewer"}
            if any(me.items() <= member.items() for member in self._members()):
                raise Refused(
                    "The app may only view Lark's task list; nothing was changed. In the list's settings make the app "
                    "an editor and connect again."
                )
        return name

    def targets(self) -> list[Target]:
        found = self._pages("/task/v2/tasklists")
        return [Target(one.get("name") or one["guid"], {"tasklist": one["guid"]}) for one in found]

    def fields(self) -> list[RemoteField]:
        return [*FIELDS, *(custom_field(field) for field in self._custom())]

    def people(self) -> list[Person]:
        """Those the task list is shared with; without a task list nobody is known."""
        users = [one for one in self._members() if one.get("type") == "user"] if self.config.tasklist else []
        return [Person(one["id"], name_of(one)) for one in {one["id"]: one for one in users}.values()]

    def create(self, task: Task) -> TaskRef:
        wanted = self._content(task) | {"client_token": task.key, "members": members_of(task)}
        if self.config.tasklist:
            wanted["tasklists"] = [{"tasklist_guid": self.config.tasklist}]
        return ref_of(inside(self.api.call("POST", "/task/v2/tasks", json=wanted), "data", "task"))

    def find(self, key: str) -> TaskRef | None:
        raise NotImplementedError("Lark cannot search by client_token; repeating `create` finds the task instead")

    def update(self, ref: TaskRef, task: Task) -> None:
        """Members stay as they are: people may have changed them."""
        wanted = self._content(task)
        self.api.call("PATCH", f"/task/v2/tasks/{ref.id}", json={"task": wanted, "update_fields": list(wanted)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Lark takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"content": clipped(text, LONGEST_TEXT), "resource_type": "task", "resource_id": ref.id}
        self.api.call("POST", "/task/v2/comments", json=wanted)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Lark knows only completed or not, so cancelled is completed as well."""
        wanted = TaskStatus.OPEN if status is TaskStatus.OPEN else TaskStatus.DONE
        if self.status(ref).status is wanted:
            return
        completed_at = NOT_COMPLETED if wanted is TaskStatus.OPEN else str(int(time.time() * 1000))
        change = {"task": {"completed_at": completed_at}, "update_fields": ["completed_at"]}
        self.api.call("PATCH", f"/task/v2/tasks/{ref.id}", json=change)

    def status(self, ref: TaskRef) -> TaskRef:
        return ref_of(inside(self.api.call("GET", f"/task/v2/tasks/{ref.id}"), "data", "task"))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        asked = {"resource_type": "task", "resource_id": ref.id, "direction": "asc"}
        return [comment_of(one) for one in self._pages("/task/v2/comments", **asked)]

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """An old request sent again is let pass: it is a hint only, and Lark repeats its own for hours."""
        if not self._is_handshake(request):
            check_event(self.label, request, self.config.hook_secret.get_secret_value())

    def answer_hook(self, request: RawRequest) -> Answer:
        if not self._is_handshake(request):
            return Answer()
        challenge = {"challenge": self._event(request).get("challenge")}
        return Answer(body=orjson.dumps(challenge), content_type="application/json", store=False)

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        event = self._event(request)
        if not event["header"]["event_type"].startswith("task.task."):
            return ()  # another event the app is subscribed to
        return (identifier(event["event"]["task_id"]),)

    def _event(self, request: RawRequest) -> dict[str, Any]:
        return event_of(self.label, request, self.config.hook_secret.get_secret_value())

    def _is_handshake(self, request: RawRequest) -> bool:
        """Encrypted with our key, but not signed; it changes nothing here."""
        return self._event(request).get("type") == "url_verification"

    def _content(self, task: Task) -> dict[str, Any]:
        return content_of(task, [] if set(task.fields) <= set(KNOWN) else self._custom())

    def _members(self) -> list[dict[str, Any]]:
        answer = self.api.call("GET", f"/task/v2/tasklists/{self.config.tasklist}")
        tasklist = inside(answer, "data", "tasklist") or {}
        return [*(tasklist.get("members") or []), *([tasklist["owner"]] if tasklist.get("owner") else [])]

    def _custom(self) -> list[dict[str, Any]]:
        return self._custom_fields.get(self._ask_custom) if self.config.tasklist else []

    def _ask_custom(self) -> tuple[list[dict[str, Any]], float]:
        asked = {"resource_type": "tasklist", "resource_id": self.config.tasklist}
        return list(self._pages("/task/v2/custom_fields", **asked)), FIELDS_GOOD_FOR_S

    def _pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        params |= {"page_size": 100}
        while True:
            answer = self.api.call("GET", path, params=params)
            yield from rows(self.label, answer, "data", "items")
            params["page_token"] = inside(answer, "data", "page_token")
            if not inside(answer, "data", "has_more") or not params["page_token"]:
                return

    def _renew(self, kept: Token | None) -> Token:
        """Source: https://open.larksuite.com/document/server-docs/authentication-management/access-token."""
        asked = {"app_id": self.config.app_id, "app_secret": self.config.app_secret.get_secret_value()}
        with recording():  # and thrown away: the answer holds the token
            path = "/auth/v3/tenant_access_token/internal"
            answer = self._client().call("POST", path, json=asked, changes_nothing=True)
        token = inside(answer, "tenant_access_token")
        if not token:
            raise TransientError("Lark gave no access token; nothing was sent. It is asked again by itself.")
        return Token(token, time.time() + (number(str(inside(answer, "expire"))) or USUAL_LIFE_S))

    def _client(self, token: str = "") -> ApiClient:
        return ApiClient(
            self.label, f"{self.address}/open-apis", headers={"Authorization": f"Bearer {token}"} if token else None,
            transport=self.transport, error_of=error_of, secrets=(self.config.app_secret.get_secret_value(), token),
        )  # fmt: skip

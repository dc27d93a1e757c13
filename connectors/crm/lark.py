"""Lark and Feishu, task API v2. Source: https://open.larksuite.com/document/task-v2/task/create."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import Kept, body_of, clipped, inside, one_line, rows
from connectors.base import AdapterConfig
from connectors.http import ApiClient, recording
from connectors.payloads import answered
from connectors.waits import number, retry_after_s, within_reason

LONGEST_TITLE, LONGEST_TEXT = 3_000, 3_000
RENEWED_EARLY_S, SHORTEST_S = 300.0, 60.0
ADDRESSES = {"lark": "https://open.larksuite.com", "feishu": "https://open.feishu.cn"}
STATUS = {"todo": TaskStatus.OPEN, "done": TaskStatus.DONE}
FIELDS = (
    RemoteField("summary", "Title", "text", required=True),
    RemoteField("description", "Description", "text"),
    RemoteField("assignee", "Assignee", "open_id"),
    RemoteField("follower", "Follower", "open_id"),
)
# Lark's codes, which come with HTTP 200 as well as with 4xx.
TOKEN_INVALID, ASKED_TOO_OFTEN = 99991663, 99991400
WRONG_APP = (10003, 10012, 10014)
NO_PERMISSION = (99991672, 1470403)
NOT_FOUND = (1470404,)
OWN_FAULT = (1470500,)


class Config(AdapterConfig):
    region: Literal["lark", "feishu"] = Field("lark", title="Service", description="Feishu in China, Lark elsewhere")
    app_id: str = Field(
        title="App ID",
        min_length=1,
        description="In the developer console open your app, then Credentials & Basic Info",
    )
    app_secret: SecretStr = Field(
        title="App Secret", min_length=1, description="Beside the App ID; the app needs the permission task:task:write"
    )
    tasklist: str = Field(
        "",
        title="Task list",
        description="Choose it from the list. Share it with your team and with the app: a task in no list is seen by "
        "its assignee only",
    )


class TokenInvalid(Unauthorized):
    """The tenant token ended before its time: a new one is asked for, once."""


class Connector:
    label: ClassVar[str] = "Lark"
    docs: ClassVar[str] = "https://open.larksuite.com/document/task-v2/task/create"
    CAN: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.IDEMPOTENT_CREATE,
            Capability.UPDATE,
            Capability.COMMENT,
            Capability.STATUS,
            Capability.TARGETS,
            Capability.FIELDS,
        }
    )
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus sends the task's key as client_token, and Lark answers a second try with the first one's task. "
        "https://open.larksuite.com/document/task-v2/task/create"
    )
    RATE_PER_S: ClassVar[float | None] = None  # differs by call and tenant, and is announced when it is reached

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or ADDRESSES[config.region]

    def check(self) -> str:
        name = answered(self.label, self._call("GET", "/bot/v3/info"), "bot", "app_name")
        if self.config.tasklist:
            self._call("GET", f"/task/v2/tasklists/{self.config.tasklist}")
        return name

    def targets(self) -> list[Target]:
        found: list[Target] = []
        params: dict[str, Any] = {"page_size": 100}
        while True:
            answer = self._call("GET", "/task/v2/tasklists", params=params)
            lists = rows(self.label, answer, "data", "items")
            found += [Target(one.get("name") or one["guid"], {"tasklist": one["guid"]}) for one in lists]
            params["page_token"] = inside(answer, "data", "page_token")
            if not inside(answer, "data", "has_more") or not params["page_token"]:
                return found

    def fields(self) -> list[RemoteField]:
        return list(FIELDS)

    def create(self, task: Task) -> TaskRef:
        wanted = _content(task) | {"client_token": task.key}
        members = [
            {"id": task.fields.get(role) or (task.assignee if role == "assignee" else ""), "type": "user", "role": role}
            for role in ("assignee", "follower")
        ]
        wanted["members"] = [member for member in members if member["id"]]
        if self.config.tasklist:
            wanted["tasklists"] = [{"tasklist_guid": self.config.tasklist}]
        return self._ref(self._call("POST", "/task/v2/tasks", json=wanted))

    def find(self, key: str) -> TaskRef | None:
        raise NotImplementedError("Lark cannot search by client_token; repeating `create` finds the task instead")

    def update(self, ref: TaskRef, task: Task) -> None:
        wanted = _content(task)
        self._call("PATCH", f"/task/v2/tasks/{ref.id}", json={"task": wanted, "update_fields": list(wanted)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Lark takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"content": clipped(text, LONGEST_TEXT), "resource_type": "task", "resource_id": ref.id}
        self._call("POST", "/task/v2/comments", json=wanted)

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self._call("GET", f"/task/v2/tasks/{ref.id}"))

    def _ref(self, answer: Any) -> TaskRef:
        guid = answered(self.label, answer, "data", "task", "guid")
        status = STATUS.get(inside(answer, "data", "task", "status") or "todo", TaskStatus.UNKNOWN)
        return TaskRef(guid, inside(answer, "data", "task", "url") or "", status)

    def _call(self, method: str, path: str, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        token = self._token()
        try:
            return self._api(token).call(method, path, json, params)
        except TokenInvalid:
            return self._api(self._token(refused=token)).call(method, path, json, params)

    def _token(self, refused: str | None = None) -> str:
        secret = self.config.app_secret.get_secret_value()
        return _kept_token(self.address, self.config.app_id, secret).get(self._ask_token, refused)

    def _ask_token(self) -> tuple[str, float]:
        asked = {"app_id": self.config.app_id, "app_secret": self.config.app_secret.get_secret_value()}
        with recording():  # and thrown away: the answer holds the token
            path = "/auth/v3/tenant_access_token/internal"
            answer = self._api().call("POST", path, json=asked, changes_nothing=True)
        token = inside(answer, "tenant_access_token")
        if not token:
            raise TransientError("Lark gave no access token; nothing was sent. It is asked again by itself.")
        return token, max(SHORTEST_S, float(inside(answer, "expire") or 0) - RENEWED_EARLY_S)

    def _api(self, token: str = "") -> ApiClient:
        return ApiClient(
            self.label, f"{self.address}/open-apis", headers={"Authorization": f"Bearer {token}"} if token else None,
            transport=self.transport, error_of=_error_of, secrets=(self.config.app_secret.get_secret_value(), token),
        )  # fmt: skip


@lru_cache(maxsize=4096)
def _kept_token(address: str, app_id: str, secret: str) -> Kept[str]:
    """One token for an app, however many destinations use it."""
    return Kept()


def _content(task: Task) -> dict[str, Any]:
    known = [field.key for field in FIELDS]
    for name in task.fields:
        if name not in known:
            raise Rejected(
                f"Lark's tasks have no field '{name}' that can be mapped, only {', '.join(known)}. Nothing was sent. "
                "Correct the field mapping and replay.",
                name,
            )
    wanted: dict[str, Any] = {
        "summary": one_line(task.fields.get("summary") or task.title, LONGEST_TITLE),
        "description": clipped(task.fields.get("description", body_of(task)), LONGEST_TEXT),
    }
    if task.due_at:
        wanted["due"] = {"timestamp": str(int(task.due_at.timestamp() * 1000)), "is_all_day": False}
    return wanted


def _error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"code", "msg"}`: any code but 0 is a failure, whatever the status."""
    code = inside(body, "code")
    if not isinstance(code, int) or code == 0:
        return None
    if code == TOKEN_INVALID:
        return TokenInvalid(
            "Lark refused the app's access token, and a new one too. Check the app and connect it again."
        )
    if code in WRONG_APP:
        return Unauthorized("Lark refused App ID and App Secret; nothing was done. Copy them again and connect.")
    if code == ASKED_TOO_OFTEN or status == 429:
        return TransientError("Lark is asked too often; nothing was done. It is tried again.", _wait_s(headers))
    if code in NO_PERMISSION:
        return Refused("Lark says the app lacks a permission for this. Grant it in the developer console and replay.")
    if code in NOT_FOUND:
        return TargetGone("Lark does not know the task or task list any more. Choose another one and replay.")
    if code in OWN_FAULT and status < 300:
        return Ambiguous("Lark has a fault of its own, after which the task may exist. It is tried again.")
    if status in (401, 403, 404) or status >= 500:
        return None  # the status says it all
    field = inside(body, "error", "field_violations", 0, "field") or ""
    place = f"the field '{field}'" if field else "the request"
    said = str(inside(body, "msg"))[:300]
    return Rejected(
        f'Lark refused {place} (code {code}): "{said}". Nothing was done. Correct the field mapping and replay.', field
    )


def _wait_s(headers: Mapping[str, str]) -> float | None:
    reset_s = number(headers.get("x-ogw-ratelimit-reset", ""))
    return retry_after_s(headers) if reset_s is None else within_reason(reset_s)

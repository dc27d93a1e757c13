"""ClickUp, REST API v2. Source: https://developer.clickup.com/reference (read 2026-11)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import Refused, TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside, rows
from connectors.base import CrmConfig
from connectors.clickup_errors import error_of
from connectors.clickup_fields import FIELDS, STATUS, custom_field, custom_names, custom_values
from connectors.clickup_list import TaskList
from connectors.clickup_tasks import (
    LONGEST_TEXT,
    assignees_of,
    comment_of,
    content_of,
    given_at_first,
    is_made_with,
    ref_of,
    status_for,
)
from connectors.http import ApiClient
from connectors.oauth import Consent, TokenStore
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.signatures import check_hmac_sha256

LOOKED_BACK = timedelta(days=30)  # how old a task may be to be found by its key
READERS = ("read", "comment")


class Config(CrmConfig):
    token: SecretStr = Field(
        title="Personal API token",
        min_length=1,
        description="In ClickUp open your avatar, Settings, Apps, and press Generate under API Token. It begins with "
        "pk_ and acts as you",
    )
    list: str = Field(
        title="List",
        pattern=r"^\d+$",
        description="Choose it from the list, or press ... beside the list, Copy link, and take the number after /li/",
    )


class Connector:
    label: ClassVar[str] = "ClickUp"
    docs: ClassVar[str] = "https://developer.clickup.com/reference/createtask"
    # ClickUp does not say how soon a new task shows up in its list, so that a search is made twice.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.IDEMPOTENT_CREATE}
    EXACTLY_ONCE: ClassVar[str] = (
        "ClickUp takes no idempotency key, so each task's description ends with its key, and after an uncertain end it "
        "is looked for among the list's tasks of the last 30 days before anything is created again. "
        "https://developer.clickup.com/reference/gettasks"
    )
    # 100 a minute on most plans: https://developer.clickup.com/docs/rate-limits
    RATE_PER_S: ClassVar[float | None] = 100 / 60
    CONSENT: ClassVar[Consent | None] = None  # ClickUp's own page gives a token without end, and nothing to renew it by
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        token = self.config.token.get_secret_value()
        return ApiClient(
            self.label, f"{self.config.base_url or 'https://api.clickup.com'}/api/v2",
            headers={"Authorization": token}, transport=self.transport, error_of=error_of, secrets=(token,),
        )  # fmt: skip

    @cached_property
    def task_list(self) -> TaskList:
        return TaskList(self.api, self.config.list)

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", "/user"), "user", "username")
        target = self.api.call("GET", self.task_list.path)
        if inside(target, "archived"):
            raise TargetGone("The ClickUp list is archived; nothing was changed. Choose another one on Destinations.")
        if inside(target, "permission_level") in READERS:
            raise Refused(
                "This ClickUp member may only read or comment in the list; nothing was changed. Let somebody give the "
                "member the right to edit it under Share, and connect again."
            )
        return f"{name} in {answered(self.label, target, 'name')}"

    def targets(self) -> list[Target]:
        return [Target(name, {"list": list_id}) for name, list_id in self.task_list.everywhere()]

    def fields(self) -> list[RemoteField]:
        names = tuple(str(one.get("status")) for one in self._statuses(self.config.list))
        status = RemoteField(STATUS, "Status of a new task", "name", options=names)
        return [*FIELDS, status, *(custom_field(one) for one in self.task_list.custom_fields())]

    def people(self) -> list[Person]:
        return [
            Person(identifier(one["id"]), one.get("username") or one.get("email") or str(one["id"]),
                   one.get("email") or "")
            for one in self.task_list.rows(f"{self.task_list.path}/member", "members")
        ]  # fmt: skip

    def create(self, task: Task) -> TaskRef:
        wanted = content_of(task) | given_at_first(task)
        values = self._custom_values(task)
        if values:
            wanted["custom_fields"] = [{"id": name} | value for name, value in values.items()]
        made = self.api.call("POST", f"{self.task_list.path}/task", json=wanted)
        return TaskRef(answered(self.label, made, "id"), inside(made, "url") or "")

    def find(self, key: str) -> TaskRef | None:
        found = self.task_list.tasks(order_by="created", date_created_gt=_unix_ms(datetime.now(UTC) - LOOKED_BACK))
        return next((ref_of(task) for task in found if is_made_with(key, task)), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        """Status, tags and other assignees stay as they are: people may have changed them."""
        wanted, values = content_of(task), self._custom_values(task)
        assignees = assignees_of(task)
        if assignees:
            wanted["assignees"] = {"add": assignees, "rem": []}
        self.api.call("PUT", f"/task/{ref.id}", json=wanted)
        for name, value in values.items():  # an update takes no custom fields
            self.api.call("POST", f"/task/{ref.id}/field/{name}", json=value)

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """ClickUp takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"comment_text": clipped(text, LONGEST_TEXT), "notify_all": False}
        self.api.call("POST", f"/task/{ref.id}/comment", json=wanted)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """By the statuses of the list the task is in now: people may have moved it. A cancelled task is closed."""
        task = self.api.call("GET", f"/task/{ref.id}")
        now = ref_of(task).status
        wanted = TaskStatus.DONE if status is TaskStatus.CANCELLED else status
        if now is wanted or (wanted is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        statuses = self._statuses(answered(self.label, task, "list", "id"))
        self.api.call("PUT", f"/task/{ref.id}", json={"status": status_for(wanted, statuses)})

    def status(self, ref: TaskRef) -> TaskRef:
        return ref_of(self.api.call("GET", f"/task/{ref.id}"))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        """Answers within a thread are left out: ClickUp gives them for one comment at a time only."""
        return [comment_of(one) for one in self.task_list.comments(ref.id)][::-1]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Deleted, archived and moved tasks are left out: that shows when their own status is asked."""
        found = self.task_list.tasks(order_by="updated", date_updated_gt=_unix_ms(since) - 1)
        return (ref_of(task) for task in found)

    def set_hook(self, url: str) -> dict[str, str]:
        return {"hook_secret": self.task_list.set_hook(url)}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://developer.clickup.com/docs/webhooksignature. No time is signed."""
        secret, sent = self.config.hook_secret.get_secret_value(), request.headers.get("x-signature", "")
        if not secret:  # anybody can sign with an empty one
            sent = ""
        check_hmac_sha256(self.label, sent, secret, request.body, "", "X-Signature header")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return (identifier(json_object(self.label, request.body)["task_id"]),)

    def _statuses(self, list_id: str) -> Any:
        return rows(self.label, self.api.call("GET", f"/list/{list_id}"), "statuses")

    def _custom_values(self, task: Task) -> dict[str, dict[str, Any]]:
        return custom_values(task, self.task_list.custom_fields()) if custom_names(task) else {}


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

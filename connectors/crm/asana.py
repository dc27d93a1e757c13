"""Asana, REST API 1.0. Source: https://developers.asana.com/reference/rest-api-reference (read 2026-11)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Refused, TargetGone, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside
from connectors.asana_project import Project
from connectors.asana_tasks import (
    FIELDS,
    LONGEST_TEXT,
    TASK,
    comment_of,
    content_of,
    custom_field,
    custom_names,
    custom_values,
    error_of,
    listed,
    ref_of,
    tags_of,
)
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.signatures import check_hmac_sha256

API, TOKEN_PATH = "/api/1.0", "/-/oauth_token"
LOOKED_BACK = timedelta(days=30)  # how long ago a task may have been touched to be found by its key
HANDSHAKE = "x-hook-secret"
READERS = ("viewer", "commenter")


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="Personal access token",
        description="On app.asana.com/0/my-apps choose Create new token; it acts as you. Leave it empty to connect an "
        "app of yours by Client ID and Client secret instead, with Full permissions under OAuth",
    )
    project: str = Field(
        title="Project",
        min_length=1,
        description="Choose it from the list, or open the project and copy the long number after /project/ (in older "
        "addresses after /0/)",
    )
    section: str = Field(
        "",
        title="Section",
        description="Optional, the id of the project's section new tasks go to; the first one when empty",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.token.get_secret_value() and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("Either a personal access token or the Client ID and Client secret of an app is needed")
        return self


class Connector:
    label: ClassVar[str] = "Asana"
    docs: ClassVar[str] = "https://developers.asana.com/reference/tasks"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE,
        Capability.FIND_LAGS,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "Asana takes no idempotency key. Connected as an app, each task carries its key as external id; with a "
        "personal access token the key stands below the text. After an uncertain end it is looked for, by that id or "
        "among the project's tasks of the last 30 days, before anything is created again. "
        "https://developers.asana.com/docs/custom-external-data"
    )
    RATE_PER_S: ClassVar[float | None] = None  # 150 or 1,500 a minute by plan, which a refusal tells with the wait
    CONSENT: ClassVar[Consent | None] = Consent(
        "https://app.asana.com/-/oauth_authorize", f"https://app.asana.com{TOKEN_PATH}", ("default",)
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or "https://app.asana.com"
        self._secret = config.client_secret.get_secret_value()
        self._refresh = config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.address, config.client_id, self._secret, self._refresh)

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        if self.config.token.get_secret_value():
            return self._client(self.config.token.get_secret_value())
        return TokenClient(lambda token: self._client(token.value), self._renew, self._tokens)

    @cached_property
    def project(self) -> Project:
        return Project(self.label, self.api, self.config.project)

    def check(self) -> str:
        name = answered(self.label, self.project.get("/users/me"), "name")
        path = f"/projects/{self.config.project}"
        target = self.project.get(path, opt_fields="name,archived")
        if inside(target, "archived"):
            raise TargetGone("The Asana project is archived; nothing was changed. Choose another one on Destinations.")
        for mine in self.project.pages(f"{path}/project_memberships", user="me", opt_fields="access_level"):
            if mine.get("access_level") in READERS:
                raise Refused(
                    "This Asana user may only read or comment in the project; nothing was changed. Let somebody make "
                    "the user an editor under Share, and connect again."
                )
        return f"{name} in {answered(self.label, target, 'name')}"

    def targets(self) -> list[Target]:
        return [
            Target(f"{workspace.get('name')}: {project.get('name')}", {"project": project["gid"], "section": ""})
            for workspace in self.project.pages("/workspaces")
            for project in self.project.pages(f"/workspaces/{workspace['gid']}/projects", archived="false")
        ]

    def fields(self) -> list[RemoteField]:
        return [*FIELDS, *(custom_field(one) for one in self.project.custom_fields())]

    def people(self) -> list[Person]:
        users = self.project.pages(f"/workspaces/{self.project.workspace}/users", opt_fields="name,email")
        return [Person(one["gid"], one.get("name") or one["gid"], one.get("email") or "") for one in users]

    def create(self, task: Task) -> TaskRef:
        wanted = self._content(task)
        if self.config.section:
            wanted["memberships"] = [{"project": self.config.project, "section": self.config.section}]
        else:
            wanted["projects"] = [self.config.project]
        if self._as_app:
            wanted["external"] = {"gid": task.key}
        if task.fields.get("followers"):
            wanted["followers"] = listed(task.fields["followers"])
        tags = [self.project.tag_id(name) for name in tags_of(task)]
        if tags:
            wanted["tags"] = tags
        answer = self.api.call("POST", "/tasks", json={"data": wanted}, params={"opt_fields": "permalink_url"})
        return TaskRef(answered(self.label, answer, "data", "gid"), inside(answer, "data", "permalink_url") or "")

    def find(self, key: str) -> TaskRef | None:
        if self._as_app:
            try:
                return ref_of(self.project.get(f"/tasks/external:{key}", opt_fields=TASK))
            except TargetGone:
                return None
        since, marker = datetime.now(UTC) - LOOKED_BACK, _marker(key)
        touched = self.project.touched_since(since, f"{TASK},notes")
        return next((ref_of(task) for task in touched if marker in str(task.get("notes"))), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        """Tags and collaborators stay as they are: people may have changed them."""
        self.api.call("PUT", f"/tasks/{ref.id}", json={"data": self._content(task)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Asana takes no key here: a comment whose end was uncertain may appear twice."""
        self.api.call("POST", f"/tasks/{ref.id}/stories", json={"data": {"text": clipped(text, LONGEST_TEXT)}})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Asana's tasks are completed or not: a cancelled one is completed."""
        wanted = status in (TaskStatus.DONE, TaskStatus.CANCELLED)
        if (self.status(ref).status is TaskStatus.DONE) is not wanted:
            self.api.call("PUT", f"/tasks/{ref.id}", json={"data": {"completed": wanted}})

    def status(self, ref: TaskRef) -> TaskRef:
        return ref_of(self.project.get(f"/tasks/{ref.id}", opt_fields=TASK))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        stories = self.project.pages(f"/tasks/{ref.id}/stories", opt_fields="type,text,created_by.name,created_at")
        return [comment_of(story) for story in stories if story.get("type") == "comment"]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        return (ref_of(task) for task in self.project.touched_since(since, TASK))

    def set_hook(self, url: str) -> dict[str, str]:
        return {"hook_secret": self.project.set_hook(url)}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://developers.asana.com/docs/webhooks-guide (Security)."""
        if HANDSHAKE in request.headers:
            return  # Asana asks whether we expect it; it is answered, and nothing is believed or kept of it
        check_hmac_sha256(
            self.label, request.headers.get("x-hook-signature", ""), self.config.hook_secret.get_secret_value(),
            request.body, "", "X-Hook-Signature header",
        )  # fmt: skip

    def answer_hook(self, request: RawRequest) -> Answer:
        """The secret of a handshake is not kept: anybody could plant one. `set_hook` gets it from Asana's answer."""
        if HANDSHAKE in request.headers:
            return Answer(store=False, headers={"X-Hook-Secret": request.headers[HANDSHAKE]})
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        """A comment's event names the comment as resource and the task as parent. No events: a heartbeat."""
        found = []
        for event in json_object(self.label, request.body)["events"]:
            named = event["resource"] if event["resource"]["resource_type"] == "task" else event["parent"]
            if named and named["resource_type"] == "task":
                found.append(identifier(named["gid"]))
        return tuple(dict.fromkeys(found))

    @property
    def _as_app(self) -> bool:
        return not self.config.token.get_secret_value()

    def _client(self, token: str) -> ApiClient:
        return ApiClient(
            self.label, self.address + API, headers={"Authorization": f"Bearer {token}"}, transport=self.transport,
            error_of=error_of, secrets=(token,),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        refresh = (kept and kept.refresh) or self._refresh
        if not refresh:
            raise Unauthorized("Asana is not connected yet, so nothing was sent. Press Connect on Destinations.")
        secrets = (self._secret, refresh)
        client = ApiClient(self.label, self.address, transport=self.transport, error_of=error_of, secrets=secrets)
        form = {
            "grant_type": "refresh_token", "refresh_token": refresh, "client_id": self.config.client_id,
            "client_secret": self._secret,
        }  # fmt: skip
        return ask_token(client, TOKEN_PATH, form, kept)

    def _content(self, task: Task) -> dict[str, Any]:
        wanted = content_of(task, "" if self._as_app else _marker(task.key))
        if custom_names(task):
            wanted["custom_fields"] = custom_values(task, self.project.custom_fields())
        return wanted


def _marker(key: str) -> str:
    return f"octopus-{key}"

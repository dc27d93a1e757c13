"""Notion, API 2025-09-03: pages in a data source. Source: https://developers.notion.com/reference (read 2026-11)."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Rejected, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.notion_errors import CAPABILITIES, INSERT, INSERT_COMMENTS, READ, UPDATE, error_of, needs
from connectors.notion_hooks import ANOTHER, answer_of, changed_pages, check_request
from connectors.notion_pages import children_of, comment_of, properties_of, ref_of
from connectors.notion_properties import LONGEST_BODY, fields_of, plain, rich_text
from connectors.notion_source import KEY_PROPERTY, Source, key_is, ours_changed_since
from connectors.notion_status import StatusProperty
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import walks_the_body
from connectors.statuses import Statuses

ADDRESS, TOKEN_PATH, VERSION = "https://api.notion.com", "/v1/oauth/token", "2025-09-03"


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="Integration token",
        description="At notion.so/profile/integrations make an internal integration with the capabilities "
        f"{', '.join(CAPABILITIES)}, and copy its secret; then add it to the database under •••, Connections. Leave it "
        "empty to connect a public integration of yours instead",
    )
    data_source: str = Field(
        title="Data source",
        min_length=1,
        description="Choose it from the list, or open the database in Notion, then its settings, Manage data sources, "
        "•••, Copy data source ID",
    )
    status_property: str = Field(
        "",
        title="Status property",
        description="Of the type Status, Select or Checkbox; when empty, the first of the type Status",
    )
    open_option: str = Field(
        "", title="Option of open tasks", description="When empty, the first of that property's group To-do"
    )
    done_option: str = Field(
        "",
        title="Option of finished tasks",
        description="When empty, the first of the status property's group Complete",
    )
    cancelled_option: str = Field(
        "", title="Option of cancelled tasks", description="When empty, cancelled tasks count as finished"
    )
    hook_secret: SecretStr = Field(
        SecretStr(""),
        title="Webhook secret",
        description="Filled in by itself with the verification token Notion sends first. To have the token of another "
        f"subscription take its place, type the word {ANOTHER}",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.token.get_secret_value() and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("Either an integration token or the Client ID and Client secret of an app is needed")
        return self


class Connector:
    label: ClassVar[str] = "Notion"
    docs: ClassVar[str] = "https://developers.notion.com/reference/post-page"
    # Without SETS_HOOK: a subscription is made by hand only.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE, Capability.SETS_HOOK,
    }  # fmt: skip
    EXACTLY_ONCE: ClassVar[str] = (
        f"Notion takes no idempotency key, so Octopus adds a text property '{KEY_PROPERTY}' to the database, and after "
        "an uncertain end the key is searched there, twice because the search lags, before anything is created again. "
        "https://developers.notion.com/reference/query-a-data-source"
    )
    RATE_PER_S: ClassVar[float | None] = 3.0  # https://developers.notion.com/reference/request-limits
    CONSENT: ClassVar[Consent | None] = Consent(
        f"{ADDRESS}/v1/oauth/authorize", f"{ADDRESS}{TOKEN_PATH}", (), basic=True, extra=(("owner", "user"),)
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "Save this destination, open notion.so/profile/integrations, your integration, Webhooks, and press Create a "
        "subscription",
        "Give {url} as Webhook URL",
        "Choose the events of pages (created, properties updated, deleted, undeleted) and comments (created), and "
        "press Create subscription",
        "Open this destination again; in Notion press Verify, and paste the token Notion has just sent:\n{hook_secret}",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or ADDRESS
        self._secret = config.client_secret.get_secret_value()
        self._refresh = config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.address, config.client_id, self._secret, self._refresh)
        self._statuses = Statuses(config.open_option, config.done_option, config.cancelled_option)

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        if self.config.token.get_secret_value():
            return self._client(self.config.token.get_secret_value())
        return TokenClient(lambda token: self._client(token.value), self._renew, self._tokens)

    @cached_property
    def source(self) -> Source:
        return Source(self.api, self.config.data_source)

    def check(self) -> str:
        return self.source.check()

    def targets(self) -> list[Target]:
        with needs(READ):
            return [
                Target(plain(one.get("title")) or "Untitled", {"data_source": one["id"]})
                for one in self.source.all_shared()
            ]

    def fields(self) -> list[RemoteField]:
        return fields_of(self.source.schema(), KEY_PROPERTY)

    def people(self) -> list[Person]:
        return self.source.people()

    def create(self, task: Task) -> TaskRef:
        schema, has_key, status = self.source.schema(), self.source.has_key(), self._status_property()
        values = properties_of(task, schema, self.source.person_ids)
        if has_key:
            values[KEY_PROPERTY] = {"rich_text": rich_text(task.key)}
        if self.config.open_option in status.options and status.name not in task.fields:
            values[status.name] = status.value_for(TaskStatus.OPEN)[1]
        parent = {"type": "data_source_id", "data_source_id": self.config.data_source}
        wanted = {"parent": parent, "properties": values, "children": children_of(task, schema, has_key)}
        with needs(INSERT):
            return self._ref(self.api.call("POST", "/pages", json=wanted))

    def find(self, key: str) -> TaskRef | None:
        if self.source.schema() and not self.source.has_key():
            raise Rejected(
                f"The Notion database has no text property '{KEY_PROPERTY}' and the integration may not add it, so "
                "Octopus cannot tell whether the page was made. Look for it, add the property, and replay.",
                KEY_PROPERTY,
            )
        with needs(READ):
            page = next(self.source.query(key_is(key)), None)
        return self._ref(page) if page else None

    def update(self, ref: TaskRef, task: Task) -> None:
        """The properties but the status; that and the page's text are left to the people working on it."""
        values = properties_of(task, self.source.schema(), self.source.person_ids)
        values.pop(self._status_property().name, None)
        self._write(ref, values)

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Notion takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"parent": {"page_id": ref.id}, "rich_text": rich_text(clipped(text, LONGEST_BODY))}
        with needs(INSERT_COMMENTS):
            self.api.call("POST", "/comments", json=wanted)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        place = self._status_property()
        wanted, value = place.value_for(status)
        now = self.status(ref).status
        if now is not wanted and not (wanted is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            self._write(ref, {place.name: value})

    def status(self, ref: TaskRef) -> TaskRef:
        """A page in the trash is cancelled: people may restore it."""
        return self._ref(self.api.call("GET", f"/pages/{ref.id}"))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        """Those on the page as a whole that nobody has resolved: Notion gives no others."""
        found = sorted(self.source.comments(ref.id), key=lambda one: one.get("created_time") or "")
        return [comment_of(one, self.source.name_of) for one in found]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Pages in the trash are left out: that shows when their own status is asked."""
        found = self.source.query(ours_changed_since(since, self.source.has_key()))
        return (self._ref(page) for page in found)

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """No time is signed, and an event sent late is as good as any."""
        check_request(self.label, request, self.config.hook_secret.get_secret_value())

    def answer_hook(self, request: RawRequest) -> Answer:
        return answer_of(self.label, request)

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return changed_pages(self.label, request)

    def _write(self, ref: TaskRef, values: dict[str, Any]) -> None:
        with needs(UPDATE):
            self.api.call("PATCH", f"/pages/{ref.id}", json={"properties": values})

    def _status_property(self) -> StatusProperty:
        return StatusProperty.of(self.source.schema(), self.config.status_property, self._statuses)

    def _ref(self, page: dict[str, Any]) -> TaskRef:
        return ref_of(page, self._status_property(), self.source.schema(), self.source.name_of)

    def _client(self, token: str) -> ApiClient:
        return ApiClient(
            self.label, f"{self.address}/v1", transport=self.transport, error_of=error_of, secrets=(token,),
            headers={"Authorization": f"Bearer {token}", "Notion-Version": VERSION},
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        """Each refresh token is good once: https://developers.notion.com/reference/refresh-a-token"""
        refresh = (kept and kept.refresh) or self._refresh
        if not refresh:
            raise Unauthorized("Notion is not connected yet, so nothing was sent. Press Connect on Destinations.")
        client = ApiClient(
            self.label, self.address, auth=(self.config.client_id, self._secret), transport=self.transport,
            error_of=error_of, secrets=(self._secret, refresh),
        )  # fmt: skip
        return ask_token(client, TOKEN_PATH, {"grant_type": "refresh_token", "refresh_token": refresh}, kept)

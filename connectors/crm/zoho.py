"""Zoho CRM, API v8. Source: https://www.zoho.com/crm/developer/docs/api/v8/ (read 2026-11)."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import TargetGone, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, rows
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.zoho_account import HOOK_LIFE, Account
from connectors.zoho_errors import AlreadyThere, NotModified, error_of
from connectors.zoho_modules import (
    LONGEST_TEXT,
    MODULES,
    OWN,
    check_fields,
    comment_of,
    content_of,
    ref_of,
    remote_fields,
    status_of,
    tags_of,
    value_for,
)

SCOPES = (
    "ZohoCRM.modules.ALL", "ZohoCRM.settings.modules.READ", "ZohoCRM.settings.fields.READ", "ZohoCRM.users.READ",
    "ZohoCRM.coql.READ", "ZohoCRM.notifications.ALL",
)  # fmt: skip


class Config(ConsentConfig):
    data_centre: Literal[
        "zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.com.cn", "zoho.jp", "zoho.sa", "zoho.uk", "zohocloud.ca"
    ] = Field("zoho.com", title="Data centre", description="As in your browser's address bar when Zoho CRM is open")
    client_id: str = Field(title="Client ID", min_length=1, description="Of a server app made on api-console.zoho.com")
    client_secret: SecretStr = Field(title="Client secret", min_length=1, description="Of the same application")
    module: str = Field(
        "Cases",
        title="Module",
        pattern=r"^[A-Za-z]\w*$",
        description="Choose it from the list: the API name, such as Cases, Tasks, Leads, Deals or one of your own",
    )
    key_field: str = Field(
        "Octopus_key",
        title="Field for the key",
        pattern=r"^[A-Za-z]\w*$",
        description="API name of a Single Line field you add to the module in Setup, Modules and Fields, with 'Do not "
        "allow duplicate values' where Zoho offers it",
    )
    status_field: str = Field(
        "",
        title="Status field",
        pattern=r"^([A-Za-z]\w*)?$",
        description="Needed for a module of your own only: the API name of its status field",
    )
    done_value: str = Field(
        "",
        title="Value of finished records",
        description="Needed only where the status field has other values than Zoho's own",
    )


class Connector:
    label: ClassVar[str] = "Zoho CRM"
    docs: ClassVar[str] = "https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability)
    EXACTLY_ONCE: ClassVar[str] = (
        "Each record carries the task's key in a field of its own. Zoho upserts by that field, so a second try meets "
        "the first one's record; tasks cannot be upserted: there the key is searched, twice, before anything "
        "is created again. https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html"
    )
    RATE_PER_S: ClassVar[float | None] = None  # calls are counted by the day and by how many run at once
    # One entry, as Zoho separates scopes by commas: https://www.zoho.com/crm/developer/docs/api/v8/auth-request.html
    CONSENT: ClassVar[Consent | None] = Consent(
        "https://accounts.{data_centre}/oauth/v2/auth", "https://accounts.{data_centre}/oauth/v2/token",
        (",".join(SCOPES),), extra=(("access_type", "offline"), ("prompt", "consent")),
    )  # fmt: skip
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()
    HOOK_LASTS: ClassVar[timedelta] = HOOK_LIFE

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.module = MODULES.get(config.module, OWN)
        self.status_field = config.status_field or self.module.status
        self.accounts = config.base_url or f"https://accounts.{config.data_centre}"
        tokens = tokens or tokens_of_process(self.accounts, config.client_id, *self._secrets)
        self.api = TokenClient(self._client_of, self._renew, tokens)
        self.account = Account(self.label, self.api, config.module)
        cannot = set() if self.module.is_upserted else {Capability.IDEMPOTENT_CREATE}
        self.CAN = Connector.CAN - cannot - (set() if self.status_field else {Capability.TRANSITION})

    def check(self) -> str:
        answer = self.api.call("GET", "/users", params={"type": "CurrentUser"})
        name = answered(self.label, answer, "users", 0, "full_name")
        check_fields(self.config.module, self.module, self.config.key_field, self.account.fields())
        return f"{name} in {self.config.module}"

    def targets(self) -> list[Target]:
        found = rows(self.label, self.api.call("GET", "/settings/modules"), "modules")
        return [
            Target(one.get("plural_label") or one["api_name"], {"module": one["api_name"]})
            for one in found
            if one.get("api_supported") and (one["api_name"] in MODULES or one.get("generated_type") == "custom")
        ]

    def fields(self) -> list[RemoteField]:
        return remote_fields(self.account.fields(), self.config.key_field)

    def people(self) -> list[Person]:
        return [
            Person(one["id"], one.get("full_name") or one["id"], one.get("email") or "")
            for one in self.account.pages("/users", "users", type="ActiveUsers")
        ]

    def create(self, task: Task) -> TaskRef:
        record = self._content(task) | {self.config.key_field: task.key}
        if task.labels:
            record["Tag"] = tags_of(task)
        wanted: dict[str, Any] = {"data": [record]}
        path = f"/{self.config.module}"
        if self.module.is_upserted:
            path, wanted = f"{path}/upsert", wanted | {"duplicate_check_fields": [self.config.key_field]}
        try:
            answer = self.api.call("POST", path, json=wanted)
        except AlreadyThere as error:
            if error.field == self.config.key_field and error.record_id:  # by an earlier try
                return TaskRef(error.record_id, self._url(error.record_id))
            raise
        record_id = answered(self.label, answer, "data", 0, "details", "id")
        return TaskRef(record_id, self._url(record_id))

    def find(self, key: str) -> TaskRef | None:
        found = self.account.with_value(self.config.key_field, key)
        return self._ref(found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        """Tags stay as they are: people may have changed them."""
        self._change(ref, self._content(task))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Zoho takes no key here: a note whose end was uncertain may appear twice."""
        parent = {"id": ref.id, "module": {"api_name": self.config.module}}
        note = {"Parent_Id": parent, "Note_Content": clipped(text, LONGEST_TEXT)}
        self.api.call("POST", "/Notes", json={"data": [note]})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        now = self.status(ref).status
        if now is status or (status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        described = self.account.field(self.status_field)
        value = value_for(status, self.module, self.config.done_value, described)
        if now is not self._meaning(value):
            self._change(ref, {self.status_field: value})

    def status(self, ref: TaskRef) -> TaskRef:
        answer = self.api.call("GET", f"/{self.config.module}/{ref.id}", params={"fields": self._asked})
        found = self.account.rows(answer, "data")
        if not found:
            raise TargetGone("Zoho CRM does not know the record any more: it was deleted, or access to it ended.")
        return self._ref(found[0])

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        path, asked = f"/{self.config.module}/{ref.id}/Notes", "Note_Title,Note_Content,Created_By,Created_Time"
        found = [comment_of(one) for one in self.account.pages(path, "data", fields=asked)]
        return sorted(found, key=lambda one: one.written_at or datetime.min.replace(tzinfo=UTC))

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        newer = {"If-Modified-Since": (since - timedelta(seconds=1)).astimezone(UTC).isoformat(timespec="seconds")}
        asked = {"fields": self._asked, "sort_by": "Modified_Time", "sort_order": "asc"}
        try:
            for record in self.account.pages(f"/{self.config.module}", "data", newer, **asked):
                yield self._ref(record)
        except NotModified:
            return

    def set_hook(self, url: str) -> dict[str, str]:
        """Ends after a week: set again, it goes on."""
        secret = secrets.token_urlsafe(32)
        self.account.watch(url, secret)
        return {"hook_secret": secret}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        self.account.check_notification(request, self.config.hook_secret.get_secret_value())

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        event = json_object(self.label, request.body)
        return tuple(identifier(one) for one in event["ids"]) if event["module"] == self.config.module else ()

    @property
    def _asked(self) -> str:
        return ",".join(filter(None, ("Owner", "Modified_Time", self.status_field)))

    def _content(self, task: Task) -> dict[str, Any]:
        return content_of(task, self.module, self.account.fields() if task.fields else [])

    def _change(self, ref: TaskRef, record: dict[str, Any]) -> None:
        self.api.call("PUT", f"/{self.config.module}/{ref.id}", json={"data": [record]})

    def _ref(self, record: dict[str, Any]) -> TaskRef:
        url = self._url(answered(self.label, record, "id"))
        return ref_of(record, url, self._meaning(record.get(self.status_field)))

    def _meaning(self, value: Any) -> TaskStatus:
        return status_of(value, self.module, self.config.done_value)

    def _url(self, record_id: str) -> str:
        """Modules of the customer's own have another name there, which the API does not tell."""
        address = self.config.base_url or f"https://crm.{self.config.data_centre}"
        return f"{address}/crm/tab/{self.module.tab}/{record_id}" if self.module.tab else ""

    def _client_of(self, token: Token) -> ApiClient:
        domain = self.config.data_centre.split(".", 1)[1]
        address = self.config.base_url or token.address or f"https://www.zohoapis.{domain}"
        return ApiClient(
            self.label, f"{address}/crm/v8", headers={"Authorization": f"Zoho-oauthtoken {token.value}"},
            transport=self.transport, error_of=error_of, secrets=(token.value, *self._secrets),
        )  # fmt: skip

    @property
    def _secrets(self) -> tuple[str, ...]:
        return self.config.client_secret.get_secret_value(), self.config.refresh_token.get_secret_value()

    def _renew(self, kept: Token | None) -> Token:
        """Source: https://www.zoho.com/crm/developer/docs/api/v8/refresh.html. The refresh token stays the same."""
        secret, refresh = self._secrets
        if not refresh:
            raise Unauthorized("Zoho has not let Octopus in yet; nothing was sent. Press Connect on Destinations.")
        form = {
            "grant_type": "refresh_token", "client_id": self.config.client_id, "client_secret": secret,
            "refresh_token": refresh,
        }  # fmt: skip
        accounts = ApiClient(
            self.label, self.accounts, transport=self.transport, error_of=error_of, secrets=(secret, refresh)
        )
        return ask_token(accounts, "/oauth/v2/token", form, kept)

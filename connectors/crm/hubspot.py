"""HubSpot, CRM objects API v3: tickets, deals or tasks. Source:
https://developers.hubspot.com/docs/reference/api/crm/objects (read 2026-11).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import inside
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.hubspot_account import Account
from connectors.hubspot_errors import error_of
from connectors.hubspot_hooks import changed_records, check_request
from connectors.hubspot_objects import KINDS, LABEL, OWNER, content_of, time_of
from connectors.hubspot_records import Records
from connectors.hubspot_stages import Stages
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, iso_moment, walks_the_body

API, TOKEN_PATH = "https://api.hubapi.com", "/oauth/v1/token"
SCOPES = (  # notes and tasks are under contacts
    "oauth", "tickets", "crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.contacts.read",
    "crm.objects.contacts.write", "crm.objects.owners.read",
)  # fmt: skip


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="Access token",
        description="In HubSpot open Development, Legacy apps, Create, Private; give it the scopes tickets, "
        "crm.objects.deals, crm.objects.contacts (notes and tasks) and crm.objects.owners, to read and write, then "
        "copy the token under Auth. Leave it empty to connect an app of yours with OAuth and the same scopes instead",
    )
    object: Literal["tickets", "deals", "tasks"] = Field("tickets", title="Object", description="What a task becomes")
    pipeline: str = Field("0", title="Pipeline", description="Its id; choose it from the list. 0 is the first one")
    stage: str = Field(
        "1", title="Stage", description="Its id; choose it from the list. 1 is New in the first pipeline"
    )
    unique_property: str = Field(
        "",
        title="Unique property",
        description="Optional: the internal name of a text property you made with 'Require unique values'; with it "
        "HubSpot itself prevents a second task",
    )
    due_property: str = Field(
        "",
        title="Due date property",
        description="Optional: the internal name of a date property you made, as tickets have no due date; without it "
        "deals get it as close date and tasks as their own",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.token.get_secret_value() and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("Either an access token or the Client ID and Client secret of an app is needed")
        return self


class Connector:
    label: ClassVar[str] = LABEL
    docs: ClassVar[str] = "https://developers.hubspot.com/docs/reference/api/crm/objects"
    CAN: frozenset[Capability] = frozenset(Capability) - {Capability.IDEMPOTENT_CREATE, Capability.SETS_HOOK}
    EXACTLY_ONCE: ClassVar[str] = (
        "With a unique property HubSpot updates instead of creating a second time; without one the key stands in the "
        "text, and after an uncertain end it is searched, twice because the search lags, before anything is created "
        "again. https://developers.hubspot.com/docs/guides/api/crm/using-object-apis"
    )
    RATE_PER_S: ClassVar[float | None] = 10.0  # 100 in 10 s: https://developers.hubspot.com/docs/guides/apps/api-usage
    # From 2027-02-16 on the path is /oauth/2026-03/token and the form the same:
    # https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
    CONSENT: ClassVar[Consent | None] = Consent("https://app.hubspot.com/oauth/authorize", f"{API}{TOKEN_PATH}", SCOPES)
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "In HubSpot open Development, then Legacy apps, and choose the private app whose token you use.",
        "Under Auth copy the client secret, paste it into the field 'Webhook secret' on Destinations and save.",
        "Edit the app and under Webhooks enter {url} as Target URL.",
        "Choose Create subscription and subscribe to what tasks become here (tickets, deals or tasks): deleted, "
        "restored, and changed properties, namely the owner and the pipeline stage, or a task's status.",
        "Commit the changes.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or API
        self.kind = KINDS[config.object]
        self._secret = config.client_secret.get_secret_value()
        self._refresh = config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.address, config.client_id, self._secret, self._refresh)
        if config.unique_property:
            self.CAN = self.CAN - {Capability.FIND_LAGS} | {Capability.IDEMPOTENT_CREATE}
        if self.kind.note is None:  # HubSpot has no notes on tasks
            self.CAN = self.CAN - {Capability.COMMENT, Capability.COMMENTS}

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        if self.config.token.get_secret_value():
            return self._client(self.config.token.get_secret_value())
        return TokenClient(lambda token: self._client(token.value), self._renew, self._tokens)

    @cached_property
    def account(self) -> Account:
        return Account(self.api, self.config.object)

    @cached_property
    def stages(self) -> Stages:
        return Stages(self.api, self.config.object, self.config.pipeline, self.config.stage)

    @cached_property
    def records(self) -> Records:
        return Records(self.api, self.config.object, self.config.unique_property)

    def check(self) -> str:
        name = self.account.name()
        self.records.look()
        self.stages.check()
        self.account.check_properties(self.config.unique_property, self.config.due_property)
        return name

    def targets(self) -> list[Target]:
        return self.stages.targets()

    def fields(self) -> list[RemoteField]:
        return self.account.fields()

    def people(self) -> list[Person]:
        return self.account.people()

    def create(self, task: Task) -> TaskRef:
        """Of the answer only the id and address are read: to look stages up might fail, and the record exists."""
        wanted = content_of(task, self.kind, self.config.due_property)
        if self.kind.pipeline:
            wanted = {self.kind.pipeline: self.config.pipeline, self.kind.stage: self.config.stage} | wanted
        else:
            wanted.setdefault(self.kind.due, time_of(datetime.now(UTC)))  # HubSpot insists on one
        record = self.records.make(wanted, task.key)
        return TaskRef(answered(self.label, record, "id"), inside(record, "url") or "")

    def find(self, key: str) -> TaskRef | None:
        record = self.records.find(key)
        return self._ref(record) if record else None

    def update(self, ref: TaskRef, task: Task) -> None:
        """The stage stays as it is: people may have moved the record."""
        wanted = content_of(task, self.kind, self.config.due_property)
        moves = (self.kind.stage, self.kind.pipeline)
        self.records.change(ref.id, {name: value for name, value in wanted.items() if name not in moves})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """A note. HubSpot takes no key here: a note whose end was uncertain may appear twice."""
        self.account.add_note(ref.id, text)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        stage = self.stages.step(self.records.get(ref.id), status)
        if stage:
            self.records.change(ref.id, {self.kind.stage: stage})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self.records.get(ref.id))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        return self.account.notes_on(ref.id) if self.kind.note else []

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        return (self._ref(record) for record in self.records.changed_since(since))

    def verify_hook(self, request: RawRequest, now: float) -> None:
        secret = self.config.hook_secret.get_secret_value() or self._secret
        check_request(self.label, request, secret, now)

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return changed_records(self.label, request, self.kind)

    def _ref(self, record: Any) -> TaskRef:
        changed_at = inside(record, "updatedAt")
        return TaskRef(
            answered(self.label, record, "id"),
            inside(record, "url") or "",
            self.stages.status_of(record),
            self.account.name_of(inside(record, "properties", OWNER) or ""),
            iso_moment(changed_at) if changed_at else None,
        )

    # ---- signing in

    def _client(self, token: str) -> ApiClient:
        return ApiClient(
            self.label, self.address, headers={"Authorization": f"Bearer {token}"}, transport=self.transport,
            error_of=error_of, secrets=(token,),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        refresh = (kept and kept.refresh) or self._refresh
        if not refresh:
            raise Unauthorized("HubSpot is not connected yet, so nothing was sent. Press Connect on Destinations.")
        secrets = (self._secret, refresh)
        client = ApiClient(self.label, self.address, transport=self.transport, error_of=error_of, secrets=secrets)
        form = {
            "grant_type": "refresh_token", "refresh_token": refresh, "client_id": self.config.client_id,
            "client_secret": self._secret,
        }  # fmt: skip
        return ask_token(client, TOKEN_PATH, form, kept)

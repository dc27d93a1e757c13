"""Salesforce, REST API.

Source: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/ (read 2026-11).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, rows
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered
from connectors.salesforce_account import API, Account, MyDomain, token_form
from connectors.salesforce_errors import AlreadyThere, error_of
from connectors.salesforce_hooks import ACKNOWLEDGED, changed_records, check_address
from connectors.salesforce_records import (
    BODY,
    KINDS,
    content_of,
    literal,
    mark_of,
    moment_literal,
    ref_of,
    remote_fields,
    status_of,
    value_for,
)

DAYS_SEARCHED = 7
PEOPLE = "SELECT Id, Name, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Name"
SMALL_PAGES = {"Sforce-Query-Options": "batchSize=200"}  # the bodies are read as well
SAVE_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}  # two tasks of one customer look alike


class Config(ConsentConfig):
    domain: MyDomain = Field(
        "",
        title="My Domain",
        description="The part before .my.salesforce.com or .lightning.force.com in your browser's address bar, such "
        "as acme or acme--test.sandbox",
    )
    object: Literal["Task", "Case", "Lead"] = Field(
        "Task",
        title="Object",
        description="Comments on tasks and leads are Chatter posts: switch on their feeds in Setup, Feed Tracking",
    )
    client_id: str = Field(
        title="Consumer key",
        min_length=1,
        description="Of an External Client App with the OAuth scopes api, openid and refresh_token, made in Setup",
    )
    client_secret: SecretStr = Field(
        SecretStr(""),
        title="Consumer secret",
        description="Of the same app. Press Connect afterwards, unless the app has the Client Credentials Flow enabled",
    )
    hook_secret: SecretStr = Field(
        SecretStr(""), title="Webhook secret", description="A long word of your own, needed for Outbound Messages only"
    )
    username: str = Field(
        "", title="Username", description="Needed only with a private key: the Salesforce user Octopus acts as"
    )
    private_key: SecretStr = Field(
        SecretStr(""),
        title="Private key",
        description="Needed only for the app's JWT Bearer Flow: the PEM file whose certificate you gave the app",
    )
    key_field: str = Field(
        "",
        title="Field for the key",
        pattern=r"^([A-Za-z]\w*)?$",
        description="API name of a text field you add to the object in Setup, Object Manager, marked External ID and "
        "Unique, such as Octopus_Key__c. Without one the key stands at the end of the description",
    )
    done_value: str = Field(
        "",
        title="Value of finished records",
        description="Needed for leads only, which Salesforce cannot close itself: the status Octopus sets",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.domain and self.base_url is None:
            raise ValueError("My Domain is missing: the part before .my.salesforce.com in your browser's address bar")
        has_key = bool(self.private_key.get_secret_value())
        if has_key != bool(self.username) or not (has_key or self.client_secret.get_secret_value()):
            raise ValueError("Give the consumer secret, or both a username and a private key")
        return self


class Connector:
    label: ClassVar[str] = "Salesforce"
    docs: ClassVar[str] = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.FIND_LAGS, Capability.SETS_HOOK}
    EXACTLY_ONCE: ClassVar[str] = (
        "With a field for the key, Salesforce upserts by it, so a second try meets the first one's record. Without "
        "one the key stands at the end of the description, and after an uncertain end the records of the last "
        f"{DAYS_SEARCHED} days are read before anything is created again. "
        "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm"
    )
    RATE_PER_S: ClassVar[float | None] = None  # calls are counted by the day, for the whole org
    CONSENT: ClassVar[Consent | None] = Consent(
        "https://{domain}.my.salesforce.com/services/oauth2/authorize",
        "https://{domain}.my.salesforce.com/services/oauth2/token",
        ("api", "openid", "refresh_token"),
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "Think of a long random word of letters and digits, paste it into 'Webhook secret' on Destinations and save.",
        "In Salesforce open Setup, Outbound Messages, New Outbound Message, and choose the object of this destination.",
        "As Endpoint URL enter {url}?secret=WORD with your word in place of WORD, choose the field Id, and save.",
        "In Setup, Flows, make a record-triggered flow on the same object that runs when a record is updated and has "
        "the Outbound Message as its action; activate it.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.kind = KINDS[config.object]
        self.address = config.base_url or f"https://{config.domain}.my.salesforce.com"
        hidden = (config.client_secret, config.refresh_token, config.private_key)
        self._secrets = tuple(one.get_secret_value() for one in hidden)
        tokens = tokens or tokens_of_process(self.address, config.client_id, config.username, *self._secrets)
        self.api = TokenClient(self._client_of, self._renew, tokens)
        self.account = Account(self.label, self.api, config.object, self.kind)
        if not config.key_field:
            self.CAN = Connector.CAN - {Capability.IDEMPOTENT_CREATE}

    def check(self) -> str:
        self.account.check(self.config.key_field)  # first: a token that ended is told by it, and not by userinfo
        user = self.api.call("GET", "/services/oauth2/userinfo")
        return f"{answered(self.label, user, 'name')} in {self.config.object}"

    def targets(self) -> list[Target]:
        return [
            Target(one.get("label") or one["name"], {"object": one["name"]})
            for one in rows(self.label, self.api.call("GET", f"{API}/sobjects"), "sobjects")
            if one["name"] in KINDS and one.get("createable")
        ]

    def fields(self) -> list[RemoteField]:
        return remote_fields(self.account.fields(), self.config.key_field)

    def people(self) -> list[Person]:
        return [
            Person(one["Id"], one.get("Name") or one["Id"], one.get("Email") or "")
            for one in self.account.query(PEOPLE)
        ]

    def create(self, task: Task) -> TaskRef:
        method, path, record = "POST", self.account.path, self.kind.needed | self._content(task)
        if self.config.key_field:
            method, path = "PATCH", f"{path}/{self.config.key_field}/{task.key}"
        try:
            record_id = answered(self.label, self.api.call(method, path, json=record, headers=SAVE_DUPLICATES), "id")
            return TaskRef(record_id, self._url(record_id))
        except AlreadyThere as error:  # an earlier try was still at work
            ref = self.find(task.key) if error.field == self.config.key_field else None
            if ref is None:
                raise
            return ref

    def find(self, key: str) -> TaskRef | None:
        if self.config.key_field:
            found = self.account.records(f"{self.config.key_field} = {literal(key)}")
            return next((self._ref(one) for one in found), None)
        where = f"CreatedDate = LAST_N_DAYS:{DAYS_SEARCHED} ORDER BY CreatedDate DESC"
        recent = self.account.records(where, BODY, SMALL_PAGES)
        return next((self._ref(one) for one in recent if mark_of(key) in (one.get(BODY) or "")), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        self._change(ref, self._content(task))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Salesforce takes no key here: a comment whose end was uncertain may appear twice."""
        note = {"ParentId": ref.id, self.kind.note_text: clipped(text, self.kind.longest_note)}
        self.api.call("POST", f"{API}/sobjects/{self.kind.note}", json=note)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        now = self.status(ref).status
        is_reached = status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS
        if now is status or is_reached or (status is TaskStatus.CANCELLED and now is TaskStatus.DONE):
            return
        value = value_for(status, self.kind, self.config.done_value, self.account.states())
        self._change(ref, {"Status": value})

    def status(self, ref: TaskRef) -> TaskRef:
        for record in self.account.records(f"Id = {literal(ref.id)}"):
            return self._ref(record)
        raise TargetGone("Salesforce does not know the record any more: it was deleted, or access to it ended.")

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        return self.account.notes(ref.id)

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Where the key has no field of its own, all records of the object are listed, ours or not."""
        where = f"SystemModstamp >= {moment_literal(since)}"
        if self.config.key_field:
            where += f" AND {self.config.key_field} != null"
        for record in self.account.records(f"{where} ORDER BY SystemModstamp"):
            yield self._ref(record)

    def verify_hook(self, request: RawRequest, now: float) -> None:
        check_address(self.label, request, self.config.hook_secret.get_secret_value())

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer(body=ACKNOWLEDGED, content_type="text/xml; charset=utf-8")

    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return changed_records(self.label, request)

    def _content(self, task: Task) -> dict[str, Any]:
        mark = "" if self.config.key_field else mark_of(task.key)
        return content_of(task, self.kind, self.account.fields() if task.fields else [], mark)

    def _change(self, ref: TaskRef, record: dict[str, Any]) -> None:
        self.api.call("PATCH", f"{self.account.path}/{ref.id}", json=record, headers=SAVE_DUPLICATES)

    def _ref(self, record: dict[str, Any]) -> TaskRef:
        url = self._url(answered(self.label, record, "Id"))
        return ref_of(record, url, status_of(record, self.kind, self.config.done_value))

    def _url(self, record_id: str) -> str:
        return f"{self.address}/lightning/r/{self.config.object}/{record_id}/view"

    def _client_of(self, token: Token) -> ApiClient:
        address = self.config.base_url or token.address or self.address
        return ApiClient(
            self.label, address, headers={"Authorization": f"Bearer {token.value}"}, transport=self.transport,
            error_of=error_of, secrets=(token.value, *self._secrets),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        """Salesforce does not tell when the token ends; it is renewed when it is refused, or after an hour."""
        secret, refresh, key = self._secrets
        refresh = (kept.refresh if kept else "") or refresh
        form = token_form(self.config.client_id, secret, refresh, self.config.username, key, self.config.domain)
        client = ApiClient(
            self.label, self.address, transport=self.transport, error_of=error_of, secrets=(*self._secrets, refresh)
        )
        return ask_token(client, "/services/oauth2/token", form, kept)

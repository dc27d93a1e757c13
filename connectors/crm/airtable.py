"""Airtable, Web API v0: records in a table. Source: https://airtable.com/developers/web/api (read 2026-11)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Rejected, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.airtable_base import SCOPES, Base
from connectors.airtable_records import (
    ASSIGNEE,
    cells_of,
    changed_since,
    comment_of,
    error_of,
    key_is,
    names_in,
    remote_fields,
)
from connectors.answers import clipped, rows
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, identifier, iso_moment, json_object, walks_the_body
from connectors.signatures import check_secret
from connectors.statuses import Statuses

LONGEST_COMMENT, PAGE = 10_000, 100  # the first is ours, Airtable publishes none; a page has no more
ACCOUNTS, TOKEN_PATH = "https://airtable.com", "/oauth2/v1/token"
TEXTS, SELECT_OR_TICK = ("singleLineText", "multilineText"), ("singleSelect", "checkbox")


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="Personal access token",
        description="On airtable.com/create/tokens make a token with access to the base and the scopes "
        f"{', '.join(SCOPES)}. Leave it empty to connect an OAuth integration of yours instead",
    )
    base: str = Field(
        title="Base",
        pattern=r"^app[A-Za-z0-9]+$",
        description="Choose it from the list, or copy app... from the address",
    )
    table: str = Field(
        title="Table", pattern=r"^tbl[A-Za-z0-9]+$", description="Chosen with the base, or copy tbl... from the address"
    )
    key_field: str = Field(
        "Octopus key",
        title="Field for the key",
        min_length=1,
        description="A single line text field you add to the table",
    )
    body_field: str = Field("Notes", title="Field for the text", min_length=1, description="A long text field")
    status_field: str = Field(
        "Status", title="Status field", description="A single select or a checkbox; empty when the table has none"
    )
    open_value: str = Field("Todo", title="Option of open tasks", description="Given to new tasks and reopened ones")
    done_value: str = Field("Done", title="Option of finished tasks", description="As it stands in the status field")
    cancelled_value: str = Field(
        "", title="Option of cancelled tasks", description="When empty, cancelled tasks count as finished"
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.token.get_secret_value() and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("Either a personal access token or the Client ID and Client secret of an app is needed")
        return self


class Connector:
    label: ClassVar[str] = "Airtable"
    docs: ClassVar[str] = "https://airtable.com/developers/web/api/update-multiple-records"
    # Without PEOPLE: who shares a base is told to enterprise administrators only.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.FIND_LAGS, Capability.PEOPLE}
    EXACTLY_ONCE: ClassVar[str] = (
        "Each record carries the task's key in a field of its own. Airtable upserts by that field, so a second try "
        "meets the first one's record. https://airtable.com/developers/web/api/update-multiple-records"
    )
    RATE_PER_S: ClassVar[float | None] = 5.0  # for one base: https://airtable.com/developers/web/api/rate-limits
    CONSENT: ClassVar[Consent | None] = Consent(
        f"{ACCOUNTS}/oauth2/v1/authorize", f"{ACCOUNTS}{TOKEN_PATH}", SCOPES, basic=True
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()
    HOOK_LASTS: ClassVar[timedelta] = timedelta(days=7)

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.accounts = config.base_url or ACCOUNTS
        self._secret = config.client_secret.get_secret_value()
        self._refresh = config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.accounts, config.client_id, self._secret, self._refresh)
        self._records = f"/{config.base}/{config.table}"
        self._statuses = Statuses(config.open_value, config.done_value, config.cancelled_value)
        self.CAN = Connector.CAN - (set() if config.status_field else {Capability.TRANSITION})

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        if self.config.token.get_secret_value():
            return self._client(self.config.token.get_secret_value())
        return TokenClient(lambda token: self._client(token.value), self._renew, self._tokens)

    @cached_property
    def base(self) -> Base:
        return Base(self.api, self.config.base, self.config.table)

    def check(self) -> str:
        name = self.base.check()
        self.base.check_column(self.config.key_field, TEXTS, "a text")
        self.base.check_column(self.config.body_field, (*TEXTS, "richText"), "a long text")
        if self.config.status_field:
            self.base.check_column(self.config.status_field, SELECT_OR_TICK, "a single select or a checkbox")
        return name

    def targets(self) -> list[Target]:
        return [
            Target(f"{base.get('name')}: {table.get('name')}", {"base": base["id"], "table": table["id"]})
            for base in self.base.all_that_can_be_written()
            for table in self.base.tables(base["id"])
        ]

    def fields(self) -> list[RemoteField]:
        return remote_fields(self.base.table(), self.config.key_field)

    def create(self, task: Task) -> TaskRef:
        table, status = self.base.table(), self.config.status_field
        cells = cells_of(task, table, self.config.body_field) | {self.config.key_field: task.key}
        if self.config.open_value in table.options(status) and status not in task.fields:
            cells[status] = self.config.open_value
        wanted = {
            "performUpsert": {"fieldsToMergeOn": [self.config.key_field]}, "typecast": True,
            "records": [{"fields": cells}],
        }  # fmt: skip
        answer = self.api.call("PATCH", self._records, json=wanted)
        answered(self.label, answer, "records", 0, "id")
        return self._ref(answer["records"][0])

    def find(self, key: str) -> TaskRef | None:
        asked = {"filterByFormula": key_is(self.config.key_field, key), "maxRecords": 1}
        found = rows(self.label, self.api.call("GET", self._records, params=asked), "records")
        return self._ref(found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        self._write(ref, cells_of(task, self.base.table(), self.config.body_field))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Airtable takes no key here: a comment whose end was uncertain may appear twice."""
        self.api.call("POST", f"{self._records}/{ref.id}/comments", json={"text": clipped(text, LONGEST_COMMENT)})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        name, table = self.config.status_field, self.base.table()
        wanted, value = self._statuses.nearest(status)
        if table.kind(name) == "checkbox":
            wanted, value = (wanted, False) if wanted is TaskStatus.OPEN else (TaskStatus.DONE, True)
        elif value not in table.options(name):
            raise Rejected(
                f"The Airtable field '{name}' has no option '{value}'; nothing was changed. Name one it has on "
                f"Destinations: {', '.join(table.options(name))}.",
                name,
            )
        now = self.status(ref).status
        if now is not wanted and not (wanted is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            self._write(ref, {name: value})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self.api.call("GET", f"{self._records}/{ref.id}"))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        found = list(self.base.pages(f"{self._records}/{ref.id}/comments", "comments"))
        return [comment_of(one) for one in sorted(found, key=lambda one: one.get("createdTime") or "")]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Deleted records are left out: that shows when their own status is asked."""
        asked = {"filterByFormula": changed_since(self.config.key_field, since), "pageSize": PAGE}
        return (self._ref(record) for record in self.base.pages(self._records, "records", **asked))

    def set_hook(self, url: str) -> dict[str, str]:
        return {"hook_secret": self.base.set_hook(url)}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://airtable.com/developers/web/api/webhooks-overview. A notice sent late is as good as any."""
        sent = request.headers.get("x-airtable-content-mac", "")
        check_secret(self.label, sent, self._mac(request.body), "X-Airtable-Content-MAC header")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    def changed(self, request: RawRequest) -> tuple[str, ...]:
        """Airtable's notice names no records, so this asks for them, and raises the errors of a call as well."""
        hook_id, noticed_at = self._notice(request)
        return self.base.changed_before(noticed_at, hook_id)

    @walks_the_body
    def _notice(self, request: RawRequest) -> tuple[str, datetime]:
        notice = json_object(self.label, request.body)
        return identifier(notice["webhook"]["id"]), iso_moment(notice["timestamp"])

    def _mac(self, body: bytes) -> str:
        """Empty without a readable secret, which is then never the same as what was sent."""
        try:
            secret = base64.b64decode(self.config.hook_secret.get_secret_value(), validate=True)
        except ValueError:
            return ""
        return f"hmac-sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}" if secret else ""

    def _write(self, ref: TaskRef, cells: dict[str, Any]) -> None:
        self.api.call("PATCH", f"{self._records}/{ref.id}", json={"fields": cells, "typecast": True})

    def _ref(self, record: dict[str, Any]) -> TaskRef:
        record_id, table, cells = answered(self.label, record, "id"), self.base.table(), record.get("fields") or {}
        changed_at = cells.get(table.modified_column())
        return TaskRef(
            record_id,
            f"{ACCOUNTS}{self._records}/{record_id}",
            self._statuses.of(cells.get(self.config.status_field)),
            names_in(cells.get(table.column(ASSIGNEE))),
            iso_moment(changed_at) if changed_at else None,
        )

    def _client(self, token: str) -> ApiClient:
        return ApiClient(
            self.label, f"{self.config.base_url or 'https://api.airtable.com'}/v0", transport=self.transport,
            headers={"Authorization": f"Bearer {token}"}, error_of=error_of, secrets=(token,),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        """Each refresh token is good once: https://airtable.com/developers/web/api/oauth-reference"""
        refresh = (kept and kept.refresh) or self._refresh
        if not refresh:
            raise Unauthorized("Airtable is not connected yet, so nothing was sent. Press Connect on Destinations.")
        client = ApiClient(
            self.label, self.accounts, auth=(self.config.client_id, self._secret), transport=self.transport,
            error_of=error_of, secrets=(self._secret, refresh),
        )  # fmt: skip
        return ask_token(client, TOKEN_PATH, {"grant_type": "refresh_token", "refresh_token": refresh}, kept)

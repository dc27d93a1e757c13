"""Dynamics 365, Dataverse Web API v9.2.

Source: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview (read 2026-11).
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped
from connectors.base import ConsentConfig
from connectors.dynamics_account import API, Account, Environment, sign_in_address
from connectors.dynamics_errors import AlreadyThere, error_of
from connectors.dynamics_tables import (
    BIND,
    LABEL,
    LONGEST_NOTE,
    STATES,
    TABLES,
    comment_of,
    content_of,
    label_of,
    moment_literal,
    ref_of,
    remote_fields,
)
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import identifier, json_object, walks_the_body
from connectors.signatures import check_secret

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ODATA = {"OData-MaxVersion": "4.0", "OData-Version": "4.0"}
USERS = "isdisabled eq false and accessmode eq 0"  # people, not applications


class Config(ConsentConfig):
    environment: Environment = Field(
        title="Environment",
        description="In your browser's address bar when Dynamics 365 is open, such as acme.crm4.dynamics.com",
    )
    tenant: str = Field(
        title="Directory (tenant) ID",
        pattern=r"^[\w.-]+$",
        description="In the Microsoft Entra admin center, App registrations, your app, Overview",
    )
    client_id: str = Field(title="Application (client) ID", min_length=1, description="Beside the tenant ID")
    client_secret: SecretStr = Field(
        title="Client secret",
        min_length=1,
        description="Of the same app, under Certificates & secrets. Add the app as an application user of the "
        "environment, or press Connect to let it act as you",
    )
    table: Literal["task", "incident", "lead"] = Field(
        "task", title="Table", description="Choose it from the list: tasks, cases (incident) or leads"
    )
    customer: str = Field(
        "",
        title="Customer of cases",
        pattern=rf"^({GUID})?$",
        description="Needed for cases only, which Dynamics 365 refuses without one: open the account that stands for "
        "customers from chat and copy what follows id= in the address bar",
    )

    @model_validator(mode="after")
    def _has_a_customer(self) -> "Config":
        if self.table == "incident" and not self.customer:
            raise ValueError("Customer of cases is missing: the ID of the account that new cases belong to")
        return self


class Connector:
    label: ClassVar[str] = LABEL
    docs: ClassVar[str] = "https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.FIND_LAGS}
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus chooses the record's ID, the task's key, and Dynamics 365 takes each ID only once, so a second try "
        "finds the first one's record. "
        "https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api"
    )
    RATE_PER_S: ClassVar[float | None] = 20.0  # 6,000 in 5 minutes for each user and server
    CONSENT: ClassVar[Consent | None] = Consent(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        ("https://{environment}/user_impersonation", "offline_access"),
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.table = TABLES[config.table]
        self.address = config.base_url or f"https://{config.environment}"
        self._secrets = config.client_secret.get_secret_value(), config.refresh_token.get_secret_value()
        tokens = tokens or tokens_of_process(self.address, config.tenant, config.client_id, *self._secrets)
        self.api = TokenClient(lambda token: self._client(self.address, token.value), self._renew, tokens)
        self.account = Account(self.api, config.table, self.table)

    def check(self) -> str:
        return f"{self.account.user()} in {self.table.rows}"

    def targets(self) -> list[Target]:
        condition = " or ".join(f"LogicalName eq '{name}'" for name in TABLES)
        return [
            Target(label_of(one), {"table": one["LogicalName"]})
            for one in self.account.rows("EntityDefinitions", condition, "LogicalName,DisplayName")
        ]

    def fields(self) -> list[RemoteField]:
        return remote_fields(self.account.columns(), self.account.choices())

    def people(self) -> list[Person]:
        found = self.account.rows("systemusers", USERS, "systemuserid,fullname,internalemailaddress")
        return [
            Person(one["systemuserid"], one.get("fullname") or "", one.get("internalemailaddress") or "")
            for one in found
        ]

    def create(self, task: Task) -> TaskRef:
        row = self.table.needed | self._content(task) | {self.table.id: task.key}
        if self.config.table == "incident" and not any(name.startswith("customerid") for name in row):
            row[f"customerid_account{BIND}"] = f"/accounts({self.config.customer})"
        asked = {"$select": self._select}
        try:
            answer = self.api.call(
                "POST", f"{API}/{self.table.rows}", json=row, params=asked, headers={"Prefer": "return=representation"}
            )
        except AlreadyThere:  # by an earlier try, unless another column must be unique as well
            ref = self.find(task.key)
            if ref is None:
                raise
            return ref
        return self._ref(answer)

    def find(self, key: str) -> TaskRef | None:
        return next(self._refs(f"{self.table.id} eq {UUID(key)}"), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        self._change(ref, self._content(task))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        note = {
            "annotationid": key,
            "notetext": clipped(text, LONGEST_NOTE),
            f"objectid_{self.config.table}{BIND}": f"/{self.table.rows}({ref.id})",
        }
        try:
            self.api.call("POST", f"{API}/annotations", json=note)
        except AlreadyThere:
            return  # an earlier try got through

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        now = self.status(ref).status
        if now is status or (status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        reason = self.table.reasons[status]
        if self.config.table == "incident" and status is TaskStatus.DONE:  # only this action resolves a case
            self.account.resolve_case(ref.id, reason)
            return
        state = next(code for code, meaning in STATES.items() if meaning is status)
        self._change(ref, {"statecode": state, "statuscode": reason})

    def status(self, ref: TaskRef) -> TaskRef:
        for found in self._refs(f"{self.table.id} eq {UUID(ref.id)}"):
            return found
        raise TargetGone("Dynamics 365 does not know the record any more: it was deleted, or access to it ended.")

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        select = "annotationid,subject,notetext,createdon,_createdby_value"
        condition = f"_objectid_value eq {UUID(ref.id)}"
        found = self.account.rows("annotations", condition, select, **{"$orderby": "createdon asc"})
        return [comment_of(note) for note in found]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """All rows of the table, ours or not."""
        return self._refs(f"modifiedon ge {moment_literal(since)}", **{"$orderby": "modifiedon asc"})

    def set_hook(self, url: str) -> dict[str, str]:
        secret = secrets.token_urlsafe(32)
        self.account.watch(url, secret)
        return {"hook_secret": secret}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Dataverse signs nothing: it sends the secret in the address."""
        secret = self.config.hook_secret.get_secret_value()
        check_secret(self.label, request.params().get("code", ""), secret, "code in the address")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        """Source: https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks."""
        event = json_object(self.label, request.body)
        if event["PrimaryEntityName"] == self.config.table:
            return (identifier(event["PrimaryEntityId"]),)
        given = {one["key"]: one["value"] for one in event.get("InputParameters") or ()}  # a note: left out if too long
        written = {one["key"]: one["value"] for one in given.get("Target", {}).get("Attributes", ())}
        about = written.get("objectid") or {}
        return (identifier(about["Id"]),) if about.get("LogicalName") == self.config.table else ()

    @property
    def _select(self) -> str:
        return f"{self.table.id},statecode,statuscode,modifiedon,_ownerid_value"

    def _refs(self, condition: str, **params: str) -> Iterable[TaskRef]:
        return (self._ref(row) for row in self.account.rows(self.table.rows, condition, self._select, **params))

    def _ref(self, row: Any) -> TaskRef:
        return ref_of(
            row, self.table, f"{self.address}/main.aspx?etn={self.config.table}&pagetype=entityrecord&id={{id}}"
        )

    def _content(self, task: Task) -> dict[str, Any]:
        if not task.fields:
            return content_of(task, self.table, [], {})
        return content_of(task, self.table, self.account.columns(), self.account.choices())

    def _change(self, ref: TaskRef, row: dict[str, Any]) -> None:
        """If-Match keeps a row that was deleted from being made again."""
        self.api.call("PATCH", f"{API}/{self.table.rows}({ref.id})", json=row, headers={"If-Match": "*"})

    def _client(self, address: str, token: str = "", *hidden: str) -> ApiClient:
        headers = ODATA | {"Authorization": f"Bearer {token}"} if token else {}
        return ApiClient(
            self.label, address, headers=headers, transport=self.transport, error_of=error_of,
            secrets=(token, *hidden, *self._secrets),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        """After consent by the refresh token, which changes at each use; else as the application itself."""
        secret, refresh = self._secrets
        refresh = (kept.refresh if kept else "") or refresh
        resource = f"https://{self.config.environment}"
        form = {"client_id": self.config.client_id, "client_secret": secret}
        if refresh:
            scope = f"{resource}/user_impersonation offline_access"
            form |= {"grant_type": "refresh_token", "refresh_token": refresh, "scope": scope}
        else:
            form |= {"grant_type": "client_credentials", "scope": f"{resource}/.default"}
        entra = self._client(self.config.base_url or sign_in_address(self.config.environment), "", refresh)
        return ask_token(entra, f"/{self.config.tenant}/oauth2/v2.0/token", form, kept)

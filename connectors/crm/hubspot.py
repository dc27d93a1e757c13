"""HubSpot, CRM objects API v3. Source: https://developers.hubspot.com/docs/reference/api/crm/objects."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Literal
from uuid import UUID

import httpx
from pydantic import Field, SecretStr

from app.domain.classification import Priority
from app.domain.errors import Rejected, RemoteError, TargetGone, TransientError
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import Kept, body_of, clipped, inside, one_line, rows
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.hubspot_objects import KINDS, PRIORITY, TASK_STATUS, as_html
from connectors.oauth import TokenStore
from connectors.payloads import answered
from connectors.waits import retry_after_s

LONGEST_TITLE, LONGEST_TEXT = 255, 60_000  # a property takes 65,536 characters; markup grows at most fivefold
PIPELINES_GOOD_FOR_S = 300.0
WAIT_S = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}  # where Retry-After is missing


class Config(AdapterConfig):
    token: SecretStr = Field(
        title="Access token",
        min_length=1,
        description="In HubSpot open Settings, Integrations, Private apps, Create; grant read and write for the "
        "objects you use, then copy the token under Auth",
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


class Conflict(Rejected):
    """A unique value is taken, by the record `existing_id`."""

    def __init__(self, text: str, existing_id: str):
        super().__init__(text)
        self.existing_id = existing_id


class Connector:
    label: ClassVar[str] = "HubSpot"
    docs: ClassVar[str] = "https://developers.hubspot.com/docs/reference/api/crm/objects"
    CAN: frozenset[Capability] = frozenset(
        {
            Capability.FIND,
            Capability.FIND_LAGS,
            Capability.UPDATE,
            Capability.COMMENT,
            Capability.STATUS,
            Capability.TARGETS,
            Capability.FIELDS,
        }
    )
    EXACTLY_ONCE: ClassVar[str] = (
        "With a unique property HubSpot updates instead of creating a second time; without one the key stands in the "
        "text, and after an uncertain end it is searched, twice because the search lags, before anything is created "
        "again. https://developers.hubspot.com/docs/guides/api/crm/using-object-apis"
    )
    RATE_PER_S: ClassVar[float | None] = 10.0  # 100 in 10 s: https://developers.hubspot.com/docs/guides/apps/api-usage

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.kind = KINDS[config.object]
        self.path = f"/crm/v3/objects/{config.object}"
        self._pipelines: Kept[list[dict[str, Any]]] = Kept()
        if config.unique_property:
            self.CAN = frozenset(Capability) - {Capability.FIND_LAGS}
        if self.kind.note is None:  # HubSpot has no notes on tasks
            self.CAN -= {Capability.COMMENT}

    @cached_property
    def api(self) -> ApiClient:
        token = self.config.token.get_secret_value()
        return ApiClient(
            self.label, self.config.base_url or "https://api.hubapi.com", headers={"Authorization": f"Bearer {token}"},
            transport=self.transport, error_of=_error_of, secrets=(token,),
        )  # fmt: skip

    def check(self) -> str:
        account = answered(self.label, self.api.call("GET", "/account-info/v3/details"), "portalId")
        self.api.call("GET", self.path, params={"limit": 1})
        if self.kind.pipeline and self._stage(self.config.stage) is None:
            raise TargetGone(
                f"HubSpot has no stage {self.config.stage} for {self.config.object}. Choose one of the list."
            )
        return f"Account {account}"

    def targets(self) -> list[Target]:
        if not self.kind.pipeline:
            return [Target("Tasks", {"object": self.config.object})]
        return [
            Target(f"{pipeline.get('label')}: {stage.get('label')}", {"pipeline": pipeline["id"], "stage": stage["id"]})
            for pipeline in self._pipelines.get(self._ask_pipelines)
            for stage in pipeline.get("stages") or ()
        ]

    def fields(self) -> list[RemoteField]:
        found = rows(self.label, self.api.call("GET", f"/crm/v3/properties/{self.config.object}"), "results")
        return [
            RemoteField(
                key=one["name"],
                name=one.get("label") or one["name"],
                type=one.get("type") or "",
                required=one["name"] in (self.kind.title, self.kind.stage),
                options=tuple(option["value"] for option in one.get("options") or ()),
            )
            for one in found
            if not inside(one, "modificationMetadata", "readOnlyValue") and not one.get("hidden")
        ]

    def create(self, task: Task) -> TaskRef:
        properties = self._properties(task)
        if self.kind.pipeline:
            properties = {self.kind.pipeline: self.config.pipeline, self.kind.stage: self.config.stage} | properties
        try:
            if not self.config.unique_property:
                return self._ref(self.api.call("POST", self.path, json={"properties": properties}))
            wanted = {"idProperty": self.config.unique_property, "id": task.key, "properties": properties}
            answer = self.api.call("POST", f"{self.path}/batch/upsert", json={"inputs": [wanted]})
            return self._ref(inside(answer, "results", 0))
        except Conflict as conflict:
            ref = self._ours(conflict.existing_id, task.key)
            if ref is None:
                raise
            return ref

    def find(self, key: str) -> TaskRef | None:
        if self.config.unique_property:
            try:
                return self._get(key, idProperty=self.config.unique_property)
            except TargetGone:
                return None
        wanted = {"query": _mark(key), "limit": 1}
        found = rows(
            self.label, self.api.call("POST", f"{self.path}/search", json=wanted, changes_nothing=True), "results"
        )
        return self._ref(found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        self.api.call("PATCH", f"{self.path}/{ref.id}", json={"properties": self._properties(task)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """A note. HubSpot takes no key here: a note whose end was uncertain may appear twice."""
        to_it = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self.kind.note}
        wanted = {
            "properties": {
                "hs_note_body": as_html(clipped(text, LONGEST_TEXT // 5)),
                "hs_timestamp": _time(datetime.now(UTC)),
            },
            "associations": [{"to": {"id": ref.id}, "types": [to_it]}],
        }
        self.api.call("POST", "/crm/v3/objects/notes", json=wanted)

    def status(self, ref: TaskRef) -> TaskRef:
        return self._get(ref.id)

    def _get(self, record_id: str, **params: str) -> TaskRef:
        return self._ref(
            self.api.call("GET", f"{self.path}/{record_id}", params={"properties": self.kind.stage, **params})
        )

    def _ours(self, record_id: str, key: str) -> TaskRef | None:
        """The record that holds a unique value of ours, if an earlier try made it."""
        wanted = ",".join(filter(None, (self.kind.stage, self.kind.body, self.config.unique_property)))
        record = self.api.call("GET", f"{self.path}/{record_id}", params={"properties": wanted})
        has_mark = _mark(key) in (inside(record, "properties", self.kind.body) or "")
        return (
            self._ref(record) if has_mark or inside(record, "properties", self.config.unique_property) == key else None
        )

    def _ref(self, record: Any) -> TaskRef:
        return TaskRef(answered(self.label, record, "id"), inside(record, "url") or "", self._status(record))

    def _status(self, record: Any) -> TaskStatus:
        stage = inside(record, "properties", self.kind.stage)
        if inside(record, "archived"):
            return TaskStatus.CANCELLED
        if not stage or stage == self.config.stage:
            return TaskStatus.OPEN
        if not self.kind.pipeline:
            return TASK_STATUS.get(stage, TaskStatus.UNKNOWN)
        metadata = inside(self._stage(stage), "metadata")
        if metadata is None:
            return TaskStatus.UNKNOWN
        is_closed = metadata.get("ticketState") == "CLOSED" or str(metadata.get("isClosed")).lower() == "true"
        return TaskStatus.DONE if is_closed else TaskStatus.IN_PROGRESS

    def _stage(self, stage_id: str) -> dict[str, Any] | None:
        pipelines = self._pipelines.get(self._ask_pipelines)
        stages = [stage for pipeline in pipelines for stage in pipeline.get("stages") or ()]
        return next((stage for stage in stages if stage.get("id") == stage_id), None)

    def _ask_pipelines(self) -> tuple[list[dict[str, Any]], float]:
        answer = self.api.call("GET", f"/crm/v3/pipelines/{self.config.object}")
        return rows(self.label, answer, "results"), PIPELINES_GOOD_FOR_S

    def _properties(self, task: Task) -> dict[str, str]:
        kind = self.kind
        body = as_html(clipped(body_of(task), LONGEST_TEXT // 5)) if kind.is_html else body_of(task)
        properties = {kind.title: one_line(task.title, LONGEST_TITLE), kind.body: body}
        if kind.priority:
            urgent_is_high = kind is KINDS["tasks"] and task.priority is Priority.URGENT
            properties[kind.priority] = "HIGH" if urgent_is_high else PRIORITY[task.priority]
        if kind is KINDS["tasks"]:
            properties["hs_timestamp"] = _time(task.due_at or datetime.now(UTC))  # when it is due; HubSpot insists
        properties |= task.fields
        properties = {name: clipped(text, LONGEST_TEXT) for name, text in properties.items() if text}
        properties[kind.body] = f"{properties.get(kind.body, '')}\n\n{_mark(task.key)}"
        return properties


def _mark(key: str) -> str:
    """The key as one word: HubSpot's search takes hyphens for spaces."""
    return f"octopus{UUID(key).hex}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"status", "category", "message", "errors"}`; a batch reports its failures in a 207."""
    failed = inside(body, "errors", 0) if status == 207 else body
    message = str(inside(failed, "message"))
    existing = re.search(r"[Ee]xisting ID: (\d+)", message)
    if existing:
        text = (
            f"HubSpot has record {existing[1]} with the same unique value, made by somebody else; nothing was created."
        )
        return Conflict(f"{text} Correct the field mapping and replay.", existing[1])
    if status == 429:
        wait_s = retry_after_s(headers) or WAIT_S.get(str(inside(body, "policyName")))
        return TransientError("HubSpot is asked too often; nothing was done. It is tried again.", wait_s)
    if status not in (207, 400) or failed is None:
        return None
    named = re.search(r'"name"\s*:\s*"([^"]+)"|Property "([^"]+)"', message)
    field = inside(failed, "errors", 0, "context", "propertyName", 0) or (named and (named[1] or named[2])) or ""
    place = f"the property '{field}'" if field else "the request"
    return Rejected(
        f'HubSpot refused {place}: "{message[:300]}". Nothing was done. Correct the field mapping and replay.', field
    )

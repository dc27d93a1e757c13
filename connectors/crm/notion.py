"""Notion, API 2025-09-03: pages in a data source. Source: https://developers.notion.com/reference."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import PermanentError, Refused, Rejected, RemoteError, TargetGone, TransientError
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import Kept, body_of, clipped, inside, one_line, rows
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.notion_properties import LONGEST_BODY, PIECE, options, paragraph, pieces, plain, rich_text, typed
from connectors.oauth import TokenStore
from connectors.payloads import answered
from connectors.waits import retry_after_s

VERSION = "2025-09-03"
KEY_PROPERTY = "Octopus key"
DUE_PROPERTIES = ("Due", "Due date", "Deadline")
SCHEMA_GOOD_FOR_S = 300.0
GROUPS = {"To-do": TaskStatus.OPEN, "In progress": TaskStatus.IN_PROGRESS, "Complete": TaskStatus.DONE}
Schema = dict[str, dict[str, Any]]


class Config(AdapterConfig):
    token: SecretStr = Field(
        title="Integration token",
        min_length=1,
        description="At notion.so/profile/integrations make an internal integration that may read, insert and update "
        "content and insert comments, and copy its secret; then add it to the database under •••, Connections",
    )
    data_source: str = Field(
        title="Data source",
        min_length=1,
        description="Choose it from the list, or open the database in Notion, then its settings, Manage data sources, "
        "•••, Copy data source ID",
    )


class Connector:
    label: ClassVar[str] = "Notion"
    docs: ClassVar[str] = "https://developers.notion.com/reference/post-page"
    CAN: ClassVar[frozenset[Capability]] = frozenset(
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
        f"Notion takes no idempotency key, so Octopus adds a text property '{KEY_PROPERTY}' to the database, and after "
        "an uncertain end the key is searched there, twice because the search lags, before anything is created again. "
        "https://developers.notion.com/reference/query-a-data-source"
    )
    RATE_PER_S: ClassVar[float | None] = 3.0  # https://developers.notion.com/reference/request-limits

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self._kept: Kept[Schema] = Kept()

    @cached_property
    def api(self) -> ApiClient:
        token = self.config.token.get_secret_value()
        return ApiClient(
            self.label, f"{self.config.base_url or 'https://api.notion.com'}/v1", transport=self.transport,
            headers={"Authorization": f"Bearer {token}", "Notion-Version": VERSION},
            error_of=_error_of, secrets=(token,),
        )  # fmt: skip

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", "/users/me"), "name")
        source = self.api.call("GET", f"/data_sources/{self.config.data_source}")
        return f"{name} in {plain(inside(source, 'title')) or self.config.data_source}"

    def targets(self) -> list[Target]:
        found: list[Target] = []
        wanted: dict[str, Any] = {"filter": {"property": "object", "value": "data_source"}, "page_size": 100}
        while True:
            answer = self.api.call("POST", "/search", json=wanted, changes_nothing=True)
            for source in rows(self.label, answer, "results"):
                found.append(Target(plain(source.get("title")) or "Untitled", {"data_source": source["id"]}))
            if not answer.get("has_more") or not answer.get("next_cursor"):
                return found
            wanted["start_cursor"] = answer["next_cursor"]

    def fields(self) -> list[RemoteField]:
        return [
            RemoteField(name, name, kind["type"], kind["type"] == "title", options(kind))
            for name, kind in self._schema().items()
            if name != KEY_PROPERTY
        ]

    def create(self, task: Task) -> TaskRef:
        schema = self._schema()
        properties, beside = self._properties(task, schema)
        body = "\n".join([clipped(body_of(task), LONGEST_BODY), *beside])
        children = [paragraph(piece) for piece in pieces(clipped(body, LONGEST_BODY))]
        if KEY_PROPERTY in schema:
            properties[KEY_PROPERTY] = {"rich_text": rich_text(task.key)}
        else:
            children.append(paragraph(f"Octopus: {task.key}"))
        parent = {"type": "data_source_id", "data_source_id": self.config.data_source}
        wanted = {"parent": parent, "properties": properties, "children": children}
        return self._ref(self.api.call("POST", "/pages", json=wanted))

    def find(self, key: str) -> TaskRef | None:
        schema = self._schema()
        if schema and KEY_PROPERTY not in schema:
            raise Rejected(
                f"The Notion database has no text property '{KEY_PROPERTY}' and the integration may not add it, so "
                "Octopus cannot tell whether the page was made. Look for it, add the property, and replay.",
                KEY_PROPERTY,
            )
        wanted = {"filter": {"property": KEY_PROPERTY, "rich_text": {"equals": key}}, "page_size": 1}
        path = f"/data_sources/{self.config.data_source}/query"
        found = rows(self.label, self.api.call("POST", path, json=wanted, changes_nothing=True), "results")
        return self._ref(found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        """The properties; the page's text is left to the people working on it."""
        properties, _ = self._properties(task, self._schema())
        self.api.call("PATCH", f"/pages/{ref.id}", json={"properties": properties})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Notion takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"parent": {"page_id": ref.id}, "rich_text": rich_text(clipped(text, LONGEST_BODY))}
        self.api.call("POST", "/comments", json=wanted)

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self.api.call("GET", f"/pages/{ref.id}"))

    def _ref(self, page: dict[str, Any]) -> TaskRef:
        page_id = answered(self.label, page, "id")
        return TaskRef(
            page_id, inside(page, "url") or f"https://www.notion.so/{page_id.replace('-', '')}", self._status(page)
        )

    def _status(self, page: dict[str, Any]) -> TaskStatus:
        if page.get("archived") or page.get("in_trash"):
            return TaskStatus.CANCELLED
        for name, value in (page.get("properties") or {}).items():
            option = inside(value, "status", "id")
            if option:
                for group in inside(self._schema(), name, "status", "groups") or ():
                    if option in group.get("option_ids", ()):
                        return GROUPS.get(group.get("name"), TaskStatus.UNKNOWN)
                return TaskStatus.UNKNOWN
        return TaskStatus.OPEN

    # ---- properties

    def _schema(self) -> Schema:
        """The data source's properties by name; empty when this integration may not read them."""
        return self._kept.get(self._ask_schema)

    def _ask_schema(self) -> tuple[Schema, float]:
        path = f"/data_sources/{self.config.data_source}"
        try:
            schema = inside(self.api.call("GET", path), "properties") or {}
        except (TargetGone, Refused):
            return {}, SCHEMA_GOOD_FOR_S
        if schema and KEY_PROPERTY not in schema:
            wanted = {"properties": {KEY_PROPERTY: {"rich_text": {}}}}
            try:
                self.api.call("PATCH", path, json=wanted)
            except PermanentError:
                return schema, SCHEMA_GOOD_FOR_S  # not allowed to: the key goes into the text, and `find` says so
            schema[KEY_PROPERTY] = {"type": "rich_text"}
        return schema, SCHEMA_GOOD_FOR_S

    def _properties(self, task: Task, schema: Schema) -> tuple[dict[str, Any], list[str]]:
        """The page's properties, and lines for its text with what has no property while the schema is unknown."""
        title = next((name for name, kind in schema.items() if kind.get("type") == "title"), "Name")
        properties = {title: {"title": rich_text(one_line(task.title, PIECE))}}
        for name in DUE_PROPERTIES:
            if task.due_at and inside(schema, name, "type") == "date":
                properties[name] = {"date": {"start": task.due_at.isoformat()}}
                break
        beside = []
        for name, text in task.fields.items():
            if not text:  # mapped to nothing: the manager wants it left out
                properties.pop(name, None)
            elif name in schema or name == title:
                properties[name] = typed(name, inside(schema, name, "type") or "title", text)
            elif not schema:
                beside.append(f"{name}: {text}")
            else:
                raise Rejected(
                    f"The Notion database has no property '{name}'. Correct the field mapping and replay.", name
                )
        return properties, beside


def _error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
    """`{"object": "error", "code", "message"}`, where it says more than the status."""
    code, message = inside(body, "code"), str(inside(body, "message"))
    if code == "conflict_error":
        text = "Notion was busy with another change of the same data; nothing was done. It is tried again."
        return TransientError(text, retry_after_s(headers))
    if code == "validation_error":
        named = re.search(r"body\.properties\.([^.`\"]+)|^(.+?) is (?:expected to be|not a property)", message)
        field = next(filter(None, named.groups()), "") if named else ""
        place = f"the property '{field}'" if field else "the request"
        return Rejected(
            f'Notion refused {place}: "{message[:300]}". Nothing was done. Correct the field mapping and replay.', field
        )
    return None

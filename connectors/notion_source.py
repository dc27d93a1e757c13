"""The Notion data source tasks go to, the people of its workspace, and paging.
Source: https://developers.notion.com/reference/query-a-data-source and
https://developers.notion.com/reference/get-users (read 2026-11).
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.errors import PermanentError, Refused, Rejected, TargetGone
from app.domain.tasks import Person
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient
from connectors.notion_errors import READ, READ_COMMENTS, READ_USERS, UPDATE, missing, needs
from connectors.notion_properties import Schema, plain
from connectors.oauth import TokenClient
from connectors.payloads import answered

LABEL = "Notion"
KEY_PROPERTY = "Octopus key"
KEPT_FOR_S = 300.0
PAGE = 100  # the most Notion gives at once


class Source:
    def __init__(self, api: ApiClient | TokenClient, source_id: str):
        self._api = api
        self._path = f"/data_sources/{source_id}"
        self._schema: Kept[Schema] = Kept()
        self._people: Kept[list[Person]] = Kept()
        self._names: Kept[dict[str, str]] = Kept()

    def check(self) -> str:
        """Who we are and where; raises Refused naming every capability that is seen to be missing, or TargetGone.

        Whether pages and comments may be inserted shows only when one is.
        """
        me = answered(LABEL, self._api.call("GET", "/users/me"), "name")
        with needs(READ):
            source = self._api.call("GET", self._path)
        if inside(source, "in_trash") or inside(source, "archived"):
            raise TargetGone("The Notion database is in the trash; nothing was changed. Choose another one.")
        kind = inside(source, "properties", KEY_PROPERTY, "type")
        if kind not in (None, "rich_text"):
            raise Rejected(
                f"The Notion property '{KEY_PROPERTY}' must be of the type Text; nothing was changed. Rename it, and "
                "Octopus adds its own.",
                KEY_PROPERTY,
            )
        lacking = [
            capability
            for capability, ask in (
                (UPDATE, self._add_key_property),  # again, if need be: no call only asks whether we may write
                (READ_USERS, lambda: self._api.call("GET", "/users", params={"page_size": 1})),
                (READ_COMMENTS, self._ask_comments),
            )
            if _is_refused(ask)
        ]
        if lacking:
            raise missing(*lacking)
        return f"{me} in {plain(inside(source, 'title')) or answered(LABEL, source, 'id')}"

    def all_shared(self) -> Iterator[dict[str, Any]]:
        """Every data source the integration is shown."""
        wanted = {"filter": {"property": "object", "value": "data_source"}}
        found = self._asked_by_post("/search", wanted)
        return (one for one in found if not one.get("in_trash") and not one.get("archived"))

    def schema(self) -> Schema:
        """The data source's properties by name; empty when this integration may not read them."""
        return self._schema.get(self._ask_schema)

    def has_key(self) -> bool:
        return inside(self.schema(), KEY_PROPERTY, "type") == "rich_text"

    def query(self, condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Pages of the data source, those in the trash left out. Unsorted: a change moves none past the cursor."""
        return self._asked_by_post(f"{self._path}/query", {"filter": condition})

    def comments(self, page_id: str) -> Iterator[dict[str, Any]]:
        with needs(READ_COMMENTS):
            yield from self._listed("/comments", block_id=page_id)

    def people(self) -> list[Person]:
        return self._people.get(self._ask_people)

    def person_ids(self, text: str) -> list[str]:
        """Of a list of ids and e-mail addresses. Raises Rejected for an address nobody of the workspace has."""
        return [self._person_id(part.strip()) for part in text.split(",") if part.strip()]

    def name_of(self, person: Any) -> str:
        """The name to show; empty where the integration may not know it."""
        name, person_id = inside(person, "name"), inside(person, "id")
        return name or (self._names.get(self._ask_names).get(person_id, "") if person_id else "")

    def _person_id(self, text: str) -> str:
        if "@" not in text:
            return text
        found = next((one.id for one in self.people() if one.email.casefold() == text.casefold()), "")
        if not found:
            raise Rejected(
                f"Notion shows the integration nobody with the e-mail address {text}; nothing was sent. Invite them "
                f"to the workspace, or tick '{READ_USERS}' among the integration's capabilities, and replay.",
                "assignee",
            )
        return found

    def _ask_people(self) -> tuple[list[Person], float]:
        with needs(READ_USERS):
            users = list(self._listed("/users"))
        return [
            Person(one["id"], one.get("name") or one["id"], inside(one, "person", "email") or "")
            for one in users
            if one.get("type") == "person"
        ], KEPT_FOR_S

    def _ask_names(self) -> tuple[dict[str, str], float]:
        """By id; none where the integration may not read them, so that it is not asked again for each page."""
        try:
            return {one.id: one.name for one in self.people()}, KEPT_FOR_S
        except Refused:
            return {}, KEPT_FOR_S

    def _ask_schema(self) -> tuple[Schema, float]:
        try:
            schema = inside(self._api.call("GET", self._path), "properties") or {}
        except (TargetGone, Refused):
            return {}, KEPT_FOR_S
        if schema and KEY_PROPERTY not in schema:
            try:
                self._add_key_property()
            except PermanentError:
                return schema, KEPT_FOR_S  # not allowed to: the key goes into the text, and `find` says so
            schema[KEY_PROPERTY] = {"type": "rich_text"}
        return schema, KEPT_FOR_S

    def _add_key_property(self) -> None:
        self._api.call("PATCH", self._path, json={"properties": {KEY_PROPERTY: {"rich_text": {}}}})

    def _ask_comments(self) -> None:
        """Of any page; an empty data source has none to ask for."""
        answer = self._api.call("POST", f"{self._path}/query", json={"page_size": 1}, changes_nothing=True)
        for page in rows(LABEL, answer, "results"):
            self._api.call("GET", "/comments", params={"block_id": page["id"], "page_size": 1})

    def _asked_by_post(self, path: str, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        wanted = wanted | {"page_size": PAGE}
        while True:
            answer = self._api.call("POST", path, json=wanted, changes_nothing=True)
            yield from rows(LABEL, answer, "results")
            wanted["start_cursor"] = _cursor(answer)
            if not wanted["start_cursor"]:
                return

    def _listed(self, path: str, **asked: Any) -> Iterator[dict[str, Any]]:
        asked["page_size"] = PAGE
        while True:
            answer = self._api.call("GET", path, params=asked)
            yield from rows(LABEL, answer, "results")
            asked["start_cursor"] = _cursor(answer)
            if not asked["start_cursor"]:
                return


def key_is(key: str) -> dict[str, Any]:
    return {"property": KEY_PROPERTY, "rich_text": {"equals": key}}


def ours_changed_since(since: datetime, has_key: bool) -> dict[str, Any]:
    """Octopus' own pages edited at or after `since`; without the key property, all pages.

    Notion rounds the time of an edit down to the minute.
    """
    moment = since.astimezone(UTC).replace(second=0, microsecond=0).isoformat()
    edited = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": moment}}
    if not has_key:
        return edited
    return {"and": [{"property": KEY_PROPERTY, "rich_text": {"is_not_empty": True}}, edited]}


def _cursor(answer: Any) -> str:
    return (inside(answer, "has_more") and inside(answer, "next_cursor")) or ""


def _is_refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Refused:
        return True
    return False

"""HubSpot's records of one object type: made once, read, found, changed.
Source: https://developers.hubspot.com/docs/guides/api/crm/using-object-apis and
https://developers.hubspot.com/docs/api-reference/search/guide (read 2026-11).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.domain.errors import TargetGone
from connectors.answers import inside, rows
from connectors.http import ApiClient
from connectors.hubspot_errors import Conflict
from connectors.hubspot_objects import KINDS, LABEL, OWNER, mark_of
from connectors.oauth import TokenClient
from connectors.payloads import answered, iso_moment

OBJECTS = "/crm/v3/objects"
CHANGED_AT = "hs_lastmodifieddate"
PAGE, SEARCHED = 200, 10_000  # the most a search gives at once, and page by page


class Records:
    """unique: the property whose unique values are our keys; empty where there is none."""

    def __init__(self, api: ApiClient | TokenClient, object_type: str, unique: str):
        self._api = api
        self._kind = KINDS[object_type]
        self._unique = unique
        self._path = f"{OBJECTS}/{object_type}"
        self._read = [name for name in (self._kind.stage, self._kind.pipeline, OWNER) if name]

    def look(self) -> None:
        """Raises Refused where the app may not even read them."""
        self._api.call("GET", self._path, params={"limit": 1})

    def get(self, record_id: str, **params: str) -> dict[str, Any]:
        asked = {"properties": ",".join(self._read)} | params
        return self._api.call("GET", f"{self._path}/{record_id}", params=asked)

    def make(self, properties: dict[str, str], key: str) -> Any:
        """The new record, or the one an earlier try made."""
        try:
            if not self._unique:
                return self._api.call("POST", self._path, json={"properties": properties})
            wanted = {"idProperty": self._unique, "id": key, "properties": properties}
            return inside(self._api.call("POST", f"{self._path}/batch/upsert", json={"inputs": [wanted]}), "results", 0)
        except Conflict as conflict:
            record = self.get(conflict.existing_id, properties=",".join(filter(None, (self._kind.body, self._unique))))
            if not self._is_ours(record, key):
                raise
            return record

    def change(self, record_id: str, properties: dict[str, str]) -> None:
        self._api.call("PATCH", f"{self._path}/{record_id}", json={"properties": properties})

    def find(self, key: str) -> dict[str, Any] | None:
        if self._unique:
            try:
                return self.get(key, idProperty=self._unique)
            except TargetGone:
                return None
        found = rows(LABEL, self._search(query=mark_of(key), limit=1), "results")
        return found[0] if found else None

    def changed_since(self, since: datetime) -> Iterator[dict[str, Any]]:
        """By time of change, whichever pipeline they are in: people move records from one to another."""
        since_ms, page = int(since.timestamp() * 1000), {}
        while True:
            later = {"propertyName": CHANGED_AT, "operator": "GTE", "value": str(since_ms)}
            answer = self._search(filterGroups=[{"filters": [later]}], sorts=[CHANGED_AT], limit=PAGE, **page)
            found, after = rows(LABEL, answer, "results"), inside(answer, "paging", "next", "after")
            yield from found
            if not after or not found:
                return
            page = {"after": str(after)}
            if int(after) + PAGE > SEARCHED:  # go on with a new search, from where this one ended
                last = iso_moment(answered(LABEL, found[-1], "properties", CHANGED_AT))
                since_ms, page = max(int(last.timestamp() * 1000), since_ms + 1), {}

    def _search(self, **wanted: Any) -> Any:
        wanted["properties"] = [*self._read, CHANGED_AT]
        return self._api.call("POST", f"{self._path}/search", json=wanted, changes_nothing=True)

    def _is_ours(self, record: Any, key: str) -> bool:
        has_mark = mark_of(key) in (inside(record, "properties", self._kind.body) or "")
        return has_mark or inside(record, "properties", self._unique) == key

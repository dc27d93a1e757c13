"""The Trello board a list stands on, and reading its long lists.
Source: https://developer.atlassian.com/cloud/trello/rest/api-group-boards/ and
https://developer.atlassian.com/cloud/trello/guides/rest-api/api-introduction/#paging (read 2026-11).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.answers import Kept, rows
from connectors.http import ApiClient
from connectors.payloads import answered

PAGE = 1_000  # the most Trello gives at once
KEPT_FOR_S, PLACE_KEPT_FOR_S = 300.0, 3_600.0


class Board:
    """What cards refer to by id: asked for when it is needed, and kept for a while."""

    def __init__(self, api: ApiClient, list_id: str):
        self._api = api
        self._list_id = list_id
        self._id: Kept[str] = Kept()
        self._labels: Kept[dict[str, str]] = Kept()
        self._custom_fields: Kept[list[dict[str, Any]]] = Kept()

    @property
    def id(self) -> str:
        return self._id.get(self._ask_id)

    @property
    def path(self) -> str:
        return f"/boards/{self.id}"

    def label_id(self, name: str) -> str:
        """The board's label of this name, made when the board has none."""
        known = self._labels.get(self._ask_labels)
        if name.casefold() not in known:
            made = self._api.call("POST", f"{self.path}/labels", json={"name": name, "color": "sky"})
            known[name.casefold()] = answered(self._api.label, made, "id")
        return known[name.casefold()]

    def custom_fields(self) -> list[dict[str, Any]]:
        return self._custom_fields.get(self._ask_custom_fields)

    def rows(self, path: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        name = path.rpartition("/")[2]  # Trello answers with a bare list
        return rows(self._api.label, {name: self._api.call("GET", path, params=params)}, name)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The newest page first. An id begins with the time it was made, so the smallest is the oldest."""
        asked = {**params, "limit": PAGE}
        while True:
            page = self.rows(path, asked)
            yield from page
            if len(page) < PAGE:
                return
            asked["before"] = min(str(one["id"]) for one in page)

    def _ask_id(self) -> tuple[str, float]:
        answer = self._api.call("GET", f"/lists/{self._list_id}", params={"fields": "idBoard"})
        return answered(self._api.label, answer, "idBoard"), PLACE_KEPT_FOR_S

    def _ask_labels(self) -> tuple[dict[str, str], float]:
        labels = self.rows(f"{self.path}/labels", {"limit": PAGE})
        return {str(one.get("name")).casefold(): one["id"] for one in labels}, KEPT_FOR_S

    def _ask_custom_fields(self) -> tuple[list[dict[str, Any]], float]:
        return self.rows(f"{self.path}/customFields"), KEPT_FOR_S

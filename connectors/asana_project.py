"""The Asana project tasks go to, with its workspace, and reading Asana's lists.
Source: https://developers.asana.com/docs/pagination and https://developers.asana.com/reference/typeaheadforworkspace
(read 2026-11).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.answers import Kept, inside, rows
from connectors.asana_tasks import CUSTOM_FIELD, PlanLacks
from connectors.http import ApiClient, recording
from connectors.oauth import TokenClient
from connectors.payloads import answered

PAGE = 100  # the most Asana gives at once
KEPT_FOR_S, PLACE_KEPT_FOR_S = 300.0, 3_600.0
TOLD = (
    {"resource_type": "task", "action": "changed", "fields": ["completed", "assignee"]},
    {"resource_type": "task", "action": "deleted"},
    {"resource_type": "task", "action": "undeleted"},
    {"resource_type": "story", "resource_subtype": "comment_added", "action": "added"},
)


class Project:
    """What tasks refer to by id: asked for when it is needed, and kept for a while."""

    def __init__(self, label: str, api: ApiClient | TokenClient, gid: str):
        self._label = label
        self._api = api
        self._gid = gid
        self._workspace: Kept[str] = Kept()
        self._tags: Kept[dict[str, str]] = Kept()
        self._custom_fields: Kept[list[dict[str, Any]]] = Kept()

    @property
    def workspace(self) -> str:
        return self._workspace.get(self._ask_workspace)

    def tag_id(self, name: str) -> str:
        """The workspace's tag of this name, made when the workspace has none."""
        known = self._tags.get(lambda: ({}, KEPT_FOR_S))
        if name.casefold() not in known:
            known[name.casefold()] = self._find_tag(name) or self._make_tag(name)
        return known[name.casefold()]

    def custom_fields(self) -> list[dict[str, Any]]:
        """Those that can be written; none on a plan without custom fields."""
        return self._custom_fields.get(self._ask_custom_fields)

    def get(self, path: str, **params: str) -> Any:
        return inside(self._api.call("GET", path, params=params), "data")

    def pages(self, path: str, **params: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {**params, "limit": PAGE}
        while True:
            answer = self._api.call("GET", path, params=asked)
            yield from rows(self._label, answer, "data")
            asked["offset"] = inside(answer, "next_page", "offset")
            if not asked["offset"]:
                return

    def touched_since(self, since: datetime, opt_fields: str) -> Iterator[dict[str, Any]]:
        moment = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"  # cut to the second, so never too late
        return self.pages("/tasks", project=self._gid, modified_since=moment, opt_fields=opt_fields)

    def set_hook(self, url: str) -> str:
        """Returns the webhook's secret.

        Asana tells it only when a webhook is made, so an earlier one to this address is replaced.
        """
        asked = {"workspace": self.workspace, "resource": self._gid, "opt_fields": "target"}
        for earlier in list(self.pages("/webhooks", **asked)):
            if earlier.get("target") == url:
                self._api.call("DELETE", f"/webhooks/{earlier['gid']}")
        wanted = {"resource": self._gid, "target": url, "filters": TOLD}
        with recording():  # and thrown away: the answer holds the secret
            answer = self._api.call("POST", "/webhooks", json={"data": wanted})
        return answered(self._label, answer, "X-Hook-Secret")

    def _find_tag(self, name: str) -> str | None:
        path = f"/workspaces/{self.workspace}/typeahead"
        answer = self._api.call("GET", path, params={"resource_type": "tag", "query": name, "count": PAGE})
        for tag in rows(self._label, answer, "data"):
            if str(tag.get("name")).casefold() == name.casefold():
                return tag["gid"]
        return None

    def _make_tag(self, name: str) -> str:
        wanted = {"name": name, "workspace": self.workspace}
        return answered(self._label, self._api.call("POST", "/tags", json={"data": wanted}), "data", "gid")

    def _ask_workspace(self) -> tuple[str, float]:
        project = self.get(f"/projects/{self._gid}", opt_fields="workspace")
        return answered(self._label, project, "workspace", "gid"), PLACE_KEPT_FOR_S

    def _ask_custom_fields(self) -> tuple[list[dict[str, Any]], float]:
        path = f"/projects/{self._gid}/custom_field_settings"
        try:
            found = [one["custom_field"] for one in self.pages(path, opt_fields=CUSTOM_FIELD)]
        except PlanLacks:
            found = []
        return [one for one in found if not one.get("is_value_read_only")], KEPT_FOR_S

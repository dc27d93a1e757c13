"""The ClickUp list tasks go to, with its workspace, and reading what ClickUp lists.
Source: https://developer.clickup.com/reference/gettasks, https://developer.clickup.com/reference/gettaskcomments and
https://developer.clickup.com/docs/webhooks (read 2026-11).
"""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import Refused
from connectors.answers import Kept, inside, rows
from connectors.clickup_fields import WRITABLE
from connectors.http import ApiClient, recording
from connectors.payloads import answered

PAGE, PAGE_OF_COMMENTS = 100, 25  # what ClickUp gives at once
KEPT_FOR_S = 300.0
TOLD = ["taskStatusUpdated", "taskAssigneeUpdated", "taskCommentPosted", "taskMoved", "taskDeleted"]


class TaskList:
    def __init__(self, api: ApiClient, list_id: str):
        self._api = api
        self._id = list_id
        self._custom_fields: Kept[list[dict[str, Any]]] = Kept()

    @property
    def path(self) -> str:
        return f"/list/{self._id}"

    def rows(self, path: str, name: str, **params: Any) -> list[dict[str, Any]]:
        """The list of objects ClickUp answers with under `name`."""
        return rows(self._api.label, self._api.call("GET", path, params=params), name)

    def tasks(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Tasks of the list, closed ones and subtasks as well, in the order asked for, the newest first.

        What changes meanwhile moves to the front, so that nothing slips from one page past the next.
        """
        asked = {**filters, "include_closed": True, "subtasks": True, "include_timl": True, "page": 0}
        while True:
            answer = self._api.call("GET", f"{self.path}/task", params=asked)
            found = rows(self._api.label, answer, "tasks")
            yield from found
            if inside(answer, "last_page") is True or len(found) < PAGE:
                return
            asked["page"] += 1

    def comments(self, task_id: str) -> Iterator[dict[str, Any]]:
        """The newest first."""
        asked: dict[str, Any] = {}
        while True:
            found = self.rows(f"/task/{task_id}/comment", "comments", **asked)
            yield from found
            if len(found) < PAGE_OF_COMMENTS:
                return
            asked = {"start": found[-1].get("date"), "start_id": found[-1].get("id")}

    def custom_fields(self) -> list[dict[str, Any]]:
        """Those that can be written."""
        return self._custom_fields.get(self._ask_custom_fields)

    def everywhere(self) -> Iterator[tuple[str, str]]:
        """Name and id of each list the token's member sees."""
        for team in self.rows("/team", "teams"):
            for space in self.rows(f"/team/{team['id']}/space", "spaces", archived=False):
                path, place = f"/space/{space['id']}", str(space.get("name"))
                for one in self.rows(f"{path}/list", "lists", archived=False):
                    yield f"{place}: {one.get('name')}", one["id"]
                for folder in self.rows(f"{path}/folder", "folders", archived=False):
                    for one in folder.get("lists") or ():
                        yield f"{place}: {folder.get('name')} / {one.get('name')}", one["id"]

    def set_hook(self, url: str) -> str:
        """Returns the webhook's secret.

        An earlier webhook to this address is replaced: it may have been switched off, or know fewer events.
        """
        path = f"/team/{self._workspace()}/webhook"
        with recording():  # and thrown away: the answers hold secrets
            earlier = [
                hook
                for hook in self.rows(path, "webhooks")
                if hook.get("endpoint") == url and str(hook.get("list_id")) == self._id
            ]
        for hook in earlier:
            self._api.call("DELETE", f"/webhook/{hook['id']}")
        wanted = {"endpoint": url, "events": TOLD, "list_id": int(self._id)}
        with recording():
            answer = self._api.call("POST", path, json=wanted)
        return answered(self._api.label, answer, "webhook", "secret")

    def _workspace(self) -> str:
        """Lists name their space but not their workspace, so it is looked for where there are several."""
        teams = self.rows("/team", "teams")
        if len(teams) == 1:
            return teams[0]["id"]
        space = answered(self._api.label, self._api.call("GET", self.path), "space", "id")
        for team in teams:
            if any(one.get("id") == space for one in self.rows(f"/team/{team['id']}/space", "spaces")):
                return team["id"]
        raise Refused(
            "The ClickUp list is shared with this member from a workspace the member does not belong to; webhooks "
            "cannot be set there, and none was. Changes are asked for from time to time instead."
        )

    def _ask_custom_fields(self) -> tuple[list[dict[str, Any]], float]:
        # ClickUp's reference demands the header, though nothing is sent
        answer = self._api.call("GET", f"{self.path}/field", headers={"Content-Type": "application/json"})
        return [one for one in rows(self._api.label, answer, "fields") if one.get("type") in WRITABLE], KEPT_FOR_S

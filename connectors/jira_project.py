"""The Jira project tasks go to, and reading Jira's lists.
Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#pagination and
https://developer.atlassian.com/cloud/jira/platform/webhooks/ (read 2026-11).
"""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import Refused, Rejected
from app.domain.tasks import Person
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient
from connectors.jira_issues import ISSUE
from connectors.payloads import answered

API, HOOKS = "/rest/api/3", "/rest/webhooks/1.0/webhook"
PAGE, MOST_USERS = 100, 1_000  # Jira looks through the first 1,000 users only, however it is asked
KEPT_FOR_S = 300.0
NEEDED = ("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES")
TOLD = ["jira:issue_updated", "jira:issue_deleted", "comment_created"]


class Project:
    """One project and issue type, with what this user may see and do there."""

    def __init__(self, api: ApiClient, key: str, issue_type: str):
        self._api = api
        self._key = key
        self._issue_type = issue_type
        self._fields: Kept[list[dict[str, Any]]] = Kept()
        self._account_ids: Kept[dict[str, str]] = Kept()

    @property
    def jql(self) -> str:
        return f"project = {quoted(self._key)}"

    def fields(self) -> list[dict[str, Any]]:
        return self._fields.get(self._ask_fields)

    def issue_type_id(self) -> str:
        """Raises Refused naming the permissions this user lacks, and Rejected naming the issue types there are."""
        types = list(self.pages(f"{API}/issue/createmeta/{self._key}/issuetypes", "issueTypes"))
        for one in types:
            if str(one.get("name")).casefold() == self._issue_type.casefold():
                return answered(self._api.label, one, "id")
        if not types:  # so Jira answers those who may not create issues
            self._refuse_without_permissions()
        names = ", ".join(str(one.get("name")) for one in types) or "none this user may create"
        raise Rejected(
            f"The Jira project {self._key} has no issue type '{self._issue_type}'; it has: {names}. "
            "Choose one of these on Destinations.",
            "issuetype",
        )

    def lacking(self, *permissions: str, **place: str) -> list[str]:
        """The names of those of the permissions that this user lacks. place: projectKey; nothing for global ones."""
        answer = self._api.call("GET", f"{API}/mypermissions", params={"permissions": ",".join(permissions), **place})
        known = inside(answer, "permissions")
        return [
            str(inside(known, one, "name") or one)
            for one in permissions
            if inside(known, one, "havePermission") is not True
        ]

    def people(self, **query: str) -> list[Person]:
        """Who issues can be assigned to. An e-mail is empty where the person hides it."""
        asked = {"project": self._key, "maxResults": MOST_USERS, **query}
        return [
            Person(one["accountId"], one.get("displayName") or one["accountId"], one.get("emailAddress") or "")
            for one in self._bare_rows(f"{API}/user/assignable/search", asked)
            if one.get("active") is not False and one.get("accountType") != "app"
        ]

    def account_id(self, field: str, person: str) -> str:
        """person: an id already, or an e-mail. Raises Rejected when nobody, or not just one, has the e-mail."""
        if "@" not in person:
            return person
        known = self._account_ids.get(lambda: ({}, KEPT_FOR_S))
        if person not in known:
            found = self.people(query=person)
            same = [one for one in found if one.email.casefold() == person.casefold()] or found
            if len(same) != 1:
                raise Rejected(
                    f"Jira finds {len(same) or 'nobody'} with the e-mail in the field '{field}' among those who can be "
                    f"assigned issues of the project {self._key}; nothing was sent. Correct the e-mail and replay.",
                    field,
                )
            known[person] = same[0].id
        return known[person]

    def search(self, jql: str) -> Iterator[dict[str, Any]]:
        wanted: dict[str, Any] = {"jql": jql, "fields": ISSUE, "maxResults": PAGE}
        while True:
            answer = self._api.call("POST", f"{API}/search/jql", json=wanted, changes_nothing=True)
            yield from rows(self._api.label, answer, "issues")
            wanted["nextPageToken"] = answer.get("nextPageToken")
            if answer.get("isLast") or not wanted["nextPageToken"]:
                return

    def pages(self, path: str, name: str, **params: str) -> Iterator[dict[str, Any]]:
        seen = 0
        while True:
            asked = {**params, "startAt": seen, "maxResults": PAGE}
            answer = self._api.call("GET", path, params=asked)
            page = rows(self._api.label, answer, name)
            yield from page
            seen += len(page)
            if not page or answer.get("isLast", seen >= (answer.get("total") or 0)):
                return

    def set_hook(self, url: str, secret: str) -> None:
        """A webhook there is already for this address gets the new secret."""
        wanted = {
            "name": "Octopus", "url": url, "secret": secret, "events": TOLD, "excludeBody": False,
            "filters": {"issue-related-events-section": self.jql},
        }  # fmt: skip
        for hook in self._bare_rows(HOOKS):
            if hook.get("url") == url:
                hook_id = answered(self._api.label, hook, "self").rpartition("/")[2]
                self._api.call("PUT", f"{HOOKS}/{hook_id}", json=wanted)
                return
        self._api.call("POST", HOOKS, json=wanted)

    def _bare_rows(self, path: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Of an answer that is a list, without an object around it."""
        return rows(self._api.label, {path: self._api.call("GET", path, params=params)}, path)

    def _ask_fields(self) -> tuple[list[dict[str, Any]], float]:
        path = f"{API}/issue/createmeta/{self._key}/issuetypes/{self.issue_type_id()}"
        return list(self.pages(path, "fields")), KEPT_FOR_S

    def _refuse_without_permissions(self) -> None:
        lacking = self.lacking(*NEEDED, projectKey=self._key)
        if lacking:
            raise Refused(
                f"This Jira user lacks permissions in the project {self._key}: {', '.join(lacking)}. Nothing was "
                "changed. Let a project administrator add the user to a role that has them, and connect again."
            )


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

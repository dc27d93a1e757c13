"""The Pipedrive company tasks go to: what activities refer to by id, its list of activities, and its webhooks.
Source: https://pipedrive.readme.io/docs/core-api-concepts-pagination and
https://pipedrive.readme.io/docs/guide-for-webhooks-v2 (read 2026-11).
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.tasks import Person
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient, recording
from connectors.oauth import TokenClient
from connectors.payloads import answered

LABEL = "Pipedrive"
ME, ACTIVITIES, WEBHOOKS = "/v1/users/me", "/api/v2/activities", "/v1/webhooks"
PAGE = 500  # the most Pipedrive gives at once
KEPT_FOR_S, DOMAIN_KEPT_FOR_S = 300.0, 86_400.0
HOOK_USER = "octopus"


class Account:
    def __init__(self, api: ApiClient | TokenClient):
        self._api = api
        self._domain: Kept[str] = Kept()
        self._people: Kept[list[Person]] = Kept()
        self._priorities: Kept[dict[str, int]] = Kept()

    def domain(self) -> str:
        """The first part of the web addresses people of the company see."""
        return self._domain.get(self._ask_domain)

    def people(self) -> list[Person]:
        return self._people.get(self._ask_people)

    def priorities(self) -> dict[str, int]:
        """An activity's priorities: label in lower case -> id. Empty where the company has none."""
        return self._priorities.get(self._ask_priorities)

    def types(self) -> list[dict[str, Any]]:
        found = rows(LABEL, self._api.call("GET", "/v1/activityTypes"), "data")
        return [one for one in found if one.get("active_flag") is not False]

    def touched_since(self, since: datetime, direction: str) -> Iterator[dict[str, Any]]:
        """Activities by their time of change; direction: asc or desc. Deleted ones are left out."""
        moment = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"  # cut to the second, so never too late
        asked = {"updated_since": moment, "sort_by": "update_time", "sort_direction": direction, "limit": PAGE}
        while True:
            answer = self._api.call("GET", ACTIVITIES, params=asked)
            yield from (one for one in rows(LABEL, answer, "data") if not one.get("is_deleted"))
            asked["cursor"] = inside(answer, "additional_data", "next_cursor")
            if not asked["cursor"]:
                return

    def set_hook(self, url: str) -> str:
        """Returns the webhook's password. Webhooks cannot be changed, so an earlier one to this address is replaced."""
        for hook in rows(LABEL, self._api.call("GET", WEBHOOKS), "data"):
            if hook.get("subscription_url") == url:
                self._api.call("DELETE", f"{WEBHOOKS}/{hook['id']}")
        password = secrets.token_urlsafe(32)
        wanted = {
            "subscription_url": url, "event_action": "*", "event_object": "activity", "version": "2.0",
            "name": "Octopus", "http_auth_user": HOOK_USER, "http_auth_password": password,
        }  # fmt: skip
        with recording():  # and thrown away: request and answer hold the password
            self._api.call("POST", WEBHOOKS, json=wanted)
        return password

    def _ask_domain(self) -> tuple[str, float]:
        return answered(LABEL, self._api.call("GET", ME), "data", "company_domain"), DOMAIN_KEPT_FOR_S

    def _ask_people(self) -> tuple[list[Person], float]:
        users = rows(LABEL, self._api.call("GET", "/v1/users"), "data")
        active = (one for one in users if one.get("active_flag") is not False)
        people = [Person(str(one["id"]), one.get("name") or str(one["id"]), one.get("email") or "") for one in active]
        return people, KEPT_FOR_S

    def _ask_priorities(self) -> tuple[dict[str, int], float]:
        answer = self._api.call("GET", "/api/v2/activityFields", params={"limit": PAGE})
        fields = rows(LABEL, answer, "data")
        options = next((one.get("options") for one in fields if one.get("field_code") == "priority"), None) or ()
        return {str(one.get("label")).lower(): int(one["id"]) for one in options}, KEPT_FOR_S

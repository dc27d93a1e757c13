"""Asking one Zoho CRM account: lists page by page, the fields of a module, and its notifications."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.errors import Malformed
from app.domain.messages import RawRequest
from connectors.answers import Kept, inside, rows
from connectors.oauth import TokenClient
from connectors.payloads import json_object
from connectors.signatures import check_secret

FIELDS_GOOD_FOR_S = 300.0
HOOK_LIFE = timedelta(days=7) - timedelta(minutes=5)  # Zoho takes a week at most


class Account:
    def __init__(self, label: str, api: TokenClient, module: str):
        self.label = label
        self.api = api
        self.module = module
        self._described: Kept[list[dict[str, Any]]] = Kept()

    def rows(self, answer: Any, name: str) -> list[dict[str, Any]]:
        return [] if answer is None else rows(self.label, answer, name)  # None: a 204, nothing found

    def pages(
        self, path: str, name: str, headers: dict[str, str] | None = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        params |= {"per_page": 200, "page": 1}
        while True:
            answer = self.api.call("GET", path, params=params, headers=headers)
            yield from self.rows(answer, name)
            if not inside(answer, "info", "more_records"):
                return
            after = inside(answer, "info", "next_page_token")
            if after:  # page numbers end at 2,000 records
                params = {key: value for key, value in params.items() if key != "page"} | {"page_token": after}
            else:
                params["page"] += 1

    def with_value(self, field: str, value: str) -> list[dict[str, Any]]:
        """The first record of the module with `value`, which holds no quotation mark, in `field`; only its id."""
        query = f"select id from {self.module} where {field} = '{value}' limit 1"  # noqa: S608 - a UUID and API names
        return self.rows(self.api.call("POST", "/coql", json={"select_query": query}, changes_nothing=True), "data")

    def fields(self) -> list[dict[str, Any]]:
        """The module's fields as Zoho describes them."""
        return self._described.get(self._ask_fields)

    def field(self, name: str) -> dict[str, Any]:
        """Empty where the module has no such field."""
        return next((one for one in self.fields() if one.get("api_name") == name), {})

    def _ask_fields(self) -> tuple[list[dict[str, Any]], float]:
        answer = self.api.call("GET", "/settings/fields", params={"module": self.module})
        return self.rows(answer, "fields"), FIELDS_GOOD_FOR_S

    def watch(self, url: str, secret: str) -> None:
        """Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html.

        secret: 50 characters at most. The channel's number follows from `url`: watched again, it goes on.
        """
        channel = {
            "channel_id": str(int(hashlib.sha256(url.encode()).hexdigest()[:13], 16)),
            "events": [f"{self.module}.edit", f"{self.module}.delete"],
            "notify_url": url,
            "token": secret,
            "channel_expiry": (datetime.now(UTC) + HOOK_LIFE).isoformat(timespec="seconds"),
        }
        self.api.call("POST", "/actions/watch", json={"watch": [channel]})

    def check_notification(self, request: RawRequest, secret: str) -> None:
        """Raise BadSignature unless the body holds the secret: Zoho signs nothing."""
        try:
            sent = json_object(self.label, request.body).get("token")
        except Malformed:
            sent = None
        check_secret(self.label, str(sent or ""), secret, "token in the body")

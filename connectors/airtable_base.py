"""The Airtable base and table tasks go to, and its webhooks.
Source: https://airtable.com/developers/web/api/get-base-schema and
https://airtable.com/developers/web/api/webhooks-overview (read 2026-11).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import Refused, Rejected, TargetGone
from connectors.airtable_records import Table
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient, recording
from connectors.oauth import TokenClient
from connectors.payloads import answered, iso_moment

LABEL = "Airtable"
SCOPES = (
    "data.records:read", "data.records:write", "data.recordComments:read", "data.recordComments:write",
    "schema.bases:read", "webhook:manage",
)  # fmt: skip
TABLE_GOOD_FOR_S = 300.0
PAYLOADS = 50  # the most Airtable gives at once
NOTICE_COVERS = timedelta(minutes=2)  # one notice stands for all changes of a short while
MAY_WRITE = ("edit", "create")


class Base:
    def __init__(self, api: ApiClient | TokenClient, base_id: str, table_id: str):
        self._api = api
        self._id = base_id
        self._table_id = table_id
        self._table: Kept[Table] = Kept()
        self._hooks = f"/bases/{base_id}/webhooks"

    def pages(self, path: str, name: str, **asked: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._api.call("GET", path, params=asked)
            yield from rows(LABEL, answer, name)
            asked["offset"] = inside(answer, "offset")
            if not asked["offset"]:
                return

    def table(self) -> Table:
        return self._table.get(self._ask_table)

    def tables(self, base_id: str) -> list[dict[str, Any]]:
        return rows(LABEL, self._api.call("GET", f"/meta/bases/{base_id}/tables"), "tables")

    def all_that_can_be_written(self) -> Iterator[dict[str, Any]]:
        return (base for base in self.pages("/meta/bases", "bases") if base.get("permissionLevel") in MAY_WRITE)

    def check(self) -> str:
        """Who we are and where; raises Refused or TargetGone naming what is missing."""
        me = self._api.call("GET", "/meta/whoami")
        told = inside(me, "scopes")  # for OAuth tokens always, for personal ones not
        missing = [scope for scope in SCOPES if isinstance(told, list) and scope not in told]
        if missing:
            raise Refused(
                f"The Airtable token lacks the scopes {', '.join(missing)}; nothing was changed. Add them and connect "
                "again."
            )
        base = next((one for one in self.pages("/meta/bases", "bases") if one.get("id") == self._id), None)
        if base is None:
            raise TargetGone(
                "Airtable does not show this token the base; nothing was changed. Give the token access to it, or "
                "choose another one."
            )
        if base.get("permissionLevel") not in MAY_WRITE:
            raise Refused(
                "This Airtable user may not edit the base; nothing was changed. Let its owner make the user an editor, "
                "and connect again."
            )
        return f"{inside(me, 'email') or answered(LABEL, me, 'id')} in {base.get('name')}: {self.table().name}"

    def check_column(self, name: str, kinds: tuple[str, ...], in_words: str) -> None:
        if self.table().kind(name) not in kinds:
            raise Rejected(
                f"The Airtable table '{self.table().name}' has no field '{name}' that is {in_words}; nothing was "
                "changed. Add it to the table, or name another one on Destinations.",
                name,
            )

    def set_hook(self, url: str) -> str:
        """Returns the webhook's secret.

        Airtable tells it only when a webhook is made, so an earlier one to this address is replaced.
        """
        for hook in self._all_hooks():
            if hook.get("notificationUrl") == url:
                self._api.call("DELETE", f"{self._hooks}/{hook['id']}")
        filters = {"dataTypes": ["tableData"], "recordChangeScope": self._table_id}
        wanted = {"notificationUrl": url, "specification": {"options": {"filters": filters}}}
        with recording():  # and thrown away: the answer holds the secret
            answer = self._api.call("POST", self._hooks, json=wanted)
        return answered(LABEL, answer, "macSecretBase64")

    def changed_before(self, noticed_at: datetime, hook_id: str) -> tuple[str, ...]:
        """Ids of the table's records changed or deleted shortly before. Being asked, Airtable keeps the webhook alive.

        A webhook nobody asks ends after seven days.
        """
        cursor = next(
            (hook.get("cursorForNextPayload") for hook in self._all_hooks() if hook.get("id") == hook_id), None
        )
        if not isinstance(cursor, int):
            return ()  # the webhook was removed meanwhile
        asked = {"cursor": max(1, cursor - PAYLOADS), "limit": PAYLOADS}
        answer = self._api.call("GET", f"{self._hooks}/{hook_id}/payloads", params=asked)
        found: list[str] = []
        for payload in rows(LABEL, answer, "payloads"):
            moment = payload.get("timestamp")  # a payload that tells of an error has none
            if moment and iso_moment(moment) >= noticed_at - NOTICE_COVERS:
                table = inside(payload, "changedTablesById", self._table_id) or {}
                found += [*(table.get("changedRecordsById") or ()), *(table.get("destroyedRecordIds") or ())]
        return tuple(dict.fromkeys(found))

    def _all_hooks(self) -> list[dict[str, Any]]:
        return rows(LABEL, self._api.call("GET", self._hooks), "webhooks")

    def _ask_table(self) -> tuple[Table, float]:
        for table in self.tables(self._id):
            if table.get("id") == self._table_id:
                return Table.of(table), TABLE_GOOD_FOR_S
        raise TargetGone(
            "The Airtable base has no such table any more; nothing was sent. Choose another one and replay."
        )

"""Asking one HubSpot account: its owners, the properties of an object type, and the notes on a record.
Source: https://developers.hubspot.com/docs/guides/api/crm/owners, .../guides/api/crm/properties and
https://developers.hubspot.com/docs/guides/api/crm/engagements/notes (read 2026-11).
"""

from datetime import UTC, datetime
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import Person, RemoteComment, RemoteField
from connectors.answers import Kept, clipped, inside, rows
from connectors.http import ApiClient
from connectors.hubspot_objects import (
    KINDS,
    LABEL,
    LONGEST_MARKED_UP,
    OWNER,
    as_html,
    comment_of,
    field_of,
    is_writable,
    time_of,
)
from connectors.oauth import TokenClient
from connectors.payloads import answered

NOTES = "/crm/v3/objects/notes"
NOTE = ("hs_note_body", OWNER)  # what is read of one
KEPT_FOR_S = 300.0
OWNERS_PAGE = 500  # the most HubSpot gives at once
NOTES_READ = 100  # the newest: as many ids as one filter takes


class Account:
    def __init__(self, api: ApiClient | TokenClient, object_type: str):
        self._api = api
        self._object = object_type
        self._people: Kept[list[Person]] = Kept()

    def name(self) -> str:
        return f"Account {answered(LABEL, self._api.call('GET', '/account-info/v3/details'), 'portalId')}"

    def people(self) -> list[Person]:
        return self._people.get(self._ask_people)

    def name_of(self, owner_id: str) -> str:
        """Empty for nobody, and for somebody who left."""
        return next((person.name for person in self.people() if person.id == owner_id), "") if owner_id else ""

    def fields(self) -> list[RemoteField]:
        return [field_of(one, KINDS[self._object]) for one in self._properties() if is_writable(one)]

    def check_properties(self, unique: str, due: str) -> None:
        """unique, due: the names of properties there must be; may be empty. Raises Rejected."""
        names = [name for name in (unique, due) if name]
        known = {one.get("name"): one for one in self._properties()} if names else {}
        for name in names:
            if name not in known:
                raise Rejected(
                    f"HubSpot's {self._object} have no property '{name}'; nothing was changed. Make it in HubSpot, or "
                    "correct its name on Destinations.",
                    name,
                )
        if unique and known[unique].get("hasUniqueValue") is False:
            raise Rejected(
                f"HubSpot's property '{unique}' does not require unique values, so it prevents no second task; nothing "
                "was changed. Make one that does and name it on Destinations.",
                unique,
            )

    def add_note(self, record_id: str, text: str) -> None:
        to_it = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": KINDS[self._object].note}
        body = as_html(clipped(text, LONGEST_MARKED_UP))
        wanted = {
            "properties": {"hs_note_body": body, "hs_timestamp": time_of(datetime.now(UTC))},
            "associations": [{"to": {"id": record_id}, "types": [to_it]}],
        }
        self._api.call("POST", NOTES, json=wanted)

    def notes_on(self, record_id: str) -> list[RemoteComment]:
        """The newest ones, oldest first.

        The search shows a new note late, so one that it does not know yet is read alone.
        """
        path = f"/crm/v3/objects/{self._object}/{record_id}"
        record = self._api.call("GET", path, params={"associations": "notes"})
        answered(LABEL, record, "id")
        linked = inside(record, "associations", "notes", "results") or ()
        ids = sorted({str(one["id"]) for one in linked}, key=int)[-NOTES_READ:]
        known = {note["id"]: note for note in self._search_notes(ids)} if ids else {}
        asked = {"properties": ",".join(NOTE)}
        notes = [known.get(one) or self._api.call("GET", f"{NOTES}/{one}", params=asked) for one in ids]
        notes.sort(key=lambda note: note.get("createdAt") or "")
        return [comment_of(note, self.name_of(inside(note, "properties", OWNER) or "")) for note in notes]

    def _search_notes(self, ids: list[str]) -> list[dict[str, Any]]:
        these = {"propertyName": "hs_object_id", "operator": "IN", "values": ids}
        wanted = {"filterGroups": [{"filters": [these]}], "properties": NOTE, "limit": NOTES_READ}
        return rows(LABEL, self._api.call("POST", f"{NOTES}/search", json=wanted, changes_nothing=True), "results")

    def _properties(self) -> list[dict[str, Any]]:
        return rows(LABEL, self._api.call("GET", f"/crm/v3/properties/{self._object}"), "results")

    def _ask_people(self) -> tuple[list[Person], float]:
        people, asked = [], {"limit": OWNERS_PAGE}
        while True:
            answer = self._api.call("GET", "/crm/v3/owners/", params=asked)
            for one in rows(LABEL, answer, "results"):
                email = one.get("email") or ""
                name = " ".join(filter(None, (one.get("firstName"), one.get("lastName")))) or email or one["id"]
                people.append(Person(one["id"], name, email))
            asked["after"] = inside(answer, "paging", "next", "after")
            if not asked["after"]:
                return people, KEPT_FOR_S

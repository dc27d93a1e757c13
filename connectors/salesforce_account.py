"""Asking one Salesforce org: queries page by page, the description of an object, and the forms that get a token."""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import jwt
from pydantic import AfterValidator

from app.domain.errors import Refused, Unauthorized
from app.domain.tasks import RemoteComment
from connectors.answers import Kept, inside, rows
from connectors.oauth import TokenClient
from connectors.salesforce_records import CHATTER, Kind, check_key_field, comment_of, literal

API = "/services/data/v68.0"
DESCRIBED_FOR_S = 300.0
JWT_LIFE_S = 120  # Salesforce takes three minutes at most
PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)(.*)(-----END [A-Z ]+-----)", re.DOTALL)
SANDBOXES = (".sandbox", ".scratch", ".develop")  # the end of their My Domain's name; they sign in at another host


def _only_the_name(domain: str) -> str:
    host = re.sub(r"^https?://", "", domain.lower()).split("/")[0]
    name = re.sub(r"\.(my\.salesforce|lightning\.force|my\.salesforce-setup)\.com$", "", host)
    if not re.fullmatch(r"[a-z0-9.-]*", name) or name.endswith(".com"):
        raise ValueError("should be the part before .my.salesforce.com, such as acme")
    return name


MyDomain = Annotated[str, AfterValidator(_only_the_name)]


class Account:
    """object_name: what kind of record holds tasks."""

    def __init__(self, label: str, api: TokenClient, object_name: str, kind: Kind):
        self.label = label
        self.api = api
        self.path = f"{API}/sobjects/{object_name}"
        self._object_name = object_name
        self._kind = kind
        self._described: Kept[dict[str, Any]] = Kept()

    def check(self, key_field: str) -> None:
        """Raise unless records can be made and changed, and upserted by `key_field` where there is one."""
        described = self._describe()
        for right, name in (("createable", "Create"), ("updateable", "Edit")):
            if not described.get(right):
                raise Refused(
                    f"The Salesforce user lacks the permission {name} on the object {self._object_name}; nothing was "
                    "changed. Grant it in Setup, Permission Sets, and connect again."
                )
        if key_field:
            check_key_field(self._object_name, key_field, self.fields())

    def fields(self) -> list[dict[str, Any]]:
        return rows(self.label, self._describe(), "fields")

    def records(self, where: str, more: str = "", headers: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """more: a field that is read besides those a TaskRef needs."""
        asked = f"Id, Status, {self._kind.ended}, Owner.Name, SystemModstamp" + (f", {more}" if more else "")
        return self.query(f"SELECT {asked} FROM {self._object_name} WHERE {where}", headers)  # noqa: S608

    def notes(self, record_id: str) -> list[RemoteComment]:
        """What people wrote on a record, oldest first."""
        of_chatter = (", IsRichText", " AND Type = 'TextPost'") if self._kind.note == CHATTER else ("", "")
        wanted = (
            f"SELECT Id, {self._kind.note_text}, CreatedBy.Name, CreatedDate{of_chatter[0]} "  # noqa: S608
            f"FROM {self._kind.note} WHERE ParentId = {literal(record_id)}{of_chatter[1]}"
        )
        found = sorted(self.query(wanted), key=lambda note: note.get("CreatedDate") or "")
        return [comment_of(note, self._kind) for note in found]

    def states(self) -> list[dict[str, Any]]:
        """The org's own values of the status, in their order."""
        wanted = f"SELECT ApiName, IsDefault, {self._kind.ended} FROM {self._kind.states} ORDER BY SortOrder"  # noqa: S608
        return list(self.query(wanted))

    def query(self, soql: str, headers: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
        answer = self.api.call("GET", f"{API}/query", params={"q": soql}, headers=headers)
        while True:
            yield from rows(self.label, answer, "records")
            after = inside(answer, "nextRecordsUrl")
            if not after:
                return
            answer = self.api.call("GET", urlsplit(after).path, headers=headers)

    def _describe(self) -> dict[str, Any]:
        return self._described.get(lambda: (self.api.call("GET", f"{self.path}/describe"), DESCRIBED_FOR_S))


def token_form(
    client_id: str, client_secret: str, refresh_token: str, username: str, private_key: str, domain: str
) -> dict[str, str]:
    """Of the grant the values at hand allow: with a private key, after consent, or for the app itself.

    Source: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flows.htm.
    """
    if private_key:
        assertion = _assertion(client_id, username, private_key, domain)
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    form = {"client_id": client_id, "client_secret": client_secret}
    if refresh_token:
        return form | {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return form | {"grant_type": "client_credentials"}


def _assertion(client_id: str, username: str, private_key: str, domain: str) -> str:
    """Source: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm."""
    place = "test" if domain.endswith(SANDBOXES) else "login"
    claims = {
        "iss": client_id, "sub": username, "aud": f"https://{place}.salesforce.com",
        "exp": int(time.time()) + JWT_LIFE_S,
    }  # fmt: skip
    try:
        return jwt.encode(claims, _with_lines(private_key), algorithm="RS256")
    except (ValueError, TypeError, jwt.InvalidKeyError) as error:
        raise Unauthorized(
            "The private key for Salesforce cannot be read, so nothing was sent. Paste the whole PEM file, from "
            "-----BEGIN to the last line, without a passphrase, and connect again."
        ) from error


def _with_lines(pem: str) -> str:
    """A PEM file pasted into a form's field of one line has lost its line ends."""
    parts = PEM.search(pem)
    return "\n".join([parts[1], *parts[2].split(), parts[3]]) if parts else pem

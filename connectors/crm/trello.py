"""Trello, REST API v1. Source: https://developer.atlassian.com/cloud/trello/rest/ (read 2026-11)."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside, rows
from connectors.base import CrmConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, TokenStore
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.signatures import check_secret
from connectors.trello_board import Board
from connectors.trello_cards import (
    CARD,
    FIELDS,
    LONGEST_TEXT,
    comment_of,
    content_of,
    custom_field,
    custom_names,
    custom_values,
    is_made_with,
    labels_of,
    ref_of,
)
from connectors.trello_errors import AlreadySet, error_of

LOOKED_BACK = timedelta(days=30)  # how old a card may be to be found by its key
READ_ONE_BY_ONE = 50  # above, the whole board costs fewer calls than the changed cards
CHANGING = "createCard,updateCard,addMemberToCard,removeMemberFromCard,commentCard"


class Config(CrmConfig):
    key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="On trello.com/power-ups/admin make a Power-Up for your workspace, then open API key",
    )
    token: SecretStr = Field(
        title="Token",
        min_length=1,
        description="Beside the API key, follow the link Token and allow it. It acts as the Trello member you are "
        "signed in as",
    )
    list: str = Field(
        title="List",
        min_length=1,
        description="Choose it from the list, or open one of its cards, add .json to the address and copy idList",
    )
    done_list: str = Field(
        "",
        title="List of finished cards",
        description="Optional, the id of a list on the same board: a card there counts as done, and a task that is "
        "done is moved there. Without it the card's own check mark counts",
    )
    hook_secret: SecretStr = Field(
        SecretStr(""), title="Secret", description="Beside the API key; needed only for Trello to tell of changes"
    )


class Connector:
    label: ClassVar[str] = "Trello"
    docs: ClassVar[str] = "https://developer.atlassian.com/cloud/trello/rest/api-group-cards/"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE,
        Capability.FIND_LAGS,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "Trello takes no idempotency key, so each card's description ends with the task's key, and after an uncertain "
        "end it is looked for among all cards of the board made in the last 30 days before anything is created again. "
        "https://developer.atlassian.com/cloud/trello/rest/api-group-boards/"
    )
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/rate-limits/
    RATE_PER_S: ClassVar[float | None] = 10.0
    CONSENT: ClassVar[Consent | None] = None  # Trello's own page hands the token to the browser, not to a server
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        """Key and token go into a header, as addresses end up in logs; only `check` must name the token in one."""
        key, token = self.config.key.get_secret_value(), self.config.token.get_secret_value()
        proof = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'
        return ApiClient(
            self.label, f"{self.config.base_url or 'https://api.trello.com'}/1", headers={"Authorization": proof},
            transport=self.transport, error_of=error_of, secrets=(key, token),
        )  # fmt: skip

    @cached_property
    def board(self) -> Board:
        return Board(self.api, self.config.list)

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", "/members/me", params={"fields": "fullName"}), "fullName")
        path = f"/tokens/{quote(self.config.token.get_secret_value(), safe='')}"
        token = self.api.call("GET", path, params={"fields": "permissions"})
        if not any(one.get("write") for one in rows(self.label, token, "permissions")):
            raise Refused(
                "The Trello token may only read; nothing was changed. Follow the link Token beside the API key once "
                "more, allow reading and writing, and connect again."
            )
        target = self.api.call("GET", f"/lists/{self.config.list}", params={"fields": "name,closed"})
        if inside(target, "closed"):
            raise TargetGone("The Trello list is archived; nothing was changed. Choose another one on Destinations.")
        return f"{name} in {answered(self.label, target, 'name')}"

    def targets(self) -> list[Target]:
        asked = {"filter": "open", "fields": "name", "lists": "open"}
        return [
            Target(f"{board.get('name')}: {one.get('name')}", {"list": one["id"]})
            for board in self.board.rows("/members/me/boards", asked)
            for one in board.get("lists") or ()
        ]

    def fields(self) -> list[RemoteField]:
        return [*FIELDS, *(custom_field(one) for one in self.board.custom_fields())]

    def people(self) -> list[Person]:
        members = self.board.rows(f"{self.board.path}/members", {"fields": "fullName,username"})
        return [Person(one["id"], one.get("fullName") or one.get("username") or one["id"]) for one in members]

    def create(self, task: Task) -> TaskRef:
        values = self._custom_values(task)
        wanted = content_of(task) | {"idList": self.config.list}
        labels = [self.board.label_id(name) for name in labels_of(task)]
        if labels:
            wanted["idLabels"] = ",".join(labels)
        card = self.api.call("POST", "/cards", json=wanted)
        ref = TaskRef(answered(self.label, card, "id"), inside(card, "shortUrl") or "")
        try:
            self._set_custom(ref, values)
        except RemoteError as error:
            raise Ambiguous(
                "Trello made the card but did not take all custom fields. The card is looked for and kept as it is; "
                "fill in the missing fields there."
            ) from error
        return ref

    def find(self, key: str) -> TaskRef | None:
        since = (datetime.now(UTC) - LOOKED_BACK).isoformat()
        asked = {"filter": "all", "fields": "desc,shortUrl", "since": since}
        for card in self.board.pages(f"{self.board.path}/cards", asked):
            if is_made_with(key, card):
                return TaskRef(answered(self.label, card, "id"), card.get("shortUrl") or "")
        return None

    def update(self, ref: TaskRef, task: Task) -> None:
        """Labels stay as they are: people may have changed them."""
        values = self._custom_values(task)
        self.api.call("PUT", f"/cards/{ref.id}", json=content_of(task))
        self._set_custom(ref, values)

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Trello takes no key here: a comment whose end was uncertain may appear twice."""
        self.api.call("POST", f"/cards/{ref.id}/actions/comments", json={"text": clipped(text, LONGEST_TEXT)})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Done is the card's check mark (and list), cancelled is archived."""
        card = self.api.call("GET", f"/cards/{ref.id}", params=CARD)
        now, done_list = self._ref(card).status, self.config.done_list
        if now is status or (status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        wanted: dict[str, Any] = {
            "dueComplete": status is TaskStatus.DONE, "closed": status is TaskStatus.CANCELLED,
        }  # fmt: skip
        if status is TaskStatus.DONE and done_list:
            wanted["idList"] = done_list
        elif inside(card, "idList") == done_list:
            wanted["idList"] = self.config.list
        self.api.call("PUT", f"/cards/{ref.id}", json=wanted)

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self.api.call("GET", f"/cards/{ref.id}", params=CARD))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        found = self.board.pages(f"/cards/{ref.id}/actions", {"filter": "commentCard"})
        return [comment_of(one) for one in found][::-1]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Of the whole board: a card of ours may be moved to another list. Deleted cards are left out."""
        asked = {"filter": CHANGING, "since": (since - timedelta(seconds=1)).isoformat(), "fields": "data"}
        ids = {inside(one, "data", "card", "id") for one in self.board.pages(f"{self.board.path}/actions", asked)} - {
            None
        }
        if len(ids) > READ_ONE_BY_ONE:
            cards = self.board.pages(f"{self.board.path}/cards", CARD | {"filter": "all"})
            yield from (self._ref(card) for card in cards if card.get("id") in ids)
            return
        for card_id in ids:
            try:
                yield self.status(TaskRef(card_id))
            except TargetGone:
                continue  # deleted, or moved to a board we do not see: shows when its own status is asked

    def set_hook(self, url: str) -> dict[str, str]:
        """Trello signs with the app's secret, which it shows to people only."""
        if not self.config.hook_secret.get_secret_value():
            raise Rejected(
                "Trello's secret is missing, so its webhooks could not be proven; none was set. Copy the Secret "
                "beside the API key into 'Secret', save, and try again.",
                "hook_secret",
            )
        wanted = {"callbackURL": url, "idModel": self.board.id, "description": "Octopus"}
        with suppress(AlreadySet):  # by an earlier click
            self.api.call("POST", "/webhooks/", json=wanted)
        return {}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/ (Webhook Signatures)."""
        if request.method == "HEAD":
            return  # Trello looks whether the address answers, before it takes it
        secret, signed = self.config.hook_secret.get_secret_value(), request.body + request.url.encode()
        expected = b64encode(hmac.new(secret.encode(), signed, hashlib.sha1).digest()).decode() if secret else ""
        check_secret(self.label, request.headers.get("x-trello-webhook", ""), expected, "X-Trello-Webhook header")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer(store=request.method != "HEAD")

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        card = json_object(self.label, request.body)["action"]["data"].get("card")
        return (identifier(card["id"]),) if card else ()  # what happens to lists and members names no card

    def _ref(self, card: Any) -> TaskRef:
        return ref_of(card, self.config.list, self.config.done_list)

    def _custom_values(self, task: Task) -> dict[str, dict[str, Any]]:
        return custom_values(task, self.board.custom_fields()) if custom_names(task) else {}

    def _set_custom(self, ref: TaskRef, values: dict[str, dict[str, Any]]) -> None:
        for name, value in values.items():
            self.api.call("PUT", f"/cards/{ref.id}/customField/{name}/item", json=value)

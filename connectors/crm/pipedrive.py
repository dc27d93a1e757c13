"""Pipedrive, API v2 (users, activity types and webhooks: v1): activities. Source: https://developers.pipedrive.com/docs
(read 2026-11).
"""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Rejected, TargetGone, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, identifier, iso_moment, json_object, walks_the_body
from connectors.pipedrive_account import ACTIVITIES, HOOK_USER, ME, Account
from connectors.pipedrive_activities import LONGEST_NOTE, as_html, content_of, error_of, fields_with, note_of
from connectors.signatures import check_secret

ACCOUNTS, TOKEN_PATH = "https://oauth.pipedrive.com", "/oauth/token"
LOOKED_BACK = timedelta(days=30)  # how long ago an activity may have been touched to be found by its key


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="API token",
        description="In Pipedrive open your account's menu, then Personal preferences, API; it acts as you. Leave it "
        "empty to connect an app of yours with the scopes activities:full, users:read and webhooks:full instead",
    )
    activity_type: str = Field(
        "task",
        title="Type of activity",
        min_length=1,
        description="Choose it from the list: task, call, deadline, or one of your own under Company settings",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> "Config":
        if not self.token.get_secret_value() and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("Either an API token or the Client ID and Client secret of an app is needed")
        return self


class Connector:
    label: ClassVar[str] = "Pipedrive"
    docs: ClassVar[str] = "https://developers.pipedrive.com/docs/api/v1/Activities"
    # Without COMMENTS: an activity has one note, and what Octopus adds goes below it.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE,
        Capability.FIND_LAGS,
        Capability.COMMENTS,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "Pipedrive takes no idempotency key and its activities have no fields of your own, so the key stands below the "
        "note, and after an uncertain end it is looked for among the activities of the last 30 days before anything "
        "is created again. https://developers.pipedrive.com/docs/api/v1/Activities"
    )
    RATE_PER_S: ClassVar[float | None] = None  # by plan and by call, which a refusal tells with the wait
    CONSENT: ClassVar[Consent | None] = Consent(  # the scopes are those chosen when the app was registered
        f"{ACCOUNTS}/oauth/authorize", f"{ACCOUNTS}{TOKEN_PATH}", (), basic=True
    )
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.accounts = config.base_url or ACCOUNTS
        self._secret = config.client_secret.get_secret_value()
        self._refresh = config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.accounts, config.client_id, self._secret, self._refresh)

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        token = self.config.token.get_secret_value()
        if token:
            return self._client("", {"x-api-token": token}, token)
        return TokenClient(self._client_of, self._renew, self._tokens)

    @cached_property
    def account(self) -> Account:
        return Account(self.api)

    def check(self) -> str:
        me = self.api.call("GET", ME)
        name, kind = answered(self.label, me, "data", "name"), self.config.activity_type
        types = self.account.types()
        if kind not in [one["key_string"] for one in types]:
            raise Rejected(
                f"Pipedrive has no activity type '{kind}'; nothing was changed. It has: "
                f"{', '.join(one['key_string'] for one in types)}. Choose one of these on Destinations.",
                "type",
            )
        self.api.call("GET", ACTIVITIES, params={"limit": 1})  # refused where the app lacks the scope
        return f"{name} in {inside(me, 'data', 'company_name')}"

    def targets(self) -> list[Target]:
        return [
            Target(str(one.get("name") or one["key_string"]), {"activity_type": one["key_string"]})
            for one in self.account.types()
        ]

    def fields(self) -> list[RemoteField]:
        return fields_with(tuple(one["key_string"] for one in self.account.types()), self.account.priorities())

    def people(self) -> list[Person]:
        return self.account.people()

    def create(self, task: Task) -> TaskRef:
        wanted = {"type": self.config.activity_type, **content_of(task, self.account.priorities())}
        wanted["note"] = note_of(task, _marker(task.key))
        place = self._place()  # asked for before: after the create nothing may fail any more
        activity_id = answered(self.label, self.api.call("POST", ACTIVITIES, json=wanted), "data", "id")
        return TaskRef(activity_id, place + activity_id)

    def find(self, key: str) -> TaskRef | None:
        since, marker = datetime.now(UTC) - LOOKED_BACK, _marker(key)
        touched = self.account.touched_since(since, "desc")
        return next((self._ref(one) for one in touched if marker in str(one.get("note"))), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        """The note stays as it is: comments and what people wrote stand there."""
        self.api.call("PATCH", f"{ACTIVITIES}/{ref.id}", json=content_of(task, self.account.priorities()))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Written below the note with its own key, so it stands there once however often it is tried.

        What a person saves in the note between our reading and writing it, well below a second, is lost.
        """
        note, marker = str(self._activity(ref).get("note") or ""), f"octopus-note-{key}"
        if marker not in note:
            addition = as_html(f"\n\n{clipped(text, LONGEST_NOTE)}\n{marker}")
            self.api.call("PATCH", f"{ACTIVITIES}/{ref.id}", json={"note": note + addition})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Activities are done or not: a cancelled one is done."""
        wanted = status in (TaskStatus.DONE, TaskStatus.CANCELLED)
        if bool(self._activity(ref).get("done")) is not wanted:
            self.api.call("PATCH", f"{ACTIVITIES}/{ref.id}", json={"done": wanted})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self._activity(ref))

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Deleted activities are left out: that shows when their own status is asked."""
        return (self._ref(one) for one in self.account.touched_since(since, "asc"))

    def set_hook(self, url: str) -> dict[str, str]:
        return {"hook_secret": self.account.set_hook(url)}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Pipedrive signs nothing, it only sends the name and password of the webhook.

        Source: https://pipedrive.readme.io/docs/guide-for-webhooks-v2
        """
        secret, sent = self.config.hook_secret.get_secret_value(), request.headers.get("authorization", "")
        expected = "Basic " + b64encode(f"{HOOK_USER}:{secret}".encode()).decode() if secret else ""
        check_secret(self.label, sent, expected, "Authorization header")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        meta = json_object(self.label, request.body)["meta"]
        return (identifier(meta["entity_id"]),) if meta["entity"] == "activity" else ()

    # ---- reading

    def _activity(self, ref: TaskRef) -> dict[str, Any]:
        activity = inside(self.api.call("GET", f"{ACTIVITIES}/{ref.id}"), "data")
        answered(self.label, activity, "id")
        if activity.get("is_deleted"):
            raise TargetGone("The activity was deleted in Pipedrive; nothing was changed there.")
        return activity

    def _ref(self, activity: dict[str, Any]) -> TaskRef:
        activity_id, moment = answered(self.label, activity, "id"), activity.get("update_time")
        owner = str(activity.get("owner_id") or "")
        return TaskRef(
            activity_id,
            self._place() + activity_id,
            TaskStatus.DONE if activity.get("done") else TaskStatus.OPEN,
            next((person.name for person in self.people() if person.id == owner), "") if owner else "",
            iso_moment(moment) if moment else None,
        )

    def _place(self) -> str:
        """The web address of an activity, without its id: the list with that one selected, as it has no page."""
        return f"https://{self.account.domain()}.pipedrive.com/activities/list/user/everyone?selected="

    # ---- signing in

    def _client_of(self, token: Token) -> ApiClient:
        return self._client(token.address, {"Authorization": f"Bearer {token.value}"}, token.value)

    def _client(self, company: str, headers: dict[str, str], secret: str) -> ApiClient:
        """company: the address Pipedrive wants the company's calls at, which it tells with an OAuth token."""
        address = self.config.base_url or company or "https://api.pipedrive.com"
        return ApiClient(
            self.label, address, headers=headers, transport=self.transport, error_of=error_of, secrets=(secret,)
        )

    def _renew(self, kept: Token | None) -> Token:
        refresh = (kept and kept.refresh) or self._refresh
        if not refresh:
            raise Unauthorized("Pipedrive is not connected yet, so nothing was sent. Press Connect on Destinations.")
        client = ApiClient(
            self.label, self.accounts, auth=(self.config.client_id, self._secret), transport=self.transport,
            error_of=error_of, secrets=(self._secret, refresh),
        )  # fmt: skip
        return ask_token(client, TOKEN_PATH, {"grant_type": "refresh_token", "refresh_token": refresh}, kept)


def _marker(key: str) -> str:
    return f"octopus-{key}"

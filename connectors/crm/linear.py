"""Linear, GraphQL API. Source: https://linear.app/developers/graphql and its schema (read 2026-11)."""

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, model_validator

from app.domain.errors import Ambiguous, TargetGone, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside, rows
from connectors.base import ConsentConfig
from connectors.http import ApiClient
from connectors.linear_errors import AlreadyThere, error_of
from connectors.linear_issues import FIELDS, LONGEST_TEXT, comment_of, content_of, id_of, ref_of, state_for, status_of
from connectors.linear_queries import (
    CHANGES,
    COMMENT,
    COMMENTS,
    CREATE,
    FIND,
    HOOKS,
    PEOPLE,
    RESET_HOOK,
    SET_HOOK,
    STATES,
    TEAMS,
    UPDATE,
    VIEWER,
)
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.signatures import check_fresh, check_hmac_sha256

HOOK_TOLERANCE_S = 60.0  # https://linear.app/developers/webhooks
HOOK_KINDS = ["Issue", "Comment"]


class Config(ConsentConfig):
    api_key: SecretStr = Field(
        SecretStr(""),
        title="API key",
        description="In Linear open Settings, then Security & access, Personal API keys, New API key (read and write). "
        "Leave it empty to use Client ID and Client secret and press Connect",
    )
    team: str = Field(
        title="Team",
        min_length=1,
        description="Choose it from the list, or in Linear open the team, press Ctrl+K and choose Copy model UUID",
    )

    @model_validator(mode="after")
    def _has_one_kind_of_credentials(self) -> "Config":
        has_app = bool(self.client_id and self.client_secret.get_secret_value())
        if bool(self.api_key.get_secret_value()) == has_app:
            raise ValueError("Give either an API key, or Client ID and Client secret of your own Linear application")
        return self


class Connector:
    label: ClassVar[str] = "Linear"
    docs: ClassVar[str] = "https://linear.app/developers/graphql"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.FIND_LAGS}
    EXACTLY_ONCE: ClassVar[str] = (
        "Octopus chooses the issue's id from the task's key and Linear takes each id only once, so a second try finds "
        "the first one's issue. https://linear.app/developers/graphql"
    )
    RATE_PER_S: ClassVar[float | None] = None  # the hourly quota depends on the plan and is announced in the headers
    # One entry, as Linear separates scopes by commas: https://linear.app/developers/oauth-2-0-authentication
    CONSENT: ClassVar[Consent | None] = Consent(
        "https://linear.app/oauth/authorize", "https://api.linear.app/oauth/token", ("read,write",),
        extra=(("prompt", "consent"),),
    )  # fmt: skip
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.address = config.base_url or "https://api.linear.app"
        secret, refresh = config.client_secret.get_secret_value(), config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.address, config.client_id, secret, refresh)

    @cached_property
    def api(self) -> ApiClient | TokenClient:
        key = self.config.api_key.get_secret_value()
        return self._client(key, key) if key else TokenClient(self._client_of, self._renew, self._tokens)

    def check(self) -> str:
        answer = self._ask(VIEWER, team=self.config.team)
        return f"{answered(self.label, answer, 'viewer', 'name')} in {answered(self.label, answer, 'team', 'name')}"

    def targets(self) -> list[Target]:
        return [
            Target(f"{team.get('name')} ({team.get('key')})", {"team": team["id"]})
            for team in self._pages(TEAMS, "teams")
        ]

    def fields(self) -> list[RemoteField]:
        return list(FIELDS)

    def people(self) -> list[Person]:
        return [
            Person(one["id"], one.get("name") or one["id"], one.get("email") or "")
            for one in self._pages(PEOPLE, "team", "members", team=self.config.team)
            if one.get("active") is not False
        ]

    def create(self, task: Task) -> TaskRef:
        wanted = {"id": id_of(task.key), "teamId": self.config.team} | content_of(task)
        try:
            answer = self._change(CREATE, input=wanted)
        except AlreadyThere:
            ref = self.find(task.key)
            if ref is None:
                raise
            return ref
        return TaskRef(
            answered(self.label, answer, "issueCreate", "issue", "id"),
            inside(answer, "issueCreate", "issue", "url") or "",
        )

    def find(self, key: str) -> TaskRef | None:
        issue = self._issue(id_of(key))
        return ref_of(issue) if issue else None

    def update(self, ref: TaskRef, task: Task) -> None:
        self._succeeded(self._change(UPDATE, id=ref.id, input=content_of(task)), "issueUpdate")

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        wanted = {"id": id_of(key), "issueId": ref.id, "body": clipped(text, LONGEST_TEXT)}
        try:
            self._succeeded(self._change(COMMENT, input=wanted), "commentCreate")
        except AlreadyThere:
            return  # an earlier try got through

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """By the states of the issue's own team: people may have moved it there."""
        answer = self._ask(STATES, id=ref.id)
        now = status_of(inside(answer, "issue"))
        if now is status or (status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        state = state_for(status, rows(self.label, answer, "issue", "team", "states", "nodes"))
        self._succeeded(self._change(UPDATE, id=ref.id, input={"stateId": state}), "issueUpdate")

    def status(self, ref: TaskRef) -> TaskRef:
        issue = self._issue(ref.id)
        if issue is None or issue.get("trashed"):
            raise TargetGone("Linear does not know the issue any more: it was deleted there, or access to it ended.")
        return ref_of(issue)

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        found = list(self._pages(COMMENTS, "issue", "comments", id=ref.id))
        return [comment_of(one) for one in sorted(found, key=lambda one: one.get("createdAt") or "")]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Deleted issues are left out: that shows when their own status is asked."""
        moment = since.astimezone(UTC).isoformat()
        for issue in self._pages(CHANGES, "issues", team=self.config.team, since=moment):
            if not issue.get("trashed"):
                yield ref_of(issue)

    def set_hook(self, url: str) -> dict[str, str]:
        """A second click gives the webhook there is a new secret instead of adding another one."""
        secret = secrets.token_urlsafe(32)
        wanted = {"resourceTypes": HOOK_KINDS, "secret": secret, "enabled": True}
        for hook in self._pages(HOOKS, "webhooks"):
            if hook.get("url") == url and inside(hook, "team", "id") == self.config.team:
                self._succeeded(self._change(RESET_HOOK, id=hook["id"], input=wanted), "webhookUpdate")
                return {"hook_secret": secret}
        wanted |= {"url": url, "teamId": self.config.team, "label": "Octopus"}
        self._succeeded(self._change(SET_HOOK, input=wanted), "webhookCreate")
        return {"hook_secret": secret}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://linear.app/developers/webhooks. The time stands in the signed body, in milliseconds."""
        secret, sent = self.config.hook_secret.get_secret_value(), request.headers.get("linear-signature", "")
        if not secret:  # anybody can sign with an empty one
            sent = ""
        check_hmac_sha256(self.label, sent, secret, request.body, "", "Linear-Signature header")
        sent_ms = json_object(self.label, request.body).get("webhookTimestamp")
        check_fresh(self.label, str(sent_ms // 1000) if isinstance(sent_ms, int) else "", now, HOOK_TOLERANCE_S)

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        event = json_object(self.label, request.body)
        if event["type"] == "Issue":
            return (identifier(event["data"]["id"]),)
        issue = event["data"].get("issueId") if event["type"] == "Comment" else None
        return (identifier(issue),) if issue else ()  # comments stand on projects and documents as well

    def _issue(self, issue_id: str) -> dict[str, Any] | None:
        return next(iter(rows(self.label, self._ask(FIND, id=issue_id), "issues", "nodes")), None)

    def _pages(self, query: str, *path: str, **variables: Any) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            answer = self._ask(query, after=after, **variables)
            yield from rows(self.label, answer, *path, "nodes")
            after = inside(answer, *path, "pageInfo", "endCursor")
            if not inside(answer, *path, "pageInfo", "hasNextPage") or not after:
                return

    def _ask(self, query: str, **variables: Any) -> Any:
        wanted = {"query": query, "variables": variables}
        return inside(self.api.call("POST", "/graphql", json=wanted, changes_nothing=True), "data")

    def _change(self, mutation: str, **variables: Any) -> Any:
        return inside(self.api.call("POST", "/graphql", json={"query": mutation, "variables": variables}), "data")

    def _succeeded(self, answer: Any, mutation: str) -> None:
        if inside(answer, mutation, "success") is not True:
            raise Ambiguous(f"Linear did not say whether {mutation} succeeded. It is tried again.")

    def _client_of(self, token: Token) -> ApiClient:
        return self._client(f"Bearer {token.value}", token.value)

    def _client(self, authorization: str, *hidden: str) -> ApiClient:
        headers = {"Authorization": authorization} if authorization else {}
        return ApiClient(
            self.label, self.address, headers=headers, transport=self.transport, error_of=error_of, secrets=hidden
        )

    def _renew(self, kept: Token | None) -> Token:
        secret = self.config.client_secret.get_secret_value()
        refresh = (kept.refresh if kept else "") or self.config.refresh_token.get_secret_value()
        if not refresh:
            raise Unauthorized("Linear has not let Octopus in yet; nothing was sent. Press Connect on Destinations.")
        form = {
            "grant_type": "refresh_token", "refresh_token": refresh, "client_id": self.config.client_id,
            "client_secret": secret,
        }  # fmt: skip
        return ask_token(self._client("", secret, refresh), "/oauth/token", form, kept)

"""monday.com, platform API (GraphQL), version 2026-10: items on a board.
Source: https://developer.monday.com/api-reference (read 2026-11).
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import httpx
import orjson

from app.domain.errors import Ambiguous, Rejected, RemoteError, TargetGone, Unauthorized
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import body_of, inside, rows
from connectors.http import ApiClient
from connectors.monday_board import PAGE, Board
from connectors.monday_columns import Columns, chosen_for, options, remote_fields, visible
from connectors.monday_config import Config
from connectors.monday_errors import UnknownColumn, error_of
from connectors.monday_hooks import answer_of, changed_item, check_request
from connectors.monday_items import (
    comments_of,
    content_of,
    given_at_first,
    html_of,
    is_clipped,
    mapped,
    name_of,
    ref_of,
    status_of,
)
from connectors.monday_queries import CHANGE, COMMENT, COMMENTS, CREATE, FIND, LABELS, STATUS
from connectors.oauth import Consent, Token, TokenClient, TokenStore, ask_token, tokens_of_process
from connectors.payloads import answered, walks_the_body
from connectors.statuses import Statuses

VERSION = "2026-10"
ACCOUNTS, TOKEN_PATH = "https://auth.monday.com", "/oauth_ms/oauth/token"


class Connector:
    label: ClassVar[str] = "monday.com"
    docs: ClassVar[str] = "https://developer.monday.com/api-reference/reference/items"
    # monday.com does not say how soon a new item is found by its columns, so that a search is made twice.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.IDEMPOTENT_CREATE}
    EXACTLY_ONCE: ClassVar[str] = (
        "monday.com takes no idempotency key, so each item carries the task's key in a text column, and after an "
        "uncertain end it is looked for by that column before anything is created again. "
        "https://developer.monday.com/api-reference/reference/items-page-by-column-values"
    )
    # 1,000 a minute on the smallest plans; each plan's calls a day are limited besides:
    # https://developer.monday.com/api-reference/docs/rate-limits
    RATE_PER_S: ClassVar[float | None] = 1_000 / 60
    # The token's address is the one of the new OAuth flow, which alone gives refresh tokens:
    # https://developer.monday.com/apps/docs/migrating-to-the-new-oauth-flow
    CONSENT: ClassVar[Consent | None] = Consent(
        f"{ACCOUNTS}/oauth2/authorize", f"{ACCOUNTS}{TOKEN_PATH}",
        ("me:read", "boards:read", "boards:write", "updates:read", "updates:write", "users:read", "webhooks:write"),
    )  # fmt: skip
    HOOK_STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.accounts = config.base_url or ACCOUNTS
        self._secret, self._refresh = config.client_secret.get_secret_value(), config.refresh_token.get_secret_value()
        self._tokens = tokens or tokens_of_process(self.accounts, config.client_id, self._secret, self._refresh)
        self.columns = Columns(
            config.key_column, config.text_column, config.status_column, config.due_column, config.people_column,
            config.priority_column, config.labels_column,
        )  # fmt: skip
        self._statuses = Statuses(config.open_label, config.done_label, config.cancelled_label)
        self.CAN = Connector.CAN - (set() if config.status_column else {Capability.TRANSITION})

    @cached_property
    def board(self) -> Board:
        return self._board()

    def check(self) -> str:
        labels = (self.config.open_label, self.config.done_label, self.config.cancelled_label)
        return self.board.check(self.columns, labels)

    def targets(self) -> list[Target]:
        return [
            Target(str(board.get("name")), {"board": board["id"]} | chosen_for(board.get("columns") or ()))
            for board in self.board.all_that_can_be_written()
        ]

    def fields(self) -> list[RemoteField]:
        return remote_fields(self.board.columns().values(), self.config.key_column)

    def people(self) -> list[Person]:
        return [Person(one["id"], one.get("name") or one["id"], one.get("email") or "") for one in self.board.people()]

    def create(self, task: Task) -> TaskRef:
        try:
            answer = self._create(task)
        except UnknownColumn:
            self.board.add_own_columns(self.columns)
            answer = self._create(task)
        ref = TaskRef(answered(self.label, answer, "create_item", "id"), inside(answer, "create_item", "url") or "")
        if is_clipped(task, self.columns):
            try:
                self.comment(ref, body_of(task), task.key)
            except RemoteError as error:
                raise Ambiguous(
                    "monday.com made the item, but its column takes no more than 2,000 characters, and the update with "
                    "the whole text was not taken. The item is looked for and kept as it is."
                ) from error
        return ref

    def find(self, key: str) -> TaskRef | None:
        """Archived and deleted items are not found."""
        asked = {"board": self.config.board, "column": self.config.key_column, "columns": self.columns.read()}
        found = rows(self.label, self.board.ask(FIND, key=key, **asked), "items_page_by_column_values", "items")
        return self._ref(found[0]) if found else None

    def update(self, ref: TaskRef, task: Task) -> None:
        """Status and labels stay as they are: people may have changed them."""
        self._write(self.config.board, ref, self._content(task) | {"name": name_of(task)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """monday.com takes no key here: an update whose end was uncertain may appear twice."""
        self.board.change(COMMENT, item=ref.id, body=html_of(text))

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """On the board the item is on now: people may have moved it."""
        column = self.config.status_column
        item = self._item(LABELS, ref, status=[column])
        now, (wanted, label) = status_of(item, self.columns, self._statuses), self._statuses.nearest(status)
        if now in (status, wanted) or (wanted is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return
        known = options(visible(inside(item, "board", "columns") or ()).get(column, {}))
        if label and label not in known:
            raise Rejected(
                f"The monday.com column '{column}' has no label '{label}'; the item was left as it is. Name one it has "
                f"on Destinations: {', '.join(known)}.",
                column,
            )
        self._write(answered(self.label, item, "board", "id"), ref, {column: {"label": label} if label else {}})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self._item(STATUS, ref))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        updates = self.board.pages(COMMENTS, "items", 0, "updates", limit=PAGE, item=ref.id)
        found = [comment for update in updates for comment in comments_of(update)]
        return sorted(found, key=lambda one: one.written_at.isoformat() if one.written_at else "")

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Archived and deleted items are left out: that shows when their own status is asked."""
        since = since.replace(microsecond=0)  # monday.com's times have whole seconds
        for item in self.board.newest_changes(self.columns):
            ref = self._ref(item)
            if ref.changed_at and ref.changed_at < since:
                return
            yield ref

    def set_hook(self, url: str) -> dict[str, str]:
        secret = secrets.token_urlsafe(32)
        hooks = self._board(secret).set_hooks(f"{url}?secret={secret}", self.config.hooks.split())
        return {"hook_secret": secret, "hooks": " ".join(hooks)}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        secret, signing_secret = self.config.hook_secret, self.config.signing_secret
        check_request(self.label, request, secret.get_secret_value(), signing_secret.get_secret_value(), now)

    def answer_hook(self, request: RawRequest) -> Answer:
        return answer_of(self.label, request)

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return (changed_item(self.label, request),)

    def _create(self, task: Task) -> Any:
        values = self._content(task) | given_at_first(task, self.columns, self.config.open_label)
        return self.board.change(
            CREATE, board=self.config.board, name=name_of(task), values=_text(values), labels=self._adds_labels
        )

    def _write(self, board: str, ref: TaskRef, values: dict[str, Any]) -> None:
        self.board.change(CHANGE, board=board, item=ref.id, values=_text(values), labels=self._adds_labels)

    @property
    def _adds_labels(self) -> bool:
        """Only for the columns whose labels are ours: it needs the right to change the board's structure."""
        return bool(self.config.priority_column or self.config.labels_column)

    def _content(self, task: Task) -> dict[str, Any]:
        return content_of(task, self.columns, self.board.columns() if mapped(task) else {})

    def _item(self, query: str, ref: TaskRef, **more: Any) -> dict[str, Any]:
        found = rows(self.label, self.board.ask(query, item=ref.id, columns=self.columns.read(), **more), "items")
        if not found or found[0].get("state") == "deleted":
            raise TargetGone("monday.com does not know the item any more: it was deleted there, or access to it ended.")
        return found[0]

    def _ref(self, item: dict[str, Any]) -> TaskRef:
        return ref_of(item, self.columns, self._statuses)

    def _board(self, *hidden: str) -> Board:
        """hidden: what besides the token must not show up in an error or in what is kept of the calls."""
        token = self.config.token.get_secret_value()
        if token:
            return Board(self._client(token, *hidden), self.config.board)
        api = TokenClient(lambda renewed: self._client(renewed.value, *hidden), self._renew, self._tokens)
        return Board(api, self.config.board)

    def _client(self, token: str, *hidden: str) -> ApiClient:
        return ApiClient(
            self.label, self.config.base_url or "https://api.monday.com", transport=self.transport,
            headers={"Authorization": token, "API-Version": VERSION}, error_of=error_of, secrets=(token, *hidden),
        )  # fmt: skip

    def _renew(self, kept: Token | None) -> Token:
        """Each refresh token is good once. monday.com does not tell with it when the token ends: after an hour."""
        refresh = (kept.refresh if kept else "") or self._refresh
        if not refresh:
            raise Unauthorized(
                "monday.com has not let Octopus in yet; nothing was sent. Press Connect on Destinations."
            )
        form = {
            "grant_type": "refresh_token", "refresh_token": refresh, "client_id": self.config.client_id,
            "client_secret": self._secret,
        }  # fmt: skip
        client = ApiClient(
            self.label, self.accounts, transport=self.transport, error_of=error_of, secrets=(self._secret, refresh)
        )
        return ask_token(client, TOKEN_PATH, form, kept)


def _text(values: dict[str, Any]) -> str:
    """monday.com's JSON is a text that holds JSON."""
    return orjson.dumps(values).decode()

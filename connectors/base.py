"""The two interfaces every file below this folder fills: `Channel` for chat services, `Connector` for CRMs.

An adapter knows its vendor and nothing else: no database, no screen, no retry, no logging. Secrets in a
`Config` are `SecretStr`; `base_url` replaces scheme, host and port of the vendor's address, the vendor's
paths follow it, so proxies, self-hosted systems and test servers work.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Protocol

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from app.domain.messages import Answer, Parsed, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.oauth import Consent, TokenStore


def _without_slash(url: HttpUrl) -> str:
    return str(url).rstrip("/")


BaseUrl = Annotated[HttpUrl, AfterValidator(_without_slash)]


class AdapterConfig(BaseModel):
    """What a manager types to connect a bot or a destination. Forms, YAML and docs are drawn from it.

    Each field's `title` is its label, its `description` says where the manager finds the value.
    """

    # A pasted value often carries a space or newline; an error must not show the secret that was typed.
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    base_url: BaseUrl | None = Field(None, title="Own address", description="Only for a proxy or a self-hosted system")


class Channel(Protocol):
    """One configured bot on a chat service.

    The first four methods are pure functions of the request (and the clock): a recorded payload is a
    complete test. The others call the vendor and raise the errors of `app.domain.errors`.
    """

    label: ClassVar[str]
    docs: ClassVar[str]
    RESENDS: ClassVar[bool]  # False: a 503 would lose the event, so the receiver spools it to disk instead
    SETS_WEBHOOK: ClassVar[bool]  # `set_webhook` works; else SETUP_STEPS tell the manager what to click
    SETUP_STEPS: ClassVar[tuple[str, ...]]  # shown in order; `{url}` and config fields are filled in

    def __init__(self, config: AdapterConfig, transport: httpx.BaseTransport | None = None): ...

    def verify(self, request: RawRequest, now: float) -> None:
        """Raise BadSignature unless the request proves its origin. `now`: Unix time in seconds."""

    def answer(self, request: RawRequest) -> Answer:
        """What the channel expects to read back; called after `verify`."""

    def event_key(self, request: RawRequest) -> str:
        """The same for every resend of one event, different for every other event of the bot.

        Raises Malformed when the body cannot be read; the receiver then uses a hash of the bytes.
        """

    def parse(self, request: RawRequest) -> Parsed:
        """The customer's messages in the request. Raises Malformed when the body cannot be read."""

    def check(self) -> str:
        """Ask the vendor who this bot is; returns the name to show."""

    def set_webhook(self, url: str) -> None:
        """Tell the vendor where to send events."""

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """Write `text` into the conversation; returns the vendor's message id. `key` is stable over tries."""


class CrmConfig(AdapterConfig):
    """hook_secret proves the vendor's status webhooks; typed by the manager, or kept when the webhook is set."""

    hook_secret: SecretStr = Field(
        SecretStr(""), title="Webhook secret", description="Filled in by itself where the webhook is set by one click"
    )
    ends_on: date | None = Field(
        None,
        title="Ends on",
        description="Where the vendor gave the token, key or secret an end: you are reminded from two weeks before",
    )


class ConsentConfig(CrmConfig):
    """For connectors with a `CONSENT`: the manager lets Octopus in by the vendor's own page."""

    client_id: str = Field("", title="Client ID", description="Of the app you made in the vendor's developer console")
    client_secret: SecretStr = Field(SecretStr(""), title="Client secret", description="Of the same app")
    refresh_token: SecretStr = Field(
        SecretStr(""), title="Refresh token", description="Filled in by itself when you press Connect"
    )


class Connector(Protocol):
    """One configured account on a CRM or tracker, with its target.

    A method whose Capability is not in CAN is never called and need not be there.
    """

    label: ClassVar[str]
    docs: ClassVar[str]
    CAN: ClassVar[frozenset[Capability]]
    EXACTLY_ONCE: ClassVar[str]  # one sentence for the manager: how a second task is prevented, and the vendor's page
    RATE_PER_S: ClassVar[float | None]  # the vendor's documented limit for one account; None: none published
    CONSENT: ClassVar[Consent | None]  # how a refresh token is got by clicking; None: the vendor has no such page
    HOOK_STEPS: ClassVar[tuple[str, ...]]  # with HOOK, not SETS_HOOK: what to click; fills {url}, {hook_secret}
    HOOK_LASTS: ClassVar[timedelta]  # only where the vendor ends a webhook by itself; it is set again in time

    def __init__(
        self, config: CrmConfig, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None
    ): ...

    def check(self) -> str:
        """Ask the vendor who we are and whether the target can be written; returns the account to show.

        Raises Refused naming the missing permission.
        """

    def targets(self) -> list[Target]:
        """Places tasks can go. Needs Capability.TARGETS."""

    def fields(self) -> list[RemoteField]:
        """The chosen target's fields, for the mapping form. Needs Capability.FIELDS."""

    def people(self) -> list[Person]:
        """Who tasks in the target can be assigned to. Needs Capability.PEOPLE."""

    def create(self, task: Task) -> TaskRef: ...

    def find(self, key: str) -> TaskRef | None:
        """The task made with this key, or None. Needs Capability.FIND."""

    def update(self, ref: TaskRef, task: Task) -> None: ...

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Add a comment. `key` is stable over tries, for vendors that take an idempotency key."""

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Bring the task to OPEN, DONE or CANCELLED, by whatever states the target has; CANCELLED falls back to DONE.

        Does nothing when it is there already. Raises Rejected when the target has no such state.
        """

    def status(self, ref: TaskRef) -> TaskRef:
        """The task as it is now, with assignee and time of change where the vendor tells. Raises TargetGone."""

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        """What stands on the task, oldest first; our own as well. Needs Capability.COMMENTS."""

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Tasks of the target changed at or after `since` by the vendor's clock. Needs Capability.CHANGES."""

    def set_hook(self, url: str) -> dict[str, str]:
        """Tell the vendor where to send changes; returns what the config must keep (`hook_secret`).

        Called again, it replaces or prolongs what the first call made.
        """

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Raise BadSignature unless the request proves its origin. `now`: Unix time in seconds."""

    def answer_hook(self, request: RawRequest) -> Answer:
        """What the vendor expects to read back; called after `verify_hook`, which lets handshakes pass."""

    def changed(self, request: RawRequest) -> tuple[str, ...]:
        """Ids of the tasks the request speaks of: a hint only, each is read again. Raises Malformed."""

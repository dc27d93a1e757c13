"""Discord: interactions and webhook events over HTTP, and the frames of the gateway socket.

Source: https://discord.com/developers/docs/interactions/receiving-and-responding and /docs/events/gateway-events
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import httpx
import orjson
from pydantic import Field, SecretStr, field_validator

from app.domain.errors import Malformed, RemoteError, TransientError
from app.domain.messages import (
    Answer,
    IgnoreReason,
    InboundMessage,
    MessageKind,
    Parsed,
    RawRequest,
)
from connectors import payloads as read
from connectors.base import AdapterConfig
from connectors.discord_messages import (
    attachment,
    conversation_type,
    frame_key,
    read_frame,
    shown_name,
    written,
)
from connectors.http import ApiClient
from connectors.payloads import walks_the_body
from connectors.signatures import check_ed25519, header_bytes

# Interaction types, and the types of our answers to them.
PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
EVENTS_PING = 0  # webhook events number their types on their own: 0 ping, 1 event
PONG, SHOW_MESSAGE, LEAVE_AS_IT_IS, CHOICES = 1, 4, 6, 8
ONLY_FOR_THE_SENDER = 64

WRITTEN_TEXT_OPTIONS = {3, 4, 10}  # text, whole number, number; the others are ids
FILE_OPTION = 11

# Without a command nobody could reach the bot: plain messages do not come over HTTP.
COMMANDS = (
    {
        "type": 1,
        "name": "support",
        "description": "Write to the support team",
        "options": [{"type": 3, "name": "text", "description": "What do you need?", "required": True}],
    },
    {"type": 3, "name": "Send to support"},
)


class Config(AdapterConfig):
    bot_token: SecretStr = Field(
        title="Bot token",
        min_length=1,
        description="discord.com/developers/applications, your application, Bot: 'Reset Token' shows it once",
    )
    application_id: str = Field(
        title="Application ID",
        pattern=r"^\d+$",
        description="discord.com/developers/applications, your application, 'General Information'",
    )
    public_key: str = Field(
        title="Public key",
        description="discord.com/developers/applications, your application, 'General Information': "
        "64 digits and letters a to f",
    )

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, key: str) -> str:
        if len(key) != 64 or not set(key) <= set("0123456789abcdefABCDEF"):
            raise ValueError("should be 64 digits and letters a to f, as 'General Information' shows it")
        return key.lower()


class Channel:
    label: ClassVar[str] = "Discord"
    docs: ClassVar[str] = "https://discord.com/developers/docs/interactions/receiving-and-responding"
    RESENDS: ClassVar[bool] = False
    SETS_WEBHOOK: ClassVar[bool] = True
    SETUP_STEPS: ClassVar[tuple[str, ...]] = (
        "Open https://discord.com/developers/applications and choose 'New Application'.",
        "Copy Application ID and Public Key from 'General Information', and the token from Bot, into the fields here, "
        "and save. Octopus then sets {url} as 'Interactions Endpoint URL' and adds the command /support.",
        "Open https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot+applications.commands"
        "&permissions=2048 and choose your server.",
        "Customers write /support, or choose Apps, 'Send to support' on any message. Discord sends other messages "
        "of a server only over a permanent connection, which is not in use here.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        base_url = self.config.base_url or "https://discord.com"
        token = self.config.bot_token.get_secret_value()
        headers = {"Authorization": f"Bot {token}"}
        return ApiClient(
            self.label,
            f"{base_url}/api/v10",
            headers=headers,
            transport=self.transport,
            error_of=_error_of,
            secrets=(token,),
        )

    def verify(self, request: RawRequest, now: float) -> None:
        """Discord sends false signatures on purpose and removes the address if one passes. It limits no age."""
        check_ed25519(
            self.label,
            sent=request.headers.get("x-signature-ed25519", ""),
            public_key=self.config.public_key,
            signed=header_bytes(request.headers.get("x-signature-timestamp", "")) + request.body,
            what="signature header",
        )

    def answer(self, request: RawRequest) -> Answer:
        try:
            payload = read.json_object(self.label, request.body)
        except Malformed:
            return Answer()  # stored as it is; processing it says what is wrong
        kind = payload.get("type")
        if "event" in payload or kind == EVENTS_PING:
            return Answer(status=204, store="event" in payload)
        if kind == PING:
            return _json_answer({"type": PONG}, store=False)
        if kind == AUTOCOMPLETE:
            return _json_answer({"type": CHOICES, "data": {"choices": []}}, store=False)
        if kind == COMPONENT:
            return _json_answer({"type": LEAVE_AS_IT_IS})
        received = {"content": "Received. The support team will look at it.", "flags": ONLY_FOR_THE_SENDER}
        return _json_answer({"type": SHOW_MESSAGE, "data": received})

    @walks_the_body
    def event_key(self, request: RawRequest) -> str:
        payload = read.json_object(self.label, request.body)
        if "op" in payload:
            return frame_key(payload, request.body)
        return _interaction_key(payload) if "id" in payload else read.fingerprint(request.body)

    @walks_the_body
    def parse(self, request: RawRequest) -> Parsed:
        payload = read.json_object(self.label, request.body)
        if "op" in payload:
            return read_frame(payload, self.config.application_id)
        kind = payload["type"]
        if "event" in payload or kind == AUTOCOMPLETE:
            return read.ignored(IgnoreReason.NOT_A_MESSAGE)
        if kind in (EVENTS_PING, PING):
            return read.ignored(IgnoreReason.HANDSHAKE)
        read_interaction = INTERACTIONS.get(kind)
        return read.only(read_interaction(payload)) if read_interaction else read.ignored(IgnoreReason.UNKNOWN)

    def check(self) -> str:
        user = self.api.call("GET", "/users/@me")
        return user.get("username") or read.answered(self.label, user, "id")

    def set_webhook(self, url: str) -> None:
        """Discord pings the address during the call, so the bot must be known to the receiver by then."""
        self.api.call("PATCH", "/applications/@me", json={"interactions_endpoint_url": url})
        for command in COMMANDS:  # a command of the same name is replaced
            self.api.call("POST", f"/applications/{self.config.application_id}/commands", json=command)

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """For some minutes, the same nonce returns the first message instead of making a second one."""
        body = {
            "content": text,
            "allowed_mentions": {"parse": []},
            "nonce": hashlib.sha256(key.encode()).hexdigest()[:25],
            "enforce_nonce": True,
        }
        sent = self.api.call("POST", f"/channels/{conversation_id}/messages", json=body)
        return read.answered(self.label, sent, "id")


def _json_answer(content: dict[str, Any], store: bool = True) -> Answer:
    return Answer(body=orjson.dumps(content), content_type="application/json", store=store)


def _interaction_key(interaction: dict[str, Any]) -> str:
    return f"interaction:{read.identifier(interaction['id'])}"


def _interaction(payload: dict[str, Any], **fields: Any) -> InboundMessage:
    member = payload.get("member") or {}
    user = member.get("user") or payload["user"]
    return InboundMessage(
        conversation_id=read.identifier(payload.get("channel_id") or payload["channel"]["id"]),
        conversation_type=conversation_type("guild_id" in payload),
        sender_id=read.identifier(user["id"]),
        sender_name=shown_name(member, user),
        sender_is_bot=user.get("bot") is True,
        message_id=_interaction_key(payload),  # an interaction has no message of its own
        **fields,
    )


def _command(payload: dict[str, Any]) -> InboundMessage:
    data = payload["data"]
    picked = (data.get("resolved") or {}).get("messages")
    if picked:  # a message command: somebody picked a message for us; its author counts as the sender
        return written(picked[data["target_id"]], "guild_id" in payload)
    options = list(_filled_in(data))
    files = (data.get("resolved") or {}).get("attachments") or {}
    attachments = tuple(attachment(files[option["value"]]) for option in options if option["type"] == FILE_OPTION)
    text = "\n".join(str(option["value"]) for option in options if option["type"] in WRITTEN_TEXT_OPTIONS)
    name = read.text_of(data["name"])
    return _interaction(payload, kind=MessageKind.COMMAND, text=text, action_value=name, attachments=attachments)


def _filled_in(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options of a command; sub-commands hold theirs one or two levels deeper."""
    for option in data.get("options") or ():
        if "value" in option:
            yield option
        yield from _filled_in(option)


def _button(payload: dict[str, Any]) -> InboundMessage:
    return _interaction(
        payload,
        kind=MessageKind.BUTTON,
        action_value=read.text_of(payload["data"]["custom_id"]),
        reply_to_message_id=read.identifier(payload["message"]["id"]),
    )


def _modal(payload: dict[str, Any]) -> InboundMessage:
    data = payload["data"]
    text = "\n".join(_typed(data["components"]))
    return _interaction(payload, kind=MessageKind.FORM, text=text, action_value=read.text_of(data["custom_id"]))


def _typed(components: list[dict[str, Any]]) -> Iterator[str]:
    """Inputs lie in rows (`components`) or, in newer modals, under a label (`component`)."""
    for component in components:
        if "value" in component:
            yield read.text_of(component["value"])
        yield from _typed(component.get("components") or [component[c] for c in ("component",) if c in component])


INTERACTIONS = {COMMAND: _command, COMPONENT: _button, MODAL: _modal}


def _error_of(status: int, headers: httpx.Headers, body: Any) -> RemoteError | None:
    """The wait lies in the body, with decimals; the header rounds it up."""
    if status != 429 or not isinstance(body, dict) or "retry_after" not in body:
        return None
    wait_s = float(body["retry_after"])
    return TransientError(f"Discord asks to wait {wait_s:g} s; nothing was done yet.", wait_s)

"""A program of one's own as a chat service: it sends messages in, and gets the replies to its customers.

Both ways are signed by Standard Webhooks. The same messages come in through the REST API (`POST /messages`).
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
"""

from functools import cached_property
from time import time
from typing import Any, ClassVar

import httpx
import orjson
from pydantic import Field, SecretStr, field_validator

from app.domain.errors import Malformed, Rejected
from app.domain.messages import (
    Answer,
    Attachment,
    ConversationType,
    IgnoreReason,
    InboundMessage,
    MessageKind,
    Parsed,
    RawRequest,
)
from connectors import payloads as read
from connectors import standard_webhooks
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.payloads import walks_the_body

YOURS = "your own program"
REPLIES = "/replies"


class Config(AdapterConfig):
    signing_secret: SecretStr = Field(
        title="Signing secret",
        default_factory=lambda: SecretStr(standard_webhooks.new_secret()),
        description="whsec_ and the base64 of 24 random bytes or more; left empty, one is made that nobody sees, which "
        "is enough for programs that use the REST API only",
    )

    @field_validator("signing_secret")
    @classmethod
    def _can_sign(cls, secret: SecretStr) -> SecretStr:
        if not standard_webhooks.is_secret(secret.get_secret_value()):
            raise ValueError("should be whsec_ and the base64 of at least 24 random bytes")
        return secret


class Channel:
    label: ClassVar[str] = "API"
    docs: ClassVar[str] = "https://www.standardwebhooks.com"
    RESENDS: ClassVar[bool] = True  # a sender that keeps to the specification does
    SETS_WEBHOOK: ClassVar[bool] = False
    SETUP_STEPS: ClassVar[tuple[str, ...]] = (
        "Over the REST API: make a key with the scope write on the page API keys; its program sends messages with "
        "POST /api/v1/messages.",
        "Without a key: the program posts the same JSON to {url}, signed with the signing secret by Standard Webhooks.",
        "For replies to customers, type your program's address as the own address: it gets them at /replies as signed "
        "JSON, and answers with the id it gives them.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        if self.config.base_url is None:
            raise Rejected("This bot has no address of its own to send replies to; nothing was sent.", "base_url")
        return ApiClient(self.label, self.config.base_url, transport=self.transport)

    def verify(self, request: RawRequest, now: float) -> None:
        secret = self.config.signing_secret.get_secret_value()
        standard_webhooks.check(self.label, request.headers, request.body, secret, now)

    def answer(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def event_key(self, request: RawRequest) -> str:
        return message_of(read.json_object(self.label, request.body)).external_key

    @walks_the_body
    def parse(self, request: RawRequest) -> Parsed:
        message = message_of(read.json_object(self.label, request.body))
        if not message.text and not message.attachments:
            return read.ignored(IgnoreReason.NOT_A_MESSAGE)
        return read.only(message)

    def check(self) -> str:
        if self.config.base_url:
            self._post("ping", {}, f"ping-{int(time())}")
        return YOURS

    def set_webhook(self, url: str) -> None:
        raise Rejected("Your program is told the address by hand: follow the setup steps. Nothing was changed.")

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """`key` is the webhook-id, by which the program knows a reply that comes twice."""
        said = {"conversation_id": conversation_id, "thread_id": thread_id, "text": text}
        return read.answered(self.label, self._post("reply", said, key), "id")

    def _post(self, kind: str, data: dict[str, Any], key: str) -> Any:
        content = {"type": kind, "data": data}
        secret = self.config.signing_secret.get_secret_value()
        signed = standard_webhooks.headers([secret], key, int(time()), orjson.dumps(content))
        return self.api.call("POST", REPLIES, json=content, headers=signed, changes_nothing=kind == "ping")


def message_of(content: dict[str, Any]) -> InboundMessage:
    """content: id, sender_id, text; and optionally sender_name, conversation_id, thread_id, sent_at, attachments."""
    sender, files = read.identifier(content["sender_id"]), content.get("attachments") or []
    if not isinstance(files, list):
        raise Malformed("The attachments of the API request are no list. Its bytes are kept.")
    sent_at = content.get("sent_at")
    attachments = tuple(map(_attachment, files))
    text = read.text_of(content.get("text"))
    return InboundMessage(
        conversation_id=read.optional_identifier(content.get("conversation_id")) or sender,
        conversation_type=ConversationType.DIRECT, sender_id=sender, message_id=read.identifier(content["id"]),
        kind=MessageKind.TEXT if text or not attachments else attachments[0].kind, text=text,
        sender_name=read.optional_text(content.get("sender_name")),
        thread_id=read.optional_identifier(content.get("thread_id")),
        sent_at=read.iso_moment(sent_at) if sent_at is not None else None, attachments=attachments,
    )  # fmt: skip


def _attachment(file: dict[str, Any]) -> Attachment:
    mime_type = read.text_of(file.get("mime_type"))
    return Attachment(
        read.kind_of_file(mime_type), url=read.text_of(file["url"]), name=read.text_of(file.get("name")),
        mime_type=mime_type, size_bytes=read.size_of(file.get("size_bytes")),
    )  # fmt: skip

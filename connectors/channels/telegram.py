"""Telegram, Bot API. Source: https://core.telegram.org/bots/api (webhooks: #setwebhook, errors: #making-requests)."""

import re
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, field_validator

from app.domain.errors import RemoteError, TargetGone, TransientError, Unauthorized
from app.domain.messages import Answer, Parsed, RawRequest
from connectors import payloads as read
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.payloads import walks_the_body
from connectors.signatures import check_secret
from connectors.telegram_messages import WANTED_UPDATES, read_update, update_key


class Config(AdapterConfig):
    token: SecretStr = Field(
        title="Bot token",
        min_length=1,
        description="In Telegram, open a chat with @BotFather, send /mybots, choose the bot, then 'API Token'",
    )
    webhook_secret: SecretStr = Field(
        title="Webhook secret",
        min_length=1,
        description="Any long random word of letters, digits, _ and -; Telegram repeats it in every request, "
        "so nobody else can pretend to be Telegram",
    )

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token.get_secret_value()):
            raise ValueError("should look like 123456789:AAExampleLettersAndDigits, as @BotFather shows it")
        return token

    @field_validator("webhook_secret")
    @classmethod
    def _allowed_by_telegram(cls, secret: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.get_secret_value()):
            raise ValueError("may hold 1 to 256 letters (A-Z, a-z), digits, _ and -")
        return secret


class Channel:
    label: ClassVar[str] = "Telegram"
    docs: ClassVar[str] = "https://core.telegram.org/bots/api#setwebhook"
    RESENDS: ClassVar[bool] = True  # for up to 24 hours
    SETS_WEBHOOK: ClassVar[bool] = True
    SETUP_STEPS: ClassVar[tuple[str, ...]] = (
        "In Telegram, open a chat with @BotFather and send /newbot; it asks for a name and answers with the bot token.",
        "Paste the token here, choose a webhook secret, and save. Octopus tells Telegram to send messages to {url}.",
        "To use the bot in groups, send /setprivacy to @BotFather and choose Disable; otherwise it sees only "
        "commands, mentions and replies there.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        base_url = self.config.base_url or "https://api.telegram.org"
        token = self.config.token.get_secret_value()  # a part of every address, so it is masked there as well
        return ApiClient(
            self.label, f"{base_url}/bot{token}", transport=self.transport, error_of=_error_of, secrets=(token,)
        )

    def verify(self, request: RawRequest, now: float) -> None:
        sent = request.headers.get("x-telegram-bot-api-secret-token", "")
        check_secret(self.label, sent, self.config.webhook_secret.get_secret_value(), "secret token header")

    def answer(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def event_key(self, request: RawRequest) -> str:
        return update_key(read.json_object(self.label, request.body))

    @walks_the_body
    def parse(self, request: RawRequest) -> Parsed:
        return read_update(read.json_object(self.label, request.body))

    def check(self) -> str:
        return "@" + read.answered(self.label, self.api.call("GET", "/getMe"), "result", "username")

    def set_webhook(self, url: str) -> None:
        secret = self.config.webhook_secret.get_secret_value()
        wanted = {"url": url, "secret_token": secret, "allowed_updates": WANTED_UPDATES}
        self.api.call("POST", "/setWebhook", json=wanted)

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """Telegram takes no idempotency key: after an ambiguous end the message may have been sent."""
        chat_id, _, connection = conversation_id.partition("@")
        body: dict[str, Any] = {"chat_id": int(chat_id), "text": text}
        if connection:
            body["business_connection_id"] = connection
        if thread_id:
            body["message_thread_id"] = int(thread_id)
        return read.answered(self.label, self.api.call("POST", "/sendMessage", json=body), "result", "message_id")


def _error_of(status: int, headers: httpx.Headers, body: Any) -> RemoteError | None:
    """Where Telegram's answer says more than its status."""
    answer = body if isinstance(body, dict) else {}
    parameters = answer.get("parameters") or {}
    if "migrate_to_chat_id" in parameters:
        return TargetGone(
            f"Telegram moved this group to the chat {parameters['migrate_to_chat_id']}; nothing was sent. "
            "Answer in the conversation of that chat."
        )
    if "retry_after" in parameters:
        wait_s = float(parameters["retry_after"])
        return TransientError(f"Telegram asks to wait {wait_s:.0f} s; nothing was done yet.", wait_s)
    if status in (401, 404):
        return Unauthorized(
            "Telegram does not know the bot token; nothing was done. Paste the token @BotFather shows on Bots."
        )
    if status == 400 and "chat not found" in str(answer.get("description")):
        return TargetGone("Telegram has no such chat, or the bot is not in it; nothing was sent. Invite the bot again.")
    return None

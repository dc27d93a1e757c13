"""WhatsApp Cloud API. Source: https://developers.facebook.com/docs/whatsapp/cloud-api"""

import hashlib
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import (
    BadSignature,
    Refused,
    Rejected,
    RemoteError,
    TargetGone,
    TransientError,
    Unauthorized,
)
from app.domain.messages import Answer, IgnoreReason, Parsed, RawRequest
from connectors import payloads as read
from connectors.base import AdapterConfig
from connectors.http import ApiClient
from connectors.payloads import walks_the_body
from connectors.signatures import check_hmac_sha256, check_secret
from connectors.whatsapp_messages import item_keys, read_payload

GRAPH_VERSION = "v23.0"
MAX_KEY_LENGTH = 200

# Source: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes; others follow their HTTP status.
LIMITED = TransientError, "too many messages at once. Nothing was sent; it can be tried again after a pause."
TOKEN = Unauthorized, "the access token is invalid or has expired. Nothing was sent; paste a new one on Bots."
PERMISSION = Refused, "the access token may not do this. Nothing was sent; give it whatsapp_business_messaging."
ERRORS: dict[int, tuple[type[RemoteError], str]] = {
    **dict.fromkeys((4, 80007, 130429, 131048, 131056), LIMITED),
    **dict.fromkeys((0, 190), TOKEN),
    **dict.fromkeys((3, 10, *range(200, 300), 131005), PERMISSION),
    33: (TargetGone, "the phone number ID does not exist any more. Nothing was sent; check it on Bots."),
    131026: (Refused, "the customer cannot receive it on WhatsApp. Nothing was sent."),
    131030: (Refused, "a test number writes only to listed recipients. Nothing was sent; add this one in Meta's app."),
    131031: (Refused, "the WhatsApp Business account is locked. Nothing was sent; see WhatsApp Manager."),
    131047: (Rejected, "the customer wrote more than 24 hours ago, so only a template may be sent. Nothing was sent."),
}


class Config(AdapterConfig):
    access_token: SecretStr = Field(
        title="Access token",
        min_length=1,
        description="business.facebook.com, Settings, System users: a permanent token with "
        "whatsapp_business_messaging. The token of the app's 'API Setup' page ends after a day",
    )
    phone_number_id: str = Field(
        title="Phone number ID",
        pattern=r"^\d+$",
        description="developers.facebook.com, your app, WhatsApp, 'API Setup': the number below 'From', "
        "not the phone number itself",
    )
    app_secret: SecretStr = Field(
        title="App secret",
        min_length=1,
        description="developers.facebook.com, your app, 'App settings', Basic: 'App secret', Show",
    )
    verify_token: SecretStr = Field(
        title="Verify token",
        min_length=1,
        description="Any word you choose; you type the same one into Meta's webhook form",
    )


class Channel:
    label: ClassVar[str] = "WhatsApp"
    docs: ClassVar[str] = "https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks"
    RESENDS: ClassVar[bool] = True  # for up to 7 days
    SETS_WEBHOOK: ClassVar[bool] = False
    SETUP_STEPS: ClassVar[tuple[str, ...]] = (
        "Open https://developers.facebook.com/apps, choose your app (type Business) and add the product WhatsApp.",
        "Fill in the fields here and save: Meta calls this address while you set it, and the verify token must be "
        "known by then.",
        "In your app choose WhatsApp, Configuration, Webhook, Edit. Callback URL: {url}. Verify token: the one you "
        "typed here. Press 'Verify and save'.",
        "Under 'Webhook fields' subscribe to messages.",
        "Under WhatsApp, 'API Setup', check that the number is registered, and write a message to it.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        base_url = self.config.base_url or "https://graph.facebook.com"
        token = self.config.access_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{base_url}/{GRAPH_VERSION}/{self.config.phone_number_id}"
        return ApiClient(
            self.label, address, headers=headers, transport=self.transport, error_of=_error_of, secrets=(token,)
        )

    def verify(self, request: RawRequest, now: float) -> None:
        if request.method == "GET":
            self._verify_handshake(request.params())
            return
        check_hmac_sha256(
            self.label,
            sent=request.headers.get("x-hub-signature-256", ""),
            secret=self.config.app_secret.get_secret_value(),
            signed=request.body,
            prefix="sha256=",
            what="signature header",
        )

    def answer(self, request: RawRequest) -> Answer:
        if request.method == "GET":
            return Answer(body=request.params().get("hub.challenge", "").encode(), store=False)
        return Answer()

    @walks_the_body
    def event_key(self, request: RawRequest) -> str:
        """The ids of everything in the request, in an order that does not depend on Meta's."""
        keys = item_keys(read.json_object(self.label, request.body))
        if not keys:
            return read.fingerprint(request.body)
        joined = ", ".join(sorted(keys))
        if len(joined) <= MAX_KEY_LENGTH:
            return joined
        return f"{len(keys)} items sha256:{hashlib.sha256(joined.encode()).hexdigest()}"

    @walks_the_body
    def parse(self, request: RawRequest) -> Parsed:
        if request.method == "GET":
            return read.ignored(IgnoreReason.HANDSHAKE)
        return read_payload(read.json_object(self.label, request.body))

    def check(self) -> str:
        number = self.api.call("GET", "", params={"fields": "display_phone_number,verified_name"})
        return f"{number.get('verified_name', '')} {read.answered(self.label, number, 'display_phone_number')}".strip()

    def set_webhook(self, url: str) -> None:
        raise Rejected("Meta takes the address of a WhatsApp bot only in its own settings; follow the setup steps.")

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """Free text is allowed within 24 hours of the customer's last message. `key` comes back in every status."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": conversation_id,
            "type": "text",
            "text": {"body": text, "preview_url": False},
            "biz_opaque_callback_data": key,
        }
        return read.answered(self.label, self.api.call("POST", "/messages", json=body), "messages", 0, "id")

    def _verify_handshake(self, params: dict[str, str]) -> None:
        if params.get("hub.mode") != "subscribe":
            raise BadSignature(f"A GET request that is not {self.label}'s handshake was refused; nothing was stored.")
        expected = self.config.verify_token.get_secret_value()
        check_secret(self.label, params.get("hub.verify_token", ""), expected, "verify token")


def _error_of(status: int, headers: httpx.Headers, body: Any) -> RemoteError | None:
    """Meta's error code says more than the status: a full rate limit comes as 400, too."""
    error = body.get("error") if isinstance(body, dict) else None
    known = ERRORS.get(error.get("code")) if isinstance(error, dict) else None
    if known is None:
        return None
    kind, text = known
    return kind(f"WhatsApp answered with error {error['code']}: {text}")

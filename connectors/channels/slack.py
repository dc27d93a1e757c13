"""Slack, Events API, interactivity and slash commands on one URL.

Source: https://docs.slack.dev/apis/events-api and https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import html
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import (
    Ambiguous,
    Malformed,
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
from connectors.payloads import KEPT, walks_the_body
from connectors.signatures import check_fresh, check_hmac_sha256, header_bytes
from connectors.slack_messages import read_payload

TOLERANCE_S = 300

# Source: the errors of https://docs.slack.dev/reference/methods/chat.postMessage; what is not listed is Rejected.
ERRORS: dict[str, type[RemoteError]] = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"),
        Unauthorized,
    ),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "not_in_channel", "restricted_action", "access_denied", "ekm_access_denied"),
        Refused,
    ),
    **dict.fromkeys(("channel_not_found", "is_archived", "thread_not_found"), TargetGone),
    **dict.fromkeys(("ratelimited", "rate_limited", "service_unavailable"), TransientError),
    **dict.fromkeys(("internal_error", "fatal_error", "request_timeout"), Ambiguous),
}
WHERE = "Nothing was done; https://docs.slack.dev/reference/methods/chat.postMessage says what it means."
ADVICE = {
    Unauthorized: "Nothing was done; paste the bot token of your Slack app on Bots again.",
    Refused: "Nothing was done; invite the bot to the channel, and check the scopes of your Slack app.",
    TargetGone: "Nothing was done; the channel is gone, archived, or the bot was removed from it.",
    TransientError: "Nothing was done yet; it can be tried again.",
    Ambiguous: "It may have been done all the same; look into the channel before sending it again.",
}

MANIFEST = """display_information:
  name: Octopus
features:
  bot_user:
    display_name: Octopus
    always_online: true
  app_home:
    messages_tab_enabled: true
    messages_tab_read_only_enabled: false
oauth_config:
  scopes:
    bot:
      - app_mentions:read
      - channels:history
      - groups:history
      - im:history
      - mpim:history
      - chat:write
settings:
  event_subscriptions:
    request_url: {url}
    bot_events:
      - app_mention
      - app_uninstalled
      - message.channels
      - message.groups
      - message.im
      - message.mpim
      - tokens_revoked
  interactivity:
    is_enabled: true
    request_url: {url}"""


class Config(AdapterConfig):
    bot_token: SecretStr = Field(
        title="Bot token",
        min_length=1,
        description="api.slack.com/apps, your app, 'OAuth & Permissions': 'Bot User OAuth Token', starts with xoxb-",
    )
    signing_secret: SecretStr = Field(
        title="Signing secret",
        min_length=1,
        description="api.slack.com/apps, your app, 'Basic Information', 'App Credentials': 'Signing Secret', Show",
    )
    app_id: str = Field(
        "",
        title="App ID",
        description="api.slack.com/apps, your app, 'Basic Information': starts with A. Needed only if the bot "
        "ever answers itself",
    )


class Channel:
    label: ClassVar[str] = "Slack"
    docs: ClassVar[str] = "https://docs.slack.dev/apis/events-api"
    RESENDS: ClassVar[bool] = True  # three times: at once, after a minute, after five minutes
    SETS_WEBHOOK: ClassVar[bool] = False
    SETUP_STEPS: ClassVar[tuple[str, ...]] = (
        "Open https://api.slack.com/apps, choose 'Create New App', then 'From a manifest', and your Slack workspace.",
        "Choose YAML, replace everything with the following text, and create the app:\n" + MANIFEST,
        "Choose 'Install to Workspace' and allow it. Copy 'Bot User OAuth Token' from 'OAuth & Permissions' and "
        "'Signing Secret' from 'Basic Information' into the fields here, and save.",
        "Under 'Event Subscriptions', press 'Retry' beside the Request URL {url} until it says Verified, and save.",
        "In Slack, write /invite @Octopus in every channel the bot is to read.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None):
        self.config = config
        self.transport = transport

    @cached_property
    def api(self) -> ApiClient:
        base_url = self.config.base_url or "https://slack.com"
        token = self.config.bot_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        return ApiClient(
            self.label,
            f"{base_url}/api",
            headers=headers,
            transport=self.transport,
            error_of=_error_of,
            secrets=(token,),
        )

    def verify(self, request: RawRequest, now: float) -> None:
        sent_at = request.headers.get("x-slack-request-timestamp", "")
        check_fresh(self.label, sent_at, now, TOLERANCE_S)
        check_hmac_sha256(
            self.label,
            sent=request.headers.get("x-slack-signature", ""),
            secret=self.config.signing_secret.get_secret_value(),
            signed=b"v0:" + header_bytes(sent_at) + b":" + request.body,
            prefix="v0=",
            what="signature header",
        )

    def answer(self, request: RawRequest) -> Answer:
        try:
            payload = self._payload(request)
        except Malformed:
            return Answer()  # stored as it is; processing it says what is wrong
        if payload.get("type") == "url_verification":
            return Answer(body=str(payload.get("challenge", "")).encode(), store=False)
        return Answer(store="ssl_check" not in payload)

    @walks_the_body
    def event_key(self, request: RawRequest) -> str:
        payload = self._payload(request)
        for name in ("event_id", "trigger_id"):
            if name in payload:
                return f"{name}:{read.identifier(payload[name])}"
        return read.fingerprint(request.body)

    @walks_the_body
    def parse(self, request: RawRequest) -> Parsed:
        payload = self._payload(request)
        if "ssl_check" in payload:
            return read.ignored(IgnoreReason.HANDSHAKE)
        return read_payload(payload, self.config.app_id)

    def check(self) -> str:
        identity = self.api.call("POST", "/auth.test")
        user = identity.get("user") or read.answered(self.label, identity, "user_id")
        return f"{user} in {identity.get('team') or read.answered(self.label, identity, 'team_id')}"

    def set_webhook(self, url: str) -> None:
        raise Rejected("Slack takes the address of a bot only in its own settings; follow the setup steps.")

    def send(self, conversation_id: str, text: str, thread_id: str | None, key: str) -> str:
        """Slack takes no idempotency key: after an ambiguous end the message may have been sent."""
        # Escaped, or a text with <!channel> would wake up everybody.
        body = {"channel": conversation_id, "text": html.escape(text, quote=False), "unfurl_links": False}
        if thread_id:
            body["thread_ts"] = thread_id
        return read.answered(self.label, self.api.call("POST", "/chat.postMessage", json=body), "ts")

    def _payload(self, request: RawRequest) -> dict[str, Any]:
        """The content of any of the three encodings: JSON, a form around JSON, a plain form."""
        if request.body.lstrip().startswith(b"{"):
            return read.json_object(self.label, request.body)
        form = read.form_fields(request.body)
        if "payload" in form:
            return read.json_object(self.label, form["payload"])
        if "command" in form or "ssl_check" in form:
            return form
        raise Malformed(f"The {self.label} request is neither JSON nor one of Slack's forms. {KEPT}")


def _error_of(status: int, headers: httpx.Headers, body: Any) -> RemoteError | None:
    """Slack says what went wrong in the body of a 200."""
    if status == 429 or not isinstance(body, dict) or body.get("ok") is not False:
        return None
    name = str(body.get("error"))
    return ERRORS.get(name, Rejected)(f"Slack answered '{name}'. {ADVICE.get(ERRORS.get(name), WHERE)}")

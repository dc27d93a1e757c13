"""Telling an address of an event as Standard Webhooks 1.0 has it: three headers, of which one proves who tells it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import httpx

from app.domain.errors import TargetGone, TransientError
from connectors import signatures
from connectors.http import ApiClient
from connectors.waits import retry_after_s

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification wants 24 to 64
TIMEOUT_S = 15.0
TOLERANCE_S = 300.0
MOST_SIGNATURES = 10
GONE = 410


def new_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """timestamp: Unix seconds of this try."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, sha256)
    return f"v1,{b64encode(signed.digest()).decode()}"


def headers(keys: Sequence[str], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """keys: every secret in force. The receiver accepts a request of which one signature is right."""
    return {
        "Content-Type": "application/json", "webhook-id": id_, "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, id_, timestamp, body) for key in keys),
    }  # fmt: skip


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        return text.startswith(PREFIX) and 24 <= len(b64decode(text.removeprefix(PREFIX), validate=True)) <= 64
    except ValueError:
        return False


def check(label: str, received: Mapping[str, str], body: bytes, secret: str, now: float) -> None:
    """Raises BadSignature unless one of the signatures is right and the request is at most five minutes old.

    received: the request's headers, names in lower case. now: Unix seconds.
    """
    id_, at = received.get("webhook-id", ""), received.get("webhook-timestamp", "")
    signatures.check_fresh(label, at, now, TOLERANCE_S)
    expected = signature(secret, id_ if id_.isascii() else "", int(at), body)
    sent = received.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    right = next((one for one in sent if signatures.same(one, expected)), "")
    signatures.check_secret(label, right, expected, "webhook-signature header")


def send(url: str, signed: Mapping[str, str], body: bytes, transport: httpx.BaseTransport | None = None) -> None:
    """Returns when the receiver has said 2xx. Raises TargetGone at 410, TransientError at everything else.

    A redirect is not followed: whoever answers it could lead the event anywhere.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    client = ApiClient("The address", origin, transport=transport, timeout_s=TIMEOUT_S)
    status, answered = client.post(url.removeprefix(origin), body, signed)
    if status == GONE:
        raise TargetGone("The address answered that it wants no more events (HTTP 410), so it was switched off.")
    if not 200 <= status < 300:
        raise TransientError(f"The address answered HTTP {status}.", retry_after_s(answered))

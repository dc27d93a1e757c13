"""Proving and reading what monday.com's webhooks send. Pure.

Source: https://developer.monday.com/api-reference/reference/webhooks and
https://developer.monday.com/apps/docs/authorization-header (read 2026-11). Only webhooks an app has set carry a JWT,
and that does not sign the body; so the address they are sent to holds a secret in any case.
"""

import jwt
import orjson

from app.domain.errors import BadSignature
from app.domain.messages import Answer, RawRequest
from connectors.payloads import identifier, json_object
from connectors.signatures import check_secret

CLOCKS_DIFFER_S = 60.0
# The clock is the caller's; and monday.com says of `aud` only that it is the app's endpoint.
CHECKED_HERE = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "require": ["exp"]}


def check_request(label: str, request: RawRequest, secret: str, signing_secret: str, now: float) -> None:
    """signing_secret: the app's; empty when a person's token set the webhook. Raises BadSignature."""
    if challenge_of(label, request):
        return  # monday.com looks whether the address answers, before it takes it
    check_secret(label, request.params().get("secret", ""), secret, "secret in the address")
    if signing_secret:
        _check_token(label, request.headers.get("authorization", "").removeprefix("Bearer "), signing_secret, now)


def answer_of(label: str, request: RawRequest) -> Answer:
    challenge = challenge_of(label, request)
    if not challenge:
        return Answer()
    return Answer(body=orjson.dumps({"challenge": challenge}), content_type="application/json", store=False)


def challenge_of(label: str, request: RawRequest) -> str:
    """Empty unless the request is a handshake and nothing else. Raises Malformed."""
    if b'"challenge"' not in request.body:
        return ""
    sent = json_object(label, request.body)
    challenge = sent.get("challenge")
    return challenge if len(sent) == 1 and isinstance(challenge, str) else ""


def changed_item(label: str, request: RawRequest) -> str:
    """Raises Malformed, or KeyError or TypeError for another shape. Most events call an item by its old name, pulse."""
    event = json_object(label, request.body)["event"]
    return identifier(event["pulseId"] if event.get("pulseId") else event["itemId"])


def _check_token(label: str, sent: str, signing_secret: str, now: float) -> None:
    try:
        ends_at = jwt.decode(sent, signing_secret, algorithms=["HS256"], options=CHECKED_HERE)["exp"]
    except jwt.InvalidTokenError as error:
        raise _refusal(label, "is missing or not signed with the signing secret of your app") from error
    if not isinstance(ends_at, int | float) or now > ends_at + CLOCKS_DIFFER_S:
        raise _refusal(label, "has ended")


def _refusal(label: str, what: str) -> BadSignature:
    return BadSignature(
        f"The token in the Authorization header of the {label} request {what}; it was refused and nothing was stored. "
        "If monday.com itself sent it, compare 'Signing secret' on Destinations with that of your app."
    )

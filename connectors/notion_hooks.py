"""Proving and reading what Notion's webhook subscriptions send. Pure.

Source: https://developers.notion.com/reference/webhooks (read 2026-11). A subscription is made by hand. Notion's first
call brings a verification token, which the manager gives back to Notion; from then on it signs each event's bytes.
"""

from app.domain.errors import BadSignature
from app.domain.messages import Answer, RawRequest
from connectors.payloads import identifier, json_object
from connectors.signatures import check_hmac_sha256

ANOTHER = "new"  # typed by the manager to let the token of another subscription take the place of the kept one
LONGEST_TOKEN = 500  # ours; they have about fifty characters


def check_request(label: str, request: RawRequest, kept: str) -> None:
    """kept: the verification token. Raises BadSignature; a first token passes, a second one only when it is awaited."""
    secret = "" if kept == ANOTHER else kept
    offered = offered_token(label, request)
    if not offered:
        sent = request.headers.get("x-notion-signature", "") if secret else ""  # anybody can sign with an empty one
        check_hmac_sha256(label, sent, secret, request.body, "sha256=", "X-Notion-Signature header")
    elif secret and offered != secret:
        raise BadSignature(
            f"Somebody sent {label}'s webhook address another verification token than the kept one; it was refused "
            f"and nothing was stored. If you made a new subscription, type '{ANOTHER}' as Webhook secret on "
            "Destinations, save, and let Notion send its token again."
        )


def answer_of(label: str, request: RawRequest) -> Answer:
    offered = offered_token(label, request)
    return Answer(store=False, keep={"hook_secret": offered}) if offered else Answer()


def offered_token(label: str, request: RawRequest) -> str:
    """Empty unless the request is Notion's first one. Raises Malformed."""
    if b'"verification_token"' not in request.body:
        return ""
    sent = json_object(label, request.body)
    token = sent.get("verification_token")
    is_first = "entity" not in sent and isinstance(token, str) and len(token) <= LONGEST_TOKEN
    return token if is_first else ""


def changed_pages(label: str, request: RawRequest) -> tuple[str, ...]:
    """Raises Malformed, or KeyError or TypeError for another shape. A comment's event names its page besides."""
    event = json_object(label, request.body)
    entity = event["entity"]
    if entity["type"] == "page":
        return (identifier(entity["id"]),)
    if entity["type"] == "comment":
        return (identifier(event["data"]["page_id"]),)
    return ()

"""Proving and reading what HubSpot's webhooks send. Pure.

Source: https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests and
https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide (read 2026-11).
"""

import hashlib
import hmac
from base64 import b64encode

import orjson

from app.domain.errors import Malformed
from app.domain.messages import RawRequest
from connectors.hubspot_objects import Kind
from connectors.payloads import KEPT, identifier
from connectors.signatures import check_fresh, check_secret, header_bytes

TOLERANCE_S = 300.0
IDS = ("objectId", "fromObjectId", "primaryObjectId")  # the last two of an association and of a merger


def check_request(label: str, request: RawRequest, secret: str, now: float) -> None:
    """secret: the app's client secret. now: Unix seconds. Raises BadSignature.

    The address signed is the one we gave out, in which nothing is percent-encoded.
    """
    sent_at = request.headers.get("x-hubspot-request-timestamp", "")  # in milliseconds
    address = f"{request.url}?{request.query}" if request.query else request.url
    signed = f"{request.method}{address}".encode() + request.body + header_bytes(sent_at)
    expected = b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode() if secret else ""
    sent = request.headers.get("x-hubspot-signature-v3", "")
    check_secret(label, sent, expected, "X-HubSpot-Signature-v3 header")
    check_fresh(label, sent_at[:-3], now, TOLERANCE_S)


def changed_records(label: str, request: RawRequest, kind: Kind) -> tuple[str, ...]:
    """The ids of the records of this kind. Raises Malformed, or TypeError or KeyError for another shape.

    An event is named `ticket.propertyChange`, or `object.propertyChange` with the object's type id beside it.
    """
    try:
        events = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The {label} request is not valid JSON. {KEPT}") from error
    if not isinstance(events, list):
        raise Malformed(f"The {label} request is JSON, but not a list of events. {KEPT}")
    found = []
    for event in events:
        type_id = event.get("objectTypeId") or event.get("fromObjectTypeId")
        if event["subscriptionType"].partition(".")[0] == kind.singular or type_id == kind.type_id:
            named = next((name for name in IDS if name in event), IDS[0])
            found.append(identifier(event[named]))
    return tuple(dict.fromkeys(found))

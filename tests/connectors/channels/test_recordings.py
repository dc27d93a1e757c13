"""Every recorded request gives exactly what its index.json says."""

from datetime import datetime
from typing import Any

import orjson
import pytest

from app.domain.errors import BadSignature
from app.domain.messages import InboundMessage
from connectors import registry

from .cases import OURS, Case, all_inbound, our_cases

INBOUND = list(all_inbound())
# The bot itself opens the gateway socket, so its frames carry no signature.
SIGNED = [p for p in INBOUND if not p.id.startswith("discord-gateway_")]
ACCEPTED = [p for p in INBOUND if not p.values[0] or p.values[0].signature["valid"]]
WITH_KEY = [p for p in INBOUND if p.values[0] and "event_key" in p.values[0].details]
# What an index.json leaves out is the ordinary case.
DEFAULTS = {"action_value": None, "group_id": None, "text_clean": "", "bot_account_id": None}
# Type 5 would promise the customer a second answer within 15 minutes, which nobody has written by then.
ANSWERED_AT_ONCE = {"discord-slash_command_recorded_vector"}


@pytest.mark.parametrize("channel", registry.channel_keys())
def test_every_channel_file_has_recorded_requests(channel):
    recorded = [case for case in our_cases() if case.channel == channel]

    assert recorded, f"{channel} has no case in {OURS / channel / 'index.json'}"


@pytest.mark.parametrize("case", SIGNED)
def test_only_a_request_with_a_valid_signature_passes(case: Case):
    if case.signature["valid"]:
        case.bot().verify(case.request(), case.clock)
    else:
        with pytest.raises(BadSignature):
            case.bot().verify(case.request(), case.clock)


@pytest.mark.parametrize("case", ACCEPTED)
def test_messages_are_read_as_recorded(case: Case):
    parsed = case.bot().parse(case.request())

    assert [_shown(message) for message in parsed.messages] == [
        _expected(message, case.details.get("event_key")) for message in case.expected["messages"]
    ]
    assert parsed.ignored == case.expected["ignore_reason"]
    assert (parsed.messages == ()) is case.expected["should_ignore"]


@pytest.mark.parametrize("case", WITH_KEY)
def test_event_key_is_the_vendors_own_id(case: Case):
    key = case.bot().event_key(case.request())

    if case.name == "echo_from_phone_app":
        assert key == "<WHATSAPP_MESSAGE_ID>"  # the sample's own placeholder
    elif case.details["event_key"] == "none":
        assert key.startswith("sha256:")
    else:
        assert key == case.details["event_key"]


@pytest.mark.parametrize("case", ACCEPTED)
def test_the_answer_is_what_the_channel_wants_to_read(case: Case):
    answer = case.bot().answer(case.request())

    wanted = case.details.get("respond", {"status": 200})
    assert answer.status == wanted["status"]
    assert answer.store is (case.expected["ignore_reason"] != "handshake" or case.details["transport"] == "gateway")
    if "content_type" in wanted:
        assert answer.content_type.partition(";")[0] in wanted["content_type"]
    if str(case) in ANSWERED_AT_ONCE:
        assert orjson.loads(answer.body)["type"] == 4
    elif "body" in wanted:
        assert _readable(answer.body, wanted["body"]) == wanted["body"]


def _readable(body: bytes, like: Any) -> Any:
    return body.decode() if isinstance(like, str) else orjson.loads(body)


def _expected(message: dict[str, Any], event_key: str | None) -> dict[str, Any]:
    """Where a channel gives no message id, the event's key stands in, so that two presses stay two messages."""
    sent_at = message["sent_at"] and datetime.fromisoformat(message["sent_at"])
    ids = {"message_id": message["message_id"] or event_key, "sender_id": message["sender_id"] or ""}
    return {**DEFAULTS, **message, **ids, "sent_at": sent_at}


def _shown(message: InboundMessage) -> dict[str, Any]:
    names = [name for name in InboundMessage.__dataclass_fields__ if name not in ("attachments", "distinction")]
    return {**{name: getattr(message, name) for name in names}, "attachments": len(message.attachments)}

"""Whatever bytes come in: the adapters return something storable or raise Malformed, nothing else."""

import copy
import random
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.domain.messages import Answer, InboundMessage, Parsed, RawRequest

from .cases import CONFIGS, Case, bot, our_cases

BOTS = {channel: bot(channel) for channel in CONFIGS}
JSON_CASES = [case for case in our_cases() if case.body().startswith(b"{")]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read_everything(channel: str, body: bytes, method: str = "POST") -> Parsed | None:
    """Call all that sees the body; returns what was parsed, None if it is malformed."""
    request = RawRequest(method, {"content-type": "application/json"}, body)
    assert isinstance(BOTS[channel].answer(request), Answer)
    with suppress(Malformed):
        assert BOTS[channel].event_key(request)
    try:
        parsed = BOTS[channel].parse(request)
    except Malformed:
        return None
    assert (parsed.messages == ()) == (parsed.ignored is not None)
    for message in parsed.messages:
        assert_storable(message)
    return parsed


def assert_storable(message: InboundMessage) -> None:
    texts = [value for name in message.__dataclass_fields__ if isinstance(value := getattr(message, name), str)]
    for attachment in message.attachments:
        texts += [attachment.external_id, attachment.url, attachment.name, attachment.mime_type]
    for text in texts:
        assert isinstance(text, str)
        assert "\0" not in text
        text.encode()
    assert message.conversation_id
    assert message.message_id
    optional = (message.sender_name, message.action_value, message.thread_id, message.reply_to_message_id)
    assert all(value is None or isinstance(value, str) for value in optional)


@pytest.mark.parametrize("channel", CONFIGS)
@given(body=st.binary(max_size=200))
@RELAXED
def test_any_bytes(channel, body):
    read_everything(channel, body)


@pytest.mark.parametrize("channel", CONFIGS)
@given(body=ANY_JSON)
@RELAXED
def test_any_json(channel, body):
    read_everything(channel, orjson.dumps(body, default=str) if _small(body) else b"{}")


@given(case=st.sampled_from(JSON_CASES), seed=st.integers(0, 2**32), junk=ANY_JSON)
@settings(deadline=None, max_examples=1500)
def test_any_recorded_request_with_one_value_replaced(case: Case, seed, junk):
    payload = orjson.loads(case.body())
    _replace_one(payload, random.Random(seed), junk if _small(junk) else None)

    read_everything(case.channel, orjson.dumps(payload))


@given(case=st.sampled_from(our_cases()), data=st.data())
@settings(deadline=None, max_examples=500)
def test_any_recorded_request_cut_off_or_damaged(case: Case, data):
    body = bytearray(case.body())
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    read_everything(case.channel, bytes(body[: data.draw(st.integers(0, len(body)))]))


TEXTS = {
    "api": (b"Where is my parcel?", "text"),
    "telegram": (b"Ciao", "text"),
    "whatsapp": (b"Body Text", "text"),
    "slack": (b"Hi there! Thanks for sharing the info!", "message_channel"),
    "discord": (b"The Gitrog Monster", "slash_command_option"),
}


@pytest.mark.parametrize("channel", TEXTS)
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (rb"a\u0000b", "ab"),
        (rb"a\\u0000b", r"a\u0000b"),
        (rb"half \ud83d", "half \ufffd"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"whole \ud83d\ude00", "whole \N{GRINNING FACE}"),
        ("漢字 \u202e".encode(), "漢字 \u202e"),
    ],
)
def test_texts_postgresql_cannot_hold_are_mended_and_others_kept(channel, sent, stored):
    usual, name = TEXTS[channel]
    case = next(case for case in our_cases() if (case.channel, case.name) == (channel, name))

    parsed = read_everything(channel, case.body().replace(usual, sent))

    assert parsed is not None
    assert parsed.messages[0].text == stored


@pytest.mark.parametrize("challenge", [rb'"\ud800"', b"1", b"null", b"[]"])
def test_slack_handshakes_with_an_odd_challenge_break_nothing(challenge):
    read_everything("slack", b'{"type":"url_verification","challenge":' + challenge + b"}")


def test_slack_forms_are_mended_too():
    form = urlencode({"command": "/a\0", "text": b"\xff\0x", "channel_id": "C1", "user_id": "U1", "trigger_id": "1"})

    parsed = read_everything("slack", form.encode())

    assert parsed is not None
    assert (parsed.messages[0].text, parsed.messages[0].action_value) == ("\ufffdx", "/a")


@pytest.mark.parametrize("channel", CONFIGS)
@pytest.mark.parametrize("depth", [50, 900, 100_000])
@pytest.mark.parametrize("text", [b"1", rb'"\u0000"', rb'"\ud800"'])
def test_deep_nesting_breaks_nothing(channel, depth, text):
    inner = b'{"options":[' * depth + text + b"]}" * depth

    read_everything(channel, b'{"update_id":1,"type":2,"entry":[],"data":' + inner + b"}")


def test_fifty_levels_beside_a_message_do_not_hide_it():
    deep = b"[" * 50 + b"]" * 50
    body = b'{"update_id":1,"extra":' + deep + b',"message":{"message_id":1,"date":0,"text":"hi\\u0000",'

    parsed = read_everything("telegram", body + b'"from":{"id":2},"chat":{"id":2,"type":"private"}}}')

    assert parsed is not None
    assert parsed.messages[0].text == "hi"


def _small(value: Any) -> bool:
    """orjson writes whole numbers of at most 64 bits."""
    if isinstance(value, dict):
        return all(map(_small, value.values()))
    if isinstance(value, list):
        return all(map(_small, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def _replace_one(payload: Any, chance: random.Random, junk: Any) -> None:
    """Walk down a random path and put `junk` there, or take the value away."""
    while True:
        keys = list(payload) if isinstance(payload, dict) else list(range(len(payload)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(payload[key], (dict, list)) and payload[key] and chance.random() < 0.8:
            payload = payload[key]
            continue
        if isinstance(payload, dict) and chance.random() < 0.3:
            del payload[key]
        else:
            payload[key] = copy.deepcopy(junk)
        return

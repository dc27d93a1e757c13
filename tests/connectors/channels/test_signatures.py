"""Nobody gets in without the bot's own secret. The recorded signatures are in test_recordings.py."""

import hashlib
import hmac
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from standardwebhooks import Webhook

from app.domain.errors import BadSignature
from app.domain.messages import RawRequest

from .cases import CONFIGS, bot, our_cases

NOW = 1_700_000_000
NAMES_OF_API = ("webhook-id", "webhook-signature")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
BODY = b'{"update_id":1}'


def slack_request(timestamp: str, body: bytes = BODY) -> RawRequest:
    signature = hmac.new(b"test-secret", b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}"}
    return RawRequest("POST", headers, body)


def changed(request: RawRequest, body: bytes) -> RawRequest:
    return RawRequest(request.method, request.headers, body, request.query)


SIGNED = [case for case in our_cases() if case.signature["valid"] and case.details["transport"] == "webhook"]
BODY_IS_SIGNED = [case for case in SIGNED if case.channel != "telegram" and case.details["method"] == "POST"]


@pytest.mark.parametrize("case", BODY_IS_SIGNED, ids=str)
def test_one_added_byte_is_refused(case):
    with pytest.raises(BadSignature):
        case.bot().verify(changed(case.request(), case.body() + b" "), case.clock)


@pytest.mark.parametrize("case", SIGNED, ids=str)
def test_another_bots_secret_is_refused(case):
    if case.channel == "discord":
        other = bot("discord", public_key=KEY.public_key().public_bytes_raw().hex())
    else:
        other = bot(case.channel)

    with pytest.raises(BadSignature):
        other.verify(case.request(), case.clock)


@pytest.mark.parametrize("channel", CONFIGS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_without_any_proof_is_refused(channel, method):
    with pytest.raises(BadSignature):
        bot(channel).verify(RawRequest(method, {}, BODY), NOW)


@pytest.mark.parametrize("value", ["", " ", "é", "\udcff", "sha256=", "v0=", "zz", "0" * 128])
@pytest.mark.parametrize("channel", CONFIGS)
def test_a_nonsense_proof_is_refused_and_breaks_nothing(channel, value):
    names = ("x-telegram-bot-api-secret-token", "x-hub-signature-256", "x-slack-signature", "x-signature-ed25519")
    names += NAMES_OF_API
    headers = {**dict.fromkeys(names, value), "x-slack-request-timestamp": str(NOW), "x-signature-timestamp": value}
    headers["webhook-timestamp"] = str(NOW)

    with pytest.raises(BadSignature):
        bot(channel).verify(RawRequest("POST", headers, BODY), NOW)


@pytest.mark.parametrize("age_s", [-300, 0, 300])
def test_slack_requests_up_to_five_minutes_off_are_accepted(age_s):
    bot("slack").verify(slack_request(str(NOW - age_s)), NOW)


@pytest.mark.parametrize("age_s", [-301, 301, 86_400])
def test_slack_requests_further_off_are_refused_although_well_signed(age_s):
    with pytest.raises(BadSignature, match="clock"):
        bot("slack").verify(slack_request(str(NOW - age_s)), NOW)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1_700_000_000", "٠", "9" * 5000, "1700000000.0"])
def test_slack_timestamps_that_are_no_whole_number_are_refused(timestamp):
    with pytest.raises(BadSignature):
        bot("slack").verify(slack_request(timestamp), NOW)


@pytest.mark.parametrize(("age_s", "accepted"), [(-300, True), (0, True), (300, True), (-301, False), (301, False)])
def test_a_program_signs_with_the_published_library_and_within_five_minutes(age_s, accepted):
    secret, at = CONFIGS["api"]["signing_secret"], datetime.fromtimestamp(NOW - age_s, UTC)
    signed = Webhook(secret).sign("msg_1", at, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW - age_s), "webhook-signature": signed}
    request = RawRequest("POST", headers, BODY)

    with nullcontext() if accepted else pytest.raises(BadSignature, match="clock"):
        bot("api").verify(request, NOW)
    with pytest.raises(BadSignature):
        bot("api").verify(changed(request, BODY + b" "), NOW)


@pytest.mark.parametrize("signed_at", ["0", "9999999999"])
def test_discord_requests_of_any_age_are_accepted_as_its_own_libraries_do(signed_at):
    signature = KEY.sign(signed_at.encode() + BODY).hex()
    headers = {"x-signature-timestamp": signed_at, "x-signature-ed25519": signature}

    bot("discord", public_key=KEY.public_key().public_bytes_raw().hex()).verify(RawRequest("POST", headers, BODY), NOW)


def test_whatsapp_handshake_with_the_right_token_answers_the_challenge_and_stores_nothing():
    request = RawRequest("GET", {}, b"", "hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1158201444")
    whatsapp = bot("whatsapp")

    whatsapp.verify(request, NOW)
    answer = whatsapp.answer(request)

    assert (answer.status, answer.body, answer.store) == (200, b"1158201444", False)
    assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=verify&hub.challenge=1",
    ],
)
def test_whatsapp_handshake_with_a_wrong_token_is_refused(query):
    with pytest.raises(BadSignature):
        bot("whatsapp").verify(RawRequest("GET", {}, b"", query), NOW)


@pytest.mark.parametrize(
    ("channel", "field"),
    [(channel, field) for channel, config in CONFIGS.items() for field in config],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_bot_without_one_of_its_values_cannot_be_configured(channel, field, value):
    with pytest.raises(ValidationError, match=field):
        bot(channel, **{field: value})


@pytest.mark.parametrize(
    ("channel", "field", "value"),
    [
        ("telegram", "token", "not-a-token"),
        ("api", "signing_secret", "whsec_c2hvcnQ="),
        ("api", "signing_secret", "no-base64"),
        ("telegram", "webhook_secret", "spaces are not allowed"),
        ("telegram", "webhook_secret", "a" * 257),
        ("discord", "public_key", "0" * 63),
        ("discord", "public_key", "g" * 64),
        ("discord", "application_id", "my app"),
        ("whatsapp", "phone_number_id", "+49 151 1"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_without_repeating_it(channel, field, value):
    with pytest.raises(ValidationError) as caught:
        bot(channel, **{field: value})

    assert field in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("channel", CONFIGS)
def test_refusals_and_configs_never_show_a_secret(channel):
    configured = bot(channel)

    with pytest.raises(BadSignature) as caught:
        configured.verify(RawRequest("POST", {"x-slack-request-timestamp": str(NOW)}, BODY), NOW)

    for value in ("test-secret", "123:test", "xoxb-test"):
        assert value not in repr(configured.config)
        assert value not in str(caught.value)

"""What the adapters ask of the vendors, over real HTTP, and what they make of the answers."""

import json
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from app.domain.errors import (
    Ambiguous,
    Refused,
    Rejected,
    TargetGone,
    TransientError,
    Unauthorized,
)
from connectors import registry

from .cases import CONFIGS, bot, our_cases

URL = "https://support.example/hooks/tg/main"
KEY = "6f1c1d0e-8c4e-4d5c-9a53-0a4b3f6f2b11"

# channel -> where a text goes, the address it is sent to, the vendor's answer, the id in it
SENDING = {
    "api": ("order-17", "/replies", {"id": "r1"}, "r1"),
    "telegram": ("456", "/bot123:test/sendMessage", {"ok": True, "result": {"message_id": 77}}, "77"),
    "slack": ("C111", "/api/chat.postMessage", {"ok": True, "channel": "C111", "ts": "1.000200"}, "1.000200"),
    "whatsapp": ("49151", "/v23.0/1/messages", {"messages": [{"id": "wamid.x"}]}, "wamid.x"),
    "discord": ("345", "/api/v10/channels/345/messages", {"id": "99", "content": "Hi"}, "99"),
}

WHO = {
    "api": ("/replies", {}, "your own program"),
    "telegram": ("/bot123:test/getMe", {"ok": True, "result": {"id": 1, "username": "acme_bot"}}, "@acme_bot"),
    "slack": ("/api/auth.test", {"ok": True, "user": "octopus", "team": "Acme", "team_id": "T1"}, "octopus in Acme"),
    "whatsapp": ("/v23.0/1", {"display_phone_number": "+1 555", "verified_name": "Acme"}, "Acme +1 555"),
    "discord": ("/api/v10/users/@me", {"id": "1", "username": "acme"}, "acme"),
}


def at(httpserver, channel):
    return bot(channel, base_url=httpserver.url_for(""))


def sent(httpserver, number=0):
    request, _ = httpserver.log[number]
    return json.loads(request.get_data()), request


def test_every_channel_has_a_sending_and_a_who_am_i_case():
    assert set(SENDING) == set(WHO) == set(CONFIGS) == set(registry.channel_keys())


@pytest.mark.parametrize("channel", SENDING)
def test_send_writes_into_the_conversation_and_returns_the_vendors_id(httpserver, channel):
    conversation, path, reply, message_id = SENDING[channel]
    httpserver.expect_request(path, method="POST").respond_with_json(reply)

    assert at(httpserver, channel).send(conversation, "Hi", None, KEY) == message_id


@pytest.mark.parametrize("channel", WHO)
def test_check_returns_the_name_to_show(httpserver, channel):
    path, reply, name = WHO[channel]
    httpserver.expect_request(path).respond_with_json(reply)

    assert at(httpserver, channel).check() == name


@pytest.mark.parametrize(
    ("channel", "header"), [("slack", "Bearer xoxb-test"), ("whatsapp", "Bearer test"), ("discord", "Bot test")]
)
def test_the_bots_token_goes_into_the_header(httpserver, channel, header):
    path, reply, _ = WHO[channel]
    httpserver.expect_request(path, headers={"Authorization": header}).respond_with_json(reply)

    assert at(httpserver, channel).check()


def test_telegram_is_told_the_address_the_secret_and_the_updates_we_read(httpserver):
    httpserver.expect_request("/bot123:test/setWebhook").respond_with_json({"ok": True, "result": True})

    at(httpserver, "telegram").set_webhook(URL)

    body, _ = sent(httpserver)
    assert (body["url"], body["secret_token"]) == (URL, "test-secret")
    assert "business_message" in body["allowed_updates"]
    assert "message_reaction" not in body["allowed_updates"]


def test_telegram_answers_in_the_topic_and_through_the_business_connection_it_came_from(httpserver):
    httpserver.expect_request(SENDING["telegram"][1]).respond_with_json(SENDING["telegram"][2])

    at(httpserver, "telegram").send("-100@bc1", "Hi", "33", KEY)

    body, _ = sent(httpserver)
    assert body == {"chat_id": -100, "text": "Hi", "business_connection_id": "bc1", "message_thread_id": 33}


def test_discord_is_told_the_address_and_gets_the_commands(httpserver):
    httpserver.expect_request("/api/v10/applications/@me", method="PATCH").respond_with_json({"id": "1"})
    httpserver.expect_request("/api/v10/applications/1/commands", method="POST").respond_with_json({"id": "2"})

    at(httpserver, "discord").set_webhook(URL)

    address, _ = sent(httpserver, 0)
    commands = [sent(httpserver, number)[0]["name"] for number in (1, 2)]
    assert address == {"interactions_endpoint_url": URL}
    assert commands == ["support", "Send to support"]


def test_discord_sends_the_same_nonce_on_every_try_and_mentions_nobody(httpserver):
    httpserver.expect_request(SENDING["discord"][1]).respond_with_json(SENDING["discord"][2])
    discord = at(httpserver, "discord")

    for key in (KEY, KEY, "another key"):
        discord.send("345", "@everyone", None, key)

    bodies = [sent(httpserver, number)[0] for number in range(3)]
    nonces = [body["nonce"] for body in bodies]
    assert nonces[0] == nonces[1] != nonces[2]
    assert all(len(nonce) <= 25 for nonce in nonces)
    assert bodies[0]["enforce_nonce"] is True
    assert bodies[0]["allowed_mentions"] == {"parse": []}


def test_slack_answers_in_the_thread_and_wakes_up_nobody(httpserver):
    httpserver.expect_request(SENDING["slack"][1]).respond_with_json(SENDING["slack"][2])

    at(httpserver, "slack").send("C111", "<!channel> R&D", "1610261659.001400", KEY)

    body, _ = sent(httpserver)
    assert body["text"] == "&lt;!channel&gt; R&amp;D"
    assert body["thread_ts"] == "1610261659.001400"


def test_whatsapp_carries_our_key_so_that_its_statuses_name_the_reply(httpserver):
    httpserver.expect_request(SENDING["whatsapp"][1]).respond_with_json(SENDING["whatsapp"][2])

    at(httpserver, "whatsapp").send("49151", "Hi", None, KEY)

    body, _ = sent(httpserver)
    assert (body["to"], body["text"]["body"], body["biz_opaque_callback_data"]) == ("49151", "Hi", KEY)


def test_a_program_can_verify_replies_and_knows_one_that_comes_twice(httpserver):
    httpserver.expect_request(SENDING["api"][1]).respond_with_json(SENDING["api"][2])

    for _ in range(2):
        at(httpserver, "api").send("order-17", "Done!", "t2", KEY)

    (body, request), (_again, resent) = sent(httpserver, 0), sent(httpserver, 1)
    Webhook(CONFIGS["api"]["signing_secret"]).verify(request.get_data(), dict(request.headers))
    assert body == {"type": "reply", "data": {"conversation_id": "order-17", "thread_id": "t2", "text": "Done!"}}
    assert request.headers["webhook-id"] == resent.headers["webhook-id"] == KEY


def test_without_an_address_a_program_gets_no_replies_and_needs_no_check():
    assert bot("api").check() == "your own program"
    with pytest.raises(Rejected, match="no address"):
        bot("api").send("order-17", "Done!", None, KEY)


@pytest.mark.parametrize("channel", ["slack", "whatsapp", "api"])
def test_channels_whose_address_is_set_by_hand_say_so(channel):
    configured = bot(channel)

    with pytest.raises(Rejected, match="setup steps"):
        configured.set_webhook(URL)

    assert configured.SETS_WEBHOOK is False
    assert any("{url}" in step for step in configured.SETUP_STEPS)


@pytest.mark.parametrize("channel", registry.channel_keys())
def test_setup_steps_can_be_filled_in_from_the_url_and_the_config(channel):
    config = {name: "x" for name in registry.channel(channel).Config.model_fields}

    steps = [step.format(url=URL, **config) for step in registry.channel(channel).Channel.SETUP_STEPS]

    assert steps
    assert any(URL in step for step in steps)


@pytest.mark.parametrize("channel", registry.channel_keys())
def test_every_field_of_the_form_is_explained(channel):
    for name, field in registry.channel(channel).Config.model_fields.items():
        assert field.title, name
        assert len(field.description or "") > 20, name


ERRORS = {
    "telegram-error_too_many_requests": (429, TransientError),
    "telegram-error_too_long": (400, Rejected),
    "telegram-error_user_deactivated": (403, Refused),
    "discord-error_rate_limited": (429, TransientError),
}
WAITS_S = {"telegram-error_too_many_requests": 14, "discord-error_rate_limited": 64.57}


@pytest.mark.parametrize("case", our_cases("vendor_error"), ids=str)
def test_recorded_refusals_say_what_may_be_done_next(httpserver, case):
    status, error = ERRORS[str(case)]
    conversation, path, _, _ = SENDING[case.channel]
    headers = {**case.details.get("headers", {}), "Content-Type": "application/json"}
    httpserver.expect_request(path).respond_with_data(case.body(), status, headers)

    with pytest.raises(error) as caught:
        at(httpserver, case.channel).send(conversation, "Hi", None, KEY)

    assert type(caught.value) is error
    assert getattr(caught.value, "retry_after_s", None) == WAITS_S.get(str(case))


def telegram_says(code, description, **parameters):
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


def meta_says(code):
    return {"error": {"message": "(#1) words", "type": "OAuthException", "code": code, "fbtrace_id": "A"}}


@pytest.mark.parametrize(
    ("channel", "status", "answer", "error"),
    [
        ("telegram", 400, telegram_says(400, "Bad Request: chat not found"), TargetGone),
        ("telegram", 400, telegram_says(400, "Bad Request: x", migrate_to_chat_id=-100155), TargetGone),
        ("telegram", 401, telegram_says(401, "Unauthorized"), Unauthorized),
        ("telegram", 404, telegram_says(404, "Not Found"), Unauthorized),
        ("telegram", 502, telegram_says(502, "Bad Gateway"), Ambiguous),
        ("slack", 200, {"ok": False, "error": "invalid_auth"}, Unauthorized),
        ("slack", 200, {"ok": False, "error": "missing_scope"}, Refused),
        ("slack", 200, {"ok": False, "error": "is_archived"}, TargetGone),
        ("slack", 200, {"ok": False, "error": "msg_too_long"}, Rejected),
        ("slack", 200, {"ok": False, "error": "an_error_of_next_year"}, Rejected),
        ("slack", 200, {"ok": False, "error": "fatal_error"}, Ambiguous),
        ("slack", 500, {"ok": False, "error": "internal_error"}, Ambiguous),
        ("slack", 429, {"ok": False, "error": "ratelimited"}, TransientError),
        ("whatsapp", 401, meta_says(190), Unauthorized),
        ("whatsapp", 403, meta_says(10), Refused),
        ("whatsapp", 400, meta_says(131047), Rejected),
        ("whatsapp", 400, meta_says(131056), TransientError),
        ("whatsapp", 400, meta_says(100), Rejected),
        ("whatsapp", 500, meta_says(131000), Ambiguous),
        ("discord", 401, {"message": "401: Unauthorized", "code": 0}, Unauthorized),
        ("discord", 403, {"message": "Missing Permissions", "code": 50013}, Refused),
        ("discord", 404, {"message": "Unknown Channel", "code": 10003}, TargetGone),
        ("discord", 400, {"message": "Invalid Form Body", "code": 50035}, Rejected),
        ("discord", 500, {"message": "500", "code": 0}, Ambiguous),
    ],
)
def test_refusals_say_what_may_be_done_next_and_no_secret(httpserver, channel, status, answer, error):
    conversation, path, _, _ = SENDING[channel]
    httpserver.expect_request(path).respond_with_json(answer, status, {"Retry-After": "30"})

    with pytest.raises(error) as caught:
        at(httpserver, channel).send(conversation, "customer's words", None, KEY)

    assert type(caught.value) is error
    assert "123:test" not in str(caught.value)
    assert "customer's words" not in str(caught.value)
    if status == 429:
        assert caught.value.retry_after_s == 30


@pytest.mark.parametrize("channel", SENDING)
@pytest.mark.parametrize("answer", ["{}", '{"ok":true}', "[]", "<html>"])
def test_an_unreadable_success_may_have_been_sent(httpserver, channel, answer):
    conversation, path, _, _ = SENDING[channel]
    httpserver.expect_request(path).respond_with_data(answer, 200, content_type="application/json")

    with pytest.raises(Ambiguous):
        at(httpserver, channel).send(conversation, "Hi", None, KEY)


@pytest.mark.parametrize("channel", SENDING)
def test_a_vendor_that_cannot_be_reached_got_nothing(channel):
    nowhere = bot(channel, base_url="http://127.0.0.1:9")

    with pytest.raises(TransientError) as caught:
        nowhere.send(SENDING[channel][0], "Hi", None, KEY)

    assert not isinstance(caught.value, Ambiguous)
    assert "123:test" not in str(caught.value)


@pytest.mark.parametrize("channel", SENDING)
def test_a_base_url_replaces_only_the_vendors_host(httpserver, channel):
    conversation, path, reply, _ = SENDING[channel]
    httpserver.expect_request(f"/proxy{path}").respond_with_json(reply)
    behind_proxy = bot(channel, base_url=httpserver.url_for("/proxy/"))

    behind_proxy.send(conversation, "Hi", None, KEY)

    _, request = sent(httpserver)
    assert urlsplit(request.url).path == f"/proxy{path}"

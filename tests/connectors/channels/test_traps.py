"""What the vendors' documentation warns of and no recording shows."""

import json
from datetime import UTC, datetime

import orjson
import pytest

from app.domain.messages import ConversationType, IgnoreReason, MessageKind, RawRequest

from .cases import bot, our_cases


def parse(channel, payload):
    return bot(channel).parse(post(payload))


def post(payload):
    return RawRequest("POST", {}, json.dumps(payload).encode())


def telegram(**message):
    usual = {"message_id": 5, "date": 1684984664, "from": {"id": 7, "is_bot": False, "first_name": "Ada"}}
    return {"update_id": 9, "message": {**usual, "chat": {"id": -3, "type": "supergroup"}, **message}}


def slack(**event):
    usual = {"type": "message", "user": "U1", "text": "hi", "ts": "1700000000.000001", "channel": "C1"}
    return {"type": "event_callback", "event_id": "Ev1", "api_app_id": "A1", "event": {**usual, **event}}


def whatsapp(*messages, **value):
    metadata = {"display_phone_number": "1555", "phone_number_id": "2000"}
    change = {"field": "messages", "value": {"metadata": metadata, "messages": list(messages), **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def written(number, **fields):
    usual = {"from": "49151", "id": f"wamid.{number}", "timestamp": "1700000000", "type": "text"}
    return {**usual, "text": {"body": f"text {number}"}, **fields}


def interaction(**fields):
    member = {"user": {"id": "7", "username": "ada"}}
    usual = {"id": "11", "type": 2, "channel_id": "3", "guild_id": "1", "member": member, "token": "t"}
    return {**usual, "data": {"name": "support", "type": 1}, **fields}


# ---- Telegram


def test_telegram_posts_of_an_anonymous_admin_are_the_groups_and_no_bots():
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    sender_chat = {"id": -3, "title": "Acme", "type": "supergroup"}

    (message,) = parse("telegram", telegram(text="hi", **{"from": anonymous}, sender_chat=sender_chat)).messages

    assert (message.sender_id, message.sender_name) == ("-3", "Acme")


def test_telegram_channel_posts_need_no_sender():
    post_ = {"message_id": 5, "date": 0, "chat": {"id": -9, "type": "channel", "title": "News"}, "text": "hi"}

    (message,) = parse("telegram", {"update_id": 1, "channel_post": post_}).messages

    assert (message.sender_id, message.sender_name) == ("-9", "News")


def test_telegram_business_chats_are_apart_from_the_chat_with_the_bot():
    chat, customer = {"id": 7, "type": "private"}, {"id": 7, "is_bot": False, "first_name": "Ada"}
    direct = telegram(text="hi", chat=chat)
    business = {"message_id": 5, "date": 0, "chat": chat, "from": customer, "text": "hi", "business_connection_id": "b"}

    (to_bot,) = parse("telegram", direct).messages
    (to_person,) = parse("telegram", {"update_id": 1, "business_message": business}).messages

    assert (to_bot.conversation_id, to_person.conversation_id) == ("7", "7@b")
    assert to_bot.external_key != to_person.external_key


def test_telegram_answers_of_the_connected_person_are_our_own():
    owner = {"id": 1, "is_bot": False, "first_name": "Support"}
    message = {"message_id": 5, "date": 0, "chat": {"id": 7, "type": "private"}, "from": owner, "text": "hello"}

    parsed = parse("telegram", {"update_id": 1, "business_message": message})

    assert parsed.ignored is IgnoreReason.OWN_MESSAGE


def test_telegram_group_migration_names_both_chats():
    parsed = parse("telegram", telegram(migrate_to_chat_id=-100155))

    assert parsed.ignored is IgnoreReason.MIGRATION
    assert parsed.notes == {"moved_from": "-3", "moved_to": "-100155"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"animation": {"file_id": "a"}, "document": {"file_id": "a"}}, MessageKind.VIDEO),
        ({"audio": {"file_id": "a"}}, MessageKind.VOICE),
        ({"document": {"file_id": "a", "file_name": "a.pdf"}, "caption": "hi"}, MessageKind.DOCUMENT),
        ({"venue": {}, "location": {"latitude": 1.0, "longitude": 2.0}}, MessageKind.LOCATION),
        ({"text": "/order@acme_bot 5"}, MessageKind.COMMAND),
        ({"text": "/ or not"}, MessageKind.TEXT),
        ({"poll": {}}, MessageKind.UNSUPPORTED),
    ],
)
def test_telegram_content_decides_the_kind(content, kind):
    (message,) = parse("telegram", telegram(**content)).messages

    assert message.kind is kind


# ---- Slack


def test_slack_mention_and_message_of_one_text_are_one_message():
    (message,) = parse("slack", slack(channel_type="channel")).messages
    (mention,) = parse("slack", slack(type="app_mention")).messages

    assert message.external_key == mention.external_key


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"bot_id": "B1"}, IgnoreReason.BOT_MESSAGE),
        ({"bot_id": "B1", "app_id": "A1"}, IgnoreReason.OWN_MESSAGE),
        ({"user": "USLACKBOT"}, IgnoreReason.BOT_MESSAGE),
        ({"subtype": "channel_join"}, IgnoreReason.MEMBERSHIP),
        ({"subtype": "channel_topic"}, IgnoreReason.SYSTEM),
        ({"subtype": "message_changed", "message": {"bot_id": "B1", "text": "new"}}, IgnoreReason.BOT_MESSAGE),
        ({"subtype": "message_deleted", "previous_message": {"bot_id": "B1"}}, IgnoreReason.BOT_MESSAGE),
        ({"type": "tokens_revoked"}, IgnoreReason.MEMBERSHIP),
        ({"type": "an_event_of_next_year"}, IgnoreReason.UNKNOWN),
    ],
)
def test_slack_events_nobody_wrote_are_ignored_with_the_reason(event, reason):
    parsed = parse("slack", slack(**event))

    assert (parsed.messages, parsed.ignored) == ((), reason)


def test_slack_knows_its_own_app_from_the_config_too():
    event = slack(bot_id="B1", bot_profile={"app_id": "A9"})

    assert bot("slack", app_id="A9").parse(post(event)).ignored is IgnoreReason.OWN_MESSAGE


def test_slack_thread_parent_that_was_deleted_is_a_deletion():
    before = {"user": "U1", "text": "hi", "ts": "1700000000.000001", "thread_ts": "1700000000.000001"}
    after = {"user": "USER", "subtype": "tombstone", "text": "This message was deleted.", "ts": before["ts"]}

    (message,) = parse("slack", slack(subtype="message_changed", message=after, previous_message=before)).messages

    assert (message.is_delete, message.text, message.thread_id) == (True, "hi", None)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"channel_type": "im", "channel": "D1"}, ConversationType.DIRECT),
        ({"channel_type": "mpim", "channel": "G1"}, ConversationType.GROUP),
        ({"channel_type": "group", "channel": "C1"}, ConversationType.GROUP),
        ({"type": "app_mention", "channel": "D1"}, ConversationType.DIRECT),
        ({"type": "app_mention", "channel": "C1"}, ConversationType.CHANNEL),
    ],
)
def test_slack_kind_of_conversation(event, expected):
    (message,) = parse("slack", slack(**event)).messages

    assert message.conversation_type is expected


# ---- WhatsApp


def test_whatsapp_key_of_a_request_does_not_depend_on_the_order_in_it():
    one, other = written(1), written(2)

    assert bot("whatsapp").event_key(post(whatsapp(one, other))) == bot("whatsapp").event_key(
        post(whatsapp(other, one))
    )


def test_whatsapp_key_of_a_request_with_very_many_items_stays_short_and_different():
    many = [written(number) for number in range(200)]

    key, other = (bot("whatsapp").event_key(post(whatsapp(*items))) for items in (many, many[1:]))

    assert len(key) < 200
    assert key != other


def test_whatsapp_messages_to_another_number_are_returned_with_that_number():
    (message,) = parse("whatsapp", whatsapp(written(1))).messages

    assert message.bot_account_id == "2000"


def test_whatsapp_deletion_names_the_original():
    gone = {"from": "49151", "id": "wamid.9", "timestamp": "1700000000", "type": "revoke"}

    (message,) = parse("whatsapp", whatsapp({**gone, "revoke": {"original_message_id": "wamid.1"}})).messages

    assert (message.message_id, message.is_delete, message.text) == ("wamid.1", True, "")


def test_whatsapp_type_of_next_year_is_still_a_customer_who_wrote():
    (message,) = parse("whatsapp", whatsapp(written(1, type="hologram"))).messages

    assert message.kind is MessageKind.UNSUPPORTED


def test_whatsapp_filled_in_form_is_read_without_its_token():
    reply = {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"x","city":"Bonn","stars":5}'}
    form = written(1, type="interactive", interactive={"type": "nfm_reply", "nfm_reply": reply})

    (message,) = parse("whatsapp", whatsapp(form)).messages

    assert (message.kind, message.text) == (MessageKind.FORM, "Bonn")


def test_whatsapp_each_message_gets_the_name_of_its_own_sender():
    contacts = [{"wa_id": "1", "profile": {"name": "Ada"}}, {"wa_id": "2", "profile": {"name": "Bob"}}]

    parsed = parse("whatsapp", whatsapp(written(1, **{"from": "2"}), written(2, **{"from": "1"}), contacts=contacts))

    assert [message.sender_name for message in parsed.messages] == ["Bob", "Ada"]


def test_whatsapp_changed_number_names_both():
    system = {"type": "user_changed_number", "wa_id": "49199", "body": "x"}

    parsed = parse("whatsapp", whatsapp(written(1, type="system", system=system)))

    assert (parsed.ignored, parsed.notes) == (IgnoreReason.SYSTEM, {"moved_from": "49151", "moved_to": "49199"})


# ---- Discord


@pytest.mark.parametrize(
    ("fields", "answer", "store"),
    [
        ({"type": 2}, 4, True),
        ({"type": 3}, 6, True),
        ({"type": 4}, 8, False),
        ({"type": 5}, 4, True),
    ],
)
def test_discord_interactions_get_the_answer_their_kind_needs(fields, answer, store):
    given = bot("discord").answer(post(interaction(**fields)))

    assert orjson.loads(given.body)["type"] == answer
    assert (given.content_type, given.store) == ("application/json", store)


def test_discord_receipts_are_shown_to_the_sender_only():
    given = bot("discord").answer(post(interaction()))

    assert orjson.loads(given.body)["data"]["flags"] == 64


def test_discord_webhook_event_is_no_interaction_although_both_have_type_1():
    event = {"version": 1, "application_id": "1", "type": 1, "event": {"type": "APPLICATION_AUTHORIZED"}}
    discord = bot("discord")

    assert discord.parse(post(event)).ignored is IgnoreReason.NOT_A_MESSAGE
    assert (discord.answer(post(event)).status, discord.answer(post(event)).store) == (204, True)
    assert discord.event_key(post(event)).startswith("sha256:")


def test_discord_sub_commands_and_files_are_read():
    options = [{"name": "ticket", "type": 1, "options": [
        {"name": "text", "type": 3, "value": "It is broken"},
        {"name": "times", "type": 4, "value": 3},
        {"name": "who", "type": 6, "value": "7"},
        {"name": "picture", "type": 11, "value": "55"},
    ]}]  # fmt: skip
    file = {"id": "55", "filename": "a.png", "content_type": "image/png", "url": "https://cdn.example/a.png", "size": 9}
    data = {"name": "support", "type": 1, "options": options, "resolved": {"attachments": {"55": file}}}

    (message,) = parse("discord", interaction(data=data)).messages

    assert message.text == "It is broken\n3"
    assert [(a.kind, a.size_bytes) for a in message.attachments] == [(MessageKind.IMAGE, 9)]


def test_discord_newer_modals_are_read():
    component = {"type": 18, "component": {"type": 4, "custom_id": "text", "value": "It is broken"}}

    (message,) = parse("discord", interaction(type=5, data={"custom_id": "m", "components": [component]})).messages

    assert (message.kind, message.text) == (MessageKind.FORM, "It is broken")


def test_discord_command_in_a_direct_chat_has_a_user_and_no_member():
    direct = interaction(user={"id": "7", "username": "ada", "global_name": "Ada"})
    del direct["member"], direct["guild_id"]

    (message,) = parse("discord", direct).messages

    assert (message.conversation_type, message.sender_name) == (ConversationType.DIRECT, "Ada")


def frame(name, **data):
    author = {"id": "7", "username": "ada"}
    usual = {"id": "5", "channel_id": "3", "type": 0, "author": author, "content": "hi"}
    return {"op": 0, "t": name, "s": 1, "d": {**usual, "timestamp": "2026-04-01T10:04:25+00:00", **data}}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (frame("MESSAGE_CREATE", author={"id": "9", "bot": True}), IgnoreReason.BOT_MESSAGE),
        (frame("MESSAGE_CREATE", webhook_id="9"), IgnoreReason.BOT_MESSAGE),
        (frame("MESSAGE_CREATE", author={"id": "1", "bot": True}), IgnoreReason.OWN_MESSAGE),
        (frame("MESSAGE_CREATE", type=7), IgnoreReason.MEMBERSHIP),
        (frame("MESSAGE_CREATE", type=6), IgnoreReason.SYSTEM),
        (frame("MESSAGE_REACTION_ADD"), IgnoreReason.REACTION),
        (frame("AN_EVENT_OF_NEXT_YEAR"), IgnoreReason.UNKNOWN),
        ({"op": 11, "t": None, "s": None, "d": None}, IgnoreReason.SYSTEM),
    ],
)
def test_discord_frames_nobody_wrote_are_ignored_with_the_reason(sent, reason):
    parsed = parse("discord", sent)

    assert (parsed.messages, parsed.ignored) == ((), reason)


def test_discord_bulk_deletion_names_every_message():
    bulk = {"op": 0, "t": "MESSAGE_DELETE_BULK", "s": 1, "d": {"ids": ["1", "2"], "channel_id": "3", "guild_id": "4"}}

    parsed = parse("discord", bulk)

    assert [(message.message_id, message.is_delete) for message in parsed.messages] == [("1", True), ("2", True)]


# ---- all


SPARSE = {
    "telegram": telegram(text="hi"),
    "slack": slack(channel_type="channel"),
    "whatsapp": whatsapp(written(1, text={"body": "hi"})),
    "discord": interaction(data={"name": "task", "type": 1, "options": [{"name": "text", "type": 3, "value": "hi"}]}),
}


@pytest.mark.parametrize("channel", SPARSE)
def test_a_request_with_only_the_documented_fields_is_read(channel):
    (message,) = parse(channel, SPARSE[channel]).messages

    assert message.text == "hi"
    assert message.sent_at is None or message.sent_at <= datetime.now(UTC)


def test_presses_and_commands_without_a_message_id_stay_apart():
    (first,) = parse("discord", interaction(id="1")).messages
    (second,) = parse("discord", interaction(id="2")).messages

    assert first.external_key != second.external_key


def test_slack_retry_of_an_event_has_the_key_of_the_first_try():
    first, again = (case for case in our_cases() if case.name in ("message_channel", "message_channel_retry"))

    assert first.bot().event_key(first.request()) == again.bot().event_key(again.request())

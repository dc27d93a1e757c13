"""Telegram's updates, in our words. Pure. Source: https://core.telegram.org/bots/api#update"""

import re
from typing import Any

from app.domain.messages import Attachment, ConversationType, IgnoreReason, InboundMessage, MessageKind, Parsed
from connectors import payloads as read

CONVERSATION_TYPES = {
    "private": ConversationType.DIRECT,
    "group": ConversationType.GROUP,
    "supergroup": ConversationType.GROUP,
    "channel": ConversationType.CHANNEL,
}

MESSAGES = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_message", "edited_business_message",
)  # fmt: skip

# What the bot asks Telegram for. Reactions, polls and inline queries are no requests of a customer.
WANTED_UPDATES = [*MESSAGES, "callback_query", "my_chat_member"]

# Updates that come when the webhook was set elsewhere with another list.
IGNORED_UPDATES = {
    **dict.fromkeys(("my_chat_member", "chat_member", "chat_join_request"), IgnoreReason.MEMBERSHIP),
    **dict.fromkeys(("message_reaction", "message_reaction_count"), IgnoreReason.REACTION),
    "business_connection": IgnoreReason.SYSTEM,
    **dict.fromkeys(
        (
            "deleted_business_messages", "inline_query", "chosen_inline_result", "shipping_query",
            "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "chat_boost", "removed_chat_boost",
        ),
        IgnoreReason.NOT_A_MESSAGE,
    ),
}  # fmt: skip

# Service messages: nobody wrote them, Telegram did.
SERVICE_FIELDS = {
    **dict.fromkeys(("new_chat_members", "left_chat_member"), IgnoreReason.MEMBERSHIP),
    **dict.fromkeys(("migrate_to_chat_id", "migrate_from_chat_id"), IgnoreReason.MIGRATION),
    **dict.fromkeys(
        (
            "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
            "channel_chat_created", "message_auto_delete_timer_changed", "pinned_message", "successful_payment",
            "refunded_payment", "users_shared", "chat_shared", "connected_website", "write_access_allowed",
            "proximity_alert_triggered", "boost_added", "chat_background_set", "forum_topic_created",
            "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden",
            "general_forum_topic_unhidden", "giveaway_created", "giveaway_completed", "video_chat_scheduled",
            "video_chat_started", "video_chat_ended", "video_chat_participants_invited",
        ),
        IgnoreReason.SYSTEM,
    ),
}  # fmt: skip

# Asked in this order: an animation also carries `document`, a venue also carries `location`.
CONTENT_FIELDS = {
    "photo": MessageKind.IMAGE,
    "animation": MessageKind.VIDEO,
    "video": MessageKind.VIDEO,
    "video_note": MessageKind.VIDEO,
    "voice": MessageKind.VOICE,
    "audio": MessageKind.VOICE,
    "sticker": MessageKind.STICKER,
    "document": MessageKind.DOCUMENT,
    "location": MessageKind.LOCATION,
    "contact": MessageKind.CONTACT,
}
WITHOUT_FILE = {MessageKind.LOCATION, MessageKind.CONTACT}
COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(@\w+)?(\s|$)")


def read_update(update: dict[str, Any]) -> Parsed:
    for name, read_kind in READERS.items():
        if name in update:
            return read_kind(update, name)
    for name, reason in IGNORED_UPDATES.items():
        if name in update:
            return read.ignored(reason)
    return read.ignored(IgnoreReason.UNKNOWN)


def update_key(update: dict[str, Any]) -> str:
    return f"update_id:{read.identifier(update['update_id'])}"


def _message(update: dict[str, Any], name: str) -> Parsed:
    message = update[name]
    service = next((SERVICE_FIELDS[field] for field in message if field in SERVICE_FIELDS), None)
    if service is not None:
        return read.ignored(service, **_migration(message))
    sender = message.get("sender_chat") or message.get("from") or message["chat"]
    if sender.get("is_bot") is True:  # anonymous admins and linked channels say so too, but have a sender_chat
        return read.ignored(IgnoreReason.BOT_MESSAGE)
    if "business_message" in name and sender["id"] != message["chat"]["id"]:
        return read.ignored(IgnoreReason.OWN_MESSAGE)  # the person the bot is connected to answered the customer
    text = read.text_of(message.get("text", message.get("caption")))
    kind, attachments = _content(message, text)
    return read.only(
        InboundMessage(
            conversation_id=_conversation_id(message),
            conversation_type=CONVERSATION_TYPES[message["chat"]["type"]],
            sender_id=read.identifier(sender["id"]),
            sender_name=_name(sender),
            message_id=read.identifier(message["message_id"]),
            kind=kind,
            text=text,
            thread_id=_topic(message),
            reply_to_message_id=_reply_to(message),
            group_id=read.optional_identifier(message.get("media_group_id")),
            attachments=attachments,
            sent_at=read.moment(message["date"]),
            is_edit=name.startswith("edited_"),
            # Numbers are only promised to be unique while a chat lives; the date, which edits repeat, is the sure part.
            distinction=str(message["date"]),
        )
    )


def _callback_query(update: dict[str, Any], name: str) -> Parsed:
    query = update[name]
    pressed_on = query.get("message")
    if pressed_on is None:  # a button of a message sent through inline mode, in a chat the bot cannot write to
        return read.ignored(IgnoreReason.NOT_A_MESSAGE)
    return read.only(
        InboundMessage(
            conversation_id=_conversation_id(pressed_on),
            conversation_type=CONVERSATION_TYPES[pressed_on["chat"]["type"]],
            sender_id=read.identifier(query["from"]["id"]),
            sender_name=_name(query["from"]),
            message_id=update_key(update),  # a press has no message of its own
            kind=MessageKind.BUTTON,
            action_value=read.text_of(query.get("data")),
            thread_id=_topic(pressed_on),
            reply_to_message_id=read.identifier(pressed_on["message_id"]),
        )
    )


READERS = {**dict.fromkeys(MESSAGES, _message), "callback_query": _callback_query}


def _conversation_id(message: dict[str, Any]) -> str:
    """The chat, and the business connection if there is one: both chats with the customer share the chat id."""
    chat_id = read.identifier(message["chat"]["id"])
    connection = message.get("business_connection_id")
    return f"{chat_id}@{read.identifier(connection)}" if connection else chat_id


def _migration(message: dict[str, Any]) -> dict[str, str]:
    here = read.identifier(message["chat"]["id"])
    if "migrate_to_chat_id" in message:
        return {"moved_from": here, "moved_to": read.identifier(message["migrate_to_chat_id"])}
    if "migrate_from_chat_id" in message:
        return {"moved_from": read.identifier(message["migrate_from_chat_id"]), "moved_to": here}
    return {}


def _name(sender: dict[str, Any]) -> str | None:
    parts = (read.text_of(sender.get(part)) for part in ("first_name", "last_name", "title"))
    return " ".join(filter(None, parts)) or None


def _topic(message: dict[str, Any]) -> str | None:
    """The forum topic. Without is_topic_message, message_thread_id only names a chain of replies."""
    return read.identifier(message["message_thread_id"]) if message.get("is_topic_message") else None


def _reply_to(message: dict[str, Any]) -> str | None:
    replied = message.get("reply_to_message")
    if replied is None or "forum_topic_created" in replied:  # every message of a topic "replies" to its creation
        return None
    return read.identifier(replied["message_id"])


def _content(message: dict[str, Any], text: str) -> tuple[MessageKind, tuple[Attachment, ...]]:
    for name, kind in CONTENT_FIELDS.items():
        if name in message:
            return kind, () if kind in WITHOUT_FILE else (_attachment(kind, message[name]),)
    if "text" not in message:
        return MessageKind.UNSUPPORTED, ()
    return MessageKind.COMMAND if COMMAND.match(text) else MessageKind.TEXT, ()


def _attachment(kind: MessageKind, file: Any) -> Attachment:
    if kind is MessageKind.IMAGE:  # a list of sizes of one picture
        file = max(file, key=lambda size: size["width"] * size["height"])
    return Attachment(
        kind=kind,
        external_id=read.identifier(file["file_id"]),
        name=read.text_of(file.get("file_name")),
        mime_type=read.text_of(file.get("mime_type")),
        size_bytes=read.size_of(file.get("file_size")),
    )

"""Slack's events, button presses, shortcuts and slash commands, in our words. Pure.

Source: https://docs.slack.dev/reference/events/message and https://docs.slack.dev/reference/interaction-payloads
"""

from collections.abc import Iterable
from typing import Any

from app.domain.messages import Attachment, ConversationType, IgnoreReason, InboundMessage, MessageKind, Parsed
from connectors import payloads as read

# `channel_type` of an event; where it is missing, the first letter of the channel's id.
CONVERSATION_TYPES = {
    "im": ConversationType.DIRECT,
    "app_home": ConversationType.DIRECT,
    "D": ConversationType.DIRECT,
    "mpim": ConversationType.GROUP,
    "group": ConversationType.GROUP,
    "G": ConversationType.GROUP,
}

WRITTEN_SUBTYPES = {None, "file_share", "thread_broadcast", "me_message"}
MEMBERSHIP_SUBTYPES = {"channel_join", "channel_leave", "group_join", "group_leave"}

IGNORED_EVENTS = {
    "reaction_added": IgnoreReason.REACTION,
    "reaction_removed": IgnoreReason.REACTION,
    "member_joined_channel": IgnoreReason.MEMBERSHIP,
    "member_left_channel": IgnoreReason.MEMBERSHIP,
    "team_join": IgnoreReason.MEMBERSHIP,
    "app_uninstalled": IgnoreReason.MEMBERSHIP,
    "tokens_revoked": IgnoreReason.MEMBERSHIP,
    "channel_rename": IgnoreReason.SYSTEM,
    "channel_archive": IgnoreReason.SYSTEM,
    "channel_deleted": IgnoreReason.SYSTEM,
    "app_home_opened": IgnoreReason.NOT_A_MESSAGE,
    "file_shared": IgnoreReason.NOT_A_MESSAGE,  # the message with the file comes as a message event
    "link_shared": IgnoreReason.NOT_A_MESSAGE,
}


def read_payload(payload: dict[str, Any], app_id: str) -> Parsed:
    """`app_id`: our own app, where it is known, besides the one the payload names."""
    if "command" in payload:
        return read.only(_slash_command(payload))
    if payload.get("type") == "event_callback":
        return _event(payload, app_id)
    read_request = REQUESTS.get(payload.get("type"))
    return read_request(payload) if read_request else read.ignored(IgnoreReason.UNKNOWN)


def _event(payload: dict[str, Any], app_id: str) -> Parsed:
    event = payload["event"]
    if event["type"] not in ("message", "app_mention"):
        return read.ignored(IGNORED_EVENTS.get(event["type"], IgnoreReason.UNKNOWN))
    message, before = event.get("message") or event, event.get("previous_message") or {}
    bot = _bot_reason((event, message, before), {payload.get("api_app_id"), app_id} - {None, ""})
    if bot is not None:
        return read.ignored(bot)
    subtype = event.get("subtype")
    if subtype == "message_deleted" or message.get("subtype") == "tombstone":
        return read.only(_written(payload, event, before, is_delete=True))
    if subtype == "message_changed":
        # Also sent for link previews and thread counters; only a new text is the customer's doing.
        if message.get("text") == before.get("text"):
            return read.ignored(IgnoreReason.NO_CHANGE)
        return read.only(_written(payload, event, {"ts": before.get("ts"), **message}, is_edit=True))
    if subtype in WRITTEN_SUBTYPES:
        return read.only(_written(payload, event, event))
    return read.ignored(IgnoreReason.MEMBERSHIP if subtype in MEMBERSHIP_SUBTYPES else IgnoreReason.SYSTEM)


def _bot_reason(messages: Iterable[dict[str, Any]], our_apps: set[str]) -> IgnoreReason | None:
    """Bots of today have no subtype: bot_id decides, or two bots would answer each other for ever."""
    for message in messages:
        if message.get("bot_id") or message.get("subtype") == "bot_message" or message.get("user") == "USLACKBOT":
            author = message.get("app_id") or (message.get("bot_profile") or {}).get("app_id")
            return IgnoreReason.OWN_MESSAGE if author in our_apps else IgnoreReason.BOT_MESSAGE
    return None


def _slash_command(form: dict[str, str]) -> InboundMessage:
    return InboundMessage(
        conversation_id=read.identifier(form["channel_id"]),
        conversation_type=_conversation_type(None, form["channel_id"]),
        sender_id=read.identifier(form["user_id"]),
        sender_name=form.get("user_name"),
        message_id=f"trigger_id:{read.identifier(form['trigger_id'])}",  # a command has no message of its own
        kind=MessageKind.COMMAND,
        text=form.get("text", ""),
        action_value=form["command"],
    )


def _block_actions(payload: dict[str, Any]) -> Parsed:
    action, container, user = payload["actions"][0], payload.get("container") or {}, payload["user"]
    channel = (payload.get("channel") or {}).get("id") or container.get("channel_id")
    if channel is None:  # pressed on the app's own page, outside any conversation
        return read.ignored(IgnoreReason.NOT_A_MESSAGE)
    chosen = action.get("selected_option") or {}
    return read.only(
        InboundMessage(
            conversation_id=read.identifier(channel),
            conversation_type=_conversation_type(None, channel),
            sender_id=read.identifier(user["id"]),
            sender_name=read.optional_text(user.get("username") or user.get("name")),
            message_id=f"trigger_id:{read.identifier(payload['trigger_id'])}",  # a press has no message of its own
            kind=MessageKind.BUTTON,
            text=read.text_of((action.get("text") or chosen.get("text") or {}).get("text")),
            action_value=read.text_of(action.get("value") or chosen.get("value") or action.get("action_id")),
            thread_id=read.optional_identifier(container.get("thread_ts")),
            reply_to_message_id=read.optional_identifier(container.get("message_ts")),
        )
    )


def _message_shortcut(payload: dict[str, Any]) -> Parsed:
    """Somebody picked a message for us; its author counts as the sender."""
    return read.only(_written(payload, {"channel": payload["channel"]["id"]}, payload["message"]))


REQUESTS = {
    "url_verification": lambda payload: read.ignored(IgnoreReason.HANDSHAKE),
    "app_rate_limited": lambda payload: read.ignored(IgnoreReason.NOT_A_MESSAGE),
    "block_actions": _block_actions,
    "message_action": _message_shortcut,
}


def _written(
    payload: dict[str, Any],
    event: dict[str, Any],
    message: dict[str, Any],
    is_edit: bool = False,
    is_delete: bool = False,
) -> InboundMessage:
    """`message` is what was written, which lies deeper in `event` for edits and deletions."""
    sent, text = read.identifier(message["ts"]), read.text_of(message.get("text"))
    thread = read.optional_identifier(message.get("thread_ts"))
    attachments = tuple(_attachment(file) for file in message.get("files") or ())
    return InboundMessage(
        conversation_id=read.identifier(event["channel"]),
        conversation_type=_conversation_type(event.get("channel_type"), event["channel"]),
        sender_id=read.identifier(message.get("user") or message.get("bot_id")),
        sender_is_bot="bot_id" in message,
        message_id=sent,
        kind=attachments[0].kind if attachments else MessageKind.TEXT,
        text=text,
        text_clean=_without_mentions_of_us(text, payload),
        thread_id=thread if thread != sent else None,  # the first message of a thread names itself
        attachments=attachments,
        sent_at=read.moment(sent),
        is_edit=is_edit,
        is_delete=is_delete,
    )


def _without_mentions_of_us(text: str, payload: dict[str, Any]) -> str:
    """The text without mentions of the bot, or empty when there are none."""
    clean = text
    for bot_user in _bot_users(payload):
        clean = clean.replace(f"<@{bot_user}>", "")
    return clean.strip() if clean != text else ""


def _bot_users(payload: dict[str, Any]) -> list[Any]:
    """Newer payloads name us under authorizations, older ones under authed_users."""
    authorizations = payload.get("authorizations") or ()
    authorized = [authorization["user_id"] for authorization in authorizations if authorization.get("is_bot")]
    return [*authorized, *(payload.get("authed_users") or ())]


def _conversation_type(channel_type: str | None, channel_id: str) -> ConversationType:
    return CONVERSATION_TYPES.get(channel_type or channel_id[:1], ConversationType.CHANNEL)


def _attachment(file: dict[str, Any]) -> Attachment:
    """`url` needs the bot's token; without it Slack answers 200 with a login page."""
    mime_type = read.text_of(file.get("mimetype"))
    return Attachment(
        kind=read.kind_of_file(mime_type),
        external_id=read.identifier(file["id"]),
        url=read.text_of(file.get("url_private")),
        name=read.text_of(file.get("name")),
        mime_type=mime_type,
        size_bytes=read.size_of(file.get("size")),
    )

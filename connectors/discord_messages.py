"""Discord's message objects and gateway frames, in our words. Pure.

Source: https://discord.com/developers/docs/resources/message and /docs/events/gateway-events
"""

from collections.abc import Iterator
from typing import Any

from app.domain.messages import Attachment, ConversationType, IgnoreReason, InboundMessage, MessageKind, Parsed
from connectors import payloads as read

HELLO, DISPATCH = 10, 0  # kinds of frames
WRITTEN_TYPES = {0, 19, 20, 21, 23}  # plain, reply, answers to commands, start of a thread; Discord writes the others
JOINED = 7
FORWARD = 1  # kind of a reference; the other one is a reply

IGNORED_FRAMES = {
    "READY": IgnoreReason.HANDSHAKE,
    "RESUMED": IgnoreReason.HANDSHAKE,
    "MESSAGE_REACTION_ADD": IgnoreReason.REACTION,
    "MESSAGE_REACTION_REMOVE": IgnoreReason.REACTION,
    "MESSAGE_REACTION_REMOVE_ALL": IgnoreReason.REACTION,
    "MESSAGE_REACTION_REMOVE_EMOJI": IgnoreReason.REACTION,
    "GUILD_MEMBER_ADD": IgnoreReason.MEMBERSHIP,
    "GUILD_MEMBER_REMOVE": IgnoreReason.MEMBERSHIP,
    "GUILD_CREATE": IgnoreReason.MEMBERSHIP,
    "GUILD_DELETE": IgnoreReason.MEMBERSHIP,
    "TYPING_START": IgnoreReason.NOT_A_MESSAGE,
    "PRESENCE_UPDATE": IgnoreReason.NOT_A_MESSAGE,
}


def read_frame(frame: dict[str, Any], application_id: str) -> Parsed:
    """A whole gateway frame {t, s, op, d}. Our own bot's user has the id of the application."""
    if frame["op"] != DISPATCH:
        return read.ignored(IgnoreReason.HANDSHAKE if frame["op"] == HELLO else IgnoreReason.SYSTEM)
    name, data = frame["t"], frame["d"]
    if name == "MESSAGE_CREATE":
        return _message_event(data, application_id)
    if name == "MESSAGE_UPDATE":  # also sent for link previews and thread marks
        if not data.get("edited_timestamp"):
            return read.ignored(IgnoreReason.NO_CHANGE)
        return _message_event(data, application_id, is_edit=True)
    if name in ("MESSAGE_DELETE", "MESSAGE_DELETE_BULK"):
        return Parsed(messages=tuple(_deletions(data)))
    return read.ignored(IGNORED_FRAMES.get(name, IgnoreReason.UNKNOWN))


def frame_key(frame: dict[str, Any], body: bytes) -> str:
    data = frame.get("d") or {}
    if not str(frame.get("t")).startswith("MESSAGE_") or "id" not in data:
        return read.fingerprint(body)
    key = f"message:{read.identifier(data['id'])}"
    if frame["t"] == "MESSAGE_DELETE":
        return f"{key}:deleted"
    return f"{key}:{data['edited_timestamp']}" if data.get("edited_timestamp") else key


def _message_event(data: dict[str, Any], application_id: str, is_edit: bool = False) -> Parsed:
    author = data["author"]
    if author["id"] == application_id:
        return read.ignored(IgnoreReason.OWN_MESSAGE)
    if author.get("bot") or data.get("webhook_id"):
        return read.ignored(IgnoreReason.BOT_MESSAGE)
    if data["type"] not in WRITTEN_TYPES:
        return read.ignored(IgnoreReason.MEMBERSHIP if data["type"] == JOINED else IgnoreReason.SYSTEM)
    return read.only(written(data, "guild_id" in data, is_edit))


def written(data: dict[str, Any], in_server: bool, is_edit: bool = False) -> InboundMessage:
    content, reference = data, data.get("message_reference") or {}
    is_forward = reference.get("type") == FORWARD
    if is_forward:
        content = data["message_snapshots"][0]["message"]
    text = read.text_of(content.get("content"))
    stickers = [_sticker(sticker) for sticker in content.get("sticker_items") or ()]
    attachments = tuple(attachment(file) for file in content.get("attachments") or ()) or tuple(stickers)
    author, has_reply = data["author"], "message_id" in reference and not is_forward
    return InboundMessage(
        conversation_id=read.identifier(data["channel_id"]),
        conversation_type=conversation_type(in_server),
        sender_id=read.identifier(author["id"]),
        sender_name=shown_name(data.get("member") or {}, author),
        sender_is_bot=author.get("bot") is True,
        message_id=read.identifier(data["id"]),
        kind=_kind(text, attachments),
        text=text,
        reply_to_message_id=read.identifier(reference["message_id"]) if has_reply else None,
        attachments=attachments,
        sent_at=read.iso_moment(data["timestamp"]),
        is_edit=is_edit,
    )


def _deletions(data: dict[str, Any]) -> Iterator[InboundMessage]:
    for message_id in data.get("ids") or [data["id"]]:
        yield InboundMessage(
            conversation_id=read.identifier(data["channel_id"]),
            conversation_type=conversation_type("guild_id" in data),
            sender_id="",  # Discord tells only which message
            message_id=read.identifier(message_id),
            kind=MessageKind.TEXT,
            is_delete=True,
        )


def conversation_type(in_server: bool) -> ConversationType:
    return ConversationType.CHANNEL if in_server else ConversationType.DIRECT


def shown_name(member: dict[str, Any], user: dict[str, Any]) -> str | None:
    return read.optional_text(member.get("nick") or user.get("global_name") or user.get("username"))


def _kind(text: str, attachments: tuple[Attachment, ...]) -> MessageKind:
    """A sticker beside a text is decoration; any other file decides."""
    first = attachments[0].kind if attachments else None
    if first is None or (text and first is MessageKind.STICKER):
        return MessageKind.TEXT
    return first


def _sticker(sticker: dict[str, Any]) -> Attachment:
    identity, name = read.identifier(sticker["id"]), read.text_of(sticker.get("name"))
    return Attachment(kind=MessageKind.STICKER, external_id=identity, name=name)


def attachment(file: dict[str, Any]) -> Attachment:
    """`url` works for about a day."""
    mime_type = read.text_of(file.get("content_type"))
    return Attachment(
        kind=read.kind_of_file(mime_type),
        external_id=read.identifier(file["id"]),
        url=read.text_of(file["url"]),
        name=read.text_of(file.get("filename")),
        mime_type=mime_type,
        size_bytes=read.size_of(file.get("size")),
    )

"""WhatsApp's webhook requests, in our words. Pure.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
"""

from collections.abc import Iterator
from typing import Any

from app.domain.messages import Attachment, ConversationType, IgnoreReason, InboundMessage, MessageKind, Parsed
from connectors import payloads as read

FILE_KINDS = {
    "image": MessageKind.IMAGE,
    "video": MessageKind.VIDEO,
    "audio": MessageKind.VOICE,
    "sticker": MessageKind.STICKER,
    "document": MessageKind.DOCUMENT,
}

IGNORED_TYPES = {
    "reaction": IgnoreReason.REACTION,
    "system": IgnoreReason.SYSTEM,
    "request_welcome": IgnoreReason.NOT_A_MESSAGE,
}


def read_payload(payload: dict[str, Any]) -> Parsed:
    """All messages of the request; without any, the reason of the first item that is none."""
    results = [result for field, value in _changes(payload) for result in _read_change(field, value)]
    messages = tuple(message for result in results for message in result.messages)
    notes = {name: note for result in results for name, note in result.notes.items()}
    if messages:
        return Parsed(messages=messages, notes=notes)
    reasons = [result.ignored for result in results]
    return Parsed(ignored=reasons[0] if reasons else IgnoreReason.UNKNOWN, notes=notes)


def item_keys(payload: dict[str, Any]) -> list[str]:
    """Message ids, and status ids with their status: a message is sent, delivered and read under one id."""
    keys = []
    for _, value in _changes(payload):
        written = [*(value.get("messages") or ()), *(value.get("message_echoes") or ())]
        keys += [read.identifier(item["id"]) for item in written]
        keys += [f"{read.identifier(item['id'])}:{item['status']}" for item in value.get("statuses") or ()]
    return keys


def _changes(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """One request carries several accounts (entries) with several changes each."""
    for entry in payload["entry"]:
        for change in entry["changes"]:
            yield change["field"], change["value"]


def _read_change(field: str, value: dict[str, Any]) -> Iterator[Parsed]:
    if field == "smb_message_echoes":  # what our own people wrote in the phone app
        yield read.ignored(IgnoreReason.OWN_MESSAGE)
    elif field != "messages":
        yield read.ignored(IgnoreReason.OTHER_FIELD)
    else:
        for message in value.get("messages") or ():
            yield _read_message(message, value)
        if value.get("statuses"):
            yield read.ignored(IgnoreReason.STATUS)
        elif value.get("errors") and not value.get("messages"):
            yield read.ignored(IgnoreReason.SYSTEM)


def _read_message(message: dict[str, Any], value: dict[str, Any]) -> Parsed:
    kind = message["type"]
    if kind in IGNORED_TYPES:
        return read.ignored(IGNORED_TYPES[kind], **_number_change(message))
    if kind == "edit":
        edit = message["edit"]
        return read.only(_inbound(message, value, edit["message"], edit["original_message_id"], is_edit=True))
    if kind == "revoke":
        return read.only(_inbound(message, value, {}, message["revoke"]["original_message_id"], is_delete=True))
    return read.only(_inbound(message, value, message, message["id"]))


def _inbound(
    message: dict[str, Any],
    value: dict[str, Any],
    content: dict[str, Any],
    message_id: str,
    is_edit: bool = False,
    is_delete: bool = False,
) -> InboundMessage:
    """`content` holds what was written: the message itself or, of an edit, its new version."""
    contact = _contact(message, value)
    # Customers with a username come without a phone number, only with a business-scoped id.
    sender = message.get("from") or message.get("from_user_id") or contact.get("user_id")
    kind, text, action_value, attachments = CONTENTS.get(content.get("type"), _unsupported)(content)
    return InboundMessage(
        conversation_id=read.identifier(sender),
        conversation_type=ConversationType.DIRECT,
        sender_id=read.identifier(sender),
        sender_name=read.optional_text((contact.get("profile") or {}).get("name")),
        message_id=read.identifier(message_id),
        kind=MessageKind.TEXT if is_delete else kind,
        text=text,
        action_value=action_value,
        reply_to_message_id=read.optional_identifier((content.get("context") or {}).get("id")),
        attachments=attachments,
        sent_at=read.moment(message["timestamp"]),
        is_edit=is_edit,
        is_delete=is_delete,
        bot_account_id=read.identifier(value["metadata"]["phone_number_id"]),
    )


def _contact(message: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """The sender among `value.contacts`; some requests name the only one under another id."""
    contacts = value.get("contacts") or [{}]
    names = {message.get("from"), message.get("from_user_id")} - {None}
    return next((c for c in contacts if c.get("wa_id") in names or c.get("user_id") in names), contacts[0])


def _number_change(message: dict[str, Any]) -> dict[str, str]:
    system = message.get("system") or {}
    if system.get("type") != "user_changed_number":
        return {}
    return {"moved_from": read.identifier(message["from"]), "moved_to": read.identifier(system["wa_id"])}


Content = tuple[MessageKind, str, str | None, tuple[Attachment, ...]]


def _text(message: dict[str, Any]) -> Content:
    return MessageKind.TEXT, read.text_of(message["text"]["body"]), None, ()


def _file(message: dict[str, Any]) -> Content:
    kind, file = FILE_KINDS[message["type"]], message[message["type"]]
    attachment = Attachment(
        kind=kind,
        external_id=read.identifier(file["id"]),
        url=read.text_of(file.get("url")),
        name=read.text_of(file.get("filename")),
        mime_type=read.text_of(file.get("mime_type")),
    )
    return kind, read.text_of(file.get("caption")), None, (attachment,)


def _template_button(message: dict[str, Any]) -> Content:
    button = message["button"]
    return MessageKind.BUTTON, read.text_of(button.get("text")), read.text_of(button.get("payload")), ()


def _interactive(message: dict[str, Any]) -> Content:
    interactive = message.get("interactive") or {}
    reply = interactive.get("button_reply") or interactive.get("list_reply")
    if reply:
        return MessageKind.BUTTON, read.text_of(reply.get("title")), read.text_of(reply.get("id")), ()
    if "nfm_reply" in interactive:  # a filled-in form (Flow); its answers are JSON in a text
        answers = read.json_object("WhatsApp", interactive["nfm_reply"]["response_json"])
        texts = (answer for name, answer in answers.items() if name != "flow_token" and isinstance(answer, str))
        return MessageKind.FORM, "\n".join(texts), None, ()
    return _unsupported(message)


def _unsupported(message: dict[str, Any]) -> Content:
    return MessageKind.UNSUPPORTED, "", None, ()  # still a customer who wrote


CONTENTS = {
    "text": _text,
    "button": _template_button,
    "interactive": _interactive,
    "location": lambda message: (MessageKind.LOCATION, "", None, ()),
    "contacts": lambda message: (MessageKind.CONTACT, "", None, ()),
    "order": lambda message: (MessageKind.ORDER, read.text_of(message["order"].get("text")), None, ()),
    **dict.fromkeys(FILE_KINDS, _file),
}

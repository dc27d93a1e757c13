"""What comes in from a chat service, in one shape for all channels. Pure data."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl


class MessageKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    ORDER = "order"
    BUTTON = "button"
    COMMAND = "command"
    FORM = "form"
    UNSUPPORTED = "unsupported"


class ConversationType(StrEnum):
    DIRECT = "direct"
    GROUP = "group"
    CHANNEL = "channel"


class IgnoreReason(StrEnum):
    """Why a verified request holds no customer message. Kept with the raw event and shown."""

    HANDSHAKE = "handshake"
    STATUS = "status"
    REACTION = "reaction"
    MEMBERSHIP = "membership"
    SYSTEM = "system"
    MIGRATION = "migration"
    BOT_MESSAGE = "bot_message"
    OWN_MESSAGE = "own_message"
    NO_CHANGE = "no_change"
    OTHER_FIELD = "other_field"
    NOT_A_MESSAGE = "not_a_message"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One HTTP request as received. Header names are lower case; `body` is untouched bytes."""

    method: str
    headers: dict[str, str]
    body: bytes
    query: str = ""
    url: str = ""

    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor wants to read back. `store` is False when the request carries no event (a handshake).

    keep: what a handshake gave us for the connection's config (a signing secret), by the config's field names.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    store: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    kind: MessageKind
    external_id: str = ""  # the vendor's id of the file, to fetch it with the bot's token
    url: str = ""
    name: str = ""
    mime_type: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a customer. Ids are the channel's own; an edit or a deletion carries the original's id."""

    conversation_id: str
    conversation_type: ConversationType
    sender_id: str
    message_id: str
    kind: MessageKind
    text: str = ""
    text_clean: str = ""  # `text` without mentions and markup; empty when the same
    sender_name: str | None = None
    sender_is_bot: bool = False
    action_value: str | None = None
    thread_id: str | None = None
    reply_to_message_id: str | None = None
    group_id: str | None = None  # one album
    attachments: tuple[Attachment, ...] = ()
    sent_at: datetime | None = None
    is_edit: bool = False
    is_delete: bool = False
    bot_account_id: str | None = None  # which of several accounts in one request
    distinction: str = ""  # what else tells it from another message, where ids may come a second time

    @property
    def external_key(self) -> str:
        """Unique per bot: message ids alone repeat in every chat on some channels."""
        key = f"{self.conversation_id}/{self.message_id}"
        return f"{key}/{self.distinction}" if self.distinction else key

    @property
    def conversation_key(self) -> str:
        return f"{self.conversation_id}/{self.thread_id}" if self.thread_id else self.conversation_id


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that one request says: messages, and why the rest of it was left out."""

    messages: tuple[InboundMessage, ...] = ()
    ignored: IgnoreReason | None = None
    notes: dict[str, str] = field(default_factory=dict)

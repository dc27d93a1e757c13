"""Reading what chat services send without trusting it. Pure.

Every text that comes out of here can be stored in PostgreSQL: no NUL characters, no lone surrogates.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson

from app.domain.errors import Ambiguous, Malformed
from app.domain.messages import IgnoreReason, InboundMessage, MessageKind, Parsed, RawRequest

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
Result = TypeVar("Result")
FILE_KINDS = {"image": MessageKind.IMAGE, "video": MessageKind.VIDEO, "audio": MessageKind.VOICE}
KEPT = "Its bytes are kept and the event is marked failed; it can be processed again once this is understood."


def json_object(label: str, body: bytes | str) -> dict[str, Any]:
    """The body's JSON object. Raises Malformed."""
    try:
        value = _loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The {label} request is not valid JSON. {KEPT}") from error
    if not isinstance(value, dict):
        raise Malformed(f"The {label} request is JSON, but not an object. {KEPT}")
    return value


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a urlencoded body; bytes that are not UTF-8 become U+FFFD."""
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {_storable(name): _storable(value) for name, value in fields}


def walks_the_body(method: Callable[[Any, RawRequest], Result]) -> Callable[[Any, RawRequest], Result]:
    """Let a method of a Channel read fields as if they were there; a body of another shape raises Malformed."""

    @wraps(method)
    def guarded(self: Any, request: RawRequest) -> Result:
        try:
            return method(self, request)
        except KeyError as error:
            raise Malformed(f"The {self.label} request has no field {error}. {KEPT}") from error
        except (TypeError, AttributeError, ValueError, IndexError, RecursionError) as error:
            # The error's own text may quote the customer, so it stays in the traceback.
            raise Malformed(f"A field of the {self.label} request has an unexpected type. {KEPT}") from error

    return guarded


def identifier(value: Any) -> str:
    """A vendor's id: a text that is not empty, or a whole number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise TypeError("not an id")
    return str(value)


def optional_identifier(value: Any) -> str | None:
    return None if value is None else identifier(value)


def text_of(value: Any) -> str:
    """A text the vendor may leave out."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def optional_text(value: Any) -> str | None:
    """A text the vendor may leave out or empty, where the difference to a given one matters."""
    return text_of(value) or None


def kind_of_file(mime_type: str) -> MessageKind:
    return FILE_KINDS.get(mime_type.partition("/")[0], MessageKind.DOCUMENT)


def size_of(value: Any) -> int | None:
    """A file's size in bytes, where the vendor gives a believable one."""
    return value if type(value) is int and 0 <= value < 2**63 else None


def moment(unix_seconds: Any) -> datetime:
    """From seconds since 1970, as number or text, with up to six exact decimals."""
    whole, _, decimals = str(unix_seconds).partition(".")
    microseconds = int(decimals[:6].ljust(6, "0")) if decimals else 0
    try:
        return datetime.fromtimestamp(int(whole), UTC).replace(microsecond=microseconds)
    except (OverflowError, OSError) as error:
        raise ValueError("not a time") from error


def iso_moment(value: str) -> datetime:
    """From ISO 8601 with a zone."""
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("no time zone")
    try:
        return parsed.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time") from error


def fingerprint(body: bytes) -> str:
    """An event key for requests the vendor gives no id: a resend has the same bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def answered(label: str, answer: Any, *path: str | int) -> str:
    """The id or name at `path` in a vendor's answer of success. Raises Ambiguous when it is not there."""
    try:
        for step in path:
            answer = answer[step]
        return identifier(answer)
    except (KeyError, TypeError, IndexError) as error:
        raise Ambiguous(
            f"{label} answered without '{path[-1]}', so it may have done what it was asked or not. "
            "Look there before trying again."
        ) from error


def only(message: InboundMessage) -> Parsed:
    return Parsed(messages=(message,))


def ignored(reason: IgnoreReason, **notes: str) -> Parsed:
    return Parsed(ignored=reason, notes=notes)


def _loads(body: bytes | str) -> Any:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson refuses lone surrogates (half an emoji, cut off by somebody's client), the standard library reads them.
        text = body if isinstance(body, str) else body.decode()
        return _storable(json.loads(text))
    escaped_nul = "\\u0000" if isinstance(body, str) else b"\\u0000"
    return _storable(value) if escaped_nul in body else value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value.replace("\0", ""))
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value

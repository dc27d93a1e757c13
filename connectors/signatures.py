"""Proving that a webhook request comes from where it says. Pure; every comparison takes constant time.

All `check_*` functions return nothing when the proof holds and raise BadSignature otherwise. They are called for
every request, so nothing here parses or copies the body.
"""

import hashlib
import hmac
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.domain.errors import BadSignature

MAX_TIMESTAMP_DIGITS = 12  # Unix seconds until the year 33658


def check_secret(label: str, sent: str, expected: str, what: str) -> None:
    """`sent` is the shared secret itself. `what` names it for the reader, as in 'secret token header'."""
    if not same(sent, expected):
        raise _refusal(label, what)


def check_hmac_sha256(label: str, sent: str, secret: str, signed: bytes, prefix: str, what: str) -> None:
    """`sent` is `prefix` plus the lower-case hex HMAC-SHA256 of `signed`."""
    expected = prefix + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not same(sent, expected):
        raise _refusal(label, what)


def check_ed25519(label: str, sent: str, public_key: str, signed: bytes, what: str) -> None:
    """`sent` and `public_key` are hex."""
    try:
        _ed25519_key(public_key).verify(bytes.fromhex(sent), signed)
    except (InvalidSignature, ValueError) as error:
        raise _refusal(label, what) from error


def check_fresh(label: str, sent: str, now: float, tolerance_s: float) -> None:
    """`sent` is the request's own time, in Unix seconds. Both the past and the future are limited."""
    if not (sent.isascii() and sent.isdigit() and len(sent) <= MAX_TIMESTAMP_DIGITS):
        raise _refusal(label, "timestamp header")
    if abs(now - int(sent)) > tolerance_s:
        raise BadSignature(
            f"The {label} request is more than {tolerance_s:.0f} s away from this server's clock; it was refused and "
            "nothing was stored. If this happens to every request, set the server's clock."
        )


def header_bytes(value: str) -> bytes:
    """A header as it came over the wire; HTTP headers are Latin-1."""
    return value.encode("latin-1", "replace")


@lru_cache(maxsize=4096)
def _ed25519_key(public_key: str) -> Ed25519PublicKey:
    """Building the key costs more than using it, and a bot's key stays the same for years."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))


def same(sent: str, expected: str) -> bool:
    """In constant time."""
    # An empty expectation must never pass, whatever the configuration let through.
    return bool(expected) and hmac.compare_digest(header_bytes(sent), expected.encode())


def _refusal(label: str, what: str) -> BadSignature:
    return BadSignature(
        f"The {what} of the {label} request is missing or wrong; it was refused and nothing was stored. "
        f"If {label} itself sent it, compare the values on Bots with those {label} shows."
    )

"""Proving and reading what Lark and Feishu push. Pure.

Source: https://open.larksuite.com/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case
(read 2026-11).
"""

import hashlib
from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from app.domain.errors import BadSignature, Malformed
from app.domain.messages import RawRequest
from connectors.payloads import json_object
from connectors.signatures import check_secret

BLOCK = 16  # bytes of AES


def event_of(label: str, request: RawRequest, encrypt_key: str) -> dict[str, Any]:
    """The decrypted event. Raises BadSignature when the key does not open it."""
    try:
        return json_object(label, _decrypted(json_object(label, request.body)["encrypt"], encrypt_key))
    except (Malformed, KeyError, TypeError, ValueError) as error:
        raise BadSignature(
            f"The {label} request is not encrypted with the Encrypt Key; it was refused and nothing was stored. If "
            f"{label} itself sent it, set the same Encrypt Key in its developer console and on Destinations."
        ) from error


def check_event(label: str, request: RawRequest, encrypt_key: str) -> None:
    """Raise BadSignature unless the request is signed with the key."""
    headers = request.headers
    signed = headers.get("x-lark-request-timestamp", "") + headers.get("x-lark-request-nonce", "") + encrypt_key
    expected = hashlib.sha256(signed.encode("latin-1", "replace") + request.body).hexdigest() if encrypt_key else ""
    check_secret(label, headers.get("x-lark-signature", ""), expected, "X-Lark-Signature header")


def _decrypted(encrypted: str, encrypt_key: str) -> bytes:
    """AES-256-CBC with the key's SHA-256, the IV in front, PKCS#7 padding."""
    if not encrypt_key:
        raise ValueError("anybody can encrypt with an empty key")
    content = b64decode(encrypted)
    cipher = Cipher(algorithms.AES256(hashlib.sha256(encrypt_key.encode()).digest()), modes.CBC(content[:BLOCK]))
    decryptor, unpadder = cipher.decryptor(), PKCS7(BLOCK * 8).unpadder()
    padded = decryptor.update(content[BLOCK:]) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()

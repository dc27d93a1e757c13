"""Proving, reading and answering what DingTalk pushes to an app over HTTP. Pure, but for the answer's nonce.

Source: https://open.dingtalk.com/document/development/event-todo-task-update for the events, and the vendor's examples
at https://github.com/open-dingtalk/DingTalk-Callback-Crypto for signature and encryption, which are WeCom's but for
the envelope.
"""

import hashlib
import secrets
from base64 import b64encode
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from app.domain.errors import BadSignature, Malformed
from app.domain.messages import RawRequest
from connectors.payloads import json_object
from connectors.signatures import check_secret
from connectors.wecom_events import BLOCK_BITS, IV, LENGTH, RANDOM, aes_key_of, decrypted

CHECK = "check_url"  # DingTalk tests the address with it
CHANGED = ("todo_task_update", "todo_task_delete")
READ = b"success"  # what it wants to read back, encrypted


def opened(label: str, request: RawRequest, token: str, aes_key: str, app: str) -> dict[str, Any]:
    """The event. Raises BadSignature unless it is signed with the token and encrypted with the key, for this app.

    app: the app's Client ID.
    """
    params, encrypted = request.params(), _encrypted(label, request)
    sent = params.get("msg_signature") or params.get("signature", "")
    signature = _signature(token, params.get("timestamp", ""), params.get("nonce", ""), encrypted)
    check_secret(label, sent, signature if token and encrypted else "", "signature")
    try:
        message, receiver = decrypted(encrypted, aes_key)
        if receiver != app.encode():
            raise ValueError("for another app")
        return json_object(label, message)
    except (ValueError, Malformed) as error:
        raise BadSignature(
            f"The {label} request is not encrypted with the aes_key for this app; it was refused and nothing was "
            f"stored. If {label} itself sent it, set the same aes_key in its developer console and on Destinations."
        ) from error


def success(token: str, aes_key: str, app: str, now: float) -> bytes:
    """The answer that tells DingTalk not to send the event again. now: Unix time in seconds."""
    timestamp, nonce = str(int(now * 1000)), secrets.token_hex(8)
    encrypted = _sealed(READ, aes_key, app.encode(), secrets.token_bytes(RANDOM))
    signature = _signature(token, timestamp, nonce, encrypted)
    return orjson.dumps({"msg_signature": signature, "timeStamp": timestamp, "nonce": nonce, "encrypt": encrypted})


def _sealed(message: bytes, aes_key: str, receiver: bytes, random: bytes) -> str:
    """The reverse of `decrypted`."""
    key, padder = aes_key_of(aes_key), PKCS7(BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:IV])).encryptor()
    content = padder.update(random + len(message).to_bytes(LENGTH, "big") + message + receiver) + padder.finalize()
    return b64encode(encryptor.update(content) + encryptor.finalize()).decode()


def _encrypted(label: str, request: RawRequest) -> str:
    try:
        found = json_object(label, request.body).get("encrypt")
    except Malformed:
        return ""
    return found if isinstance(found, str) else ""


def _signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()

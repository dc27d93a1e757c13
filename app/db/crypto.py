"""Secrets at rest: AES-256-GCM, bound to the workspace and the place they stand, so they cannot be moved.

A stored secret is `enc:<key id>:<base64 of nonce and ciphertext>`. The key comes from OCTOPUS_SECRET_KEY: base64 of
32 bytes; several, separated by commas, are one rotation: the first encrypts, all of them decrypt.
Absent, a key is made once in the data directory, readable by its owner alone.
Source: NIST SP 800-38D (96-bit random nonce; far below 2^32 uses of one key).
"""

import base64
import binascii
import os
from functools import cache
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.errors import OctopusError
from app.settings import settings

PREFIX = "enc:"


class SecretLost(OctopusError):
    """The key a secret was encrypted with is not among the configured ones, or the value was tampered with."""


def encrypt(secret: str, workspace_id: UUID, place: str) -> str:
    """place: where it is kept, like `bot/tg/token`; decrypting needs the same workspace and place."""
    key_id, key = _keys()[0]
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), _bound_to(workspace_id, place))
    return f"{PREFIX}{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, workspace_id: UUID, place: str) -> str:
    _, key_id, sealed = stored.split(":", 2)
    key = dict(_keys()).get(key_id)
    if key is None:
        raise SecretLost(
            f"The secret at {place} was encrypted with a key that is not in OCTOPUS_SECRET_KEY. It was left as it is. "
            "Put the old key back (after a comma), or type the secret again."
        )
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(key).decrypt(raw[:12], raw[12:], _bound_to(workspace_id, place)).decode()
    except InvalidTag as error:
        raise SecretLost(
            f"The secret at {place} was changed outside Octopus and is unusable. Type it again."
        ) from error


def is_encrypted(value: object) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)


def derive(purpose: str) -> str:
    """A key for another purpose (signing cookies, say) from the newest master key, as 64 hex digits."""
    return sha256(_keys()[0][1] + purpose.encode()).hexdigest()


def _bound_to(workspace_id: UUID, place: str) -> bytes:
    return f"{workspace_id}/{place}".encode()


@cache
def _keys() -> list[tuple[str, bytes]]:
    configured = settings().secret_key
    texts = configured.get_secret_value().split(",") if configured else [_kept_key()]
    return [(sha256(key).hexdigest()[:8], key) for key in map(_decoded, texts)]


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise OctopusError("OCTOPUS_SECRET_KEY is not base64. Make one with: openssl rand -base64 32") from error
    if len(key) != 32:
        raise OctopusError("OCTOPUS_SECRET_KEY must hold 32 bytes. Make one with: openssl rand -base64 32")
    return key


def _kept_key() -> str:
    path = settings().data_dir / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(base64.b64encode(os.urandom(32)).decode())
    return path.read_text()

"""Discord commands signed with a key of our own."""

import json
import time
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select

from app.db.engine import in_workspace
from app.db.tables import Bot
from app.services import secrets
from connectors import registry

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
_ids = count(10**17)


def with_our_key(workspace_id) -> None:
    public_key = KEY.public_key().public_bytes_raw().hex()
    with in_workspace(workspace_id) as session:
        bot = session.exec(select(Bot).where(Bot.channel == "discord")).one()
        config = registry.channel("discord").Config(bot_token="t", application_id="1", public_key=public_key)
        bot.config = secrets.seal(config, workspace_id, f"bot/{bot.id}")


def signed_command(text: str) -> tuple[bytes, dict[str, str]]:
    stamp = str(int(time.time()))
    body = json.dumps({
        "id": str(next(_ids)), "application_id": "1", "type": 2, "token": "t", "version": 1, "channel_id": "5",
        "member": {"user": {"id": "7", "username": "ann"}},
        "data": {"id": "9", "name": "support", "type": 1, "options": [{"name": "text", "type": 3, "value": text}]},
    }).encode()  # fmt: skip
    signature = KEY.sign(stamp.encode() + body).hex()
    return body, {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp}

"""The receiver as a process of its own, on a free port, over real HTTP."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.db.engine import in_workspace
from app.db.tables import Bot
from app.services import secrets
from connectors import registry

ROOT = Path(__file__).parents[2]
CONFIGS = {
    "telegram": {"token": "1:a", "webhook_secret": "telegram-secret"},
    "slack": {"bot_token": "xoxb", "signing_secret": "slack-secret"},
    "whatsapp": {"access_token": "t", "phone_number_id": "1", "app_secret": "whatsapp-secret", "verify_token": "v"},
    "discord": {
        "bot_token": "t", "application_id": "1",
        "public_key": "4f5d425b21c43d5b9ef4695e8500c6001e6f926754e832563a8232cc22682142",
    },
}  # fmt: skip


@dataclass
class Running:
    """`hooks`: channel -> path of its bot."""

    client: httpx.Client
    process: subprocess.Popen
    workspace_id: object
    hooks: dict[str, str]

    def rows(self, sql: str) -> list:
        with in_workspace(self.workspace_id) as session:
            return session.connection().exec_driver_sql(sql).all()

    def telegram(self, update_id: int, text: str = "hello", secret: str = "telegram-secret") -> httpx.Response:
        message = {
            "message_id": update_id, "date": 1_790_000_000, "text": text, "chat": {"id": 1, "type": "private"},
            "from": {"id": 1, "is_bot": False, "first_name": "Ann"},
        }  # fmt: skip
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return self.client.post(
            self.hooks["telegram"], json={"update_id": update_id, "message": message}, headers=headers
        )


def add_bots(workspace_id) -> dict[str, str]:
    paths = {}
    with in_workspace(workspace_id) as session:
        for channel, values in CONFIGS.items():
            bot = Bot(workspace_id=workspace_id, key=channel, channel=channel, hook_key=uuid4().hex)
            config = registry.channel(channel).Config(**values)
            bot.config = secrets.seal(config, workspace_id, f"bot/{bot.id}")
            session.add(bot)
            paths[channel] = f"/hooks/{channel}/{bot.hook_key}"
    return paths


def start_receiver(**environment: str) -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "webhook_receiver:app", "--port", str(port), "--loop", "uvloop", "--http",
        "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            httpx.get(f"{address}/healthz", timeout=1)
            return process, address
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError("the receiver did not start")


@pytest.fixture
def receiver(workspace):
    process, address = start_receiver()
    with httpx.Client(base_url=address, timeout=10) as client:
        yield Running(client, process, workspace, add_bots(workspace))
    process.terminate()
    process.wait(20)

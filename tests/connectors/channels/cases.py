"""The recorded requests of every channel: what came in, what must come out.

`tests/fixtures/channels/<channel>/index.json` lists them; SOURCE.md beside it says whose they are. Recordings whose
licence does not let us pass them on lie in ../shared beside the project, where there is one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.domain.messages import RawRequest
from connectors import registry

PROJECT = Path(__file__).parents[3]
OURS = PROJECT / "tests/fixtures/channels"
BORROWED = PROJECT / "../shared/fixtures/channels"
BORROWED_NAMES = {
    "slack": ["app_rate_limited"],
    "discord": [
        "gateway_message",
        "gateway_update_embed_only",
        "gateway_forwarded",
        "gateway_sticker_text",
        "gateway_hello",
    ],
}

CONFIGS = {
    "api": {"signing_secret": "whsec_dGVzdC1zZWNyZXQtb2YtdGhlLW93bi1hcGk="},
    "telegram": {"token": "123:test", "webhook_secret": "test-secret"},
    "slack": {"bot_token": "xoxb-test", "signing_secret": "test-secret"},
    "whatsapp": {"access_token": "test", "phone_number_id": "1", "app_secret": "test-secret", "verify_token": "verify"},
    "discord": {"bot_token": "test", "application_id": "1", "public_key": "00" * 32},
}
NAMES_OF_SECRETS = {"webhook_secret_token": "webhook_secret"}


@dataclass(frozen=True)
class Case:
    channel: str
    name: str
    details: dict[str, Any]
    secrets: dict[str, str]
    folder: Path

    def __str__(self) -> str:
        return f"{self.channel}-{self.name}"

    @property
    def expected(self) -> dict[str, Any]:
        return self.details["expected"]

    @property
    def signature(self) -> dict[str, Any]:
        return self.details.get("signature", {"valid": True})

    @property
    def clock(self) -> float:
        return self.signature.get("clock", 0.0)

    def body(self) -> bytes:
        return (self.folder / self.details["file"]).read_bytes() if self.details["file"] else b""

    def request(self) -> RawRequest:
        headers = {name.lower(): value for name, value in self.details.get("headers", {}).items()}
        query = urlencode(self.details.get("query", {}))
        return RawRequest(self.details.get("method", "POST"), headers, self.body(), query)

    def bot(self) -> Any:
        return bot(self.channel, **self.secrets)


def bot(channel: str, transport: Any = None, **config: str) -> Any:
    """A configured adapter; `config` overrides the test configuration."""
    module = registry.channel(channel)
    return module.Channel(module.Config(**{**CONFIGS[channel], **config}), transport)


@cache
def cases_in(folder: Path, channel: str) -> list[Case]:
    index = json.loads((folder / channel / "index.json").read_text())
    return [
        Case(channel, fixture["name"], fixture, _config(fixture.get("secrets", index["secrets"])), folder / channel)
        for fixture in index["fixtures"]
    ]


def our_cases(direction: str = "inbound") -> list[Case]:
    """Of every channel that has recordings; a channel without any fails its own test."""
    channels = [channel for channel in registry.channel_keys() if (OURS / channel / "index.json").exists()]
    cases = [case for channel in channels for case in cases_in(OURS, channel)]
    return [case for case in cases if case.details["direction"] == direction]


def all_inbound() -> Iterator[Any]:
    yield from (pytest.param(case, id=str(case)) for case in our_cases())
    for channel, names in BORROWED_NAMES.items():
        for name in names:
            yield _borrowed(channel, name)


def _borrowed(channel: str, name: str) -> Any:
    if not (BORROWED / channel / "index.json").exists():
        absent = pytest.mark.skip(reason="this recording may not be passed on and is not on this machine")
        return pytest.param(None, id=f"{channel}-{name}", marks=absent)
    case = next(case for case in cases_in(BORROWED, channel) if case.name == name)
    return pytest.param(case, id=str(case))


def _config(secrets: dict[str, str]) -> dict[str, str]:
    return {NAMES_OF_SECRETS.get(name, name): value for name, value in secrets.items()}

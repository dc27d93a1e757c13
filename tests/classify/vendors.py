"""The three kinds of LLM server, as the tests see them: requests taken apart, answers put together.

Answers have the shapes of the vendors' published contracts; test_llm.py checks them against these where they are at
hand.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.classify.llm import Account
from app.domain.classification import Category, Priority

CATEGORIES = (
    Category("bug", "Bug", "Something is broken", Priority.HIGH),
    Category("billing", "Billing", "Invoices, refunds"),
    Category("chatter", "Chatter", "Greetings and thanks", Priority.LOW),
)
HONEST = {
    "category": "bug", "priority": "normal", "sentiment": "negative", "language": "en",
    "title": "Export is broken", "confidence": 0.9, "reason": "The export fails.",
}  # fmt: skip
# 900 fresh and 100 cached tokens in, 50 out
PRICES = {"price_in": 1.0, "price_out": 5.0, "price_cached_in": 0.1}
COST_USD = (900 * 1.0 + 100 * 0.1 + 50 * 5.0) / 1_000_000


@dataclass(frozen=True)
class Vendor:
    """path: below the server's address. base: what the account's base_url adds. reply: (written, how it ended) -> JSON.

    system_of, user_of: the two parts of a request's JSON.
    """

    key: str
    base: str
    path: str
    reply: Callable[[str, str], dict[str, Any]]
    system_of: Callable[[dict], Any]
    user_of: Callable[[dict], str]

    def account(self, server, key: str = "main", **more) -> Account:
        return Account.model_validate({
            "key": key, "provider": self.key, "model": "model-1", "api_key": "secret-key",
            "base_url": server.url_for(self.base), **PRICES, **more,
        })  # fmt: skip

    def serves(self, server, said: object, ended: str = "done") -> None:
        """said: the model's answer, as fields or as raw text. ended: done, cut_off or refused."""
        server.expect_request(self.path, method="POST").respond_with_json(self.reply(written(said), ended))

    def fails(self, server, status: int, error: dict, headers: dict | None = None) -> None:
        server.expect_request(self.path, method="POST").respond_with_json(error, status=status, headers=headers)


def written(said: object) -> str:
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _anthropic(text: str, ended: str) -> dict[str, Any]:
    return {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "model-1",
        "content": [{"type": "text", "text": text, "citations": None}] if text else [],
        "stop_reason": {"done": "end_turn", "cut_off": "max_tokens", "refused": "refusal"}[ended],
        "stop_sequence": None, "stop_details": None, "container": None,
        "usage": {
            "input_tokens": 700, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 100,
            "output_tokens": 50, "cache_creation": None, "inference_geo": None, "server_tool_use": None,
            "service_tier": None, "output_tokens_details": None,
        },
    }  # fmt: skip


def _responses(text: str, ended: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if ended == "refused":
        part = {"type": "refusal", "refusal": "I cannot help with that."}
    return {
        "id": "resp_01", "object": "response", "created_at": 1_790_000_000, "model": "model-1", "error": None,
        "status": "incomplete" if ended == "cut_off" else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if ended == "cut_off" else None,
        "output": [
            {"id": "rs_01", "type": "reasoning", "summary": []},
            {"id": "msg_01", "type": "message", "status": "completed", "role": "assistant", "content": [part]},
        ],
        "usage": {
            "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0},
            "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1050,
        },
        "instructions": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0, "top_p": 1.0,
        "tool_choice": "auto", "tools": [],
    }  # fmt: skip


def _chat(text: str, ended: str) -> dict[str, Any]:
    refused = ended == "refused"
    message = {"role": "assistant", "content": None if refused else text, "refusal": "No." if refused else None}
    return {
        "id": "chatcmpl-01", "object": "chat.completion", "created": 1_790_000_000, "model": "model-1",
        "choices": [{
            "index": 0, "message": message, "logprobs": None,
            "finish_reason": "length" if ended == "cut_off" else "stop",
        }],
        "usage": {
            "prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
            "prompt_tokens_details": {"cached_tokens": 100},
        },
    }  # fmt: skip


ANTHROPIC = Vendor(
    "anthropic",
    "/",
    "/v1/messages",
    _anthropic,
    lambda sent: sent["system"],
    lambda sent: sent["messages"][0]["content"],
)
OPENAI = Vendor(
    "openai", "/v1", "/v1/responses", _responses, lambda sent: sent["instructions"],
    lambda sent: sent["input"][0]["content"],
)  # fmt: skip
CHAT = Vendor(
    "openai_chat", "/v1", "/v1/chat/completions", _chat, lambda sent: sent["messages"][0],
    lambda sent: sent["messages"][1]["content"],
)  # fmt: skip
VENDORS = (ANTHROPIC, OPENAI, CHAT)


def sent(server) -> dict[str, Any]:
    """The JSON of the last request the server got."""
    return json.loads(server.log[-1][0].data)

"""The three ways vendors want to be asked and answer. Pure: dictionaries in, dictionaries out.

Sources: the vendors' OpenAPI documents of August 2026 (Anthropic: POST /v1/messages; OpenAI 2.3.0: POST /responses and
/chat/completions, the latter as Ollama, vLLM, DeepSeek and Qwen serve it, which know `max_tokens` and `temperature`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.classify.prompt import Prompt

MAX_OUTPUT_TOKENS = 1000  # an answer takes about 80; the rest is room for models that think first
CUT_OFF = f"The model's answer was cut off at {MAX_OUTPUT_TOKENS} tokens."
REFUSED = "The model refused to answer (the vendor's safety rules)."


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote, or the `problem` that it wrote nothing usable. Tokens as in `Answer`."""

    written: str
    problem: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """body(model, prompt, text, structured) makes a request's JSON; read(JSON) understands the answer.

    `read` returns None when the vendor took the question and then failed at its own end.
    `read` raises LookupError, TypeError or AttributeError when the answer has not the vendor's shape.
    """

    sdk: str
    client: str
    path: str
    body: Callable[[str, Prompt, str, str], dict[str, Any]]
    read: Callable[[dict[str, Any]], Reply | None]


# ---- anthropic


def _anthropic_body(model: str, prompt: Prompt, text: str, structured: str) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": MAX_OUTPUT_TOKENS,
        "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": prompt.user(text)}],
        "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
    }


def _anthropic_read(reply: dict[str, Any]) -> Reply:
    written = "".join(block["text"] for block in reply["content"] if block["type"] == "text")
    problems = {"max_tokens": CUT_OFF, "model_context_window_exceeded": CUT_OFF, "refusal": REFUSED}
    usage = reply.get("usage") or {}
    cached = usage.get("cache_read_input_tokens") or 0
    tokens_in = (usage.get("input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0) + cached
    return Reply(written, problems.get(reply["stop_reason"], ""), tokens_in, cached, usage.get("output_tokens") or 0)


# ---- openai, responses


def _responses_body(model: str, prompt: Prompt, text: str, structured: str) -> dict[str, Any]:
    return {
        "model": model,
        "instructions": prompt.system,
        "input": [{"role": "user", "content": prompt.user(text)}],
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "store": False,
        "prompt_cache_key": prompt.cache_key,
        "text": {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": prompt.schema}},
    }


def _responses_read(reply: dict[str, Any]) -> Reply | None:
    if reply["status"] == "failed":
        return None
    parts = [part for item in reply["output"] if item["type"] == "message" for part in item["content"]]
    problem = ""
    if any(part["type"] == "refusal" for part in parts):
        problem = REFUSED
    elif reply["status"] != "completed":
        why = (reply.get("incomplete_details") or {}).get("reason")
        problem = REFUSED if why == "content_filter" else CUT_OFF
    written = "".join(part["text"] for part in parts if part["type"] == "output_text")
    usage = reply.get("usage") or {}
    cached = (usage.get("input_tokens_details") or {}).get("cached_tokens") or 0
    return Reply(written, problem, usage.get("input_tokens") or 0, cached, usage.get("output_tokens") or 0)


# ---- openai_chat


def _chat_body(model: str, prompt: Prompt, text: str, structured: str) -> dict[str, Any]:
    if structured == "json_object":
        system, shape = prompt.system_with_schema, {"type": "json_object"}
    else:
        strict = {"name": "answer", "strict": True, "schema": prompt.schema}
        system, shape = prompt.system, {"type": "json_schema", "json_schema": strict}
    return {
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": prompt.user(text)}],
        "max_tokens": MAX_OUTPUT_TOKENS,
        "temperature": 0,
        "response_format": shape,
    }


def _chat_read(reply: dict[str, Any]) -> Reply:
    choice = reply["choices"][0]
    message = choice["message"]
    refused = message.get("refusal") or choice["finish_reason"] == "content_filter"
    problem = REFUSED if refused else CUT_OFF if choice["finish_reason"] == "length" else ""
    usage = reply.get("usage") or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    written = message.get("content") or ""
    return Reply(written, problem, usage.get("prompt_tokens") or 0, cached, usage.get("completion_tokens") or 0)


DIALECTS = {
    "anthropic": Dialect("anthropic", "Anthropic", "/v1/messages", _anthropic_body, _anthropic_read),
    "openai": Dialect("openai", "OpenAI", "/responses", _responses_body, _responses_read),
    "openai_chat": Dialect("openai", "OpenAI", "/chat/completions", _chat_body, _chat_read),
}

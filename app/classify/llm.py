"""Asking a language model: the only home of the vendors' SDKs.

One client per (provider, address, key) and process, shared by all threads. Retries are off: the cascade asks the next
account, and the retry policy asks again later. Both SDKs run on httpx2.

Calls go through the client's own `post` with the HTTP response as result, not through `messages.create`: the answer is
checked by hand anyway (so that usage is kept when it is cut off or wrong), and building the typed objects costs more
than the rest of the call. Measured on 2 cores with 128 threads waiting 400 ms each: anthropic 1.2 instead of 1.7 ms CPU
a call, openai 1.3 instead of 3.2 ms. Authentication, headers, time-outs and errors stay the SDK's.
"""

import importlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator

from app.classify.answer import Answer, fields_of
from app.classify.dialects import DIALECTS, Reply
from app.classify.prompt import Prompt
from app.domain.errors import Refused, Rejected, RemoteError, TransientError, Unauthorized

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 5.0
CONNECTIONS = 1000  # more than a process has threads
NO_MONEY = re.compile(r"insufficient_quota|billing|credit balance", re.I)
FIELD_AT_FAULT = re.compile(r"([a-z_]+(?:\.[a-z_0-9]+){0,4}): ")


class Account(BaseModel):
    """Access to one model. Prices are USD per million tokens; writing to a cache counts as `price_in`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    provider: Literal["anthropic", "openai", "openai_chat"] = Field(
        title="Provider",
        description="openai_chat: any server with chat completions, such as Ollama, vLLM, DeepSeek or Qwen",
    )
    model: str = Field(title="Model", min_length=1, description="The model's name as its provider writes it")
    api_key: SecretStr = Field(title="API key", min_length=1, description="Any word where the server asks for none")
    price_in: float = Field(
        0.0, ge=0, title="Price of input", description="USD per million tokens; the Learning page counts with it"
    )
    price_out: float = Field(0.0, ge=0, title="Price of output", description="USD per million tokens")
    second_opinion: bool = Field(
        False,
        title="Asked when those above are unsure",
        description="For a larger model below a small one: it is asked about the doubtful messages only",
    )
    base_url: HttpUrl | None = Field(
        None, title="Own address", description="Where the SDK finds the API; OpenAI's ends in /v1"
    )
    price_cached_in: float | None = Field(
        None, ge=0, title="Price of cached input", description="Input read from the vendor's cache"
    )
    timeout_s: float = Field(20.0, gt=0, le=120, title="Longest wait in seconds", description="For one answer")
    structured: Literal["json_schema", "json_object"] = Field(
        "json_schema",
        title="Answer format",
        description="openai_chat only: what the server can promise about its answers",
    )

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("holds a space, a line break or a letter outside ASCII; copy the key again")
        return key

    @property
    def label(self) -> str:
        return f"LLM account '{self.key}'"

    def cost_usd(self, reply: Reply) -> float:
        price_cached = self.price_in if self.price_cached_in is None else self.price_cached_in
        fresh = reply.input_tokens - reply.cached_tokens
        return (fresh * self.price_in + reply.cached_tokens * price_cached + reply.output_tokens * self.price_out) / 1e6


def ask(account: Account, prompt: Prompt, text: str) -> Answer:
    """One call, about one message. An answer that cannot be used comes back with its `problem` and its cost.

    Raises TransientError (with the vendor's `retry_after_s`) when trying later may work; Unauthorized, Refused or
    Rejected when this account cannot answer until somebody changes it.
    """
    started = perf_counter()
    reply = _reply(account, prompt, text)
    fields = {"problem": reply.problem} if reply.problem else fields_of(reply.written, prompt.keys)
    return Answer(
        **fields,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        cached_tokens=reply.cached_tokens,
        cost_usd=account.cost_usd(reply),
        took_ms=(perf_counter() - started) * 1000,
    )


def _reply(account: Account, prompt: Prompt, text: str) -> Reply:
    import httpx2

    dialect = DIALECTS[account.provider]
    sdk = importlib.import_module(dialect.sdk)
    body = dialect.body(account.model, prompt, text, account.structured)
    wait = {"timeout": httpx2.Timeout(account.timeout_s, connect=min(CONNECT_S, account.timeout_s))}
    try:
        response = _client(account).post(dialect.path, body=body, cast_to=httpx2.Response, options=wait)
        reply = dialect.read(json.loads(response.content))
    except sdk.APITimeoutError as error:
        raise TransientError(f"{account.label} did not answer within {account.timeout_s:g} s.") from error
    except sdk.APIConnectionError as error:
        if isinstance(error.__cause__, RemoteError):
            raise error.__cause__ from error  # our own guard refused the address; the SDK only sees a failed call
        raise TransientError(f"{account.label} could not be reached, or hung up without an answer.") from error
    except sdk.APIStatusError as error:
        raise _error_of(account, error) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TransientError(
            f"{account.label} answered with status 200 and something that is not a {account.provider} answer. "
            "If this stays, check its base_url."
        ) from error
    if reply is None:
        raise TransientError(f"{account.label} took the question and then failed to answer it, at the vendor's end.")
    return reply


# ---- clients


def _http_client() -> "httpx2.Client":
    import httpx2

    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=60)
    return httpx2.Client(limits=limits)  # follows no redirect: an API key goes to the configured address only


# Replaced at start by whoever guards outgoing requests. A guard may raise a RemoteError inside the transport.
http_client_factory: Callable[[], "httpx2.Client"] = _http_client


def _client(account: Account) -> Any:
    address = str(account.base_url).rstrip("/") if account.base_url else None
    dialect = DIALECTS[account.provider]
    return _shared_client(dialect.sdk, dialect.client, address, account.api_key.get_secret_value())


@lru_cache(maxsize=256)
def _shared_client(sdk: str, client: str, base_url: str | None, api_key: str) -> Any:
    make = getattr(importlib.import_module(sdk), client)
    return make(api_key=api_key, base_url=base_url, max_retries=0, http_client=http_client_factory())


# ---- errors


def _error_of(account: Account, error: Any) -> RemoteError:
    """The vendor's own words are read but not repeated: they may quote the customer."""
    status, said = error.status_code, _said(error.body)
    message = str(said.get("message") or "")
    names = f"{said.get('code')} {said.get('type')} {message if status in (400, 402) else ''}"
    if status == 402 or (status in (400, 429) and NO_MONEY.search(names)):
        return Unauthorized(f"{account.label} has used up its credit or quota. Add credit at the vendor, then try it.")
    if status == 429:
        wait_s = _retry_after_s(error.response.headers)
        return TransientError(f"{account.label} gets more calls than the vendor allows it (429).", wait_s)
    if status == 401:
        return Unauthorized(f"{account.label} has a key the vendor does not accept (401). Enter a valid one.")
    if status == 403:
        return Refused(f"{account.label} may not use the model '{account.model}' (403). Allow it at the vendor.")
    if status in (408, 409, 425) or status >= 500:
        wait_s = _retry_after_s(error.response.headers)
        return TransientError(f"{account.label} failed at the vendor's end ({status}).", wait_s)
    field = _field_at_fault(status, said, message)
    where = f"field '{field}'" if field else "the request"
    return Rejected(
        f"{account.label} was refused: the vendor does not take {where} ({status}; the model is '{account.model}'). "
        "Correct the account's model, provider or base_url.",
        field,
    )


def _said(body: object) -> dict[str, Any]:
    """Anthropic wraps the error in `error`; the OpenAI SDK has already taken it out."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}


def _field_at_fault(status: int, said: dict[str, Any], message: str) -> str:
    if isinstance(said.get("param"), str):
        return said["param"][:80]
    match = FIELD_AT_FAULT.match(message)
    if match:
        return match[1]
    return "model" if status == 404 else ""


def _retry_after_s(headers: Any) -> float | None:
    """Seconds, from `retry-after-ms`, or from `retry-after` as seconds or as a date."""
    said = headers.get("retry-after", "")
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None

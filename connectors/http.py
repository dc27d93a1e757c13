"""The one HTTP client of all adapters: every outcome becomes a value or one of the errors of `app.domain.errors`.

Retries, limits and circuit breakers are not here: the caller decides what an error means (`app.domain.retry`).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore
import httpx
import orjson

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.addresses import guard

TIMEOUT_S = 20.0
MOST_CONNECTIONS = 512
KEPT = 8_000  # characters of a request or answer kept for the passport
MASK = "••••"
SAFE_METHODS = ("GET", "HEAD")

ErrorOf = Callable[[int, Mapping[str, str], Any], RemoteError | None]


@dataclass(slots=True)
class Exchange:
    """One request and what came back, as the passport shows it. Headers are never kept: they carry the credentials."""

    method: str
    url: str
    request: bytes
    secrets: tuple[str, ...]
    status: int | None = None
    answer: bytes = b""
    took_ms: float = 0.0
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "method": self.method, "url": self._shown(self.url), "request": self._shown(self.request),
            "status": self.status, "answer": self._shown(self.answer), "took_ms": round(self.took_ms, 1),
            "error": self._shown(self.error),
        }  # fmt: skip

    def _shown(self, content: bytes | str) -> str:
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        return masked(text, self.secrets)[:KEPT]


@dataclass(slots=True)
class Exchanges:
    kept: list[Exchange] = field(default_factory=list)

    def as_dicts(self) -> list[dict[str, Any]]:
        return [exchange.as_dict() for exchange in self.kept]


_recording: ContextVar[Exchanges | None] = ContextVar("recording", default=None)


@contextmanager
def recording() -> Iterator[Exchanges]:
    """Collects what ApiClients exchange on this thread meanwhile."""
    exchanges = Exchanges()
    token = _recording.set(exchanges)
    try:
        yield exchanges
    finally:
        _recording.reset(token)


def masked(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


class ApiClient:
    """One account at one vendor.

    error_of(status, headers, parsed body or None): the vendor's own envelope, asked first, on 2xx as well (several
    vendors report failure inside a 200); None leaves the answer to the status. secrets: masked wherever they show up.
    """

    def __init__(
        self,
        label: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | tuple[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
        error_of: ErrorOf | None = None,
        secrets: tuple[str, ...] = (),
    ):
        self.label = label
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "Octopus", **(headers or {})}
        self._auth = auth
        self._timeout = httpx.Timeout(timeout_s, connect=5.0)
        self._error_of = error_of or (lambda status, headers, body: None)
        self._secrets = tuple(secret for secret in secrets if len(secret) > 3)
        self._client = httpx.Client(transport=transport) if transport else _shared_client()

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        changes_nothing: bool = False,
    ) -> Any:
        """The parsed JSON of a successful answer; None when it is empty.

        changes_nothing: a POST that only asks (a search, a login): an end nobody saw is then no reason to look.
        """
        content = None if json is None else orjson.dumps(json)
        all_headers = self._headers | (headers or {})
        if content is not None:
            all_headers["Content-Type"] = "application/json"
        request = self._client.build_request(
            method, self._base_url + path, content=content, params=params, headers=all_headers, timeout=self._timeout
        )
        safe = changes_nothing or method in SAFE_METHODS
        return self._understood(safe, self._sent(request, content or b"", safe))

    def _sent(self, request: httpx.Request, content: bytes, safe: bool) -> httpx.Response:
        exchange = Exchange(request.method, str(request.url), content, self._secrets)
        exchanges = _recording.get()
        if exchanges is not None:
            exchanges.kept.append(exchange)
        started = time.perf_counter()
        try:
            response = self._client.send(request, auth=self._auth)
        except httpx.HTTPError as error:
            exchange.error = type(error).__name__
            raise self._not_answered(safe, error) from error
        finally:
            exchange.took_ms = (time.perf_counter() - started) * 1000
        exchange.status, exchange.answer = response.status_code, response.content
        return response

    def _not_answered(self, safe: bool, error: httpx.HTTPError) -> TransientError:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            return TransientError(
                f"{self.label} could not be reached, so nothing was sent. It is tried again by itself."
            )
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "closed the connection"
        if safe:
            return TransientError(f"{self.label} {what}. It is asked again by itself.")
        return Ambiguous(
            f"{self.label} {what}, so nobody knows whether it did what it was asked. It is looked for before anything "
            "is sent again."
        )

    def _understood(self, safe: bool, response: httpx.Response) -> Any:
        status, body, readable = response.status_code, None, True
        if response.content:
            try:
                body = orjson.loads(response.content)
            except orjson.JSONDecodeError:
                readable = False
        error = self._error_of(status, response.headers, body) or self._by_status(safe, response, body)
        if error is not None:
            error.args = tuple(masked(str(part), self._secrets) for part in error.args)  # a vendor may quote the token
            raise error
        if not readable:
            text = f"{self.label} answered {status} with something that is not JSON"
            if safe:
                raise TransientError(f"{text}. It is asked again by itself.")
            raise Ambiguous(f"{text}, so it may have done what it was asked. It is looked for before it is sent again.")
        return body

    def _by_status(self, safe: bool, response: httpx.Response, body: Any) -> RemoteError | None:
        status = response.status_code
        if status < 300:
            return None
        said = self.said(body)
        if status == 401:
            return Unauthorized(f"{self.label} refused the credentials{said}. Connect it again.")
        if status == 403:
            return Refused(f"{self.label} says the credentials lack a permission{said}. Grant it there and replay.")
        if status in (404, 410):
            return TargetGone(f"{self.label} does not know the target{said}. Choose another one and replay.")
        if status == 429:
            return TransientError(
                f"{self.label} is asked too often{said}. It is tried again.", retry_after_s(response.headers)
            )
        if status == 408 or status >= 500:
            text = f"{self.label} has a fault of its own (HTTP {status}){said}"
            if safe:
                return TransientError(f"{text}. It is asked again by itself.", retry_after_s(response.headers))
            return Ambiguous(f"{text}. It is looked for before it is sent again.", retry_after_s(response.headers))
        return Rejected(
            f"{self.label} refused the request (HTTP {status}){said}. Correct the field mapping and replay."
        )

    def said(self, body: Any) -> str:
        """The vendor's own words, if they are where most vendors put them: clipped, and without our secrets."""
        if isinstance(body, dict):
            inner = body.get("error") if isinstance(body.get("error"), dict) else body
            for name in ("message", "msg", "error_description", "description", "error", "errmsg"):
                if isinstance(inner.get(name), str) and inner[name]:
                    return f': "{masked(inner[name], self._secrets)[:300]}"'
        return ""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, given as a number or as a date (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


@cache
def _shared_client() -> httpx.Client:
    """One pool of connections for the process: making a client loads certificates, which takes tens of milliseconds."""
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
    return httpx.Client(transport=guard(httpx.HTTPTransport(limits=limits), httpcore), follow_redirects=False)

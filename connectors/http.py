"""The one HTTP client of all adapters: every outcome becomes a value or one of the errors of `app.domain.errors`.

Retries, limits and circuit breakers are not here: the caller decides what an error means (`app.domain.retry`).
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import httpx
import orjson

from app.domain.errors import Ambiguous, Refused, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors.connections import Connections, to_public_hosts
from connectors.waits import retry_after_s

TIMEOUT_S, CONNECT_S = 20.0, 5.0
LONGEST_ANSWER = 10_000_000  # bytes
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


class NotSent(Exception):
    """What would have changed something, shown instead of sent."""

    def __init__(self, exchange: Exchange):
        super().__init__(f"{exchange.method} {exchange.url}")
        self.exchange = exchange


_only_showing: ContextVar[bool] = ContextVar("only_showing", default=False)


@contextmanager
def only_showing() -> Iterator[None]:
    """On this thread ApiClients still ask meanwhile, but raise NotSent instead of a call that changes something."""
    token = _only_showing.set(True)
    try:
        yield
    finally:
        _only_showing.reset(token)


def masked(text: str, secrets: tuple[str, ...]) -> str:
    for written in _as_written(secrets):
        text = text.replace(written, MASK)
    return text


@lru_cache(maxsize=4096)
def _as_written(secrets: tuple[str, ...]) -> list[str]:
    """The secrets as they stand in a text, in JSON, in a URL and in a form.

    The longest first, as one may begin with another.
    """
    forms = {
        form
        for one in secrets
        for form in (one, orjson.dumps(one).decode()[1:-1], quote(one, safe=""), quote_plus(one))
    }
    return sorted(forms, key=len, reverse=True)


class _TooLong(httpx.ReadError):
    pass


class ApiClient:
    """One account at one vendor.

    error_of(status, headers, parsed body or None): the vendor's own envelope, asked first, on 2xx as well (several
    vendors report failure inside a 200); None leaves the answer to the status. secrets: masked wherever they show up.
    timeout_s: for sending, for each part of the answer, and for the answer as a whole. auth: name and password.

    Cookies are neither kept nor sent: two workspaces may have an account at the same host.
    """

    def __init__(
        self,
        label: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
        error_of: ErrorOf | None = None,
        secrets: tuple[str, ...] = (),
    ):
        self.label = label
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secret for secret in secrets if len(secret) > 3)
        self._headers = {
            "Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "Octopus",
            **(headers or {}),
        }  # fmt: skip
        if auth:
            name_and_password = b64encode(":".join(auth).encode()).decode()
            self._headers["Authorization"] = f"Basic {name_and_password}"
            self._secrets += (name_and_password,)
        self._timeout_s = timeout_s
        self._timeouts = {
            "connect": min(CONNECT_S, timeout_s), "read": timeout_s, "write": timeout_s, "pool": timeout_s,
        }  # fmt: skip
        self._error_of = error_of or (lambda status, headers, body: None)
        self._transport = transport or _shared_connections()
        self._refuse_what_cannot_be_sent()

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        changes_nothing: bool = False,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """The parsed JSON of a successful answer; None when it is empty.

        json, form: the body, at most one of them.
        changes_nothing: a POST that only asks (a search, a login): an end nobody saw is then no reason to look.
        """
        all_headers, content = self._headers | (headers or {}), None
        if json is not None:
            content, all_headers["Content-Type"] = orjson.dumps(json), "application/json"
        elif form is not None:
            content, all_headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        request = self._request(method, self._base_url + path, all_headers, content, params)
        safe = changes_nothing or method in SAFE_METHODS
        response, answer = self._sent(request, content or b"", safe)
        return self._understood(safe, response, answer)

    def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        """Send these very bytes; returns the status and headers of the answer, whatever they say.

        For what may be sent twice: an end nobody saw is a TransientError.
        """
        request = self._request("POST", self._base_url + path, self._headers | headers, content)
        response, _answer = self._sent(request, content, safe=True)
        return response.status_code, response.headers

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, params: Any = None
    ) -> httpx.Request:
        try:
            return httpx.Request(
                method, url, params=params, headers=headers, content=content, extensions={"timeout": self._timeouts}
            )
        except httpx.InvalidURL as error:
            raise self._no_address() from error

    def _refuse_what_cannot_be_sent(self) -> None:
        """What people paste: invisible characters in a token, a token in the place of an address."""
        for value in self._headers.values():
            if not (value.isascii() and value.isprintable()):
                raise Unauthorized(
                    f"The credentials for {self.label} hold a character that cannot be part of them (a line break, an "
                    "accent or an invisible one), so nothing was sent. Copy them once more and connect again."
                )
        try:
            httpx.URL(self._base_url).host.encode("idna")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise self._no_address() from error

    def _no_address(self) -> Rejected:
        return Rejected(
            f"The settings for {self.label} make no valid address; nothing was sent. Correct them and connect again.",
            "base_url",
        )

    def _sent(self, request: httpx.Request, content: bytes, safe: bool) -> tuple[httpx.Response, bytes]:
        exchange = Exchange(request.method, str(request.url), content, self._secrets)
        if not safe and _only_showing.get():
            raise NotSent(exchange)
        exchanges = _recording.get()
        if exchanges is not None:
            exchanges.kept.append(exchange)
        started = time.perf_counter()
        try:
            response = self._transport.handle_request(request)
            exchange.status = response.status_code
            try:
                exchange.answer = _whole(response, started + self._timeout_s)
            finally:
                response.close()
        except httpx.HTTPError as error:
            exchange.error = type(error).__name__.lstrip("_")
            raise self._not_answered(safe, error) from error
        finally:
            exchange.took_ms = (time.perf_counter() - started) * 1000
        return response, exchange.answer

    def _not_answered(self, safe: bool, error: httpx.HTTPError) -> TransientError:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return TransientError(
                f"{self.label} could not be reached, so nothing was sent. It is tried again by itself."
            )
        what = "closed the connection"
        if isinstance(error, httpx.TimeoutException):
            what = "did not answer in time"
        elif isinstance(error, _TooLong):
            what = f"answered with more than {LONGEST_ANSWER // 1_000_000} MB"
        if safe:
            return TransientError(f"{self.label} {what}. It is asked again by itself.")
        return Ambiguous(
            f"{self.label} {what}, so nobody knows whether it did what it was asked. It is looked for before anything "
            "is sent again."
        )

    def _understood(self, safe: bool, response: httpx.Response, answer: bytes) -> Any:
        status, body, readable = response.status_code, None, True
        if answer:
            try:
                body = orjson.loads(answer)
            except orjson.JSONDecodeError:
                readable = False
                if status >= 400 and response.headers.get("content-type", "").startswith("text/plain"):
                    body = {"message": answer[:KEPT].decode("utf-8", "replace").strip()}  # the vendor's own words
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
        if status < 400:
            return Rejected(
                f"{self.label} sends the request on to another address (HTTP {status}), which Octopus does not follow "
                "with your credentials; nothing was done. Correct the address, connect again and replay.",
                "base_url",
            )
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


def _whole(response: httpx.Response, until: float) -> bytes:
    """The answer's bytes. A vendor that drips them, or sends no end of them, must not hold a thread."""
    parts, length, is_late = [], 0, False
    for part in response.iter_bytes():
        if is_late:
            raise httpx.ReadTimeout("the answer takes too long")
        parts.append(part)
        length += len(part)
        if length > LONGEST_ANSWER:
            raise _TooLong("the answer is too long")
        is_late = time.perf_counter() > until  # but it may be complete
    return b"".join(parts)


@cache
def _shared_connections() -> Connections:
    """One for the process, made at the first call: whether private hosts are allowed is read then."""
    return to_public_hosts()

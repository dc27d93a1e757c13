"""Open connections, kept for the next call and shared by all threads of the process.

httpx's own pool looks, for every idle connection, at all the others whenever a call begins or ends: with a hundred
threads that takes ten times the CPU of the call itself. So each connection here is a pool of one, and an origin's idle
ones lie in a stack: the one used last is taken next, and those nobody needs any more grow old and are closed.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import httpcore
import httpx

from connectors.addresses import guard

KEPT_S = 5.0  # an idle connection; vendors close theirs after a few seconds more
Origin = tuple[bytes, bytes, int | None]


class Connections(httpx.BaseTransport):
    """make: a transport that holds at most one connection. As many are open at once as there are calls under way."""

    def __init__(self, make: Callable[[], httpx.BaseTransport]):
        self._make = make
        self._lock = Lock()
        self._idle: defaultdict[Origin, deque[tuple[float, httpx.BaseTransport]]] = defaultdict(deque)
        self._tidied_at = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = (request.url.raw_scheme, request.url.raw_host, request.url.port)
        connection = self._take(origin)
        try:
            response = connection.handle_request(request)
        except BaseException:  # whatever it was, this connection is in an unknown state
            connection.close()
            raise
        response.stream = _Borrowed(response.stream, lambda: self._give_back(origin, connection))
        return response

    def close(self) -> None:
        with self._lock:
            idle = [connection for stack in self._idle.values() for _, connection in stack]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take(self, origin: Origin) -> httpx.BaseTransport:
        with self._lock:
            stack = self._idle.get(origin)
            if stack:
                return stack.pop()[1]
        return self._make()

    def _give_back(self, origin: Origin, connection: httpx.BaseTransport) -> None:
        now = time.monotonic()
        with self._lock:
            self._idle[origin].append((now, connection))
            old = self._too_old(now) if now - self._tidied_at > KEPT_S else []
        for connection in old:
            connection.close()

    def _too_old(self, now: float) -> list[httpx.BaseTransport]:
        """Those idle too long, of all origins, taken out of their stacks."""
        self._tidied_at = now
        old = []
        for origin, stack in list(self._idle.items()):
            while stack and now - stack[0][0] > KEPT_S:
                old.append(stack.popleft()[1])
            if not stack:
                del self._idle[origin]
        return old


class _Borrowed(httpx.SyncByteStream):
    """An answer's bytes; its connection goes back when they are closed, once."""

    def __init__(self, stream: Any, give_back: Callable[[], None]):
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        give_back, self._give_back = self._give_back, None
        self._stream.close()
        if give_back:
            give_back()


def to_public_hosts() -> Connections:
    """Certificates are loaded once for all connections: that takes tens of milliseconds."""
    certificates = httpx.create_ssl_context()
    limits = httpx.Limits(max_connections=1, keepalive_expiry=KEPT_S)
    return Connections(lambda: guard(httpx.HTTPTransport(verify=certificates, limits=limits), httpcore))

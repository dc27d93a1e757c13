"""The one HTTP client of all adapters, against real sockets on loopback."""

import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Event, Thread

import httpx
import pytest

from app.domain.errors import Ambiguous, Rejected, RemoteError, TargetGone, TransientError, Unauthorized
from connectors import connections
from connectors.connections import Connections
from connectors.http import KEPT, MASK, ApiClient, masked, recording
from connectors.waits import LONGEST_WISH_S, retry_after_s

SECRET = "s3cret-word"


@pytest.fixture
def api(httpserver) -> Callable[..., ApiClient]:
    return lambda **options: ApiClient("Acme", httpserver.url_for("").rstrip("/"), **options)


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Starts servers that answer with whatever bytes `serve` writes; returns their address."""
    listeners: list[socket.socket] = []

    def start(serve: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the test is over
                    return
                with closing(connection):
                    try:
                        _read_request(connection)
                        serve(connection)
                    except OSError:
                        continue  # the client left first, as some tests want it to

        Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def _read_request(connection: socket.socket) -> None:
    """All of it: closing with bytes unread would reset the connection and lose the answer. Every body here is `{}`."""
    sent = b""
    while not sent.endswith(b"\r\n\r\n{}" if sent.startswith(b"POST") else b"\r\n\r\n"):
        received = connection.recv(65_536)
        if not received:
            raise ConnectionResetError("the client left")
        sent += received


def failure(client: ApiClient, method: str, **options) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        client.call(method, "/x", **options)
    return caught.value


# ---- what an end means


@pytest.mark.parametrize(("status", "meaning"), [(410, TargetGone), (409, Rejected), (422, Rejected)])
def test_a_refusal_is_permanent(status, meaning, api, httpserver):
    httpserver.expect_request("/x").respond_with_json({"message": "no such colour"}, status=status)

    error = failure(api(), "POST", json={})

    assert type(error) is meaning
    assert "Acme" in str(error) and "no such colour" in str(error)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 529])
def test_a_vendors_own_fault_leaves_a_write_uncertain_but_not_a_question(status, api, httpserver):
    httpserver.expect_request("/x").respond_with_data("<html>oops", status=status, headers={"Retry-After": "7"})

    write, read, search = (
        failure(api(), "POST", json={}),
        failure(api(), "GET"),
        failure(api(), "POST", changes_nothing=True),
    )

    assert [type(error) for error in (write, read, search)] == [Ambiguous, TransientError, TransientError]
    assert write.retry_after_s == read.retry_after_s == 7.0


def _cut(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"id": "1"')


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
    for _ in range(90):
        connection.sendall(b" ")
        time.sleep(0.05)


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 1_000_000)


def _silent(connection: socket.socket) -> None:
    time.sleep(1.5)


@pytest.mark.parametrize("serve", [_cut, _drip, _silent, socket.socket.close])
def test_an_answer_that_does_not_end_well_leaves_a_write_uncertain_and_holds_nobody(serve, raw_server):
    client = ApiClient("Acme", raw_server(serve), timeout_s=0.4)
    started = time.monotonic()

    assert type(failure(client, "POST", json={})) is Ambiguous
    assert type(failure(client, "GET")) is TransientError
    assert time.monotonic() - started < 3.0


def test_an_answer_without_end_is_given_up_early_and_its_connection_closed(raw_server):
    client_left = Event()

    def serve(connection):
        try:
            _endless(connection)
        except OSError:
            client_left.set()

    error = failure(ApiClient("Acme", raw_server(serve)), "POST", json={})

    assert type(error) is Ambiguous and "more than 10 MB" in str(error)
    assert client_left.wait(5)


def test_nothing_was_sent_when_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    error = failure(ApiClient("Acme", address), "POST", json={})

    assert type(error) is TransientError and "nothing was sent" in str(error)


def test_an_empty_answer_is_none(api, httpserver):
    httpserver.expect_request("/x").respond_with_data(b"", status=204)

    assert api().call("PUT", "/x", json={}) is None


def test_a_redirect_is_not_followed_and_blamed_on_the_address(api, httpserver):
    httpserver.expect_request("/x").respond_with_data(b"", status=302, headers={"Location": "/login"})

    error = failure(api(), "POST", json={})

    assert (type(error), error.field) == (Rejected, "base_url")
    assert [request.path for request, _ in httpserver.log] == ["/x"]


def test_the_vendors_envelope_is_asked_first_inside_a_200_too(api, httpserver):
    httpserver.expect_request("/x").respond_with_json({"ok": False, "why": SECRET})

    def error_of(status, headers, body):
        return None if body["ok"] else Rejected(f"Acme said {body['why']}", "colour")

    error = failure(api(error_of=error_of, secrets=(SECRET,)), "POST", json={})

    assert (type(error), error.field, str(error)) == (Rejected, "colour", f"Acme said {MASK}")


# ---- how long to wait


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0), ("Wed, 21 Oct 2099 07:28:00 GMT", LONGEST_WISH_S),
        ("99999999999", LONGEST_WISH_S), ("inf", None), ("nan", None), ("9" * 5_000, None), ("soon", None), ("", None),
    ],
)  # fmt: skip
def test_a_vendors_wish_is_a_wait_somebody_can_live_with_or_none(value, wait_s):
    assert retry_after_s({"retry-after": value}) == wait_s


@pytest.fixture
def in_shanghai(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_to_come_is_a_wait_until_then_wherever_the_server_stands(zone, in_shanghai):
    at = time.strftime(f"%a, %d %b %Y %H:%M:%S {zone}", time.gmtime(time.time() + 60))

    assert 57.0 < retry_after_s({"retry-after": at}) <= 60.0


# ---- secrets, and what people paste


@pytest.mark.parametrize("token", ["abc\ndef", "abc\u200bdef", "密钥-token", "abc\x7f"])
def test_a_token_with_characters_no_token_has_is_told_and_not_shown(token):
    with pytest.raises(Unauthorized) as caught:
        ApiClient("Acme", "https://acme.example", headers={"Authorization": f"Bearer {token}"})

    assert "nothing was sent" in str(caught.value) and token not in str(caught.value)


@pytest.mark.parametrize("address", ["https://a..example", f"https://{'a' * 64}.example", "https://a.example/\n"])
def test_an_address_that_is_none_is_told_with_its_field(address):
    with pytest.raises(Rejected) as caught:
        ApiClient("Acme", f"{address}/v1").call("GET", "/x")

    assert caught.value.field == "base_url"


def test_what_is_kept_of_a_call_shows_no_secret_however_it_is_written(api, httpserver):
    key = 'k"ey/+='
    basic = b64encode(f"ann:{SECRET}".encode()).decode()
    httpserver.expect_request("/x").respond_with_json({"message": f"{key} {basic} {SECRET}"}, status=400)

    with recording() as exchanges:
        error = failure(
            api(auth=("ann", SECRET), secrets=(SECRET, key)), "POST", params={"key": key}, json={"key": key}
        )

    (kept,) = exchanges.as_dicts()
    assert (kept["method"], kept["status"], kept["error"]) == ("POST", 400, "")
    assert kept["url"].endswith(f"/x?key={MASK}") and kept["request"] == f'{{"key":"{MASK}"}}'
    assert kept["answer"].count(MASK) == 3 and "Authorization" not in str(kept)
    assert not [form for form in (SECRET, basic, key, "k%22ey", 'k\\"ey') if form in str(kept) + str(error)]


def test_a_secret_that_begins_with_another_is_masked_whole():
    assert masked("abcdefgh", ("abcd", "abcdefgh")) == MASK


def test_what_is_kept_of_a_call_is_clipped_and_only_kept_where_it_is_asked_for(api, httpserver):
    httpserver.expect_request("/x").respond_with_json({})

    api().call("POST", "/x", json={})
    with recording() as exchanges:
        api().call("POST", "/x", json={"text": "😀" * 50_000})

    (kept,) = exchanges.as_dicts()
    assert len(kept["request"]) == KEPT and kept["took_ms"] > 0


def test_a_call_that_failed_is_kept_with_its_reason(raw_server):
    with recording() as exchanges:
        failure(ApiClient("Acme", raw_server(_cut)), "POST", json={})

    (kept,) = exchanges.as_dicts()
    assert (kept["status"], kept["error"]) == (200, "RemoteProtocolError")


def test_a_cookie_of_one_account_never_goes_along_with_another(api, httpserver):
    httpserver.expect_request("/x").respond_with_json({}, headers={"Set-Cookie": "JSESSIONID=of-ann; Path=/"})

    for name in ("ann", "ben", "ann"):
        api(auth=(name, SECRET)).call("GET", "/x")

    assert [request.headers.get("Cookie") for request, _ in httpserver.log] == [None, None, None]


# ---- connections


class Counted(httpx.BaseTransport):
    """A pool of one that counts what is open, and fails as told."""

    def __init__(self, opened: list["Counted"]):
        opened.append(self)
        self.is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/broken":
            raise httpx.ReadError("cut")
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def counted() -> tuple[Connections, list[Counted]]:
    opened: list[Counted] = []
    return Connections(lambda: Counted(opened)), opened


def test_calls_after_each_other_share_a_connection_whoever_makes_them(counted):
    shared, opened = counted

    for _ in range(5):
        ApiClient("Acme", "https://acme.example", transport=shared).call("GET", "/x")

    assert len(opened) == 1


def test_calls_at_the_same_time_have_a_connection_each(counted):
    shared, opened = counted
    together = Barrier(8)

    def call(_):
        response = shared.handle_request(httpx.Request("GET", "https://acme.example/x"))
        together.wait(5)
        response.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(8)))
    for _ in range(8):
        ApiClient("Acme", "https://acme.example", transport=shared).call("GET", "/x")

    assert len(opened) == 8


def test_another_host_or_scheme_gets_a_connection_of_its_own(counted):
    shared, opened = counted

    for address in ("https://a.example", "https://b.example", "http://a.example", "https://a.example:8443"):
        ApiClient("Acme", address, transport=shared).call("GET", "/x")

    assert len(opened) == 4


def test_a_broken_connection_is_closed_and_not_used_again(counted):
    shared, opened = counted
    client = ApiClient("Acme", "https://acme.example", transport=shared)

    with pytest.raises(TransientError):
        client.call("GET", "/broken")
    client.call("GET", "/x")

    assert [one.is_closed for one in opened] == [True, False]


def test_connections_nobody_needs_are_closed_those_of_other_hosts_too(counted, monkeypatch):
    shared, opened = counted
    now = 1_000.0
    monkeypatch.setattr(connections.time, "monotonic", lambda: now)
    for host in ("a", "b", "c"):
        ApiClient("Acme", f"https://{host}.example", transport=shared).call("GET", "/x")

    now += connections.KEPT_S + 1
    ApiClient("Acme", "https://d.example", transport=shared).call("GET", "/x")

    assert [one.is_closed for one in opened] == [True, True, True, False]


def test_an_answer_closed_twice_gives_its_connection_back_once(counted):
    shared, opened = counted
    response = shared.handle_request(httpx.Request("GET", "https://a.example/x"))

    response.close()
    response.stream.close()
    first = shared.handle_request(httpx.Request("GET", "https://a.example/x"))
    second = shared.handle_request(httpx.Request("GET", "https://a.example/x"))

    assert len(opened) == 2
    first.close()
    second.close()


def test_a_connection_the_vendor_closed_meanwhile_is_replaced_unnoticed(raw_server):
    address = raw_server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    client = ApiClient("Acme", address)

    for _ in range(3):
        assert client.call("POST", "/x", json={}) == {}
        time.sleep(0.05)  # the server closes after each answer without saying so

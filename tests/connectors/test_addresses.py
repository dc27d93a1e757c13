"""Outgoing calls reach public addresses only, unless the operator says otherwise."""

import socket

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from app.settings import settings
from connectors import addresses, connections
from connectors.addresses import PrivateAddress
from connectors.http import ApiClient


@pytest.fixture
def public_only(monkeypatch):
    monkeypatch.setenv("OCTOPUS_ALLOW_PRIVATE_HOSTS", "false")
    settings.cache_clear()
    yield
    settings.cache_clear()


PRIVATE = ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "::1", "100.64.0.1", "0.0.0.0"]
PACKED_PRIVATE = [
    "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "fec0::1", "fe80::1%lo",
    "fd00::1", "ff02::1", "224.0.0.1", "255.255.255.255",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize(("library", "core"), [(httpx, httpcore), (httpx2, httpcore2)], ids=["adapters", "llm"])
def test_private_addresses_are_refused_before_anything_is_sent(public_only, library, core, host):
    client = library.Client(transport=addresses.guard(library.HTTPTransport(), core))
    shown = f"[{host}]" if ":" in host else host

    with pytest.raises(PrivateAddress, match="OCTOPUS_ALLOW_PRIVATE_HOSTS"):
        client.get(f"http://{shown}:9/")


def test_a_name_with_one_private_address_among_public_ones_is_refused(public_only, monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", ("93.184.216.34", 443)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *args, **kwargs: answers)

    with pytest.raises(PrivateAddress):
        addresses.public_address("rebind.example", 443)


@pytest.mark.parametrize(("address", "expected"), [*((a, False) for a in PACKED_PRIVATE), *((a, True) for a in PUBLIC)])
def test_an_address_is_judged_by_where_it_leads_however_it_is_written(address, expected):
    assert addresses.is_public(address) is expected


def test_the_address_connected_to_is_the_one_that_was_checked(public_only, monkeypatch):
    """DNS rebinding: the second answer for the same name is a private address."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked, connected = [], []

    def resolve(host, port, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (next(answers), port))]

    def connect(self, host, port, *args, **kwargs):
        connected.append(host)
        raise httpcore.ConnectError("far enough")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)

    with pytest.raises(httpx.ConnectError):
        httpx.Client(transport=addresses.guard(httpx.HTTPTransport(), httpcore)).get("http://rebind.example/")

    assert (asked, connected) == (["rebind.example"], ["93.184.216.34"])


def test_connectors_and_channels_are_guarded(public_only):
    client = ApiClient("Acme", "http://127.0.0.1:9", transport=connections.to_public_hosts())

    with pytest.raises(PrivateAddress):
        client.call("POST", "/x", json={})


def test_the_operator_may_allow_them(httpserver):
    httpserver.expect_request("/").respond_with_data("ok")
    client = httpx.Client(transport=addresses.guard(httpx.HTTPTransport(), httpcore))

    assert client.get(httpserver.url_for("/")).text == "ok"

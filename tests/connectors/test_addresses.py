"""Outgoing calls reach public addresses only, unless the operator says otherwise."""

import socket

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from app.settings import settings
from connectors import addresses
from connectors.addresses import PrivateAddress


@pytest.fixture
def public_only(monkeypatch):
    monkeypatch.setenv("OCTOPUS_ALLOW_PRIVATE_HOSTS", "false")
    settings.cache_clear()
    yield
    settings.cache_clear()


PRIVATE = ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "::1", "100.64.0.1", "0.0.0.0"]


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


def test_the_operator_may_allow_them(httpserver):
    httpserver.expect_request("/").respond_with_data("ok")
    client = httpx.Client(transport=addresses.guard(httpx.HTTPTransport(), httpcore))

    assert client.get(httpserver.url_for("/")).text == "ok"

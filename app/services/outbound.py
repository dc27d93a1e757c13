"""Puts the guard on the LLM SDKs' own HTTP client; the adapters' client has it built in."""

from typing import Any

from app.classify import llm
from connectors.addresses import guard


def _guarded_client() -> Any:
    import httpcore2
    import httpx2

    limits = httpx2.Limits(max_connections=llm.CONNECTIONS, max_keepalive_connections=llm.CONNECTIONS)
    return httpx2.Client(transport=guard(httpx2.HTTPTransport(limits=limits), httpcore2))


def guard_llm_calls() -> None:
    llm.http_client_factory = _guarded_client

"""What a process prepares before it calls anybody: the guard on the LLM SDKs' HTTP client (the adapters' client has
it built in), and the libraries the configured accounts need.
"""

import importlib
from typing import Any

from app.classify import llm
from app.classify.dialects import DIALECTS
from app.db.engine import in_system
from connectors import registry
from connectors.addresses import guard


def _guarded_client() -> Any:
    import httpcore2
    import httpx2

    limits = httpx2.Limits(max_connections=llm.CONNECTIONS, max_keepalive_connections=llm.CONNECTIONS)
    return httpx2.Client(transport=guard(httpx2.HTTPTransport(limits=limits), httpcore2))


def guard_llm_calls() -> None:
    llm.http_client_factory = _guarded_client


def warm_up() -> None:
    """Load now what the first message would otherwise wait for; the SDKs take seconds."""
    with in_system() as session:
        connection = session.connection()
        providers = connection.exec_driver_sql("select distinct config->>'provider' from llm_account").scalars().all()
        connectors = connection.exec_driver_sql("select distinct connector from destination").scalars().all()
    for name in {DIALECTS[provider].sdk for provider in providers if provider in DIALECTS}:
        importlib.import_module(name)
    for key in set(connectors) & set(registry.crm_keys()):
        registry.crm(key)

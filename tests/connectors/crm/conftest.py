"""A connector of each kind against a vendor on loopback."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from connectors import oauth, registry
from connectors.http import ApiClient

from .cases import CASES


class Vendor:
    """The vendor of one case: answers what a create needs besides, and keeps what was sent."""

    def __init__(self, httpserver, key: str):
        self.server, self.key, self.case = httpserver, key, CASES[key]
        self.address = httpserver.url_for("").rstrip("/")

    def connector(self, **config: Any):
        module = registry.crm(self.key)
        return module.Connector(module.Config(base_url=self.address, **(self.case.config | config)))

    def answers_around(self) -> None:
        for (method, path), answer in self.case.around.items():
            self.server.expect_request(path, method=method).respond_with_json(answer)

    def answers(
        self, call: tuple[str, str], body: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        method, path = call
        self.server.expect_request(path, method=method).respond_with_json(body, status=status, headers=headers)

    def answers_once(self, call: tuple[str, str], body: Any, status: int = 200) -> None:
        method, path = call
        self.server.expect_oneshot_request(path, method=method).respond_with_json(body, status=status)

    def sent(self, call: tuple[str, str]) -> list[Any]:
        """The JSON bodies sent to `call`, in order."""
        method, path = call
        return [r.get_json() for r, _ in self.server.log if r.method == method and r.path == path]

    @property
    def ref(self):
        return replace(self.case.ref, url=self.case.ref.url.replace("{address}", self.address))


@pytest.fixture(autouse=True)
def _no_token_of_another_test():
    oauth._tokens_of.cache_clear()


@pytest.fixture
def vendor(httpserver) -> Callable[[str], Vendor]:
    """The vendor of a connector key; it answers whatever a create asks besides the create itself."""

    def make(key: str, around: bool = True) -> Vendor:
        made = Vendor(httpserver, key)
        if around:
            made.answers_around()
        return made

    return make


@pytest.fixture
def impatient(monkeypatch) -> Callable[[str], None]:
    def make(key: str) -> None:
        monkeypatch.setattr(registry.crm(key), "ApiClient", partial(ApiClient, timeout_s=0.5))

    return make

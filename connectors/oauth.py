"""Access tokens that end: kept for all who share them, renewed before they end, and once when they are refused.

Source: RFC 6749 (OAuth 2.0), sections 4.4, 5 and 6.
"""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import BaseModel

from app.domain.errors import Rejected, RemoteError, TransientError, Unauthorized
from connectors.answers import LONGEST_WAIT_S, inside
from connectors.http import ApiClient, ErrorOf, recording
from connectors.waits import number

RENEWED_BEFORE_END_S = 300.0
USUAL_LIFE_S = 3600.0  # where the vendor does not say


@dataclass(frozen=True, slots=True)
class Token:
    """value: goes into each call. good_until: Unix seconds. refresh: empty where the config's secrets renew it alone.

    address: where the vendor wants this account's calls, if it says so with the token.
    """

    value: str
    good_until: float
    refresh: str = ""
    address: str = ""

    def is_good(self, refused: str) -> bool:
        return self.value != refused and time.time() < self.good_until - RENEWED_BEFORE_END_S


Renew = Callable[[Token | None], Token]


class TokenStore(Protocol):
    def current(self, renew: Renew, refused: str = "") -> Token:
        """The kept token while it is good and not the `refused` one; else `renew(kept)`, kept before it is used.

        One renewal at a time among all who share the store.
        """


class TokensOfProcess:
    """Shared by all threads; for accounts whose tokens are renewed from the config alone, and forms not saved yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: Token | None = None

    def current(self, renew: Renew, refused: str = "") -> Token:
        kept = self._kept
        if kept and kept.is_good(refused):
            return kept
        if not self._lock.acquire(timeout=LONGEST_WAIT_S):
            raise TransientError("The access token is being renewed for too long; nothing was sent. It is tried again.")
        try:
            if self._kept is None or not self._kept.is_good(refused):  # else another thread renewed it meanwhile
                self._kept = renew(self._kept)
            return self._kept
        finally:
            self._lock.release()


def tokens_of_process(*identity: str) -> TokensOfProcess:
    """The process's store for one account. identity: address, client id and secret, whatever tells accounts apart."""
    return _tokens_of(hashlib.sha256("\0".join(identity).encode()).hexdigest())


@lru_cache(maxsize=4096)
def _tokens_of(digest: str) -> TokensOfProcess:
    return TokensOfProcess()


class TokenClient:
    """Calls with the current token; one that is refused is renewed once and the call repeated once.

    client_of: the ApiClient that carries a token.
    """

    def __init__(self, client_of: Callable[[Token], ApiClient], renew: Renew, store: TokenStore):
        self._client_of = client_of
        self._renew = renew
        self._store = store

    def call(self, method: str, path: str, *args: Any, **options: Any) -> Any:
        """As ApiClient.call."""
        token = self._store.current(self._renew)
        try:
            return self._client_of(token).call(method, path, *args, **options)
        except Unauthorized:
            token = self._store.current(self._renew, refused=token.value)
            return self._client_of(token).call(method, path, *args, **options)


def ask_token(client: ApiClient, path: str, form: Mapping[str, str], kept: Token | None = None) -> Token:
    """One request to a token endpoint. kept: its refresh token stays good where the answer holds no new one."""
    with recording():  # and thrown away: the answer holds the token
        answer = client.call("POST", path, form=form, changes_nothing=True)
    value, life_s = inside(answer, "access_token"), inside(answer, "expires_in")
    if not isinstance(value, str) or not value:
        raise TransientError(f"{client.label} answered without an access token; nothing was sent. It is tried again.")
    return Token(
        value,
        time.time() + (number(str(life_s)) or USUAL_LIFE_S),
        inside(answer, "refresh_token") or (kept.refresh if kept else ""),
        inside(answer, "instance_url") or inside(answer, "api_domain") or "",
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """How a manager lets Octopus in by the vendor's own page (RFC 6749 section 4.1, PKCE per RFC 7636).

    authorize, token: addresses; `{field}` stands for a field of the config. basic: the client's id and secret go
    into the Authorization header of token requests instead of the form. extra: parameters of the vendor's own.
    """

    authorize: str
    token: str
    scopes: tuple[str, ...]
    basic: bool = False
    extra: tuple[tuple[str, str], ...] = ()


# ---- the vendor's own page


def consent_address(consent: Consent, config: BaseModel, redirect: str, state: str, verifier: str) -> str:
    """Where the manager's browser is sent. verifier: the secret whose hash goes along (PKCE, S256)."""
    query = {
        "response_type": "code", "client_id": config.client_id, "redirect_uri": redirect, "state": state,
        "code_challenge": urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("="),
        "code_challenge_method": "S256", **dict(consent.extra),
    }  # fmt: skip
    if consent.scopes:
        query["scope"] = " ".join(_filled(scope, config) for scope in consent.scopes)
    return f"{_address(consent.authorize, config)}?{urlencode(query)}"


def redeem(
    label: str, consent: Consent, config: BaseModel, code: str, redirect: str, verifier: str,
    transport: httpx.BaseTransport | None = None,
) -> Token:  # fmt: skip
    """Exchange the code the vendor's page sent back. Raises Rejected where no refresh token comes with it."""
    secret = config.client_secret.get_secret_value()
    address = urlsplit(_address(consent.token, config))
    client = ApiClient(
        label, f"{address.scheme}://{address.netloc}", auth=(config.client_id, secret) if consent.basic else None,
        transport=transport, error_of=_consent_error(label), secrets=(secret, code, verifier),
    )  # fmt: skip
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
    if not consent.basic:
        form |= {"client_id": config.client_id, "client_secret": secret}
    token = ask_token(client, address.path, form)
    if not token.refresh:
        raise Rejected(
            f"{label} let Octopus in for a moment only: it gave no refresh token. Nothing was changed. Allow offline "
            "access for the app in the vendor's console and connect again."
        )
    return token


def _consent_error(label: str) -> ErrorOf:
    def error_of(status: int, headers: Mapping[str, str], body: Any) -> RemoteError | None:
        named = inside(body, "error")
        if status == 429 or status >= 500 or not isinstance(named, str):
            return None
        why = inside(body, "error_description") or named
        return Rejected(f"{label} did not accept the consent: {str(why)[:300]}. Nothing was changed. Connect again.")

    return error_of


def _address(template: str, config: BaseModel) -> str:
    """With an address of the manager's own, its scheme, host and port take the place of the vendor's."""
    address = _filled(template, config)
    own = urlsplit(config.base_url or address)
    return urlsplit(address)._replace(scheme=own.scheme, netloc=own.netloc).geturl()


def _filled(template: str, config: BaseModel) -> str:
    for name, value in config:
        if isinstance(value, str):
            template = template.replace("{" + name + "}", value)
    return template

"""A refresh token is got by the vendor's own page, by the person and for the destination that asked for it."""

import hashlib
import json
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from pytest_httpserver import HTTPServer

from app.domain.errors import Forbidden, InvalidInput, Rejected
from app.services import connections, consent, secrets
from app.services.members import Actor, Role

APP = {"client_id": "app-1", "client_secret": "app-secret", "team": "team-1"}


@pytest.fixture
def mia(actor):
    return Actor(uuid4(), "mia@acme.test", Role.MANAGER, actor.workspace_id)


@pytest.fixture
def linear(mia, httpserver: HTTPServer):
    """A destination whose vendor is on loopback, and not connected yet."""
    address = httpserver.url_for("").rstrip("/")
    return connections.save_destination(mia, "linear", "linear", APP | {"base_url": address})


def asked(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def gives(server: HTTPServer, status: int = 200, **answer) -> None:
    server.expect_request("/oauth/token", method="POST").respond_with_json(answer, status=status)


def kept(row) -> str | None:
    [row] = connections.destinations(row.workspace_id)
    return secrets.opened(row.config, row.workspace_id, f"destination/{row.id}").get("refresh_token")


def test_the_code_is_exchanged_and_the_refresh_token_kept_sealed(mia, linear, httpserver, audited):
    gives(httpserver, access_token="short", refresh_token="long-lived", expires_in=3600)
    query = asked(consent.begin(mia, linear.id))

    consent.finish(mia, query["state"], "the-code")

    [(request, _)] = httpserver.log
    form = request.form.to_dict()
    challenge = urlsafe_b64encode(hashlib.sha256(form.pop("code_verifier").encode()).digest()).decode().rstrip("=")
    assert challenge == query["code_challenge"] and query["code_challenge_method"] == "S256"
    assert form == {
        "grant_type": "authorization_code", "code": "the-code", "redirect_uri": query["redirect_uri"],
        "client_id": "app-1", "client_secret": "app-secret",
    }  # fmt: skip
    [row] = connections.destinations(mia.workspace_id)
    assert kept(row) == "long-lived" and "long-lived" not in json.dumps(row.config)
    assert audited()[-1] == ("mia@acme.test", "connect", "destination", "linear")


def test_neither_the_secret_nor_the_verifier_travels_through_the_browser(mia, linear):
    address = consent.begin(mia, linear.id)

    assert "app-secret" not in address and "code_verifier" not in address


@pytest.mark.parametrize("change", [lambda s: s[:-1] + ("A" if s[-1] != "A" else "B"), lambda s: "x" + s, lambda s: ""])
def test_a_state_that_was_tampered_with_is_refused(change, mia, linear):
    state = asked(consent.begin(mia, linear.id))["state"]

    with pytest.raises(InvalidInput, match="not begun here"):
        consent.finish(mia, change(state), "the-code")
    assert kept(linear) is None


def test_a_state_is_good_for_a_quarter_of_an_hour(mia, linear, monkeypatch):
    state = asked(consent.begin(mia, linear.id))["state"]
    monkeypatch.setattr(consent, "GOOD_FOR_S", -1)

    with pytest.raises(InvalidInput, match="too long ago"):
        consent.finish(mia, state, "the-code")


def test_another_person_or_workspace_cannot_finish_what_one_began(mia, linear, neighbour):
    state = asked(consent.begin(mia, linear.id))["state"]

    for stranger in (
        Actor(uuid4(), "noa@acme.test", Role.MANAGER, mia.workspace_id),
        Actor(mia.person_id, mia.email, Role.MANAGER, neighbour.workspace_id),
    ):
        with pytest.raises(InvalidInput, match="not begun here"):
            consent.finish(stranger, state, "the-code")
    assert consent.workspace_of(state) == mia.workspace_id


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"error": "invalid_grant", "error_description": "The code was used"}, "The code was used"),
        (200, {"access_token": "short", "expires_in": 3600}, "no refresh token"),
    ],
)
def test_a_code_that_is_refused_or_gives_no_refresh_token_changes_nothing(
    status, answer, said, mia, linear, httpserver
):
    gives(httpserver, status, **answer)
    state = asked(consent.begin(mia, linear.id))["state"]

    with pytest.raises(Rejected, match=said):
        consent.finish(mia, state, "the-code")
    assert kept(linear) is None


def test_an_agent_may_not_connect(mia, linear):
    agent = Actor(mia.person_id, mia.email, Role.AGENT, mia.workspace_id)

    with pytest.raises(Forbidden):
        consent.begin(agent, linear.id)
    with pytest.raises(Forbidden):
        consent.finish(agent, asked(consent.begin(mia, linear.id))["state"], "the-code")

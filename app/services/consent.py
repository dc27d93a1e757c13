"""Letting Octopus in by the vendor's own page: OAuth 2 with state and PKCE.

The state that travels through the browser names workspace, destination and person, is sealed by our own key, and is
good for a quarter of an hour. The PKCE verifier is derived from it, so nothing has to be kept between the two clicks.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

import orjson

from app.db import crypto
from app.db.engine import in_workspace
from app.db.tables import Destination
from app.domain.errors import InvalidInput
from app.services import audit, connections, secrets, tokens
from app.services.members import Actor, Role, require
from app.settings import settings
from connectors import oauth, registry

GOOD_FOR_S = 900
STRANGE = (
    "This consent was not begun here, or too long ago. Nothing was changed. Open the destination and press Connect."
)


def redirect() -> str:
    """The address to enter in the vendor's console."""
    return f"{settings().app_url}/consent"


def is_ready(row: Destination) -> bool:
    """Whether the vendor's page can be opened: it must know the app."""
    return bool(row.config.get("client_id") and row.config.get("client_secret"))


def is_given(row: Destination) -> bool:
    return bool(row.config.get("refresh_token"))


def begin(actor: Actor, destination_id: UUID) -> str:
    """The vendor's page to open. Raises InvalidInput while the client's id or secret is missing."""
    require(actor, Role.MANAGER)
    row = _destination(actor, destination_id)
    if not is_ready(row):
        raise InvalidInput("Type the client's ID and secret and save them first.", "client_id")
    state = _sealed(actor, row.id)
    return oauth.consent_address(_consent(row), _config(row), redirect(), state, _verifier(state))


def workspace_of(state: str) -> UUID | None:
    """Where the consent was begun: the person may be looking at another workspace when the browser comes back."""
    said = _said(state)
    return UUID(said[0]) if said else None


def finish(actor: Actor, state: str, code: str) -> Destination:
    """Exchange the code for a refresh token and keep it. Raises InvalidInput or a RemoteError; nothing changed then."""
    require(actor, Role.MANAGER)
    destination_id = _opened(actor, state)
    row = _destination(actor, destination_id)
    config = _config(row)
    label = registry.crm(row.connector).Connector.label
    token = oauth.redeem(label, _consent(row), config, code, redirect(), _verifier(state))
    with in_workspace(actor.workspace_id) as session:
        row = session.get(Destination, destination_id)
        sealed = crypto.encrypt(token.refresh, row.workspace_id, f"destination/{row.id}/refresh_token")
        row.config = row.config | {"refresh_token": sealed}
        session.add(row)
        session.flush()
        tokens.forget(session, row.id)
        connections.unpark(session, row)
        audit.record(session, actor.email, actor.workspace_id, "connect", "destination", row.key)
        session.refresh(row)
        session.expunge(row)
    return row


def _destination(actor: Actor, destination_id: UUID) -> Destination:
    with in_workspace(actor.workspace_id) as session:
        row = session.get(Destination, destination_id)
    if row is None:
        raise InvalidInput("The destination was deleted meanwhile. Nothing was changed.")
    return row


def _config(row: Destination):
    return secrets.unseal(connections.config_model(row), row.config, row.workspace_id, f"destination/{row.id}")


def _consent(row: Destination) -> oauth.Consent:
    return registry.crm(row.connector).Connector.CONSENT


# ---- state


def _sealed(actor: Actor, destination_id: UUID) -> str:
    said = [str(actor.workspace_id), str(destination_id), str(actor.person_id), int(time.time()), token_bytes(12).hex()]
    text = urlsafe_b64encode(orjson.dumps(said)).decode().rstrip("=")
    return f"{text}.{_seal('state', text)}"


def _opened(actor: Actor, state: str) -> UUID:
    said = _said(state)
    if said is None or said[:1] + said[2:3] != [str(actor.workspace_id), str(actor.person_id)]:
        raise InvalidInput(STRANGE)
    return UUID(said[1])


def _said(state: str) -> list | None:
    """Workspace, destination, person, time: None unless we sealed it not long ago."""
    text, _, seal = state.partition(".")
    if not hmac.compare_digest(seal.encode(), _seal("state", text).encode()):
        return None
    said = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return said if time.time() - said[3] <= GOOD_FOR_S else None


def _verifier(state: str) -> str:
    return _seal("verifier", state)


def _seal(purpose: str, text: str) -> str:
    key = crypto.derive(f"consent/{purpose}").encode()
    return urlsafe_b64encode(hmac.new(key, text.encode(), sha256).digest()).decode().rstrip("=")

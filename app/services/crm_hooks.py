"""Where CRMs send changes, and telling them so."""

from sqlmodel import Session, col, select

from app.db import sync as store
from app.db.engine import in_system, in_workspace
from app.db.tables import Destination, DestinationSync
from app.db.tables.base import now
from app.domain.errors import InvalidInput, RemoteError
from app.logs import log
from app.services import audit, connections, secrets
from app.services.members import Actor, Role, require
from app.settings import settings
from connectors import registry

RENEWED_AFTER = 1 / 3  # of its life, so that two tries may fail


def url(row: Destination) -> str:
    """Where the CRM sends changes."""
    return f"{settings().hooks_url}/crm-hooks/{row.hook_key}"


def set_webhook(actor: Actor, key: str) -> str:
    """Tell the CRM where to send changes; keeps the secret it gives for them. Returns the URL that was set."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = session.exec(select(Destination).where(Destination.key == key)).one_or_none()
    if row is None:
        raise InvalidInput(f"There is no destination '{key}' any more.", "key")
    address = url(row)
    _set(row)
    with in_workspace(actor.workspace_id) as session:
        audit.record(session, actor.email, actor.workspace_id, "set webhook", "destination", key)
    return address


def keep_handshake(row: Destination, given: dict[str, str]) -> None:
    """Keep what a vendor's first call to the webhook's address brought, by the config's field names."""
    with in_workspace(row.workspace_id) as session:
        _keep(session, row, given)


def kept_secret(actor: Actor, key: str) -> str:
    """The webhook's secret in clear, for vendors who want it read back to them; empty while there is none."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = session.exec(select(Destination).where(Destination.key == key)).one_or_none()
    if row is None:
        raise InvalidInput(f"There is no destination '{key}' any more.", "key")
    return secrets.opened(row.config, row.workspace_id, f"destination/{row.id}").get("hook_secret", "")


def renew() -> int:
    """Set webhooks again before their vendors end them; returns how many. One that fails is tried again next time."""
    with in_system() as session:
        rows = session.exec(
            select(Destination, DestinationSync.hook_set_at)
            .join(DestinationSync, col(DestinationSync.destination_id) == col(Destination.id))
            .where(Destination.enabled, col(DestinationSync.hook_set_at).is_not(None))
        ).all()  # fmt: skip
    renewed = 0
    for row, set_at in rows:
        lasts = getattr(registry.crm(row.connector).Connector, "HOOK_LASTS", None)
        if lasts is None or now() - set_at < lasts * RENEWED_AFTER:
            continue
        try:
            _set(row)
        except RemoteError as error:
            log.warning("hook_not_renewed", destination=row.key, error=str(error), next_step="tried again in an hour")
        else:
            renewed += 1
    return renewed


def _set(row: Destination) -> None:
    """Tell the vendor, and keep what it gives back."""
    given = connections.destination_adapter(row).set_hook(url(row))
    with in_workspace(row.workspace_id) as session:
        _keep(session, row, given)
        store.save_state(session, row.workspace_id, row.id, hook_set_at=now())


def _keep(session: Session, row: Destination, given: dict[str, str]) -> None:
    row = session.get(Destination, row.id)
    place = f"destination/{row.id}"
    stored = secrets.opened(row.config, row.workspace_id, place)
    config = secrets.validated(connections.config_model(row), stored | given)
    row.config = secrets.seal(config, row.workspace_id, place)

"""Where CRMs send changes, and telling them so."""

from sqlmodel import select

from app.db.engine import in_workspace
from app.db.tables import Destination
from app.domain.errors import InvalidInput
from app.services import audit, connections, secrets
from app.services.members import Actor, Role, require
from app.settings import settings


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
    given = connections.destination_adapter(row).set_hook(address)
    with in_workspace(actor.workspace_id) as session:
        row = session.get(Destination, row.id)
        place = f"destination/{row.id}"
        config = secrets.validated(
            connections.config_model(row), secrets.opened(row.config, row.workspace_id, place) | given
        )
        row.config = secrets.seal(config, row.workspace_id, place)
        audit.record(session, actor.email, actor.workspace_id, "set webhook", "destination", key)
    return address

"""The task a past message would become: made by the functions that make real ones, and sent nowhere."""

from typing import Any
from uuid import UUID

from app.db.tables import Destination
from app.db.tables.base import new_id, now
from app.db.work import Claimed
from app.domain.conditions import Condition
from app.domain.errors import OctopusError
from app.domain.lifecycle import DeliveryStatus
from app.domain.routing import DeliveryKind, Route, Strategy
from app.domain.tasks import Task
from app.services import configuration, connections, delivery, inbox, planning, releases, taxonomy
from app.services.configuration import ConfiguredDestination
from app.services.members import Actor, Role, require
from app.services.planning import Decision
from connectors.http import Exchange, NotSent, only_showing


def latest(workspace_id: UUID) -> Decision | None:
    """The newest message as it is classified, or as the first category where it is not yet; None without either."""
    lines = inbox.page(workspace_id, inbox.Filter()).lines
    categories = taxonomy.categories(workspace_id)
    if not lines or not categories:
        return None
    return taxonomy.try_routes(workspace_id, lines[0].id, lines[0].category or categories[0].key)


def task(workspace_id: UUID, decision: Decision, fields: dict[str, str], route: Route | None = None) -> Task:
    """fields: the destination's mapping, maybe not saved yet. The decision has a category."""
    with releases.shown(workspace_id) as session:
        config = configuration.current(workspace_id, session)
    row = planning.task_row(config, decision, route or Route("preview", Condition(), Strategy.FAILOVER, ()))
    subject, category = decision.subject, config.categories_by_key[decision.result.category]
    claimed = Claimed(
        id=new_id(), workspace_id=workspace_id, message_id=subject.id, task_id=row["id"], destination_id=new_id(),
        kind=DeliveryKind.CREATE, was=DeliveryStatus.PENDING, token=new_id(), attempt_id=new_id(), number=1, looks=0,
        planned_at=now(), strategy=row["strategy"], destinations=row["destinations"], title=row["title"],
        body=row["body"], priority=row["priority"], due_at=row["due_at"], category=category.key,
        category_name=category.name, contact_name=subject.contact_name, channel=subject.facts.channel,
        bot=subject.facts.bot, language=subject.facts.language or "", sentiment=decision.result.sentiment or "",
        attachments=[], ref_id="", ref_url="", comment="",
    )  # fmt: skip
    return delivery.task_of(claimed, ConfiguredDestination(new_id(), workspace_id, "", "", "", fields, None, {}))


def request(actor: Actor, row: Destination, values: dict[str, Any], task: Task) -> Exchange:
    """The request that would make this task, secrets masked. The vendor may be asked what its fields are; nothing is
    made. values: what the form holds.

    Raises RemoteError when the vendor cannot be asked, and Rejected when the mapping does not fit its fields.
    """
    require(actor, Role.MANAGER)
    try:
        with only_showing():
            connections.destination_adapter(row, values).create(task)
    except NotSent as shown:
        return shown.exchange
    raise OctopusError("This connector made its task without one request that could be shown. Nothing was sent.")

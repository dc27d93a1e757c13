"""The object types of HubSpot a task can become. Source: https://developers.hubspot.com/docs/guides/api/crm/objects.
Pure.
"""

from dataclasses import dataclass
from html import escape

from app.domain.classification import Priority
from app.domain.tasks import TaskStatus

PRIORITY = {Priority.LOW: "LOW", Priority.NORMAL: "MEDIUM", Priority.HIGH: "HIGH", Priority.URGENT: "URGENT"}
TASK_STATUS = {
    "NOT_STARTED": TaskStatus.OPEN, "WAITING": TaskStatus.OPEN, "IN_PROGRESS": TaskStatus.IN_PROGRESS,
    "COMPLETED": TaskStatus.DONE, "DEFERRED": TaskStatus.CANCELLED,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """The property names of an object type.

    note: the type id of the association from a note to it; None: HubSpot has no notes on it.
    is_html: the body is shown as markup, so what customers write must be escaped.
    """

    title: str
    body: str
    stage: str
    pipeline: str = ""
    priority: str = ""
    note: int | None = None
    is_html: bool = False


KINDS = {
    "tickets": Kind("subject", "content", "hs_pipeline_stage", "hs_pipeline", "hs_ticket_priority", 228),
    "deals": Kind("dealname", "description", "dealstage", "pipeline", note=214),
    "tasks": Kind("hs_task_subject", "hs_task_body", "hs_task_status", priority="hs_task_priority", is_html=True),
}


def as_html(text: str) -> str:
    return escape(text).replace("\n", "<br>")

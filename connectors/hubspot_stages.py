"""What the stages of HubSpot's pipelines mean, and the states of its tasks.
Source: https://developers.hubspot.com/docs/guides/api/crm/pipelines (read 2026-11).
"""

from typing import Any

from app.domain.errors import Rejected, TargetGone
from app.domain.tasks import Target, TaskStatus
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient
from connectors.hubspot_objects import KINDS, LABEL
from connectors.oauth import TokenClient
from connectors.waits import number

KEPT_FOR_S = 300.0
TASK_STATUS = {  # deferred: put off, and still to be done
    "NOT_STARTED": TaskStatus.OPEN, "WAITING": TaskStatus.OPEN, "DEFERRED": TaskStatus.OPEN,
    "IN_PROGRESS": TaskStatus.IN_PROGRESS, "COMPLETED": TaskStatus.DONE,
}  # fmt: skip
TASK_STATUS_FOR = {
    TaskStatus.OPEN: "NOT_STARTED", TaskStatus.DONE: "COMPLETED", TaskStatus.CANCELLED: "COMPLETED",
}  # fmt: skip
MEANING_FOR = {  # the best first
    TaskStatus.OPEN: (TaskStatus.IN_PROGRESS,),
    TaskStatus.DONE: (TaskStatus.DONE,),
    TaskStatus.CANCELLED: (TaskStatus.CANCELLED, TaskStatus.DONE),
}


class Stages:
    """pipeline, first: the ids of the pipeline and stage new records go to."""

    def __init__(self, api: ApiClient | TokenClient, object_type: str, pipeline: str, first: str):
        self._api = api
        self._object = object_type
        self._kind = KINDS[object_type]
        self._pipeline, self._first = pipeline, first
        self._pipelines: Kept[list[dict[str, Any]]] = Kept()

    def check(self) -> None:
        """Raises TargetGone when new records cannot go where they should."""
        if self._kind.pipeline and self._stage(self._first) is None:
            raise TargetGone(f"HubSpot has no stage {self._first} for {self._object}. Choose one of the list.")

    def targets(self) -> list[Target]:
        if not self._kind.pipeline:
            return [Target("Tasks", {"object": self._object})]
        return [
            Target(f"{pipeline.get('label')}: {stage.get('label')}", {"pipeline": pipeline["id"], "stage": stage["id"]})
            for pipeline in self._pipelines.get(self._ask_pipelines)
            for stage in pipeline.get("stages") or ()
        ]

    def status_of(self, record: Any) -> TaskStatus:
        is_gone = inside(record, "archived")
        return TaskStatus.CANCELLED if is_gone else self._meaning(inside(record, "properties", self._kind.stage))

    def step(self, record: Any, status: TaskStatus) -> str:
        """The stage a record must be moved to, to have the status; empty when it has it. Raises Rejected.

        It is one of the record's own pipeline: people may have moved it to another one.
        """
        now = self.status_of(record)
        if now is status or (status is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            return ""
        wanted = self._stage_for(status, record) if self._kind.pipeline else TASK_STATUS_FOR[status]
        return "" if self._meaning(wanted) is now else wanted  # a fallback may mean what it is already

    def _meaning(self, stage_id: str | None) -> TaskStatus:
        if not stage_id or stage_id == self._first:
            return TaskStatus.OPEN
        if not self._kind.pipeline:
            return TASK_STATUS.get(stage_id, TaskStatus.UNKNOWN)
        stage = self._stage(stage_id)
        return _meaning_of(stage) if stage else TaskStatus.UNKNOWN

    def _stage_for(self, status: TaskStatus, record: Any) -> str:
        pipeline_id = inside(record, "properties", self._kind.pipeline) or self._pipeline
        pipelines = self._pipelines.get(self._ask_pipelines)
        stages = [stage for one in pipelines if one.get("id") == pipeline_id for stage in one.get("stages") or ()]
        stages.sort(key=lambda stage: (stage.get("id") != self._first, stage.get("displayOrder") or 0))
        for meaning in MEANING_FOR[status]:
            for stage in stages:
                if _meaning_of(stage) is meaning:
                    return stage["id"]
        raise Rejected(
            f"The record's pipeline in HubSpot has no stage that means {status}; nothing was changed. Add one under "
            "Settings, Objects, Pipelines and replay."
        )

    def _stage(self, stage_id: str) -> dict[str, Any] | None:
        pipelines = self._pipelines.get(self._ask_pipelines)
        stages = (stage for pipeline in pipelines for stage in pipeline.get("stages") or ())
        return next((stage for stage in stages if stage.get("id") == stage_id), None)

    def _ask_pipelines(self) -> tuple[list[dict[str, Any]], float]:
        answer = self._api.call("GET", f"/crm/v3/pipelines/{self._object}")
        return rows(LABEL, answer, "results"), KEPT_FOR_S


def _meaning_of(stage: dict[str, Any]) -> TaskStatus:
    """A closed deal that can no longer be won is lost: cancelled. Every open stage is work in progress."""
    metadata = stage.get("metadata") or {}
    is_closed = metadata.get("ticketState") == "CLOSED" or str(metadata.get("isClosed")).lower() == "true"
    if not is_closed:
        return TaskStatus.IN_PROGRESS
    return TaskStatus.CANCELLED if number(str(metadata.get("probability"))) == 0 else TaskStatus.DONE

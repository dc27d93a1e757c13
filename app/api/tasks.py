"""Tasks with where they stand, and classifications with who made them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api import shapes
from app.api.guard import Guarded, Reader
from app.domain.classification import Source
from app.services import classifications, tasks

router = APIRouter(route_class=Guarded)


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(None, description="Only what was made then or later, with its zone")
    cursor: UUID | None = Field(None, description="`next` of the page before")


class WantedClassifications(Wanted):
    source: Source = Field(Source.PERSON, description="Who decided; `person`: decisions and corrections")


@router.get("/tasks", tags=["tasks"])
def list_tasks(actor: Reader, wanted: Annotated[Wanted, Query()]) -> shapes.Page[shapes.Task]:
    """Newest first, 50 at a time."""
    page = tasks.page(actor.workspace_id, wanted.since, before=wanted.cursor)
    items = [shapes.Task.model_validate(line) for line in page.lines]
    return shapes.Page(items=items, next=str(page.older) if page.older else None)


@router.get("/tasks/{task_id}", tags=["tasks"])
def read_task(actor: Reader, task_id: UUID) -> shapes.TaskRead:
    return shapes.TaskRead.model_validate(tasks.read(actor.workspace_id, task_id))


@router.get("/classifications", tags=["classifications"])
def list_classifications(
    actor: Reader, wanted: Annotated[WantedClassifications, Query()]
) -> shapes.Page[shapes.ClassificationOfMessage]:
    """Newest first, 50 at a time, of one source: what people decided, unless another is asked for."""
    page = classifications.page(actor.workspace_id, wanted.source, wanted.since, before=wanted.cursor)
    items = [shapes.ClassificationOfMessage.model_validate(line) for line in page.lines]
    return shapes.Page(items=items, next=str(page.older) if page.older else None)

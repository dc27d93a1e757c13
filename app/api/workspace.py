"""What is only read: bots, destinations, the configuration as a file, and the figures of the Overview."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api import shapes
from app.api.guard import Guarded, Reader
from app.services import connections, dashboards, workspace_export

LONGEST_PERIOD_H = 24 * 366
LONGEST_METRICS_H = 24 * 31
router = APIRouter(route_class=Guarded, tags=["workspace"])


class Yaml(Response):
    media_type = "application/yaml"


@router.get("/bots")
def list_bots(actor: Reader) -> list[shapes.Bot]:
    rows = connections.bots(actor.workspace_id)
    return [shapes.Bot.model_validate(row.model_dump() | {"config": connections.shown(row)}) for row in rows]


@router.get("/destinations")
def list_destinations(actor: Reader) -> list[shapes.Destination]:
    rows = connections.destinations(actor.workspace_id)
    return [shapes.Destination.model_validate(row.model_dump() | {"config": connections.shown(row)}) for row in rows]


@router.get(
    "/configuration",
    response_class=Yaml,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "object"}}}}},
)
def export_configuration(actor: Reader) -> Yaml:
    """The workspace as the file that `octopus apply` takes; each secret is the name of an environment variable."""
    return Yaml(workspace_export.written(actor.workspace_id))


@router.get("/metrics")
def metrics(
    actor: Reader,
    hours: Annotated[int, Query(ge=1, le=LONGEST_METRICS_H)] = 24,
    bucket_hours: Annotated[int, Query(ge=1, le=LONGEST_METRICS_H, description="A multiple of an hour")] = 1,
) -> shapes.Metrics:
    """Messages and deliveries of the last hours by time and status."""
    return shapes.Metrics.model_validate(dashboards.over_time(actor.workspace_id, hours, bucket_hours))


@router.get("/figures")
def figures(actor: Reader, hours: Annotated[int, Query(ge=1, le=LONGEST_PERIOD_H)] = 24) -> shapes.Figures:
    """What the Overview shows: the funnel of the last hours, what waits now, and how bots and destinations fare."""
    return shapes.Figures.model_validate(dashboards.overview(actor.workspace_id, hours))

"""Categories, rules and routes, to read and to write. PUT says the whole of it: what is left out gets its default."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api import shapes
from app.api.guard import Configurer, Guarded, Reader
from app.db import tables
from app.domain.classification import Priority
from app.domain.conditions import Condition
from app.domain.errors import NotFound
from app.domain.routing import Strategy, WhenWrong
from app.domain.rules import Actions
from app.services import taxonomy

LONGEST_SLA_MIN = 60 * 24 * 365
router = APIRouter(route_class=Guarded)
Key = Annotated[str, Path(description="Small letters, digits, - and _")]
Row = TypeVar("Row", tables.Category, tables.Rule, tables.Route)


class _Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class CategoryPut(_Whole):
    name: str = Field(max_length=200)
    description: str = ""
    priority: Priority = Priority.NORMAL
    sla_min: int | None = Field(None, ge=1, le=LONGEST_SLA_MIN, description="Minutes within which it is answered")


class RulePut(_Whole):
    """`when` and `then`: as in the configuration file."""

    when: Condition
    then: Actions
    continue_: bool = Field(False, alias="continue", description="Ask the rules below as well")
    enabled: bool = True


class RoutePut(_Whole):
    """`when`: as in the configuration file. `reply`: what the customer is told at the end, by language."""

    when: Condition = Condition()
    strategy: Strategy = Strategy.FAILOVER
    destinations: list[str] = Field(min_length=1, description="Keys, in the order they are tried")
    continue_: bool = Field(False, alias="continue", description="Ask the routes below as well")
    default: bool = False
    when_wrong: WhenWrong = WhenWrong.CLOSE
    reply: dict[str, str] = {}
    enabled: bool = True


class Place(_Whole):
    position: int = Field(ge=0, le=10_000, description="Counted from 0; beyond the end is the end")


def _one(rows: list[Row], key: str, noun: str) -> Row:
    found = next((row for row in rows if row.key == key), None)
    if found is None:
        raise NotFound(f"There is no {noun} '{key}'.", "key")
    return found


# ---- categories


@router.get("/categories", tags=["categories"])
def list_categories(actor: Reader, archived: Annotated[bool, Query()] = False) -> list[shapes.Category]:
    """In the order of Review. `archived`: those too."""
    return [shapes.Category.model_validate(row) for row in taxonomy.categories(actor.workspace_id, archived, live=True)]


@router.get("/categories/{key}", tags=["categories"])
def read_category(actor: Reader, key: Key) -> shapes.Category:
    rows = taxonomy.categories(actor.workspace_id, archived=True, live=True)
    return shapes.Category.model_validate(_one(rows, key, "category"))


@router.put("/categories/{key}", tags=["categories"])
def write_category(actor: Configurer, key: Key, put: CategoryPut) -> shapes.Category:
    """Add or change a category; an archived one is in use again."""
    row = taxonomy.save_category(actor, key, put.name, put.description, put.priority, put.sla_min, live=True)
    return shapes.Category.model_validate(row)


@router.put("/categories/{key}/position", tags=["categories"], status_code=204)
def move_category(actor: Configurer, key: Key, place: Place) -> None:
    taxonomy.move(actor, tables.Category, key, place.position, live=True)


@router.delete("/categories/{key}", tags=["categories"], status_code=204)
def archive_category(actor: Configurer, key: Key) -> None:
    """Archive it: messages keep it, nothing new gets it. Refused while a rule or a route names it."""
    taxonomy.delete(actor, tables.Category, key, live=True)


# ---- rules


@router.get("/rules", tags=["rules"])
def list_rules(actor: Reader) -> list[shapes.Rule]:
    """In the order they are asked."""
    return [shapes.Rule.model_validate(row) for row in taxonomy.list_rules(actor.workspace_id, live=True)]


@router.get("/rules/{key}", tags=["rules"])
def read_rule(actor: Reader, key: Key) -> shapes.Rule:
    return shapes.Rule.model_validate(_one(taxonomy.list_rules(actor.workspace_id, live=True), key, "rule"))


@router.put("/rules/{key}", tags=["rules"])
def write_rule(actor: Configurer, key: Key, put: RulePut) -> shapes.Rule:
    """Add or change a rule; a new one is asked last."""
    when, then = taxonomy.stored_condition(put.when), taxonomy.stored_actions(put.then)
    row = taxonomy.save_rule(actor, key, when, then, put.continue_, put.enabled, live=True)
    return shapes.Rule.model_validate(row)


@router.put("/rules/{key}/position", tags=["rules"], status_code=204)
def move_rule(actor: Configurer, key: Key, place: Place) -> None:
    taxonomy.move(actor, tables.Rule, key, place.position, live=True)


@router.delete("/rules/{key}", tags=["rules"], status_code=204)
def delete_rule(actor: Configurer, key: Key) -> None:
    taxonomy.delete(actor, tables.Rule, key, live=True)


# ---- routes


@router.get("/routes", tags=["routes"])
def list_routes(actor: Reader) -> list[shapes.Route]:
    """In the order they are asked; the default one is asked when no other matched."""
    return [shapes.Route.model_validate(row) for row in taxonomy.routes(actor.workspace_id, live=True)]


@router.get("/routes/{key}", tags=["routes"])
def read_route(actor: Reader, key: Key) -> shapes.Route:
    return shapes.Route.model_validate(_one(taxonomy.routes(actor.workspace_id, live=True), key, "route"))


@router.put("/routes/{key}", tags=["routes"])
def write_route(actor: Configurer, key: Key, put: RoutePut) -> shapes.Route:
    """Add or change a route; a new one is asked last."""
    row = taxonomy.save_route(
        actor, key, taxonomy.stored_condition(put.when), put.strategy, put.destinations, put.continue_, put.default,
        put.enabled, put.when_wrong, put.reply, live=True,
    )  # fmt: skip
    return shapes.Route.model_validate(row)


@router.put("/routes/{key}/position", tags=["routes"], status_code=204)
def move_route(actor: Configurer, key: Key, place: Place) -> None:
    taxonomy.move(actor, tables.Route, key, place.position, live=True)


@router.delete("/routes/{key}", tags=["routes"], status_code=204)
def delete_route(actor: Configurer, key: Key) -> None:
    taxonomy.delete(actor, tables.Route, key, live=True)

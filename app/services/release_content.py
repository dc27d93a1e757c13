"""Rows as a release's content, and back: the columns of each table under the names they have in the file."""

from typing import Any
from uuid import UUID

from sqlmodel import Session, SQLModel

from app.db import releases as store
from app.db.tables import Category, Route, Rule
from app.db.tables.base import new_id
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput
from app.domain.releases import NOUNS, Content
from app.domain.rules import Actions
from app.domain.rules import Rule as RulePart
from app.services import secrets
from app.services.workspace_file import CategoryPart, ClassifyPart, RoutePart

TABLES: dict[str, type[SQLModel]] = {"categories": Category, "rules": Rule, "routes": Route}
NOT_RELEASED = {"llm", "budget_usd"}  # of the file's `classify`: connections and money, not how messages are decided


# ---- one part as the columns of its row


def stored_condition(condition: Condition) -> dict[str, Any]:
    """One form, whoever wrote it: what a screen saves, a file that says the same does not change."""
    return condition.model_dump(mode="json", by_alias=True, exclude_none=True)


def stored_actions(actions: Actions) -> dict[str, Any]:
    return actions.model_dump(mode="json", exclude_defaults=True)


def category_columns(part: CategoryPart) -> dict[str, Any]:
    return part.model_dump(exclude={"key"}, mode="json") | {"archived_at": None}


def rule_columns(part: RulePart) -> dict[str, Any]:
    when, then = stored_condition(part.when), stored_actions(part.then)
    return {"conditions": when, "actions": then, "go_on": part.go_on, "enabled": part.enabled}


def route_columns(part: RoutePart) -> dict[str, Any]:
    return {
        "conditions": stored_condition(part.when), "strategy": str(part.strategy),
        "destinations": part.destinations, "go_on": part.go_on, "is_default": part.default, "enabled": part.enabled,
        "when_wrong": str(part.when_wrong), "reply": part.reply,
    }  # fmt: skip


# ---- one row as a part; not validated, so that a row a hand edit left unusable hinders nobody


def _category(row: Any) -> dict[str, Any]:
    return {
        "key": row.key, "name": row.name, "description": row.description, "priority": row.priority,
        "sla_min": row.sla_min,
    }  # fmt: skip


def _rule(row: Any) -> dict[str, Any]:
    return {
        "key": row.key, "when": row.conditions, "then": row.actions, "continue": row.go_on, "enabled": row.enabled
    }  # fmt: skip


def _route(row: Any) -> dict[str, Any]:
    return {
        "key": row.key, "when": row.conditions, "strategy": row.strategy, "destinations": row.destinations,
        "continue": row.go_on, "default": row.is_default, "when_wrong": row.when_wrong, "reply": row.reply,
        "enabled": row.enabled,
    }  # fmt: skip


# ---- the whole


def read(session: Session, schema: str, workspace_id: UUID) -> Content:
    """Everything a release holds, with every field; archived categories are not there."""
    categories = store.rows(session, schema, Category, workspace_id)
    return {
        "categories": [_category(row) for row in categories if row.archived_at is None],
        "rules": [_rule(row) for row in store.rows(session, schema, Rule, workspace_id)],
        "routes": [_route(row) for row in store.rows(session, schema, Route, workspace_id)],
        "classify": _settings(store.classify_settings(session, schema, workspace_id)),
    }


def nothing() -> Content:
    """What a new workspace has."""
    return {name: [] for name in NOUNS} | {"classify": _settings({})}


def completed(content: Content) -> Content:
    """As this version would write it: what an older one did not know yet gets its default. Raises InvalidInput."""
    parts = {name: [_completed(name, part) for part in content[name]] for name in NOUNS}
    return parts | {"classify": _settings(content["classify"])}


def write(session: Session, schema: str, workspace_id: UUID, before: Content, after: Content, ids: dict) -> None:
    """Make the rows that stand as `before` stand as `after`. ids: (table, key) -> the id of a row that is new here."""
    for name, table in TABLES.items():
        old = {part["key"]: part for part in before[name]}
        keys = [part["key"] for part in after[name]]
        gone = [key for key in old if key not in keys]
        if gone:
            store.take_away(session, schema, table, workspace_id, gone)
        changed = [
            _row(name, workspace_id, part, position, ids)
            for position, part in enumerate(after[name])
            if part != old.get(part["key"])
        ]
        store.put(session, schema, changed)
        store.set_order(session, schema, table, workspace_id, keys)
    if before["classify"] != after["classify"]:
        kept = store.classify_settings(session, schema, workspace_id)
        store.set_classify_settings(session, schema, workspace_id, kept | after["classify"])


def ids(session: Session, schema: str, workspace_id: UUID) -> dict[tuple[str, str], UUID]:
    return {
        (name, row.key): row.id
        for name, table in TABLES.items()
        for row in store.rows(session, schema, table, workspace_id)
    }


def _row(name: str, workspace_id: UUID, part: dict, position: int, ids: dict) -> SQLModel:
    table, (model, columns) = TABLES[name], PARTS[name]
    key = part["key"]
    values = columns(secrets.validated(model, part))
    if "position" in table.model_fields:
        values["position"] = position
    return table(id=ids.get((name, key)) or new_id(), workspace_id=workspace_id, key=key, **values)


def _completed(name: str, part: dict[str, Any]) -> dict[str, Any]:
    model, columns = PARTS[name]
    try:
        row = TABLES[name](key=part["key"], **columns(secrets.validated(model, part)))
    except InvalidInput as error:
        raise InvalidInput(f"The {NOUNS[name]} '{part['key']}' cannot be used any more: {error}", "number") from error
    return ROWS[name](row)


def _settings(stored: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in stored.items() if name not in NOT_RELEASED}
    return secrets.validated(ClassifyPart, known).model_dump(mode="json", exclude=NOT_RELEASED)


PARTS = {
    "categories": (CategoryPart, category_columns), "rules": (RulePart, rule_columns),
    "routes": (RoutePart, route_columns),
}  # fmt: skip
ROWS = {"categories": _category, "rules": _rule, "routes": _route}

"""Writing a workspace as a configuration file: a secret becomes the name of an environment variable."""

import re
from collections import Counter
from typing import Any
from uuid import UUID

import yaml
from sqlmodel import Session, SQLModel, col, select

from app.db import crypto
from app.db.engine import in_workspace
from app.db.tables import Bot, Category, Destination, LlmAccount, Route, Rule, Workspace
from app.domain.routing import WhenWrong
from app.services.workspace_file import escaped

Variables = dict[tuple[UUID, str], str]


def written(workspace_id: UUID) -> str:
    """The file as text. Applied where its variables are set, it changes nothing; it says what is switched off, too."""
    with in_workspace(workspace_id) as session:
        content = _content(session, session.exec(select(Workspace)).one())
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


def _content(session: Session, workspace: Workspace) -> dict[str, Any]:
    bots = list(session.exec(select(Bot).order_by(Bot.key)))
    accounts = _ordered(session, LlmAccount)
    destinations = list(session.exec(select(Destination).order_by(Destination.key)))
    names = _variables(workspace.key, [*bots, *accounts, *destinations])
    return {
        "workspace": _columns(workspace, "key", "name", "locale", "timezone", "join_window_min"),
        "bots": [
            {"key": row.key, "channel": row.channel, **_named(row), "config": _config(row, names), **_off(row)}
            for row in bots
        ],
        "categories": [_category(row) for row in _ordered(session, Category) if row.archived_at is None],
        "rules": [
            {"key": row.key, "when": escaped(row.conditions), "then": escaped(row.actions), **_flags(row)}
            for row in _ordered(session, Rule)
        ],
        "classify": {
            "llm": [{"key": row.key, **_config(row, names), **_off(row)} for row in accounts],
            **escaped(workspace.settings.get("classify", {})),
        },
        "destinations": [_destination(row, names) for row in destinations],
        "routes": [_route(row) for row in _ordered(session, Route)],
    }


def _ordered(session: Session, table: type[SQLModel]) -> list:
    return list(session.exec(select(table).order_by(col(table.position), table.key)))


def _columns(row: SQLModel, *names: str) -> dict[str, Any]:
    return {name: escaped(value) for name in names if (value := getattr(row, name)) is not None}


def _category(row: Category) -> dict[str, Any]:
    return _columns(row, "key", "name", "description", "priority", "sla_min")


def _destination(row: Destination, names: Variables) -> dict[str, Any]:
    written = {"key": row.key, "connector": row.connector, **_named(row), "config": _config(row, names)}
    if row.fields:
        written["fields"] = escaped(row.fields)
    if row.rate_per_s:
        written["rate_per_s"] = row.rate_per_s
    return written | _off(row)


def _route(row: Route) -> dict[str, Any]:
    what = {"key": row.key, "when": escaped(row.conditions), "strategy": row.strategy, "destinations": row.destinations}
    if row.when_wrong != WhenWrong.CLOSE:
        what["when_wrong"] = row.when_wrong
    if row.reply:
        what["reply"] = escaped(row.reply)
    return what | _flags(row) | ({"default": True} if row.is_default else {})


def _named(row: Bot | Destination) -> dict[str, str]:
    return {"name": escaped(row.name)} if row.name else {}


def _flags(row: Rule | Route) -> dict[str, bool]:
    return ({"continue": True} if row.go_on else {}) | _off(row)


def _off(row: SQLModel) -> dict[str, bool]:
    return {} if row.enabled else {"enabled": False}


# ---- secrets


def _config(row: SQLModel, names: Variables) -> dict[str, Any]:
    return {
        name: "${" + names[row.id, name] + "}" if (row.id, name) in names else escaped(value)
        for name, value in row.config.items()
    }


def _variables(workspace_key: str, rows: list[SQLModel]) -> Variables:
    """A name for each secret. Where the short one fits several, each says what it belongs to: none gets another's."""
    secrets = [(row, name) for row in rows for name, value in row.config.items() if crypto.is_encrypted(value)]
    short = Counter(_variable(workspace_key, row.key, name) for row, name in secrets)
    taken: Variables = {}
    for row, name in secrets:
        wanted = _variable(workspace_key, row.key, name)
        if short[wanted] > 1:
            wanted = _variable(workspace_key, str(row.__tablename__), row.key, name)
        number, free = 1, wanted
        while free in taken.values():
            number += 1
            free = f"{wanted}_{number}"
        taken[row.id, name] = free
    return taken


def _variable(*parts: str) -> str:
    return "OCTOPUS_" + "_".join(re.sub(r"[^A-Z0-9]", "_", part.upper()) for part in parts)

"""Many rows in one statement: they travel as one JSON text and PostgreSQL unpacks them.

One statement per table and group commit, whatever the number of rows: this is what keeps a message's share of
database time small. Source: https://www.postgresql.org/docs/16/functions-json.html (json_populate_recordset)
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from sqlmodel import Session, SQLModel

Rows = list[dict[str, Any]]


def insert(session: Session, table: type[SQLModel], rows: Rows, on_conflict: str = "") -> None:
    """Insert rows; columns a row does not name get the table's defaults. All rows name the same columns."""
    if rows:
        _run(session, table, rows, on_conflict)


def insert_new(session: Session, table: type[SQLModel], rows: Rows, returning: str) -> list[Any]:
    """Insert the rows whose unique keys are free; returns `returning` of those that were inserted."""
    return _run(session, table, rows, "on conflict do nothing", f" returning {returning}").all() if rows else []


def update(session: Session, sql: str, rows: Rows) -> list[Any]:
    """Run an UPDATE that reads `json_to_recordset(%(rows)s)` and returns something."""
    return session.connection().exec_driver_sql(sql, {"rows": as_json(rows)}).all() if rows else []


def _run(session: Session, table: type[SQLModel], rows: Rows, on_conflict: str, returning: str = ""):
    name, defaults = _shape(table)
    absent = [(column, default) for column, default in defaults if column not in rows[0]]
    full = [{**{column: default() for column, default in absent}, **row} for row in rows]
    columns = ", ".join(f'"{column}"' for column in full[0])
    sql = (
        f"insert into {name} ({columns}) select {columns} "  # noqa: S608  names come from the tables, never from input
        f"from json_populate_recordset(null::{name}, %(rows)s) {on_conflict}{returning}"
    )
    return session.connection().exec_driver_sql(sql, {"rows": as_json(full)})


def as_json(value: Any) -> str:
    """JSON that PostgreSQL takes: it has no NUL in text, so those become U+FFFD."""
    text = orjson.dumps(value, default=str).decode()
    if "\\u0000" in text:
        text = orjson.dumps(_without_nul(orjson.loads(text))).decode()
    return text


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return value


@cache
def _shape(table: type[SQLModel]) -> tuple[str, list[tuple[str, Callable[[], Any]]]]:
    """The table's name, and each column that has a default with a function making it."""
    defaults = []
    for name, field in table.model_fields.items():
        if field.default_factory is not None:
            defaults.append((name, field.default_factory))
        elif not field.is_required():
            defaults.append((name, lambda value=field.default: value))
    return str(table.__tablename__), defaults

"""Column types and the two bases every table is built from."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

SQLModel.metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
})  # fmt: skip


def new_id() -> UUID:
    """A UUIDv7: unique, and sorting by it is sorting by time (RFC 9562, section 5.7)."""
    return uuid7()


def now() -> datetime:
    return datetime.now(UTC)


def utc(**options: Any) -> Any:
    """A time column, aware and in UTC."""
    if "default_factory" not in options and options.get("nullable", True):
        options["default"] = None
    return Field(sa_type=DateTime(timezone=True), **options)  # type: ignore[call-overload]


def json_column(default: Callable[[], Any] = dict, **options: Any) -> Any:
    """A JSONB column. Assign a new value to change it: changes inside it are not seen."""
    return Field(default_factory=default, sa_type=JSONB, **options)


def one_of(column: str, values: type[StrEnum], name: str | None = None) -> CheckConstraint:
    """Text with a CHECK instead of a native enum, whose type outlives a downgrade."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=name or f"{column}_known")


class Row(SQLModel):
    id: UUID = Field(default_factory=new_id, primary_key=True)


class WorkspaceRow(Row):
    """A row of one workspace. The migration puts row-level security on every table with this column."""

    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=False)


class TrafficRow(Row):
    """A row of one workspace in a table that grows with traffic: no foreign keys.

    Each would cost a look-up per insert and a lock on the workspace's one row, and would forbid partitioning by
    month. Rows that belong together are written in one transaction; retention and erasure delete them together.
    """

    workspace_id: UUID


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a moment: ids made from then on are not below it. Before 1970 there are none."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80 | 0x7000 << 64 | 0x8000 << 48)

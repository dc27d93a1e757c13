"""Counts for dashboards, made again from the rows whenever these change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, SmallInteger
from sqlmodel import Field, SQLModel

from app.db.tables.base import utc


class MessageRollup(SQLModel, table=True):
    """Messages of one UTC hour that have everything below in common; `part` numbers them within the hour.

    minute: where in the hour they begin: 0, or a quarter in zones whose hours do not begin with UTC's.
    tasks, done, ever_done, reopened, approaches, repeats: how many of the received ones; `app.db.rollups`
    defines them. to_task, to_done: for each message of `tasks` and of `done` one span, as `app.db.rollups.SPAN`.
    """

    __tablename__ = "message_rollup"

    workspace_id: UUID = Field(primary_key=True)
    hour: datetime = utc(primary_key=True)
    part: int = Field(primary_key=True)
    minute: int = Field(sa_type=SmallInteger)
    channel: str
    category_id: UUID | None = None
    priority: str | None = None
    sentiment: str | None = None
    language: str | None = None
    received: int
    tasks: int
    done: int
    ever_done: int
    reopened: int
    approaches: int
    repeats: int
    to_task: bytes
    to_done: bytes


class StaleHour(SQLModel, table=True):
    """Something in this UTC hour changed after it was counted, or it never was. Triggers add these with the change.

    The same hour may stand here many times: nobody has to wait for anybody to add one.
    """

    __tablename__ = "stale_hour"
    __table_args__ = (Index("ix_stale_hour_list", "workspace_id", "hour"),)

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    workspace_id: UUID
    hour: datetime = utc(nullable=False)

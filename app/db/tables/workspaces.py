from datetime import datetime

from sqlmodel import Field

from app.db.tables.base import Row, json_column, now, utc


class Workspace(Row, table=True):
    """A tenant. `config_version` rises with every change of its configuration: workers reload when they see it."""

    key: str = Field(unique=True)
    name: str
    locale: str = "en"
    timezone: str = "UTC"
    join_window_min: int = 30
    settings: dict = json_column()
    config_version: int = Field(default=1)
    created_at: datetime = utc(default_factory=now, nullable=False)

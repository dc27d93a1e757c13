"""What managers set up. Each change raises `workspace.config_version` (a trigger) and leaves an audit entry."""

from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from app.db.tables.base import WorkspaceRow, json_column, now, one_of, utc
from app.domain.classification import Priority
from app.domain.routing import Strategy, WhenWrong


def _keyed(table: str) -> UniqueConstraint:
    return UniqueConstraint("workspace_id", "key", name=f"uq_{table}_workspace_id_key")


class Bot(WorkspaceRow, table=True):
    """`hook_key` is the unguessable end of the webhook URL. Secrets inside `config` are encrypted."""

    __table_args__ = (_keyed("bot"),)

    key: str
    channel: str
    name: str = ""
    hook_key: str = Field(unique=True)
    config: dict = json_column()
    enabled: bool = True
    created_at: datetime = utc(default_factory=now, nullable=False)


class Category(WorkspaceRow, table=True):
    __table_args__ = (_keyed("category"), one_of("priority", Priority))

    key: str
    name: str
    description: str = ""
    priority: str = Priority.NORMAL
    sla_min: int | None = None
    position: int = 0
    archived_at: datetime | None = utc()


class Rule(WorkspaceRow, table=True):
    __table_args__ = (_keyed("rule"),)

    key: str
    position: int
    conditions: dict = json_column()
    actions: dict = json_column()
    go_on: bool = False
    enabled: bool = True


class LlmAccount(WorkspaceRow, table=True):
    """Prices are USD per million tokens."""

    __tablename__ = "llm_account"
    __table_args__ = (_keyed("llm_account"),)

    key: str
    position: int
    config: dict = json_column()
    enabled: bool = True


class Destination(WorkspaceRow, table=True):
    """`fields` maps the vendor's field names to templates. Secrets inside `config` are encrypted.

    `hook_key` is the unguessable end of the address the vendor sends changes to.
    """

    __table_args__ = (_keyed("destination"),)

    key: str
    connector: str
    name: str = ""
    config: dict = json_column()
    fields: dict = json_column()
    hook_key: str = Field(default_factory=lambda: token_urlsafe(24), unique=True)
    rate_per_s: float | None = None
    enabled: bool = True


class Route(WorkspaceRow, table=True):
    """`destinations` are keys, in the order they are tried (failover) or shown (parallel).

    `reply`: what the customer is told when the task is done, by language; "" stands for all others. Empty: nothing.
    """

    __table_args__ = (_keyed("route"), one_of("strategy", Strategy), one_of("when_wrong", WhenWrong))

    key: str
    position: int
    conditions: dict = json_column()
    strategy: str = Strategy.FAILOVER
    destinations: list = json_column(list)
    go_on: bool = False
    is_default: bool = False
    when_wrong: str = WhenWrong.CLOSE
    reply: dict = json_column()
    enabled: bool = True

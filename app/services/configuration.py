"""A workspace's configuration as workers use it: read once, decrypted, parsed, kept until its version rises."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.classify import llm
from app.db import crypto
from app.db.engine import in_workspace, is_in_draft
from app.db.tables import Bot, Category, Destination, LlmAccount, Route, Rule, WebhookEndpoint, Workspace
from app.domain import classification, routing, rules
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput
from app.services import outbound, secrets
from app.services.tokens import TokensOfDestination
from connectors import registry
from connectors.base import Channel, Connector


@dataclass(frozen=True)
class ConfiguredBot:
    id: UUID
    workspace_id: UUID
    key: str
    channel: str
    name: str
    stored: dict[str, Any]

    @cached_property
    def adapter(self) -> Channel:
        module = registry.channel(self.channel)
        return module.Channel(secrets.unseal(module.Config, self.stored, self.workspace_id, f"bot/{self.id}"))


@dataclass(frozen=True)
class ConfiguredDestination:
    id: UUID
    workspace_id: UUID
    key: str
    connector: str
    name: str
    fields: dict[str, str]
    rate_per_s: float | None
    stored: dict[str, Any]

    @property
    def module(self) -> ModuleType:
        return registry.crm(self.connector)

    @property
    def vendor_rate_per_s(self) -> float | None:
        """The vendor's published limit; it says nothing about a system at an address of one's own."""
        return None if self.stored.get("base_url") else self.module.Connector.RATE_PER_S

    @cached_property
    def adapter(self) -> Connector:
        config = secrets.unseal(self.module.Config, self.stored, self.workspace_id, f"destination/{self.id}")
        return self.module.Connector(config, tokens=TokensOfDestination(self.workspace_id, self.id))


@dataclass(frozen=True)
class ConfiguredWebhook:
    """An address that is told of events. The secrets are sealed still."""

    id: UUID
    workspace_id: UUID
    url: str
    events: frozenset[str]
    secret: str
    previous_secret: str
    previous_until: datetime | None

    def keys(self, at: datetime) -> list[str]:
        """The secrets in force, the newest first."""
        sealed = [self.secret]
        if self.previous_secret and self.previous_until and at < self.previous_until:
            sealed.append(self.previous_secret)
        return [crypto.decrypt(one, self.workspace_id, f"webhook_endpoint/{self.id}/secret") for one in sealed]


@dataclass(frozen=True, eq=False)
class Configuration:
    """Immutable; the same object until the version rises, so derived things can be cached by it.

    Lists are in the manager's order and hold only what is switched on.
    """

    workspace: Workspace
    bots: dict[UUID, ConfiguredBot]
    categories: list[classification.Category]
    category_ids: dict[str, UUID]
    rules: list[rules.Rule]
    llm_accounts: list[llm.Account]
    llm_account_ids: dict[str, UUID]
    destinations: dict[str, ConfiguredDestination]
    routes: list[routing.Route]
    webhooks: list[ConfiguredWebhook] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @cached_property
    def categories_by_key(self) -> dict[str, classification.Category]:
        return {category.key: category for category in self.categories}

    @cached_property
    def category_keys(self) -> dict[UUID, str]:
        return {id_: key for key, id_ in self.category_ids.items()}

    @cached_property
    def destinations_by_id(self) -> dict[UUID, ConfiguredDestination]:
        return {destination.id: destination for destination in self.destinations.values()}


outbound.guard_llm_calls()  # whoever reads accounts may call them

_kept: dict[UUID, Configuration] = {}
_lock = threading.Lock()


def current(workspace_id: UUID, session: Session | None = None) -> Configuration:
    """The newest configuration; one small query when nothing changed. `session`: one already in the workspace.

    In a draft it is the draft's, read anew each time and never kept.
    """
    if session is None:
        with in_workspace(workspace_id) as own:
            return current(workspace_id, own)
    if is_in_draft(session):
        return read(workspace_id, session)
    version = session.exec(select(Workspace.config_version).where(Workspace.id == workspace_id)).one()
    kept = _kept.get(workspace_id)
    if kept is not None and kept.workspace.config_version == version:
        return kept
    with _lock:
        _kept[workspace_id] = read(workspace_id, session)
    return _kept[workspace_id]


def read(workspace_id: UUID, session: Session) -> Configuration:
    """What is live, or in a session of `in_draft` what would be after publishing."""
    workspace = session.exec(select(Workspace).where(Workspace.id == workspace_id)).one()
    session.refresh(workspace)
    workspace = Workspace(**workspace.model_dump())  # kept for long: the session's own is void after a rollback
    categories = session.exec(
        select(Category).where(col(Category.archived_at).is_(None)).order_by(col(Category.position))
    )
    category_rows = list(categories)
    accounts = list(session.exec(select(LlmAccount).where(LlmAccount.enabled).order_by(col(LlmAccount.position))))
    problems: list[str] = []
    return Configuration(
        workspace=workspace,
        bots={bot.id: _bot(bot) for bot in session.exec(select(Bot))},
        categories=[_category(row) for row in category_rows],
        category_ids={row.key: row.id for row in category_rows},
        rules=_usable(
            problems, "rule", session.exec(select(Rule).where(Rule.enabled).order_by(col(Rule.position))), _rule
        ),
        llm_accounts=_usable(problems, "LLM account", accounts, _account),
        llm_account_ids={row.key: row.id for row in accounts},
        destinations={
            row.key: _destination(row) for row in session.exec(select(Destination).where(Destination.enabled))
        },
        routes=_usable(
            problems, "route", session.exec(select(Route).where(Route.enabled).order_by(col(Route.position))), _route
        ),
        webhooks=[webhook(row) for row in session.exec(select(WebhookEndpoint).where(WebhookEndpoint.enabled))],
        problems=problems,
    )


def _usable(problems: list[str], noun: str, rows, build) -> list:
    """A row that a hand edit left unusable must not stop the workspace: it is left out and named."""
    built = []
    for row in rows:
        try:
            built.append(build(row))
        except InvalidInput as error:
            problems.append(f"The {noun} '{row.key}' is left out: {error} Correct it and save it again.")
    return built


def _bot(row: Bot) -> ConfiguredBot:
    return ConfiguredBot(row.id, row.workspace_id, row.key, row.channel, row.name, row.config)


def _category(row: Category) -> classification.Category:
    return classification.Category(
        row.key, row.name, row.description, classification.Priority(row.priority), row.sla_min
    )


def _rule(row: Rule) -> rules.Rule:
    stored = {"key": row.key, "when": row.conditions, "then": row.actions, "continue": row.go_on}
    return secrets.validated(rules.Rule, stored)


def _account(row: LlmAccount) -> llm.Account:
    stored = secrets.opened(row.config, row.workspace_id, f"llm_account/{row.id}")
    return secrets.validated(llm.Account, {"key": row.key, **stored})


def _destination(row: Destination) -> ConfiguredDestination:
    return ConfiguredDestination(
        row.id, row.workspace_id, row.key, row.connector, row.name, row.fields, row.rate_per_s, row.config
    )


def webhook(row: WebhookEndpoint) -> ConfiguredWebhook:
    return ConfiguredWebhook(
        row.id, row.workspace_id, row.url, frozenset(row.events), row.secret, row.previous_secret, row.previous_until
    )


def _route(row: Route) -> routing.Route:
    return routing.Route(
        key=row.key,
        when=secrets.validated(Condition, row.conditions),
        strategy=routing.Strategy(row.strategy),
        destinations=tuple(row.destinations),
        go_on=row.go_on,
        when_wrong=routing.WhenWrong(row.when_wrong),
        reply=row.reply,
        is_default=row.is_default,
    )

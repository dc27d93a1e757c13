"""Categories, rules and routes: how a workspace sorts messages and where it sends them. Every change is audited.

Pages read and change the draft (`app.services.releases`); `live=True` is for programs, which read and change what
works now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session, SQLModel, col, select

from app.db.engine import in_workspace
from app.db.tables import Bot, Category, Destination, LlmAccount, Route, Rule
from app.db.tables.base import first_id_at, now
from app.domain import rules, templates
from app.domain.classification import Classification, Priority, Source
from app.domain.conditions import Condition, Facts
from app.domain.errors import InvalidInput, NotFound
from app.domain.routing import Strategy, WhenWrong
from app.services import audit, configuration, planning, references, releases, review, secrets
from app.services.connections import audited, checked_key
from app.services.members import Actor, Role, require
from app.services.release_content import stored_actions, stored_condition

MOST_MESSAGES = 5000
SAMPLE = 20
Ordered = TypeVar("Ordered", Category, Rule, Route, LlmAccount)


# ---- reading


def categories(workspace_id: UUID, archived: bool = False, live: bool = False) -> list[Category]:
    with _reading(workspace_id, live) as session:
        rows = session.exec(select(Category).order_by(col(Category.position), Category.key))
        return [row for row in rows if archived or row.archived_at is None]


def list_rules(workspace_id: UUID, live: bool = False) -> list[Rule]:
    with _reading(workspace_id, live) as session:
        return list(session.exec(select(Rule).order_by(col(Rule.position), Rule.key)))


def routes(workspace_id: UUID, live: bool = False) -> list[Route]:
    with _reading(workspace_id, live) as session:
        return list(session.exec(select(Route).order_by(col(Route.position), Route.key)))


# ---- saving


def save_category(
    actor: Actor,
    key: str,
    name: str,
    description: str = "",
    priority: str = Priority.NORMAL,
    sla_min: int | None = None,
    live: bool = False,
) -> Category:
    if not name.strip():
        raise InvalidInput("Give the category a name.", "name")
    if priority not in list(Priority):
        raise InvalidInput(f"There is no priority '{priority}'.", "priority")
    if sla_min is not None and sla_min <= 0:
        raise InvalidInput("The time to answer is a number of minutes above 0, or empty.", "sla_min")
    values = {"name": name.strip(), "description": description.strip(), "priority": priority, "sla_min": sla_min}
    with _changing(actor, live) as session:
        return _save(session, actor, Category, key, values)


def save_rule(
    actor: Actor,
    key: str,
    when: dict[str, Any],
    then: dict[str, Any],
    go_on: bool = False,
    enabled: bool = True,
    live: bool = False,
) -> Rule:
    """when, then: as in the configuration file. Raises InvalidInput naming the field."""
    rule = secrets.validated(rules.Rule, {"key": key, "when": when, "then": then})
    with _changing(actor, live) as session:
        _check_rule(session, rule.when, rule.then.category)
        values = {"conditions": stored_condition(rule.when), "actions": stored_actions(rule.then)}
        return _save(session, actor, Rule, key, values | {"go_on": go_on, "enabled": enabled})


def save_route(
    actor: Actor,
    key: str,
    when: dict[str, Any],
    strategy: str,
    destinations: list[str],
    go_on: bool = False,
    is_default: bool = False,
    enabled: bool = True,
    when_wrong: str = WhenWrong.CLOSE,
    reply: dict[str, str] | None = None,
    live: bool = False,
) -> Route:
    """reply: what the customer is told when the task is done, by language; None: as it was."""
    condition = secrets.validated(_When, {"when": when}).when
    if strategy not in list(Strategy):
        raise InvalidInput(f"There is no strategy '{strategy}'. Use failover or parallel.", "strategy")
    if when_wrong not in list(WhenWrong):
        raise InvalidInput(f"There is no way '{when_wrong}' to withdraw a task. Use close or comment.", "when_wrong")
    reply = reply and {language: text.strip() for language, text in reply.items() if text.strip()}
    for text in (reply or {}).values():
        templates.check(text, "reply", templates.REPLY_NAMES)
    if not destinations:
        raise InvalidInput("Choose at least one destination.", "destinations")
    if len(set(destinations)) < len(destinations):
        raise InvalidInput("A destination stands in the list twice.", "destinations")
    with _changing(actor, live) as session:
        _check_route(session, key, condition, destinations, is_default)
        values = {
            "conditions": stored_condition(condition), "strategy": strategy, "destinations": destinations,
            "go_on": go_on, "is_default": is_default, "enabled": enabled, "when_wrong": when_wrong,
        }  # fmt: skip
        if reply is not None:
            values["reply"] = reply
        return _save(session, actor, Route, key, values)


def move(actor: Actor, table: type[Ordered], key: str, to: int, live: bool = False) -> None:
    """Put a category, rule, route or LLM account at a place of the list, counted from 0."""
    with _changing(actor, live or table is LlmAccount) as session:
        every = session.exec(select(table).order_by(col(table.position), table.key).with_for_update())
        rows = [row for row in every if getattr(row, "archived_at", None) is None]
        before = [row.key for row in rows]
        if key not in before:
            raise _gone(table, key)
        moved = rows[before.index(key)]
        rows.remove(moved)
        rows.insert(to, moved)
        for position, row in enumerate(rows):
            row.position = position
        after = [row.key for row in rows]
        if before != after:
            noun = str(table.__tablename__)
            audit.record(
                session, actor.email, actor.workspace_id, "move", noun, key, {"order": before}, {"order": after}
            )


def _save(session: Session, actor: Actor, table: type[Ordered], key: str, values: dict[str, Any]) -> Ordered:
    row = session.exec(select(table).where(table.key == key).with_for_update()).one_or_none()
    before = audited(row) if row else None
    if row is None:
        last = session.exec(select(col(table.position)).order_by(col(table.position).desc()).limit(1)).first()
        position = 0 if last is None else last + 1
        row = table(workspace_id=actor.workspace_id, key=checked_key(key), position=position, **values)
    for name, value in values.items():
        setattr(row, name, value)
    if isinstance(row, Category):
        row.archived_at = None
    session.add(row)
    session.flush()
    after = audited(row)
    if before != after:
        noun = str(table.__tablename__)
        audit.record(session, actor.email, actor.workspace_id, "change" if before else "add", noun, key, before, after)
    return row


# ---- removing and putting back


def delete(actor: Actor, table: type[Ordered], key: str, live: bool = False) -> Ordered:
    """Remove a rule or route, or archive a category; returns what `restore` needs."""
    with _changing(actor, live) as session:
        row = session.exec(select(table).where(table.key == key).with_for_update()).one_or_none()
        noun = str(table.__tablename__)
        if row is None:
            raise _gone(table, key)
        before = audited(row)
        if isinstance(row, Category):
            used = references.users(session, "category", key)
            if used:
                raise InvalidInput(f"The category '{key}' is used by {', '.join(used)}. Change these first.", "key")
            row.archived_at = now()
        else:
            session.delete(row)
        action = "archive" if isinstance(row, Category) else "delete"
        after = audited(row) if isinstance(row, Category) else None
        audit.record(session, actor.email, actor.workspace_id, action, noun, key, before, after)
        return table(**row.model_dump())


def restore(actor: Actor, row: Ordered) -> None:
    """Take a deletion back. Raises InvalidInput when something else has taken its key or its place as the default
    meanwhile, or what it names is gone.
    """
    with _changing(actor) as session:
        table = type(row)
        before = None
        if isinstance(row, Category):
            back = session.get(Category, row.id)
            if back is None:
                raise _gone(Category, row.key)
            before = audited(back)
            back.archived_at = None
        else:
            _check_restorable(session, row)
            back = table(**row.model_dump())
            session.add(back)
        audit.record(
            session, actor.email, actor.workspace_id, "restore", str(table.__tablename__), row.key,
            before, audited(back),
        )  # fmt: skip


def _check_restorable(session: Session, row: Rule | Route) -> None:
    table = type(row)
    if session.exec(select(table.id).where(table.key == row.key)).first() is not None:
        raise InvalidInput(
            f"There is another {table.__tablename__} '{row.key}' now; the old one was not restored.", "key"
        )
    condition = secrets.validated(Condition, row.conditions)
    if isinstance(row, Rule):
        _check_rule(session, condition, row.actions.get("category"))
    else:
        _check_route(session, row.key, condition, row.destinations, row.is_default)


# ---- trying out


@dataclass(frozen=True, slots=True)
class Matches:
    """count of total messages match; sample: the newest of them, as (id, text)."""

    count: int
    total: int
    sample: list[tuple[UUID, str]]


def would_match(workspace_id: UUID, when: dict[str, Any], days: int = 30) -> Matches:
    """How many of the newest messages (at most 5,000) of the last days a condition holds for."""
    condition = secrets.validated(Condition, when)
    count, total, sample = 0, 0, []
    for id_, facts in recent_facts(workspace_id, days):
        total += 1
        if condition.holds(facts):
            count += 1
            if len(sample) < SAMPLE:
                sample.append((id_, facts.text))
    return Matches(count, total, sample)


def recent_facts(workspace_id: UUID, days: int) -> list[tuple[UUID, Facts]]:
    """Of the newest messages (at most 5,000) of the last days, newest first."""
    with in_workspace(workspace_id) as session:
        timezone = configuration.current(workspace_id, session).workspace.timezone
        rows = session.connection().exec_driver_sql("""
            select m.id, m.text, m.channel, b.key as bot, m.received_at, m.language, p.tags, c.key as category,
                   m.priority, m.sentiment, exists (select from attachment a where a.message_id = m.id) as attached
            from (select * from message where workspace_id = %(workspace)s and id >= %(first)s
                  order by id desc limit %(most)s) m
            join bot b on b.id = m.bot_id join contact p on p.id = m.contact_id
            left join category c on c.id = m.category_id order by m.id desc""",
            {"workspace": workspace_id, "first": first_id_at(now() - timedelta(days=days)), "most": MOST_MESSAGES},
        ).all()  # fmt: skip
    return [
        (row.id, Facts(row.text, row.channel, row.bot, row.received_at, row.language, frozenset(row.tags), row.attached,
                       timezone, row.category, row.priority, row.sentiment))
        for row in rows
    ]  # fmt: skip


def try_routes(workspace_id: UUID, message_id: UUID, category: str | None = None) -> planning.Decision | None:
    """What the routes of the set-up would do with a past message, as it is classified or as if it had `category`.
    Sends nothing.
    """
    with releases.shown(workspace_id) as session:
        config = configuration.current(workspace_id, session)
        subject, _ = review.locked(session, config, message_id)
        row = session.connection().exec_driver_sql("""
            select c.key as category, m.priority, m.sentiment, m.language, m.title from message m
            left join category c on c.id = m.category_id where m.id = %(id)s""", {"id": message_id}).one()  # fmt: skip
    chosen = category or row.category
    if chosen is None:
        return None
    priority = Priority(row.priority) if row.priority else config.categories_by_key[chosen].priority
    result = Classification(
        chosen, priority, Source.PERSON, sentiment=row.sentiment, language=row.language, title=row.title
    )
    return planning.decide(config, subject, result, [])


# ---- shared


def _reading(workspace_id: UUID, live: bool):
    return in_workspace(workspace_id) if live else releases.shown(workspace_id)


@contextmanager
def _changing(actor: Actor, live: bool = False) -> Iterator[Session]:
    require(actor, Role.MANAGER)
    if not live:
        with releases.editing(actor) as session:
            yield session
        return
    with (
        in_workspace(actor.workspace_id) as session,
        releases.changing_live(session, actor.workspace_id, actor.email),
    ):
        yield session


class _When(BaseModel):
    """A condition under the name it has in the file, so that errors name their place in full."""

    when: Condition


def _gone(table: type[SQLModel], key: str) -> NotFound:
    return NotFound(f"There is no {table.__tablename__} '{key}' any more.", "key")


def _check_rule(session: Session, when: Condition, category: str | None) -> None:
    _check_names(session, when)
    if category:
        _check_known(session, Category, [category], "then.category")


def _check_route(session: Session, key: str, when: Condition, destinations: list[str], is_default: bool) -> None:
    _check_names(session, when)
    _check_known(session, Destination, destinations, "destinations")
    other = session.exec(select(Route).where(col(Route.is_default), Route.key != key)).first()
    if is_default and other is not None:
        raise InvalidInput(f"'{other.key}' is the default route already; there can be one.", "is_default")


def _check_names(session: Session, condition: Condition) -> None:
    found = references.unknown(condition, _known(session, Category), _known(session, Bot), ("when",))
    if found is not None:
        place, what = found
        raise InvalidInput(what, ".".join(map(str, place)))


def _known(session: Session, table: type[SQLModel]) -> set[str]:
    """An archived category is no longer one that anything may name."""
    query = select(table.key)
    return set(session.exec(query.where(col(Category.archived_at).is_(None)) if table is Category else query))


def _check_known(session: Session, table: type[SQLModel], keys: list[str], field: str) -> None:
    known = _known(session, table)
    for key in keys:
        if key not in known:
            raise InvalidInput(f"There is no {table.__tablename__} '{key}'.", field)

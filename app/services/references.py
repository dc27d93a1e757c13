"""What a condition names by key. A name that does not exist would never hold and never be noticed, so it is refused."""

from collections.abc import Collection, Iterator

from babel import Locale
from sqlmodel import Session, select

from app.db.tables import Route, Rule
from app.domain.conditions import Condition
from app.services import secrets
from connectors import registry

Place = tuple[str | int, ...]
NOUNS = ("category", "bot", "channel", "language")


def named(condition: Condition, place: Place = ()) -> Iterator[tuple[Place, str, str]]:
    """(place, noun, key) of each name, however deep it stands; the place is written as in the configuration file."""
    for noun in NOUNS:
        for key in getattr(condition, noun) or ():
            yield (*place, noun), noun, key
    for group in ("all", "any"):
        for number, inner in enumerate(getattr(condition, group) or ()):
            yield from named(inner, (*place, group, number))
    if condition.not_ is not None:
        yield from named(condition.not_, (*place, "not"))


def unknown(
    condition: Condition, categories: Collection[str], bots: Collection[str], place: Place
) -> tuple[Place, str] | None:
    """The first name that does not exist: where it stands, and a sentence about it."""
    known = {"category": categories, "bot": bots, "channel": registry.channel_keys()}
    for where, noun, key in named(condition, place):
        if noun == "language" and not is_language(key):
            return where, f"'{key}' is not a language code. Use two letters as in ISO 639-1, such as en or zh."
        if noun != "language" and key not in known[noun]:
            return where, f"There is no {noun} '{key}'."
    return None


def users(session: Session, noun: str, key: str) -> list[str]:
    """The rules and routes that name a category, bot or destination, switched off or not, as a person reads them."""
    found = []
    for table in (Rule, Route):
        for row in session.exec(select(table).order_by(table.key)):
            names = {(of, name) for _place, of, name in named(secrets.validated(Condition, row.conditions))}
            if isinstance(row, Rule):
                names.add(("category", row.actions.get("category", "")))
            else:
                names.update(("destination", name) for name in row.destinations)
            if (noun, key) in names:
                found.append(f"{table.__tablename__} '{row.key}'")
    return found


def is_language(code: str) -> bool:
    """Messages carry codes of two letters, so a condition on anything else never holds."""
    return len(code) == 2 and code in Locale("en").languages

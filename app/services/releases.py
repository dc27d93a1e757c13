"""How changes go live: managers edit a draft, and publish it as one numbered release that can be rolled back to.

What goes live at once (`./octopus apply`, the REST API, an import) is a release of its own, so that the numbers tell
the whole story; an open draft takes it in. Everybody who changes something of a workspace waits for the one before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from app.db import releases as store
from app.db.engine import enter_draft, in_workspace
from app.db.releases import DRAFT, LIVE
from app.db.tables import Bot, Destination, OpenDraft, Release
from app.db.tables.base import now
from app.domain import releases as domain
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput, NotFound
from app.domain.releases import ORDER, SETTING, Change, Content
from app.services import audit, references, secrets
from app.services import release_content as content
from app.services.members import Actor, Role, require

PAGE = 20
LONGEST_NOTE = 500
BEFORE_THE_FIRST = "What was live before the first release"
AT_ONCE = "Changed at once, without a draft"
GONE = "There is no draft any more: somebody published or discarded it. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Draft:
    opened_by: str
    opened_at: datetime
    changed_by: str
    changed_at: datetime
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Published:
    """A release without its content. The changes are those against what was live before it."""

    number: int
    at: datetime
    actor: str
    note: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Discarded:
    """What `restore` needs to open the draft again."""

    opened: OpenDraft
    rows: dict[str, list[dict[str, Any]]]


# ---- reading


@contextmanager
def shown(workspace_id: UUID) -> Iterator[Session]:
    """What the pages of the set-up show: the draft when there is one, else what is live."""
    with in_workspace(workspace_id) as session:
        if store.open_draft(session, workspace_id) is not None:
            enter_draft(session)
        yield session


def draft(workspace_id: UUID) -> Draft | None:
    """None where there is none, or where it says what is live already."""
    with in_workspace(workspace_id) as session:
        opened = store.open_draft(session, workspace_id)
        if opened is None:
            return None
        live, drafted = (content.read(session, schema, workspace_id) for schema in (LIVE, DRAFT))
        changes = domain.diff(live, drafted)
    made = (opened.opened_by, opened.opened_at, opened.changed_by, opened.changed_at)
    return Draft(*made, changes) if changes else None


def changes(workspace_id: UUID) -> list[Change]:
    """What publishing would change."""
    found = draft(workspace_id)
    return found.changes if found else []


def list_releases(workspace_id: UUID, before: int | None = None) -> list[Published]:
    """Newest first, 20 at a time; `before`: the last number of the page above."""
    with in_workspace(workspace_id) as session:
        rows = store.releases(session, workspace_id, before, PAGE)
    return [
        Published(row.number, row.at, row.actor, row.note, [Change.from_json(change) for change in row.changes])
        for row in rows
    ]


# ---- changing


@contextmanager
def editing(actor: Actor) -> Iterator[Session]:
    """A transaction in the draft, which is made with the first edit."""
    require(actor, Role.MANAGER)
    workspace_id = actor.workspace_id
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        opened = store.open_draft(session, workspace_id)
        if opened is None:
            base = content.read(session, LIVE, workspace_id)
            opened = OpenDraft(workspace_id=workspace_id, opened_by=actor.email, changed_by=actor.email, base=base)
            store.copy_to_draft(session, workspace_id)
        opened.changed_by, opened.changed_at = actor.email, now()
        session.add(opened)
        session.flush()
        enter_draft(session)
        yield session


@contextmanager
def changing_live(session: Session, workspace_id: UUID, author: str, note: str = AT_ONCE) -> Iterator[None]:
    """What is changed inside is live with the end of the caller's transaction, and a release of its own."""
    store.lock(session, workspace_id)
    before = content.read(session, LIVE, workspace_id)
    yield
    session.flush()
    after = content.read(session, LIVE, workspace_id)
    if after != before:
        _number(session, workspace_id, author, note, before, after)
        _let_draft_follow(session, workspace_id)


# ---- publishing, discarding, going back


def publish(actor: Actor, note: str = "") -> int:
    """Make the draft live, in one transaction; returns the release's number.

    Raises InvalidInput, and publishes nothing, when the same was changed live meanwhile or something it names is gone.
    """
    require(actor, Role.MANAGER)
    note, workspace_id = note.strip()[:LONGEST_NOTE], actor.workspace_id
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        opened = store.open_draft(session, workspace_id)
        if opened is None:
            raise NotFound(GONE)
        live, drafted = (content.read(session, schema, workspace_id) for schema in (LIVE, DRAFT))
        merged = domain.merge(opened.base, drafted, live)
        if merged.conflicts:
            raise InvalidInput(_disputed(merged.conflicts[0]), "draft")
        if merged.content == live:
            raise InvalidInput("The draft says what is live already. There is nothing to publish.", "draft")
        new_ids = content.ids(session, DRAFT, workspace_id)
        number = _go_live(session, actor, note, live, merged.content, new_ids)
        store.clear_draft(session, workspace_id)
        return number


def roll_back(actor: Actor, number: int) -> int:
    """Publish once more what an earlier release held; returns the new release's number. An open draft stays one.

    Raises InvalidInput, and changes nothing, when something it names is gone.
    """
    require(actor, Role.MANAGER)
    workspace_id = actor.workspace_id
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        earlier = store.release(session, workspace_id, number)
        if earlier is None:
            raise NotFound(f"There is no release {number}.", "number")
        live, wanted = content.read(session, LIVE, workspace_id), content.completed(earlier.content)
        if wanted == live:
            raise InvalidInput(f"Release {number} is what is live already. Nothing was changed.", "number")
        new_number = _go_live(session, actor, f"Back to release {number}", live, wanted, {})
        _let_draft_follow(session, workspace_id)
        return new_number


def take_back(actor: Actor, noun: str, key: str) -> None:
    """Make one entity of the draft, or with ORDER for a key one order, what it is live."""
    require(actor, Role.MANAGER)
    workspace_id = actor.workspace_id
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        opened = store.open_draft(session, workspace_id)
        if opened is None:
            raise NotFound(GONE)
        live, drafted = (content.read(session, schema, workspace_id) for schema in (LIVE, DRAFT))
        wanted = domain.reverted(drafted, live, noun, key)
        content.write(session, DRAFT, workspace_id, drafted, wanted, content.ids(session, LIVE, workspace_id))
        opened.base = domain.merge(opened.base, wanted, live).base
        opened.changed_by, opened.changed_at = actor.email, now()
        said = {"changes": [change.as_json() for change in domain.diff(wanted, drafted)]}
        audit.record(session, actor.email, workspace_id, "take back", "draft", key, said)


def discard(actor: Actor) -> Discarded:
    """Throw the draft away; returns what `restore` needs."""
    require(actor, Role.MANAGER)
    workspace_id = actor.workspace_id
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        opened = store.open_draft(session, workspace_id)
        if opened is None:
            raise NotFound(GONE)
        live, drafted = (content.read(session, schema, workspace_id) for schema in (LIVE, DRAFT))
        kept = Discarded(OpenDraft(**opened.model_dump()), store.draft_rows(session, workspace_id))
        store.clear_draft(session, workspace_id)
        said = {"changes": [change.as_json() for change in domain.diff(live, drafted)]}
        audit.record(session, actor.email, workspace_id, "discard", "draft", "", said)
        return kept


def restore(actor: Actor, discarded: Discarded) -> None:
    """Open a discarded draft again, upon what is live by now. Raises InvalidInput when another was begun meanwhile."""
    require(actor, Role.MANAGER)
    workspace_id = actor.workspace_id
    if discarded.opened.workspace_id != workspace_id:
        raise NotFound("There is no such draft in this workspace.")
    with in_workspace(workspace_id) as session:
        store.lock(session, workspace_id)
        if store.open_draft(session, workspace_id) is not None:
            raise InvalidInput("Another draft was begun meanwhile; the discarded one was not restored.")
        session.add(OpenDraft(**discarded.opened.model_dump()))
        store.put_draft_rows(session, discarded.rows)
        session.flush()
        _let_draft_follow(session, workspace_id)
        audit.record(session, actor.email, workspace_id, "restore", "draft", "")


# ---- shared


def _go_live(session: Session, actor: Actor, note: str, live: Content, wanted: Content, new_ids: dict) -> int:
    workspace_id = actor.workspace_id
    _check(session, live, wanted)
    content.write(session, LIVE, workspace_id, live, wanted, new_ids)
    number = _number(session, workspace_id, actor.email, note, live, wanted)
    said = {"note": note, "changes": [change.as_json() for change in domain.diff(live, wanted)]}
    audit.record(session, actor.email, workspace_id, "publish", "release", str(number), None, said)
    return number


def _number(session: Session, workspace_id: UUID, author: str, note: str, before: Content, after: Content) -> int:
    """Record a release. Before a workspace's first one, what was live until then, so that one can go back to it."""
    newest = store.newest_number(session, workspace_id)
    if newest == 0 and any(before[name] for name in domain.NOUNS):
        newest = 1
        session.add(Release(
            workspace_id=workspace_id, number=1, actor="Octopus", note=BEFORE_THE_FIRST, content=before,
            changes=[change.as_json() for change in domain.diff(content.nothing(), before)],
        ))  # fmt: skip
    session.add(Release(
        workspace_id=workspace_id, number=newest + 1, actor=author, note=note, content=after,
        changes=[change.as_json() for change in domain.diff(before, after)],
    ))  # fmt: skip
    return newest + 1


def _let_draft_follow(session: Session, workspace_id: UUID) -> None:
    """What went live beside the draft stands in the draft as well, but for what the draft itself changes."""
    opened = store.open_draft(session, workspace_id)
    if opened is None:
        return
    live, drafted = (content.read(session, schema, workspace_id) for schema in (LIVE, DRAFT))
    merged = domain.merge(opened.base, drafted, live)
    content.write(session, DRAFT, workspace_id, drafted, merged.content, content.ids(session, LIVE, workspace_id))
    opened.base = merged.base


def _disputed(conflict: tuple[str, str]) -> str:
    noun, key = conflict
    what = {SETTING: f"The setting '{key}'"}.get(noun, f"The order of the {noun} list" if key == ORDER else
                                                 f"The {noun} '{key}'")  # fmt: skip
    return (
        f"{what} was changed live after the draft was begun, and the draft changes it as well. Nothing was published. "
        "Take the draft's change of it back under Releases; then make it again upon what is live now, if it still fits."
    )


def _check(session: Session, live: Content, wanted: Content) -> None:
    """Refuse what names something that is gone. What was wrong before already hinders nobody."""
    wrong_before = set(_problems(session, live))
    for problem in _problems(session, wanted):
        if problem not in wrong_before:
            raise InvalidInput(f"{problem} Nothing was changed. Put it back, or change what names it.")


def _problems(session: Session, checked: Content) -> Iterator[str]:
    """Sentences about every rule and route that names something that is not there."""
    bots = set(session.exec(select(Bot.key)))
    destinations = set(session.exec(select(Destination.key)))
    categories = {part["key"] for part in checked["categories"]}
    for noun, list_name in (("rule", "rules"), ("route", "routes")):
        for part in checked[list_name]:
            yield from _unknown(f"The {noun} '{part['key']}'", part, categories, bots, destinations)
    defaults = [part["key"] for part in checked["routes"] if part["default"]]
    if len(defaults) > 1:
        yield f"'{defaults[0]}' and '{defaults[1]}' would both be the default route; there can be one."


def _unknown(subject: str, part: dict, categories: set, bots: set, destinations: set) -> Iterator[str]:
    gone: Callable[[str, str], str] = lambda noun, key: f"{subject} names the {noun} '{key}', which is not there."  # noqa: E731
    known = {"category": categories, "bot": bots}
    try:
        when = secrets.validated(Condition, part["when"])
    except InvalidInput as error:
        yield f"{subject} cannot be used: {error}"
        return
    for _place, noun, key in references.named(when):
        if noun in known and key not in known[noun]:
            yield gone(noun, key)
    if (category := part.get("then", {}).get("category")) and category not in categories:
        yield gone("category", category)
    for key in part.get("destinations", []):
        if key not in destinations:
            yield gone("destination", key)

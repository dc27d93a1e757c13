"""Old tickets that persons labelled elsewhere: looked at first, then brought in, and taken out again in one click.

read -> look (nothing is saved) -> bring_in -> the model is fitted anew in the background
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from redis import RedisError
from sqlmodel import col, select

from app import enqueue
from app.classify.features import normalise
from app.db import examples as store
from app.db.engine import in_workspace
from app.db.tables import Category, ExampleImport
from app.domain.errors import InvalidInput
from app.domain.tickets_file import Columns, Refused, Table, Ticket, tickets
from app.logs import log
from app.services import audit, learning, taxonomy
from app.services.members import Actor, Role, require

MOST_CATEGORIES = 200
AT_ONCE = 2000  # rows a statement
LONGEST_FILE_NAME = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What a file would bring. new: tickets nobody imported yet. counts: of these, by category as the file calls it.

    repeated: rows that say again what another row says. known: rows that an earlier import brought.
    rows: all of the file, the refused ones as well.
    """

    new: tuple[Ticket, ...]
    refused: tuple[Refused, ...]
    rows: int
    repeated: int
    known: int
    counts: dict[str, int]


def look(workspace_id: UUID, file: Table, columns: Columns) -> Found:
    """What importing the file would bring; changes nothing. Raises InvalidInput when a column cannot be what it is
    said to be.
    """
    if columns.text == columns.category:
        raise InvalidInput("The text and the category stand in two different columns.", "category")
    rows, refused = tickets(file, columns)
    named = len({row.category for row in rows})
    if named > MOST_CATEGORIES:
        raise InvalidInput(
            f"The column '{columns.category}' holds {named} different values; up to {MOST_CATEGORIES} can be "
            "categories. Choose the column that holds the category.", "category",
        )  # fmt: skip
    first: dict[str, Ticket] = {}
    repeated = 0
    for row in rows:
        same = first.setdefault(_hash(row.text), row)
        if same.category != row.category:
            refused.append(Refused(row.line, f"Line {same.line} says the same in another category."))
        elif same is not row:
            repeated += 1
    with in_workspace(workspace_id) as session:
        known = store.known(session, workspace_id, list(first))
    new = tuple(row for hashed, row in first.items() if hashed not in known)
    counts = dict(Counter(row.category for row in new).most_common())
    in_order = tuple(sorted(refused, key=lambda one: one.line))
    return Found(new, in_order, len(file.rows) + len(file.refused), repeated, len(known), counts)


def bring_in(
    actor: Actor,
    file_name: str,
    found: Found,
    meanings: Mapping[str, str | None],
    added: Mapping[str, str],
    told: Callable[[float], None] = lambda share: None,
) -> ExampleImport:
    """Import what was looked at, in one transaction, and queue the fitting.

    meanings: the category's key for each name of the file; None leaves its tickets out. added: names of categories to
    add, by key. told: hears which share is done. Raises InvalidInput, and imports nothing, when a category is gone
    or nothing is left to import.
    """
    require(actor, Role.MANAGER)
    wanted = [(ticket, meanings.get(ticket.category)) for ticket in found.new]
    wanted = [(ticket, key) for ticket, key in wanted if key]
    if not wanted:
        raise InvalidInput("There is nothing to import: every ticket is left out or known already.")
    used = {key for _, key in wanted}
    there = {row.key for row in taxonomy.categories(actor.workspace_id, archived=True, live=True)}
    for key in [key for key in added if key in used and key not in there]:
        taxonomy.save_category(actor, key, added[key], live=True)
    with in_workspace(actor.workspace_id) as session:
        every = session.exec(select(Category).where(col(Category.archived_at).is_(None)))
        ids = {row.key: row.id for row in every}
        for key in sorted(used - ids.keys()):
            raise InvalidInput(f"There is no category '{key}' any more. Nothing was imported; choose another.")
        made = ExampleImport(
            workspace_id=actor.workspace_id, actor=actor.email, file_name=file_name[-LONGEST_FILE_NAME:], rows=0
        )
        session.add(made)
        session.flush()
        for start in range(0, len(wanted), AT_ONCE):
            rows = [_row(made, ticket, ids[key]) for ticket, key in wanted[start : start + AT_ONCE]]
            made.rows += store.add(session, rows)
            told(min(1.0, (start + AT_ONCE) / len(wanted)))
        if not made.rows:
            raise InvalidInput("Somebody imported the same tickets meanwhile. Nothing was left to import.")
        _audit(session, actor, "import", made)
        session.flush()
        session.expunge(made)
    _wake(actor.workspace_id)
    return made


def remove(actor: Actor, import_id: UUID) -> ExampleImport:
    """Take an import out again; the model forgets its tickets with the fitting that is queued. Its categories stay."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        gone = next((row for row in store.imports(session, actor.workspace_id) if row.id == import_id), None)
        if gone is None or not store.remove(session, import_id):
            raise InvalidInput("This import was removed already. Nothing was changed.")
        session.expunge(gone)
        _audit(session, actor, "delete", gone)
    _wake(actor.workspace_id)
    return gone


@dataclass(frozen=True, slots=True)
class Standing:
    """imports: newest first. learnt: the model knows these and no others. enabled: there is a model to know them."""

    imports: list[ExampleImport]
    learnt: bool
    enabled: bool


def standing(workspace_id: UUID) -> Standing:
    with in_workspace(workspace_id) as session:
        imports = store.imports(session, workspace_id)
        learnt = learning.knows_imports(session, workspace_id)
    return Standing(imports, learnt, learning.settings(workspace_id, live=True).enabled)


def _hash(text: str) -> str:
    """The same for what the model reads as the same, such as two order numbers."""
    return blake2b(normalise(text).encode(errors="replace"), digest_size=16).hexdigest()


def _row(made: ExampleImport, ticket: Ticket, category_id: UUID) -> dict:
    return {
        "workspace_id": made.workspace_id, "import_id": made.id, "category_id": category_id, "text": ticket.text,
        "text_hash": _hash(ticket.text), "priority": ticket.priority, "language": ticket.language,
    }  # fmt: skip


def _audit(session, actor: Actor, action: str, row: ExampleImport) -> None:
    said = {"rows": row.rows, "by": row.actor, "at": row.at.isoformat()}
    before, after = (said, None) if action == "delete" else (None, said)
    audit.record(session, actor.email, actor.workspace_id, action, "imported tickets", row.file_name, before, after)


def _wake(workspace_id: UUID) -> None:
    try:
        enqueue.wake(enqueue.LEARN, {workspace_id: [workspace_id]})
    except RedisError as error:
        log.warning("wake_failed", error=str(error), workspace_id=str(workspace_id), next_step="the clock queues it")

"""The record of who changed what."""

from datetime import timedelta

import pytest

from app.db.engine import in_workspace
from app.db.tables import Category
from app.db.tables.base import now
from app.services import audit


def write(workspace, *keys: str, actor: str = "mia@acme.test", noun: str = "route") -> None:
    for key in keys:
        with in_workspace(workspace) as session:
            audit.record(session, actor, workspace, "change", noun, key, {"enabled": True}, {"enabled": False})


def test_pages_follow_each_other_newest_first_without_gap_or_repetition(workspace):
    keys = [f"r{number}" for number in range(audit.PAGE + 3)]
    write(workspace, *keys)

    first = audit.entries(workspace, audit.Wanted())
    second = audit.entries(workspace, audit.Wanted(), before=first[-1].id)

    assert [entry.key for entry in first + second] == keys[::-1]
    assert len(first) == audit.PAGE


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"actor": "cli"}, ["tg"]), ({"noun": "route"}, ["bugs"]), ({"key": "tg"}, ["tg"]),
        ({"actor": "cli", "noun": "route"}, []), ({"since": now() - timedelta(hours=1)}, ["tg", "bugs"]),
        ({"since": now() + timedelta(days=1)}, []),
    ],
)  # fmt: skip
def test_each_filter_narrows_the_list(workspace, wanted, found):
    write(workspace, "bugs")
    write(workspace, "tg", actor="cli", noun="bot")

    assert [entry.key for entry in audit.entries(workspace, audit.Wanted(**wanted))] == found


def test_a_change_that_fails_leaves_neither_a_change_nor_an_entry(workspace):
    with pytest.raises(RuntimeError), in_workspace(workspace) as session:
        session.add(Category(workspace_id=workspace, key="bug", name="Bug"))
        audit.record(session, "mia@acme.test", workspace, "add", "category", "bug")
        session.flush()
        raise RuntimeError

    assert audit.entries(workspace, audit.Wanted()) == []


def test_another_workspace_reads_nothing(workspace, neighbour):
    write(workspace, "bugs")

    assert audit.entries(neighbour.workspace_id, audit.Wanted()) == []

"""The record of who changed what."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

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


def test_pages_lead_back_to_the_newest(workspace):
    keys = [f"r{number}" for number in range(2 * audit.PAGE + 1)]
    write(workspace, *keys)

    first = audit.page(workspace, audit.Wanted())
    second = audit.page(workspace, audit.Wanted(), before=first.older)
    third = audit.page(workspace, audit.Wanted(), before=second.older)
    back = audit.page(workspace, audit.Wanted(), after=third.newer)

    assert [entry.key for entry in first.entries + second.entries + third.entries] == keys[::-1]
    assert (first.newer, third.older, back.entries) == (None, None, second.entries)
    assert audit.page(workspace, audit.Wanted(), after=back.newer).newer is None


def test_the_export_holds_the_filtered_entries_and_nothing_else(workspace, monkeypatch):
    monkeypatch.setattr(audit, "EXPORTED_AT_ONCE", 2)  # several batches
    write(workspace, "a", "b", "c", "d", "e")
    write(workspace, "tg", noun="bot")

    lines = list(csv.reader(StringIO(audit.export(workspace, audit.Wanted(noun="route")).decode("utf-8-sig"))))

    assert lines[0] == ["at", "who", "action", "kind", "name", "before", "after"]
    assert [line[4] for line in lines[1:]] == ["e", "d", "c", "b", "a"]
    assert lines[1][1:] == ["mia@acme.test", "change", "route", "e", '{"enabled": true}', '{"enabled": false}']
    assert datetime.fromisoformat(lines[1][0]).tzinfo == UTC


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum"])
def test_a_spreadsheet_runs_nothing_of_the_export(workspace, name):
    write(workspace, name)

    [_head, line] = csv.reader(StringIO(audit.export(workspace, audit.Wanted()).decode("utf-8-sig")))

    assert line[4] == f"'{name}"


def test_known_values_are_each_named_once(workspace, neighbour):
    write(workspace, "a", "b", actor="noa@acme.test")
    write(workspace, "tg", noun="bot")
    write(neighbour.workspace_id, "x", actor="stranger@acme.test", noun="rule")

    assert audit.known(workspace, "actor") == ["mia@acme.test", "noa@acme.test"]
    assert audit.known(workspace, "noun") == ["bot", "route"]

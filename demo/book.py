"""What the simulated world remembers, in one SQLite file: tasks, comments, and what bots wrote to customers.

A simulated team works on the tasks: how far it has come is computed from a task's age, so nothing runs by the clock.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

OPEN, IN_PROGRESS, DONE, CANCELLED = "open", "in progress", "done", "cancelled"
STARTED_AFTER_S, DONE_AFTER_S = (30, 120), (70, 420)  # the quickest and the slowest task
NEVER_DONE = 0.25  # share of tasks that the team leaves open
COLLEAGUES = ("Alma Reyes", "Tom Okafor", "林小雨")
SCHEMA = """
create table if not exists task (
    vendor text, id text, number integer, title text, body text, fields text, made_at real,
    set_status text, set_at real, primary key (vendor, id));
create table if not exists comment (vendor text, task text, id integer primary key, text text, at real);
create table if not exists written (channel text, chat text, id integer primary key, text text, at real);
create table if not exists kept (name text primary key, value text);
"""


@dataclass(frozen=True, slots=True)
class Remote:
    """A task as its vendor holds it now. Times are seconds since 1970; fields: what else was sent."""

    vendor: str
    id: str
    number: int
    title: str
    body: str
    fields: dict[str, Any]
    made_at: float
    status: str
    changed_at: float
    assignee: str


class Book:
    def __init__(self, path: Path):
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript("pragma journal_mode = wal; pragma synchronous = normal;" + SCHEMA)

    # ---- tasks

    def add(self, vendor: str, id_: str, title: str, body: str, fields: dict[str, Any]) -> Remote:
        """Raises KeyError when the vendor has a task with this id."""
        number = self._number(vendor)
        row = (vendor, id_ or str(number), number, title, body, json.dumps(fields), time.time())
        try:
            self._db.execute("insert into task values (?, ?, ?, ?, ?, ?, ?, null, null)", row)
        except sqlite3.IntegrityError as error:
            raise KeyError(id_) from error
        return self.task(vendor, row[1])

    def _number(self, vendor: str) -> int:
        return self._db.execute("select count(*) + 1 from task where vendor = ?", (vendor,)).fetchone()[0]

    def task(self, vendor: str, id_: str) -> Remote | None:
        row = self._db.execute("select * from task where vendor = ? and id = ?", (vendor, id_)).fetchone()
        return _remote(row, time.time()) if row else None

    def tasks(self, vendor: str, changed_since: float = 0.0) -> list[Remote]:
        """Newest first."""
        rows = self._db.execute("select * from task where vendor = ? order by number desc", (vendor,))
        now = time.time()
        return [task for row in rows if (task := _remote(row, now)).changed_at >= changed_since]

    def change(self, vendor: str, id_: str, title: str, body: str, fields: dict[str, Any]) -> None:
        values = (title, body, json.dumps(fields), vendor, id_)
        self._db.execute("update task set title = ?, body = ?, fields = ? where vendor = ? and id = ?", values)

    def set_status(self, vendor: str, id_: str, status: str) -> None:
        """By Octopus; the team leaves the task alone from then on."""
        values = (status, time.time(), vendor, id_)
        self._db.execute("update task set set_status = ?, set_at = ? where vendor = ? and id = ?", values)

    # ---- comments

    def comment(self, vendor: str, task: str, text: str) -> None:
        self._db.execute("insert into comment values (?, ?, null, ?, ?)", (vendor, task, text, time.time()))

    def comments(self, task: Remote) -> list[tuple[str, str, float, str]]:
        """(id, text, when, author), oldest first: those of Octopus, and one of whoever finished the task."""
        rows = self._db.execute(
            "select id, text, at from comment where vendor = ? and task = ? order by id", (task.vendor, task.id)
        )
        found = [(str(id_), text, at, "Octopus") for id_, text, at in rows]
        if task.status == DONE:
            found.append((f"{task.id}-done", "Done and checked.", task.changed_at, task.assignee))
        return sorted(found, key=lambda one: one[2])

    # ---- chats

    def write(self, channel: str, chat: str, text: str) -> int:
        """A bot's message to a customer; returns its id."""
        row = (channel, chat, text, time.time())
        return self._db.execute("insert into written values (?, ?, null, ?, ?)", row).lastrowid

    def written(self, channel: str, newest: int) -> Sequence[tuple[str, str, float]]:
        """(chat, text, when), newest first."""
        sql = "select chat, text, at from written where channel = ? order by id desc limit ?"
        return self._db.execute(sql, (channel, newest)).fetchall()

    # ---- single values

    def keep(self, name: str, value: str) -> None:
        self._db.execute("insert or replace into kept values (?, ?)", (name, value))

    def kept(self, name: str) -> str:
        row = self._db.execute("select value from kept where name = ?", (name,)).fetchone()
        return row[0] if row else ""


def _remote(row: tuple, now: float) -> Remote:
    vendor, id_, number, title, body, fields, made_at, set_status, set_at = row
    if set_status:
        status, changed_at = set_status, set_at
    else:
        status, changed_at = _worked_on(id_, made_at, now)
    assignee = "" if status == OPEN else COLLEAGUES[_share(id_, "who", len(COLLEAGUES))]
    return Remote(vendor, id_, number, title, body, json.loads(fields), made_at, status, changed_at, assignee)


def _worked_on(id_: str, made_at: float, now: float) -> tuple[str, float]:
    """(status, since when) of a task of this age: the team takes up each after a while and finishes most."""
    started_at = made_at + STARTED_AFTER_S[0] + _share(id_, "start", STARTED_AFTER_S[1] - STARTED_AFTER_S[0])
    done_at = started_at + DONE_AFTER_S[0] + _share(id_, "done", DONE_AFTER_S[1] - DONE_AFTER_S[0])
    if now >= done_at and _share(id_, "never", 100) >= 100 * NEVER_DONE:
        return DONE, done_at
    return (IN_PROGRESS, started_at) if now >= started_at else (OPEN, made_at)


def _share(id_: str, what: str, below: int) -> int:
    """A number of 0..below-1 that is always the same for a task."""
    return crc32(f"{what} {id_}".encode()) % below

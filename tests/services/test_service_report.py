"""The numbers of the Service page equal a slow, plain definition, whatever happened and in whatever order."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.db.engine import in_system, in_workspace
from app.db.tables import Category, Delivery, Message, Task, Workspace
from app.db.tables.base import first_id_at
from app.domain.business_hours import day_begins_at
from app.services import inbox, rollups, service_report
from app.services.service_report import Filter, Report
from tests.domain.test_business_hours import ZONES

CLOCKS_CHANGE = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
                 datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 4, 23, 22, tzinfo=UTC)]  # fmt: skip
DAY = timedelta(days=1)


@dataclass
class Said:
    """One message of a made-up history, and what became of it."""

    id: UUID
    at: datetime
    contact: UUID
    channel: str
    category: str | None
    priority: str
    task_after: timedelta | None = None
    done_after: timedelta | None = None
    reopened: bool = False
    withdrawn: bool = False


@dataclass
class History:
    """A workspace whose past is written as the services would have written it."""

    zone: str
    workspace_id: UUID = field(default_factory=uuid4)
    messages: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.categories = {key: uuid5(self.workspace_id, key) for key in ("bug", "billing")}
        with in_system() as session:
            session.add(Workspace(id=self.workspace_id, key=uuid4().hex, name="Acme", timezone=self.zone))
            session.flush()
            for id_, key in ((id_, key) for key, id_ in self.categories.items()):
                session.add(Category(id=id_, workspace_id=self.workspace_id, key=key, name=key.title(), position=0))

    def say(self, said: Said) -> None:
        self.messages.append(said)
        with in_system() as session:
            session.add(Message(
                id=said.id, workspace_id=self.workspace_id, bot_id=uuid4(), conversation_id=said.contact,
                contact_id=said.contact, external_id=said.id.hex, channel=said.channel, kind="text",
                received_at=said.at, category_id=self.categories.get(said.category), priority=said.priority,
                status="routed",
            ))  # fmt: skip
            if said.task_after is not None:
                self._task(session, said)

    def _task(self, session, said: Said) -> None:
        task = Task(
            workspace_id=self.workspace_id, message_id=said.id, conversation_id=said.contact, route_key="r",
            strategy="failover", title="", body="", priority=said.priority, created_at=said.at,
        )  # fmt: skip
        session.add(task)
        session.flush()
        session.add(Delivery(
            workspace_id=self.workspace_id, task_id=task.id, destination_id=uuid4(), message_id=said.id,
            status="delivered", delivered_at=said.at + said.task_after,
        ))  # fmt: skip
        session.flush()
        self._finish(session, said)

    def finish(self, said: Said) -> None:
        with in_system() as session:
            self._finish(session, said)

    def _finish(self, session, said: Said) -> None:
        """Bring the rows of what became of a message in line with it."""
        run = session.connection().exec_driver_sql
        done_at = None if said.done_after is None or said.reopened else said.at + said.done_after
        run("update delivery set done_at = %(done)s, reopened_at = %(again)s where message_id = %(id)s", {
            "done": done_at, "again": said.at + DAY if said.reopened else None, "id": said.id})  # fmt: skip
        run("update task set withdrawn_at = %(at)s where message_id = %(id)s",
            {"at": said.at + DAY if said.withdrawn else None, "id": said.id})  # fmt: skip
        run("update message set category_id = %(category)s, priority = %(priority)s where id = %(id)s", {
            "category": self.categories.get(said.category), "priority": said.priority, "id": said.id})  # fmt: skip


# ---- the plain definition


def plain(history: History, today: date, wanted: Filter) -> dict:
    """Every number of the page, from the messages one by one."""
    zone = ZoneInfo(history.zone)
    begin = today - (wanted.days - 1) * DAY
    shown = [
        one for one in history.messages
        if begin <= one.at.astimezone(zone).date() <= today
        and (not wanted.channel or one.channel in wanted.channel)
        and (not wanted.category or one.category in wanted.category)
        and (not wanted.priority or one.priority in wanted.priority)
    ]  # fmt: skip
    tasks = [one for one in shown if one.task_after is not None and not one.withdrawn]
    done = [one for one in tasks if one.done_after is not None and not one.reopened]
    silences = [_silence(history, one) for one in shown]
    local = [one.at.astimezone(zone) for one in shown]
    return {
        "received": len(shown),
        "tasks": len(tasks),
        "done": len(done),
        "ever_done": len([one for one in tasks if one.done_after is not None or one.reopened]),
        "reopened": len([one for one in tasks if one.reopened]),
        "approaches": len([gap for gap in silences if gap is None or gap >= timedelta(hours=1)]),
        "repeats": len([gap for gap in silences if gap is not None and timedelta(hours=1) <= gap <= 7 * DAY]),
        "volume": Counter((at.date(), one.channel) for at, one in zip(local, shown, strict=True)),
        "heat": Counter((at.weekday(), at.hour) for at in local),
        "to_task": _plain_times(history.zone, [(one.at, one.task_after) for one in tasks]),
        "to_done": _plain_times(history.zone, [(one.at, one.done_after) for one in done]),
    }


def _silence(history: History, one: Said) -> timedelta | None:
    """How long the customer had not written before; None: never before."""
    earlier = [other.at for other in history.messages if other.contact == one.contact and other.id < one.id]
    return one.at - max(earlier) if earlier else None


def _plain_times(zone: str, spans: list[tuple[datetime, timedelta]]) -> tuple[float, ...] | None:
    if not spans:
        return None
    calendar = sorted(length.total_seconds() for _, length in spans)
    business = sorted(_business_s(zone, at, length) for at, length in spans)
    return tuple(each for row in (calendar, business) for each in (statistics.median(row), _at(row, 0.9)))


def _business_s(zone: str, at: datetime, length: timedelta) -> float:
    """Monday to Friday, 9 to 18, day by day."""
    day, end, seconds = at.astimezone(ZoneInfo(zone)).date(), at + length, 0.0
    while datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) < end:
        opens, closes = (datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)) for hour in (9, 18))
        if day.weekday() < 5:
            overlap = min(end, closes.astimezone(UTC)) - max(at, opens.astimezone(UTC))
            seconds += max(overlap.total_seconds(), 0)
        day += DAY
    return seconds


def _at(row: list[float], share: float) -> float:
    place = share * (len(row) - 1)
    low, rest = int(place), place - int(place)
    return row[low] + (row[low + 1] - row[low]) * rest if rest else row[low]


def asked(history: History, wanted: Filter) -> dict:
    """The same numbers from the service, and as many rows as each says."""
    found = service_report.report(history.workspace_id, wanted, "channel")
    numbers = {name: getattr(found.total, name) for name in ("received", "tasks", "done", "ever_done", "reopened",
                                                             "approaches", "repeats")}  # fmt: skip
    listed = {"task": "tasks", "reopened": "reopened", "done": "done", "repeat": "repeats"}
    assert {name: _rows(history, found, wanted, kind) for kind, name in listed.items()} == {
        name: numbers[name] for name in listed.values()
    }
    return numbers | {
        "volume": Counter({(day, channel): n for day, counts in found.volume.items() for channel, n in counts.items()}),
        "heat": Counter({(w, h): n for w, row in enumerate(found.heat) for h, n in enumerate(row) if n}),
        "to_task": _times(found.total.to_task), "to_done": _times(found.total.to_done),
    }  # fmt: skip


def _rows(history: History, found: Report, wanted: Filter, counted_as: str) -> int:
    """How many messages the Inbox finds for a number of the report."""
    where, values = inbox._where(history.workspace_id, inbox.Filter(
        category=wanted.category, priority=wanted.priority, channel=wanted.channel,
        since=day_begins_at(found.begin, found.zone), until=day_begins_at(found.end + DAY, found.zone),
        counted_as=counted_as,
    ))  # fmt: skip
    with in_workspace(history.workspace_id) as session:
        sql = f"select count(*) from message m where {' and '.join(where)}"
        return session.connection().exec_driver_sql(sql, values).scalar_one()


def _times(times) -> tuple[float, ...] | None:
    return times and pytest.approx(
        (times.median_s, times.p90_s, times.business_median_s, times.business_p90_s), abs=0.001
    )


# ---- histories

# How long after the beginning, in milliseconds: everything within three weeks, often close together.
moments = st.integers(0, 21 * 86_400_000)
lengths = st.integers(0, 10 * 864_000).map(lambda tenths: timedelta(milliseconds=100 * tenths))
fates = st.fixed_dictionaries({
    "category": st.sampled_from(("bug", "billing", None)), "priority": st.sampled_from(("low", "urgent")),
    "done_after": st.none() | lengths, "reopened": st.booleans(), "withdrawn": st.booleans(),
})  # fmt: skip
messages = st.fixed_dictionaries({
    "contact": st.integers(0, 2), "channel": st.sampled_from(("telegram", "slack")), "task_after": st.none() | lengths,
    "fate": fates,
})  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("say"), moments, messages),
    st.tuples(st.just("change"), st.integers(0, 50), fates),
    st.tuples(st.just("roll up"), st.none(), st.none()),
)


def _play(history: History, begin: datetime, step: tuple, contacts: list[UUID]) -> None:
    kind, number, drawn = step
    if kind == "roll up":
        rollups.roll_up(history.workspace_id)
    elif kind == "say":
        at = begin + timedelta(milliseconds=number)
        id_ = UUID(int=first_id_at(at).int + uuid4().int % 2**60)
        rest = {name: value for name, value in drawn.items() if name not in ("contact", "fate")}
        history.say(Said(id_, at, contacts[drawn["contact"]], **rest, **drawn["fate"]))
    elif history.messages:
        said = history.messages[number % len(history.messages)]
        for name, value in drawn.items():
            setattr(said, name, value)
        history.finish(said)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    zone=st.sampled_from(ZONES), begin=st.sampled_from(CLOCKS_CHANGE), steps=st.lists(steps, max_size=25),
    wanted=st.builds(
        Filter, days=st.integers(1, 30), channel=st.sampled_from(((), ("slack",))),
        category=st.sampled_from(((), ("bug",))), priority=st.sampled_from(((), ("urgent",))),
    ),
    day=st.integers(0, 24),
)  # fmt: skip
@example(
    zone="Asia/Kathmandu", begin=CLOCKS_CHANGE[0], day=3, wanted=Filter(days=30),
    steps=[("say", n * 17 * 60_000, {"contact": 0, "channel": "slack", "task_after": n * timedelta(minutes=700),
            "fate": {"category": "bug", "priority": "low", "done_after": n * DAY, "reopened": n == 3,
                     "withdrawn": n == 4}}) for n in range(20)] + [("roll up", None, None)],
)  # fmt: skip
def test_every_number_equals_its_plain_definition_after_any_history(database, zone, begin, steps, wanted, day):
    begin -= 9 * DAY
    history, contacts = History(zone), [uuid4() for _ in range(3)]
    for step in steps:
        _play(history, begin, step, contacts)
    now = begin + day * DAY

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service_report, "now", lambda: now)
        expected = plain(history, now.astimezone(ZoneInfo(zone)).date(), wanted)

        assert asked(history, wanted) == expected  # some hours saved, some stale
        rollups.roll_up(history.workspace_id)
        assert asked(history, wanted) == expected  # all saved

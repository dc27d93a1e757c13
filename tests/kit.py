"""A workspace with a bot, categories and destinations whose vendor does what the test says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from app import enqueue
from app.db.engine import in_system, in_workspace
from app.db.tables import Bot, Category, Destination, RawEvent, Route, Rule, Workspace
from app.domain.errors import BadSignature, TargetGone
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, RemoteComment, Task, TaskRef, TaskStatus
from app.services import circuits, configuration, delivery, intake, secrets
from app.services.pool import pool
from connectors import registry
from connectors.base import AdapterConfig

PLAIN = frozenset({Capability.FIND, Capability.COMMENT})


class Config(AdapterConfig):
    vendor: str


@dataclass
class Vendor:
    """A vendor that keeps what it is given. `script` holds, per coming call of `create`, an error to raise instead;
    an error marked `commits` raises after the task was made, as a cut connection does."""

    script: list[Exception] = field(default_factory=list)
    can: frozenset[Capability] = PLAIN
    tasks: dict[str, list[Task]] = field(default_factory=dict)
    comments: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, TaskStatus]] = field(default_factory=list)
    searches: int = 0
    hidden_searches: int = 0  # so many searches find nothing yet
    before: Callable[[], None] = lambda: None
    remote: dict[str, TaskRef] = field(default_factory=dict)  # tasks as the vendor has them by now
    remarks: list[str] = field(default_factory=list)  # comments on each task, as the vendor has them
    failing: Exception | None = None  # of listing changes
    gone: set[str] = field(default_factory=set)
    asked_since: list[datetime] = field(default_factory=list)

    def create(self, task: Task) -> TaskRef:
        self.before()
        error = self.script.pop(0) if self.script else None
        if error is None or getattr(error, "commits", False):
            made = self.tasks.setdefault(task.key, [])
            if not (made and Capability.IDEMPOTENT_CREATE in self.can):
                made.append(task)
        if error is not None:
            raise error
        return TaskRef(f"remote-{task.key[:8]}", f"https://vendor.test/{task.key}")

    def find(self, key: str) -> TaskRef | None:
        self.searches += 1
        if self.searches <= self.hidden_searches:
            return None
        return TaskRef(f"remote-{key[:8]}") if key in self.tasks else None

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        self.comments.append((ref.id, text))

    def update(self, ref: TaskRef, task: Task) -> None:
        self.before()
        self.tasks[task.key] = [task]

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        if ref.id in self.gone:
            raise TargetGone("It was deleted there.")
        self.moved.append((ref.id, status))

    def status(self, ref: TaskRef) -> TaskRef:
        if ref.id in self.gone:
            raise TargetGone("It was deleted there.")
        return self.remote.get(ref.id, ref)

    def changes(self, since: datetime) -> list[TaskRef]:
        self.asked_since.append(since)
        if self.failing:
            raise self.failing
        return list(self.remote.values())

    def written(self, ref: TaskRef) -> list[RemoteComment]:
        return [RemoteComment(str(number), text, "Noa") for number, text in enumerate(self.remarks)]

    def verify_hook(self, request: RawRequest, now: float) -> None:
        if request.headers.get("x-secret") != "right":
            raise BadSignature("The request does not come from the vendor.")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return tuple(request.body.decode().split())


def with_photo(text: str) -> dict:
    """A Telegram message of a photo with its caption."""
    photo = {"file_id": "f1", "file_unique_id": "u1", "width": 90, "height": 90, "file_size": 1000}
    return {
        "message_id": 7001, "date": 1_790_000_000, "caption": text, "photo": [photo],
        "chat": {"id": 1, "type": "private"}, "from": {"id": 1, "is_bot": False, "first_name": "Ann"},
    }  # fmt: skip


def after_commit(error: Exception) -> Exception:
    error.commits = True
    return error


@dataclass
class Kit:
    """Arrange and act on one workspace."""

    workspace_id: UUID
    bot_id: UUID
    vendors: dict[str, Vendor]
    _updates: count = field(default_factory=lambda: count(1))

    def vendor(self, key: str, **options) -> Vendor:
        """A destination of this key at a vendor of its own."""
        name = f"{key}-{uuid4().hex[:6]}"
        self.vendors[name] = Vendor(**options)
        self._add(Destination(workspace_id=self.workspace_id, key=key, connector="scripted", config={"vendor": name}))
        return self.vendors[name]

    def route(
        self, *destinations: str, strategy: str = "failover", key: str = "bugs", when: dict | None = None
    ) -> None:
        conditions = {"category": ["bug"]} if when is None else when
        self._add(Route(
            workspace_id=self.workspace_id, key=key, position=len(key), conditions=conditions, strategy=strategy,
            destinations=list(destinations),
        ))  # fmt: skip

    def rule(self, key: str, conditions: dict, actions: dict, go_on: bool = False) -> None:
        """Before the rules that are there."""
        self._add(Rule(workspace_id=self.workspace_id, key=key, position=-1, conditions=conditions, actions=actions,
                       go_on=go_on))  # fmt: skip

    def join_window(self, minutes: int) -> None:
        with in_system() as session:
            session.get(Workspace, self.workspace_id).join_window_min = minutes

    def receive(self, text: str, chat: int = 1, message_id: int | None = None, **update) -> UUID:
        """Store a webhook request as the receiver does; returns the event's id."""
        number = message_id or next(self._updates)
        message = {
            "message_id": number, "date": 1_790_000_000, "text": text, "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Ann"},
        }  # fmt: skip
        whole = {"update_id": number, "message": message} | update
        body = json.dumps({name: part for name, part in whole.items() if part is not None}).encode()
        event = RawEvent(workspace_id=self.workspace_id, bot_id=self.bot_id, event_key=uuid4().hex, body=body)
        self._add(event)
        return event.id

    def process(self, *events: UUID) -> None:
        intake.process(self.workspace_id, events)
        assert pool().drain(20)

    def say(self, text: str, **options) -> None:
        self.process(self.receive(text, **options))

    def make_due(self) -> None:
        """Let every wait be over."""
        self.sql("update delivery set next_try_at = now() where status in ('pending', 'retrying', 'unknown')")
        self.sql("update destination_health set open_until = null")
        circuits.forget()

    def deliver(self) -> None:
        """What the sweeper and a worker do: attempt whatever is due."""
        due = self.sql(
            "select id from delivery where status in ('pending', 'retrying', 'unknown') and next_try_at <= now()"
        )
        delivery.attempt_all(self.workspace_id, [row.id for row in due])
        assert pool().drain(20)

    def states(self) -> list[tuple[str, str]]:
        """(destination, status) of each delivery, in order of planning."""
        sql = "select x.key, d.status from delivery d join destination x on x.id = d.destination_id order by d.id"
        return [(row.key, row.status) for row in self.sql(sql)]

    def messages(self) -> list[tuple[str, str]]:
        return [(row.text, row.status) for row in self.sql("select text, status from message order by id")]

    def events(self) -> list[str]:
        return [row.event for row in self.sql("select event from timeline_entry order by at, id")]

    def sql(self, statement: str, **values) -> list:
        with in_workspace(self.workspace_id) as session:
            result = session.connection().exec_driver_sql(statement, values or None)
            return result.all() if result.returns_rows else []

    def _add(self, row) -> None:
        with in_workspace(self.workspace_id) as session:
            session.add(row)


@pytest.fixture
def kit(workspace, monkeypatch):
    vendors: dict[str, Vendor] = {}

    class Connector:
        label, docs, RATE_PER_S = "Scripted", "", None
        CAN = frozenset(Capability)

        def __new__(cls, config: Config, transport=None, tokens=None):
            vendor = vendors[config.vendor]
            return SimpleNamespace(
                CAN=vendor.can, create=vendor.create, find=vendor.find, comment=vendor.comment, status=vendor.status,
                changes=vendor.changes, comments=vendor.written, verify_hook=vendor.verify_hook,
                answer_hook=vendor.answer_hook, changed=vendor.changed,
                update=vendor.update, transition=vendor.transition, label="Scripted",
            )  # fmt: skip

    scripted, real = SimpleNamespace(Config=Config, Connector=Connector), registry.crm
    monkeypatch.setattr(registry, "crm", lambda key: scripted if key == "scripted" else real(key))
    known = (*registry.crm_keys(), "scripted")
    monkeypatch.setattr(registry, "crm_keys", lambda: known)
    circuits.forget()
    enqueue.redis().flushdb()  # jobs of other tests: with many, the sweeper leaves their shards alone
    telegram = registry.channel("telegram")
    bot = Bot(workspace_id=workspace, key="tg", channel="telegram", hook_key=uuid4().hex)
    bot.config = secrets.seal(telegram.Config(token="1:a", webhook_secret="s"), workspace, f"bot/{bot.id}")
    with in_workspace(workspace) as session:
        session.add(bot)
        for position, key in enumerate(("bug", "billing")):
            session.add(Category(workspace_id=workspace, key=key, name=key.title(), position=position))
    _decide_by_hashtag(workspace)
    yield Kit(workspace, bot.id, vendors)
    configuration._kept.pop(workspace, None)


def _decide_by_hashtag(workspace: UUID) -> None:
    with in_workspace(workspace) as session:
        for position, key in enumerate(("bug", "billing")):
            session.add(Rule(
                workspace_id=workspace, key=key, position=position, conditions={"text_contains": f"#{key}"},
                actions={"category": key},
            ))  # fmt: skip

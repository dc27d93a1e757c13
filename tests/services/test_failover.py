"""Failover and parallel routes between real connectors, each against a vendor on loopback that remembers its tasks."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote_plus

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.db.engine import in_workspace
from app.db.tables import Destination
from app.domain.tasks import Capability
from app.services import secrets
from connectors import oauth, registry
from connectors.http import ApiClient
from tests.connectors.crm.case import KEY
from tests.connectors.crm.cases import CASES

IMPATIENT_S = 0.4
ROUNDS = 24  # tries after which nothing may be left under way
KEYS = sorted(CASES)
PAIRS = [(key, KEYS[(place + 1) % len(KEYS)]) for place, key in enumerate(KEYS)]
every_pair = pytest.mark.parametrize(("primary", "backup"), PAIRS, ids=[f"{one}-{other}" for one, other in PAIRS])
Fault = Callable[[], Response | None]


def json(body, status: int = 200, key: str = KEY) -> Response:
    return Response(orjson.dumps(body).decode().replace(KEY, key), status, content_type="application/json")


def busy() -> Response:
    return json({"message": "try again"}, 503)


def revoked() -> Response:
    return json({"message": "no such token"}, 401)


def too_slow() -> None:
    time.sleep(2 * IMPATIENT_S)


@dataclass
class RememberingVendor:
    """The vendor of one connector's case. `tasks`: of each message's text, how often a task was made of it.

    fault: answers a create instead. befalls: which creates, by their number from 0. after_commit: the task is made
    all the same.
    """

    kit: object
    key: str
    server: HTTPServer
    tasks: dict[str, int] = field(default_factory=dict)
    fault: Fault | None = None
    befalls: Callable[[int], bool] = lambda number: True
    after_commit: bool = False
    creates: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def case(self):
        return CASES[self.key]

    @property
    def idempotent(self) -> bool:
        return Capability.IDEMPOTENT_CREATE in registry.crm(self.key).Connector.CAN

    def answer(self, request: Request) -> Response:
        call, text = (request.method, request.path), unquote_plus(request.get_data(as_text=True))
        said = next((row.text for row in self.kit.sql("select text from message") if row.text in text), None)
        if call == self.case.create and said:
            return self._create(said)
        key = self._newest_task()
        if self.case.lookup and call == (self.case.lookup[0], self.case.lookup[1].replace(KEY, key)):
            there = self.tasks.get(self.kit.messages()[-1][0])
            return json(self.case.found if there else self.case.nothing, key=key)
        if call in self.case.around:
            return json(self.case.around[call])
        return json({"message": f"{call} was not expected"}, 500)

    def _create(self, said: str) -> Response:
        with self._lock:
            number, self.creates = self.creates, self.creates + 1
            faulty = self.fault is not None and self.befalls(number)
            if not faulty or self.after_commit:
                self.tasks[said] = 1 if self.idempotent else self.tasks.get(said, 0) + 1
        answer = self.fault() if faulty else None
        return answer or json(self.case.created, key=self._newest_task())

    def _newest_task(self) -> str:
        return str(self.kit.sql("select id from task order by created_at desc limit 1")[0].id)


@pytest.fixture
def vendors(kit, monkeypatch):
    """Makes a destination at a vendor that answers; `up=False`: nothing listens at its address yet."""
    oauth._tokens_of.cache_clear()
    made: list[HTTPServer] = []

    def make(key: str, up: bool = True) -> RememberingVendor:
        monkeypatch.setattr(registry.crm(key), "ApiClient", partial(ApiClient, timeout_s=IMPATIENT_S))
        server = HTTPServer(port=0, threaded=True)
        server.start()
        made.append(server)
        vendor = RememberingVendor(kit, key, server)
        server.expect_request(re.compile(".*")).respond_with_handler(vendor.answer)
        if not up:
            server.stop()
        _destination(kit, key, f"http://127.0.0.1:{server.port}")
        return vendor

    yield make
    for server in made:
        if server.is_running():
            server.clear()
            server.stop()


def _destination(kit, key: str, address: str) -> None:
    module = registry.crm(key)
    row = Destination(workspace_id=kit.workspace_id, key=key, connector=key, rate_per_s=1000)
    config = module.Config(base_url=address, **CASES[key].config)
    row.config = secrets.seal(config, kit.workspace_id, f"destination/{row.id}")
    with in_workspace(kit.workspace_id) as session:
        session.add(row)


def settle(kit) -> None:
    """Try whatever is due, as often as it takes, with every wait cut short."""
    for _ in range(ROUNDS):
        open_ones = "select from delivery where status in ('pending', 'sending', 'retrying', 'unknown')"
        if not kit.sql(open_ones):
            return
        kit.make_due()
        kit.deliver()
    raise AssertionError(f"still under way: {kit.states()}")


def where(said: str, *vendors: RememberingVendor) -> dict[str, int]:
    """How many tasks each vendor has of a message, those without one left out."""
    return {vendor.key: vendor.tasks[said] for vendor in vendors if said in vendor.tasks}


def say(kit, number: int) -> str:
    said = f"mid-{number} it crashes #bug"
    kit.say(said, chat=number)
    settle(kit)
    return said


def why_moved(kit) -> list[str]:
    sql = "select data->>'cause' as cause from timeline_entry where event = 'delivery_cancelled' order by at, id"
    return [row.cause for row in kit.sql(sql)]


@every_pair
def test_a_vendor_that_is_down_hands_on_and_gets_new_tasks_once_it_is_back(primary, backup, kit, vendors):
    first, second = vendors(primary, up=False), vendors(backup)
    kit.route(primary, backup)

    assert where(say(kit, 1), first, second) == {backup: 1}
    assert set(why_moved(kit)) <= {"busy", "circuit_open"} and why_moved(kit)

    first.server.start()
    kit.make_due()
    assert where(say(kit, 2), first, second) == {primary: 1}


@every_pair
def test_a_vendor_that_answers_too_late_has_each_task_once(primary, backup, kit, vendors):
    first, second = vendors(primary), vendors(backup)
    first.fault, first.befalls, first.after_commit = too_slow, lambda number: number == 0, True
    kit.route(primary, backup)

    assert where(say(kit, 1), first, second) in ({primary: 1}, {backup: 1})
    assert where(say(kit, 2), first, second) == {primary: 1}


@every_pair
def test_a_vendor_that_refuses_every_second_call_has_each_task_once(primary, backup, kit, vendors):
    first, second = vendors(primary), vendors(backup)
    first.fault, first.befalls = busy, lambda number: number % 2 == 0
    kit.route(primary, backup)

    said = [say(kit, number) for number in range(1, 5)]

    assert [sum(where(each, first, second).values()) for each in said] == [1, 1, 1, 1]


@every_pair
def test_a_token_revoked_midway_parks_the_vendor_and_loses_nothing(primary, backup, kit, vendors):
    first, second = vendors(primary), vendors(backup)
    kit.route(primary, backup)
    before = say(kit, 1)
    first.fault = revoked

    after = say(kit, 2)

    assert where(before, first, second) == {primary: 1} and where(after, first, second) == {backup: 1}
    assert why_moved(kit) == ["unauthorized"]
    asked = first.creates
    say(kit, 3)
    assert first.creates == asked  # nobody knocks with a dead token


def test_of_five_parallel_destinations_two_that_fail_get_theirs_later_and_nothing_is_repeated(kit, vendors):
    keys = ["jira", "notion", "linear", "trello", "salesforce"]
    five = [vendors(key) for key in keys]
    for vendor in five[1:3]:
        vendor.fault, vendor.befalls = busy, lambda number: number < 3
    kit.route(*keys, strategy="parallel")
    said = "mid-1 it crashes #bug"

    kit.say(said)
    kit.deliver()
    now = where(said, *five)
    settle(kit)

    assert now == {"jira": 1, "trello": 1, "salesforce": 1}
    assert where(said, *five) == dict.fromkeys(keys, 1)
    assert [vendor.creates for vendor in five] == [1, 4, 4, 1, 1]

"""The simulated vendors over real HTTP, called by our own adapters."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import yaml

from app.classify import llm
from app.classify.prompt import Prompt
from app.cli.demo import FOLDER
from app.domain.classification import Category, Priority
from app.domain.errors import TargetGone
from app.domain.messages import RawRequest
from app.domain.tasks import Task, TaskRef, TaskStatus
from connectors import registry
from demo import book
from demo.book import Book
from demo.chats import EVENTS
from demo.messages import messages
from tests.browser import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(address, data directory) of a running one."""
    port, data_dir = free_port(), tmp_path_factory.mktemp("world")
    command = [sys.executable, "-m", "uvicorn", "demo.world:app", "--port", str(port), "--log-level", "warning"]
    environment = os.environ | {"OCTOPUS_DATA_DIR": str(data_dir), "OCTOPUS_COMMAND_AT": str(time.time())}
    log = data_dir / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{address}/jira", timeout=2).raise_for_status()
            break
        except httpx.TransportError:
            assert time.monotonic() < end and process.poll() is None, log.read_text()
            time.sleep(0.05)
    (data_dir / "seen").unlink()
    yield address, data_dir
    process.terminate()
    process.wait(10)


def configured(kind: str, world: str) -> dict:
    text = (FOLDER / "workspace.yaml").read_text().replace("${WORLD}", world)
    return {row["key"]: row for row in yaml.safe_load(text)[kind]}


DESTINATIONS, BOTS = configured("destinations", ""), configured("bots", "")


def connector(key: str, world: str):
    row = configured("destinations", world)[key]
    module = registry.crm(row["connector"])
    return module.Connector(module.Config(**row["config"]))


def task(**changes) -> Task:
    return Task(**{
        "key": uuid4().hex, "title": "Where is <b>my</b> parcel?", "body": "It was due on Monday.",
        "priority": Priority.NORMAL, "labels": ("Delivery",),
    } | changes)  # fmt: skip


@pytest.mark.parametrize("key", DESTINATIONS)
def test_a_destination_is_checked_and_its_place_and_fields_are_listed(world, key):
    crm = connector(key, world[0])

    assert "Octopus (simulated account)" in crm.check()
    [chosen] = [target for target in crm.targets() if target.config.items() <= DESTINATIONS[key]["config"].items()]
    assert chosen.name
    assert crm.fields()
    assert crm.people() == []


@pytest.mark.parametrize("key", DESTINATIONS)
def test_a_task_is_made_found_changed_commented_and_closed(world, key):
    crm, wanted, since = connector(key, world[0]), task(), datetime.now(UTC) - timedelta(seconds=2)

    ref = crm.create(wanted)
    assert crm.find(wanted.key).id == ref.id
    assert crm.find(uuid4().hex) is None
    assert crm.status(ref).status is TaskStatus.OPEN
    assert ref.id in {one.id for one in crm.changes(since)}
    assert ref.id not in {one.id for one in crm.changes(datetime.now(UTC) + timedelta(minutes=5))}

    crm.comment(ref, "The customer wrote again.", uuid4().hex)
    assert [one.text for one in crm.comments(ref)] == ["The customer wrote again."]

    crm.update(ref, task(key=wanted.key, title="Where is my lamp?"))
    page = httpx.get(ref.url, follow_redirects=True)
    assert str(page.url).endswith(f"/{DESTINATIONS[key]['connector']}#{ref.id}")
    assert "Where is my lamp?" in page.text and "<b>my</b>" not in page.text

    crm.transition(ref, TaskStatus.CANCELLED)
    assert crm.status(ref).status is TaskStatus.CANCELLED


@pytest.mark.parametrize("key", DESTINATIONS)
def test_a_task_that_is_not_there_is_gone(world, key):
    with pytest.raises(TargetGone):
        connector(key, world[0]).status(TaskRef("nobody"))


def test_looking_at_tasks_is_noticed_and_looking_at_chats_is_not(world):
    address, data_dir = world
    (data_dir / "seen").unlink(missing_ok=True)

    assert httpx.get(f"{address}/telegram").status_code == 200
    assert not (data_dir / "seen").exists()
    assert httpx.get(f"{address}/linear").status_code == 200
    assert (data_dir / "seen").exists()
    assert httpx.get(f"{address}/favicon.ico").status_code == 404


def test_the_first_task_is_told_once(world):
    address, data_dir = world
    for _ in range(2):
        connector("service", address).create(task())

    assert (data_dir / "log").read_text().count("first task after ") == 1


@pytest.mark.parametrize("key", BOTS)
def test_a_bot_is_checked_and_what_it_writes_is_shown(world, key):
    row = configured("bots", world[0])[key]
    module = registry.channel(row["channel"])
    channel = module.Channel(module.Config(**row["config"]))

    assert "umo" in channel.check()
    assert channel.send("DSIM1" if key == "slack" else "4000000000000001", "Done & dusted", None, "k")
    assert "Done &amp; dusted" in httpx.get(f"{world[0]}/{key}").text


@pytest.mark.parametrize("key", BOTS)
def test_what_customers_send_is_signed_as_the_bot_expects(key):
    module = registry.channel(BOTS[key]["channel"])
    channel = module.Channel(module.Config(**BOTS[key]["config"] | {"base_url": None}))
    body, headers = EVENTS[key](7, 3, "Zoë B.", "你好")
    request = RawRequest("POST", {name.lower(): value for name, value in headers.items()}, body)

    channel.verify(request, time.time())
    [message] = channel.parse(request).messages

    assert message.text == "你好"
    again, _headers = EVENTS[key](7, 3, "Zoë B.", "你好")
    assert channel.event_key(request) == channel.event_key(RawRequest("POST", {}, again))


def test_the_model_answers_over_http(world):
    message = messages()[4]
    account = llm.Account(key="s", provider="anthropic", model="m", api_key="k", base_url=f"{world[0]}/llm")
    prompt = Prompt((Category("feature", "Feature wish"), Category("bug", "Bug")), (("an example", "bug"),))

    answer = llm.ask(account, prompt, message.text)

    assert not answer.problem
    assert answer.category in ("feature", "bug") and answer.input_tokens > 100
    assert answer.title and message.text.endswith(answer.title[10:]) or answer.title[10:] in message.text


# ---- the team that works on tasks


def test_a_task_is_taken_up_finished_and_remarked_upon_as_time_goes_by(tmp_path, monkeypatch):
    kept, began = Book(tmp_path / "world.db"), time.time()
    for number in range(40):
        kept.add("jira", f"OCTODEMO-{number}", "t", "b", {})

    def after(seconds: float):
        monkeypatch.setattr(book.time, "time", lambda: began + seconds)
        return kept.tasks("jira")

    assert {one.status for one in after(20)} == {book.OPEN}
    assert {one.status for one in after(121)} >= {book.IN_PROGRESS}
    late = after(1000)
    done = [one for one in late if one.status == book.DONE]
    assert len(late) / 2 < len(done) < len(late)
    assert [text for _id, text, _at, _who in kept.comments(done[0])] == ["Done and checked."]
    assert all(began < one.changed_at < began + 1000 and one.assignee for one in done)


def test_a_task_closed_from_outside_stays_closed(tmp_path, monkeypatch):
    kept, began = Book(tmp_path / "world.db"), time.time()
    kept.add("trello", "c1", "t", "b", {})

    kept.set_status("trello", "c1", book.CANCELLED)

    monkeypatch.setattr(book.time, "time", lambda: began + 10_000)
    assert kept.task("trello", "c1").status == book.CANCELLED


def test_the_world_remembers_over_a_restart(tmp_path):
    Book(tmp_path / "world.db").add("linear", "l1", "t", "b", {})

    again = Book(tmp_path / "world.db")

    assert again.task("linear", "l1").title == "t"
    with pytest.raises(KeyError):
        again.add("linear", "l1", "t", "b", {})

"""Customers write in time, once each, and only to bots that are simulated; a colleague answers part of Review."""

import json
import re
import threading

import pytest
from starlette.testclient import TestClient

from app.db.tables import Category
from app.services import connections, demo, inbox, learning, releases, taxonomy
from app.services.inbox import Filter
from app.settings import settings
from demo import customers
from demo.colleague import EMAIL, FEWER_CHECKS, LEFT, Colleague
from demo.customers import Customers, due_s
from demo.messages import COUNT, messages


@pytest.fixture
def at_once(monkeypatch):
    """Only the first twelve messages, and no waiting."""
    monkeypatch.setattr(customers, "due_s", lambda number: 0.0)
    monkeypatch.setattr(customers, "messages", lambda: messages()[:12])
    monkeypatch.setattr(customers, "LOOK_AGAIN_S", 0.01)


def heard(server) -> list[bytes]:
    return [request.data for request, response in server.log if response.status_code == 200]


def test_sixty_come_in_the_first_minute_and_the_last_after_half_an_hour():
    moments = [due_s(number) for number in range(COUNT)]

    assert moments == sorted(moments) and moments[0] == 0
    assert sum(moment < 60 for moment in moments) >= 60
    assert 28 * 60 < moments[-1] <= 30 * 60


def test_customers_go_on_where_they_were_and_write_nothing_twice(demo_workspace, receiver, at_once, monkeypatch):
    receiver.expect_request(re.compile("^/hooks/")).respond_with_data("")
    monkeypatch.setattr(customers, "messages", lambda: messages()[:7])
    Customers(demo_workspace).write_all(threading.Event())
    monkeypatch.setattr(customers, "messages", lambda: messages()[:12])

    Customers(demo_workspace).write_all(threading.Event())

    assert len(heard(receiver)) == len(set(heard(receiver))) == 12
    assert {request.path.split("/")[2] for request, _response in receiver.log} == {"telegram", "slack"}
    assert (settings().data_dir / customers.SENT).read_text() == "12"


def test_a_receiver_that_is_away_gets_the_message_later(demo_workspace, receiver, at_once):
    receiver.expect_oneshot_request(re.compile("^/hooks/")).respond_with_data("", status=503)
    receiver.expect_request(re.compile("^/hooks/")).respond_with_data("")

    Customers(demo_workspace).write_all(threading.Event())

    assert [response.status_code for _request, response in receiver.log].count(503) == 1
    assert len(heard(receiver)) == 12


def test_a_bot_that_is_real_by_now_hears_nothing_of_simulated_customers(demo_workspace, visitor, receiver, at_once):
    receiver.expect_request(re.compile("^/hooks/")).respond_with_data("")
    connections.save_bot(visitor, "telegram", "telegram", {"token": "7:real", "webhook_secret": "mine"})

    Customers(demo_workspace).write_all(threading.Event())

    assert {request.path.split("/")[2] for request, _response in receiver.log} == {"slack"}
    assert [demo.is_simulated(bot) for bot in connections.bots(demo_workspace)] == [True, False]


def test_what_a_visitor_writes_reaches_the_bot_once_and_comes_after_all_customers(
    demo_workspace, receiver, monkeypatch, tmp_path
):
    from demo import world  # opens its book in the data directory of this test

    receiver.expect_request(re.compile("^/hooks/telegram/")).respond_with_data("")
    client = TestClient(world.app)

    page = client.post("/telegram/write", data={"text": "my lamp <b>hums</b>"})
    client.post("/telegram/write", data={"text": "my lamp <b>hums</b>"})
    client.post("/telegram/write", data={"text": "  "})

    assert "It is in the Inbox within a second." in page.text
    first, second = (json.loads(request.data) for request, _response in receiver.log)
    assert first["message"]["text"] == "my lamp <b>hums</b>"
    assert COUNT < first["update_id"] < second["update_id"]


def test_a_world_that_moved_is_found_again(demo_workspace, visitor, monkeypatch):
    connections.save_llm_account(visitor, "real", {"provider": "anthropic", "model": "m", "api_key": "k"})
    connections.save_llm_account(
        visitor,
        "local",
        {"provider": "openai_chat", "model": "m", "api_key": "k", "base_url": "http://127.0.0.1:8700/v1"},
    )
    monkeypatch.setattr(settings(), "demo_port", 8711)

    demo.move_world(settings().demo_url)
    demo.move_world(settings().demo_url)

    assert all(map(demo.is_simulated, connections.bots(demo_workspace)))
    assert all(map(demo.is_simulated, connections.destinations(demo_workspace)))
    addresses = {row.key: row.config.get("base_url") for row in connections.llm_accounts(demo_workspace)}
    assert addresses == {
        "simulated": "http://127.0.0.1:8711/llm", "real": None, "local": "http://127.0.0.1:8700/v1",
    }  # fmt: skip


# ---- the colleague


ASKED = [message for message in messages() if message.category in ("how_to", "feature", "sales")]  # no rule's


def waiting(demo_kit, texts: list[str], checks: bool = False) -> None:
    """Messages in Review: no rule decides them, and there is no model to ask."""
    for chat, text in enumerate(texts):
        demo_kit.say(text, chat=chat + 1)
    if checks:
        demo_kit.sql("update classification set review_rate = 0.5")


def left(workspace_id) -> set[str]:
    return {line.text for line in inbox.page(workspace_id, Filter(status=("needs_review",))).lines}


def test_the_colleague_answers_rightly_and_leaves_some_to_the_visitor(demo_workspace, demo_kit):
    waiting(demo_kit, [message.text for message in ASKED[: LEFT + 3]])
    colleague = Colleague(demo_workspace)

    assert colleague.answer_some() == 3
    assert colleague.answer_some() == 0

    assert len(left(demo_workspace)) == LEFT
    rows = demo_kit.sql("""
        select m.text, c.key, k.actor from classification k join message m on m.id = k.message_id
        join category c on c.id = k.category_id where k.source = 'person'""")
    meant = {message.text: message.category for message in messages()}
    assert len(rows) == 3 and all((meant[text], EMAIL) == (key, actor) for text, key, actor in rows)


def test_the_colleague_answers_random_checks_and_leaves_what_a_visitor_wrote(demo_workspace, demo_kit):
    waiting(demo_kit, [ASKED[0].text, "something of the visitor's own"], checks=True)

    assert Colleague(demo_workspace).answer_some() == 1

    assert left(demo_workspace) == {"something of the visitor's own"}


def test_a_decision_that_fails_holds_up_no_other(demo_workspace, demo_kit, visitor):
    waiting(demo_kit, [message.text for message in ASKED[:20]], checks=True)
    gone = "how_to"
    taxonomy.delete(visitor, Category, gone)
    releases.publish(visitor)
    colleague = Colleague(demo_workspace)

    for _ in range(4):
        colleague.answer_some()

    assert left(demo_workspace) == {message.text for message in ASKED[:20] if message.category == gone}


def test_the_colleague_lowers_the_random_checks_once_the_model_may_answer_alone_but_not_twice(
    demo_workspace, visitor, monkeypatch
):
    colleague = Colleague(demo_workspace)
    colleague.check_less()
    assert learning.settings(demo_workspace).audit_share == 0.5
    monkeypatch.setattr(demo, "answers_alone", lambda workspace_id: True)

    colleague.check_less()

    assert learning.settings(demo_workspace).audit_share == FEWER_CHECKS
    again = learning.settings(demo_workspace).model_copy(update={"audit_share": 0.5})
    learning.save_settings(visitor, again)
    colleague.check_less()
    assert learning.settings(demo_workspace).audit_share == 0.5

"""A customer is told once that their task is done, in their language, and never on a guess."""

import json
from datetime import timedelta

import pytest
from werkzeug import Response

from app.db.engine import in_workspace
from app.db.tables.base import now
from app.domain.errors import InvalidInput
from app.domain.tasks import Capability, TaskRef, TaskStatus
from app.services import connections, replies, sweep, sync, taxonomy

REPLY = {"en": "Done, {contact.name}!", "zh": "已完成。", "": "Fertig."}


@pytest.fixture
def chat(kit, actor, httpserver):
    """Telegram's answers to sendMessage; `chat.answers` holds what comes next, 200 when it is empty."""

    class Chat:
        answers: list[Response] = []
        said: list[tuple[str, str]] = []

        def serve(self, request):
            if self.answers:
                return self.answers.pop(0)
            sent = request.get_json()
            self.said.append((str(sent["chat_id"]), sent["text"]))
            return Response(json.dumps({"ok": True, "result": {"message_id": 7}}), mimetype="application/json")

    there = Chat()
    there.answers, there.said = [], []
    httpserver.expect_request("/bot1:a/sendMessage", method="POST").respond_with_handler(there.serve)
    address = httpserver.url_for("").rstrip("/")
    connections.save_bot(actor, "tg", "telegram", {"token": "1:a", "webhook_secret": "s", "base_url": address})
    return there


@pytest.fixture
def task(kit, chat, actor):
    """A delivered task whose route tells the customer; call it with the status the vendor reports next."""
    jira = kit.vendor("jira", can=frozenset(Capability) - {Capability.IDEMPOTENT_CREATE, Capability.FIND_LAGS})
    kit.route("jira")
    taxonomy.save_route(actor, "bugs", {"category": ["bug"]}, "failover", ["jira"], reply=REPLY, live=True)
    kit.say("#bug It crashed when I saved the report of this month")
    [(ref,)] = kit.sql("select ref_id from delivery")

    def becomes(status: TaskStatus) -> None:
        jira.remote[ref] = TaskRef(ref, "", status, "Noa", now() + timedelta(seconds=len(jira.asked_since)))
        sync.poll(kit.workspace_id)
        send(kit)

    return becomes


def send(kit) -> None:
    replies.send_all(kit.workspace_id, [row.id for row in kit.sql("select id from customer_reply")])


def state(kit) -> list[str]:
    return [row.status for row in kit.sql("select status from customer_reply")]


def test_the_customer_is_told_once_however_often_the_task_is_done(kit, chat, task):
    for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.OPEN, TaskStatus.DONE):
        task(status)

    assert chat.said == [("1", "Done, Ann!")]
    assert kit.events()[-1] != "reply_failed" and "reply_delivered" in kit.events()


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Done, {contact.name}!"), ("zh", "已完成。"), ("de", "Fertig."), ("", "Fertig.")]
)
def test_the_template_fits_the_language(language, text):
    assert replies.in_language(REPLY, language) == text


def test_without_a_template_nobody_is_told(kit, chat, task, actor):
    taxonomy.save_route(actor, "bugs", {"category": ["bug"]}, "failover", ["jira"], reply={"en": " "}, live=True)
    task(TaskStatus.DONE)

    assert (chat.said, state(kit)) == ([], [])


def test_a_withdrawn_task_tells_nobody(kit, chat, task):
    kit.sql("update task set withdrawn_at = now()")
    task(TaskStatus.DONE)

    assert chat.said == []


def test_a_busy_channel_is_tried_again(kit, chat, task):
    chat.answers.append(Response('{"ok": false, "error_code": 429, "description": "busy"}', 429))
    task(TaskStatus.DONE)
    assert state(kit) == ["retrying"]

    kit.sql("update customer_reply set next_try_at = now()")
    send(kit)

    assert state(kit) == ["delivered"] and len(chat.said) == 1


def test_a_customer_who_blocked_the_bot_is_a_failure_somebody_sees(kit, chat, task):
    chat.answers.append(Response('{"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked"}', 403))
    task(TaskStatus.DONE)

    assert state(kit) == ["failed"] and kit.events()[-1] == "reply_failed"


def test_after_an_end_nobody_saw_it_is_not_sent_again(kit, chat, task):
    task(TaskStatus.DONE)
    kit.sql("update customer_reply set status = 'sending', next_try_at = now() - interval '1 second'")

    sweep.sweep()
    send(kit)

    assert state(kit) == ["unknown"] and len(chat.said) == 1


def test_a_lost_wake_up_is_found_by_the_sweeper(kit, chat, task, actor):
    task(TaskStatus.DONE)
    kit.sql("update customer_reply set status = 'pending', next_try_at = now()")

    assert sweep.sweep()["reply"] >= 1


def test_a_placeholder_that_does_not_exist_is_refused(kit, actor):
    kit.vendor("jira")
    with pytest.raises(InvalidInput, match="message.text"):
        taxonomy.save_route(actor, "bugs", {}, "failover", ["jira"], reply={"en": "{message.text}"})


def test_a_neighbours_reply_is_not_sent(kit, chat, task, neighbour):
    kit.sql("update route set reply = '{}'")
    task(TaskStatus.DONE)
    kit.sql(
        "insert into customer_reply (id, workspace_id, task_id, message_id, text, status, tries, next_try_at, error, "
        "created_at, external_id) select id, workspace_id, id, message_id, 'x', 'pending', 0, now(), '', now(), '' "
        "from task"
    )
    replies.send_all(neighbour.workspace_id, [row.id for row in kit.sql("select id from customer_reply")])

    assert chat.said == []
    with in_workspace(neighbour.workspace_id) as session:
        assert session.connection().exec_driver_sql("select count(*) from customer_reply").scalar_one() == 0

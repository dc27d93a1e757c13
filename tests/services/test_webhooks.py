"""Webhooks hear of what happens at least once, signed, and nobody hears who did not ask."""

import json
from datetime import timedelta
from functools import cache

import pytest
import sqlalchemy
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Response

from app.db import webhooks as store
from app.db.engine import engine, in_workspace
from app.db.tables.base import first_id_at, new_id, now
from app.domain.errors import InvalidInput, NotFound, Rejected
from app.domain.events import Event, EventType
from app.domain.tasks import Capability, TaskRef, TaskStatus
from app.services import audit, planning, sweep, sync, telling, webhooks
from app.services.pool import LEASE, pool
from app.settings import settings
from connectors import http, standard_webhooks
from connectors.connections import to_public_hosts

EVERY_EVENT = tuple(EventType)


class Receiver:
    """An address that keeps what it is told. `answers` holds what comes next, 204 when it is empty."""

    def __init__(self, httpserver):
        self.heard, self.answers = [], []
        self.url = httpserver.url_for("/told")
        httpserver.expect_request("/told", method="POST").respond_with_handler(self._hear)

    def _hear(self, request):
        self.heard.append((dict(request.headers), request.get_data()))
        return self.answers.pop(0) if self.answers else Response(status=204)

    def events(self) -> list[dict]:
        return [json.loads(body) for _headers, body in self.heard]

    def types(self) -> list[str]:
        return sorted(event["type"] for event in self.events())

    def verified(self, secret: str, number: int = -1) -> dict:
        headers, body = self.heard[number]
        return Webhook(secret).verify(body, headers)


@pytest.fixture
def receiver(httpserver):
    return Receiver(httpserver)


@pytest.fixture
def tell(kit):
    """What the sweeper and a worker do; call it to send whatever is due."""

    def tell() -> None:
        telling._circuits.clear()
        for row in kit.sql("select id from webhook_endpoint"):
            telling.tell(kit.workspace_id, row.id)
        assert pool().drain(20)

    return tell


@pytest.fixture
def told(actor, receiver):
    """The subscription of `receiver` to every event: the row, and its secret."""
    return webhooks.add(actor, receiver.url, EVERY_EVENT, "Warehouse")


@pytest.fixture
def woken(kit, monkeypatch):
    """Sweep, and say for which addresses of the workspace workers were woken."""

    def woken() -> list:
        due = {}
        monkeypatch.setattr(sweep.enqueue, "wake", lambda job, ids: due.update({job: ids}))
        sweep.sweep()
        monkeypatch.undo()
        return due[sweep.enqueue.TELL].get(kit.workspace_id, [])

    return woken


def states(kit) -> list[tuple[str, int]]:
    return [(row.status, row.tries) for row in kit.sql("select status, tries from webhook_event order by id")]


def let_waits_end(kit) -> None:
    kit.sql("update webhook_event set next_try_at = now() where status = 'retrying'")


# ---- what is told


def test_a_message_that_becomes_a_task_is_told_of_from_classification_to_delivery(kit, receiver, told, tell):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug It crashed when I saved")
    tell()

    by_type = {event["type"]: event["data"] for event in receiver.events()}
    assert sorted(by_type) == ["delivery.delivered", "message.classified", "task.created"]
    [message] = kit.sql("select id from message")
    [task] = kit.sql("select id from task")
    assert {data["message_id"] for data in by_type.values()} == {str(message.id)}
    assert by_type["message.classified"]["category"] == "bug" and by_type["message.classified"]["source"] == "rule"
    assert by_type["task.created"] | {"task_id": str(task.id), "destinations": ["jira"]} == by_type["task.created"]
    assert by_type["delivery.delivered"]["ref_url"] == f"https://vendor.test/{task.id}"
    assert states(kit) == [("delivered", 1)] * 3


def test_no_word_of_the_customer_leaves_by_a_webhook(kit, receiver, told, tell):
    kit.vendor("jira", script=[Rejected("no such field: zebra", "summary")])
    kit.route("jira")
    kit.say("#bug zebra")
    kit.say("what about the zebra", chat=2)
    tell()

    assert receiver.types() == ["delivery.failed", "message.classified", "message.needs_review", "task.created"]
    assert not any(b"zebra" in body or b"Ann" in body for _headers, body in receiver.heard)
    [failed] = [event["data"] for event in receiver.events() if event["type"] == "delivery.failed"]
    assert (failed["destination"], failed["cause"], failed["tries"]) == ("jira", "rejected", 1)


def test_a_task_that_is_done_is_told_of(kit, receiver, told, tell):
    jira = kit.vendor("jira", can=frozenset(Capability) - {Capability.IDEMPOTENT_CREATE, Capability.FIND_LAGS})
    kit.route("jira")
    kit.say("#bug It crashed")
    [(ref,)] = kit.sql("select ref_id from delivery")
    jira.remote[ref] = TaskRef(ref, f"https://vendor.test/{ref}", TaskStatus.DONE, "Noa", now())
    sync.poll(kit.workspace_id)
    sync.poll(kit.workspace_id)
    tell()

    [change] = [event["data"] for event in receiver.events() if event["type"] == "task.status_changed"]
    assert (change["to"], change["assignee"], change["destination"]) == ("done", "Noa", "jira")


def test_only_what_was_asked_for_is_told(kit, receiver, actor, tell):
    webhooks.add(actor, receiver.url, [EventType.MESSAGE_NEEDS_REVIEW])
    kit.say("#bug It crashed")
    kit.say("what now", chat=2)
    tell()

    assert receiver.types() == ["message.needs_review"]


@pytest.fixture
def statements():
    """Every SQL statement of this process meanwhile."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    sqlalchemy.event.listen(engine(), "before_cursor_execute", note)
    yield asked
    sqlalchemy.event.remove(engine(), "before_cursor_execute", note)


def test_a_workspace_without_webhooks_runs_no_statement_for_them(kit, statements):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug It crashed")  # and the configuration is read
    statements.clear()
    kit.say("#bug It crashed again")

    assert any("timeline_entry" in statement for statement in statements)
    assert not [statement for statement in statements if "webhook" in statement]


def test_an_event_is_written_only_with_what_it_tells_of(kit, told, monkeypatch):
    def broken(*_):
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(planning.work, "begin_attempts", broken)
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug It crashed")

    assert kit.messages() == [("#bug It crashed", "received")]
    assert states(kit) == []


# ---- signatures


def test_a_receiver_can_verify_who_tells_it(kit, receiver, told, tell):
    kit.say("what now")
    tell()

    _row, secret = told
    event = receiver.verified(secret)
    assert event["type"] == "message.needs_review" and set(event) == {"type", "timestamp", "data"}
    headers, _body = receiver.heard[-1]
    [row] = kit.sql("select id from webhook_event")
    assert headers["Webhook-Id"] == str(row.id)
    with pytest.raises(WebhookVerificationError):
        receiver.verified(standard_webhooks.new_secret())


def test_the_signature_is_that_of_the_published_vector():
    """Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests"""
    secret, id_, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330

    signed = standard_webhooks.signature(secret, id_, at, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_for_a_day_after_a_rotation_both_secrets_verify(kit, actor, receiver, told, tell):
    row, old = told
    _row, new = webhooks.rotate(actor, row.id)
    kit.say("what now")
    tell()
    assert receiver.verified(old) == receiver.verified(new)

    kit.sql("update webhook_endpoint set previous_until = now() - interval '1 second'")
    kit.say("what now", chat=2)
    tell()

    assert receiver.verified(new)["type"] == "message.needs_review"
    with pytest.raises(WebhookVerificationError):
        receiver.verified(old)


def test_no_secret_stands_in_the_database_in_clear(kit, actor, told):
    row, secret = told
    _row, new = webhooks.rotate(actor, row.id)
    [stored] = kit.sql("select to_jsonb(e)::text as text from webhook_endpoint e")
    audited = kit.sql("select before::text || after::text as text from audit_entry where noun = 'webhook'")

    assert stored.text.count("enc:") == 2
    for text in (stored.text, repr(audited)):
        assert secret.removeprefix("whsec_") not in text and new.removeprefix("whsec_") not in text


# ---- tries


def test_what_failed_is_tried_again_with_the_same_id_and_body(kit, receiver, told, tell):
    receiver.answers = [Response("try later", status=500)]
    kit.say("what now")
    tell()
    assert states(kit) == [("retrying", 1)]
    [row] = kit.sql("select attempts, next_try_at - now() as wait from webhook_event")
    assert (row.attempts[0]["status"], row.attempts[0]["answer"]) == (500, "try later")
    assert timedelta(seconds=4) < row.wait < timedelta(seconds=6)

    tell()
    assert len(receiver.heard) == 1  # not before its time
    let_waits_end(kit)
    tell()

    assert states(kit) == [("delivered", 2)]
    (first, body), (second, again) = receiver.heard
    assert body == again and first["Webhook-Id"] == second["Webhook-Id"]
    [row] = kit.sql("select attempts from webhook_event")
    assert [attempt["status"] for attempt in row.attempts] == [500, 204]


def test_after_the_last_try_an_event_is_failed_and_waits_for_a_person(kit, actor, receiver, told, tell):
    receiver.answers = [Response(status=500)]
    kit.say("what now")
    kit.sql("update webhook_event set tries = 9")
    tell()
    assert states(kit) == [("failed", 10)]

    assert webhooks.replay_failed(actor, told[0].id, now() + timedelta(minutes=1)) == 0
    assert webhooks.count_failed(kit.workspace_id, told[0].id, now() - timedelta(hours=1)) == 1
    assert webhooks.replay_failed(actor, told[0].id, now() - timedelta(hours=1)) == 1
    tell()

    assert states(kit) == [("delivered", 1)]


def test_what_was_delivered_can_be_sent_once_more(kit, actor, receiver, told, tell):
    kit.say("what now")
    tell()
    [row] = kit.sql("select id from webhook_event")
    assert webhooks.replay(actor, [row.id]) == 1
    tell()

    (first, body), (second, again) = receiver.heard
    assert (first["Webhook-Id"], body) == (second["Webhook-Id"], again)


def test_a_killed_workers_event_is_taken_over_when_its_lease_has_run_out(kit, receiver, told, tell, woken):
    kit.say("what now")
    with in_workspace(kit.workspace_id) as session:
        [lost] = store.claim(session, told[0].id, 5, new_id(), LEASE)
    tell()
    assert receiver.heard == [] and states(kit) == [("sending", 1)]

    kit.sql("update webhook_event set next_try_at = now()")
    assert woken() == [told[0].id]
    tell()
    with in_workspace(kit.workspace_id) as session:  # the one thought dead comes back
        assert store.finish(session, [telling._row(telling.Result(lost, "retrying", {}, "late"))]) == set()

    assert states(kit) == [("delivered", 2)] and len(receiver.heard) == 1


def test_an_event_is_claimed_once_by_two_workers(kit, told):
    kit.say("what now")
    with in_workspace(kit.workspace_id) as one, in_workspace(kit.workspace_id) as other:
        assert len(store.claim(one, told[0].id, 5, new_id(), LEASE)) == 1
        assert store.claim(other, told[0].id, 5, new_id(), LEASE) == []


def test_the_sweeper_wakes_the_workers_for_what_waits(kit, told, woken):
    assert woken() == []
    kit.say("what now")
    assert woken() == [told[0].id]


def test_an_address_that_fails_again_and_again_is_left_alone_for_a_while(kit, receiver, told, monkeypatch):
    monkeypatch.setattr(telling.breaker, "SECONDS_TO_OPEN", 0.0)
    telling._circuits.clear()
    receiver.answers = [Response(status=500) for _ in range(50)]
    for chat in range(20):
        kit.receive("what now", chat=chat)
    kit.process(*[row.id for row in kit.sql("select id from raw_event")])
    telling.tell(kit.workspace_id, told[0].id)
    assert pool().drain(20)
    called = len(receiver.heard)
    telling.tell(kit.workspace_id, told[0].id)
    assert pool().drain(20)

    assert 10 <= called < 10 + telling.THREADS and len(receiver.heard) == called
    assert sum(status == "pending" for status, _tries in states(kit)) == 20 - called
    telling._circuits.clear()


def test_many_events_are_all_sent(kit, receiver, told, tell):
    kit.process(*[kit.receive("what now", chat=chat) for chat in range(30)])
    tell()

    assert states(kit) == [("delivered", 1)] * 30
    assert len({headers["Webhook-Id"] for headers, _body in receiver.heard}) == 30


# ---- addresses


def test_an_address_that_says_gone_is_switched_off_and_told_nothing_more(kit, actor, receiver, told, tell):
    receiver.answers = [Response(status=410)]
    kit.say("what now")
    tell()
    kit.say("what now", chat=2)
    tell()

    [row] = webhooks.endpoints(kit.workspace_id)
    assert not row.enabled and "410" in row.off_reason
    assert states(kit) == [("failed", 1)] and len(receiver.heard) == 1
    assert audit.entries(kit.workspace_id, audit.Wanted(noun="webhook"))[0].action == "switch off"

    webhooks.change(actor, row.id, row.url, row.events, row.name, enabled=True)
    kit.say("what now", chat=3)
    tell()

    assert webhooks.endpoint(kit.workspace_id, row.id).off_reason == "" and len(receiver.heard) == 2


def test_what_waits_while_an_address_is_off_is_sent_when_it_is_on_again(kit, actor, receiver, told, tell):
    row, _secret = told
    kit.say("what now")
    webhooks.change(actor, row.id, row.url, row.events, row.name, enabled=False)
    tell()
    assert receiver.heard == []
    webhooks.change(actor, row.id, row.url, row.events, row.name, enabled=True)
    tell()

    assert receiver.types() == ["message.needs_review"]


def test_a_deleted_address_comes_back_with_its_secret(kit, actor, receiver, told, tell):
    row, secret = told
    removed = webhooks.remove(actor, row.id)
    assert webhooks.endpoints(kit.workspace_id) == []
    kit.say("nobody hears")
    webhooks.restore(actor, removed)
    kit.say("what now", chat=2)
    tell()

    assert len(receiver.heard) == 1 and receiver.verified(secret)
    with pytest.raises(NotFound):
        webhooks.endpoint(kit.workspace_id, row.workspace_id)


@pytest.mark.parametrize("status", [301, 400, 404, 503])
def test_any_other_answer_is_tried_again_and_no_redirect_is_followed(kit, receiver, told, tell, status):
    receiver.answers = [Response(status=status, headers={"Location": receiver.url, "Retry-After": "100"})]
    kit.say("what now")
    tell()

    [row] = kit.sql("select status, next_try_at - now() as wait from webhook_event")
    assert row.status == "retrying" and len(receiver.heard) == 1 and row.wait > timedelta(seconds=90)


def test_an_address_inside_the_own_network_is_not_called(kit, actor, receiver, monkeypatch):
    row, _secret = webhooks.add(actor, receiver.url, EVERY_EVENT)
    monkeypatch.setattr(http, "_shared_connections", cache(to_public_hosts))
    monkeypatch.setenv("OCTOPUS_ALLOW_PRIVATE_HOSTS", "false")
    settings.cache_clear()
    try:
        sent = webhooks.send_test(actor, row.id)
        with pytest.raises(InvalidInput, match="https"):
            webhooks.add(actor, "http://example.com/told", EVERY_EVENT)
    finally:
        monkeypatch.undo()
        settings.cache_clear()

    assert sent.status == "failed" and "private" in sent.error and receiver.heard == []


@pytest.mark.parametrize(
    ("url", "events", "field"),
    [
        ("no address", EVERY_EVENT, "url"),
        ("ftp://example.com/x", EVERY_EVENT, "url"),
        ("https://user:pass@example.com/x", EVERY_EVENT, "url"),
        ("https://example.com/x", [], "events"),
        ("https://example.com/x", ["message.deleted"], "events"),
    ],
)
def test_what_cannot_be_told_is_refused_beside_its_field(workspace, actor, url, events, field):
    with pytest.raises(InvalidInput) as refused:
        webhooks.add(actor, url, events)

    assert refused.value.field == field and webhooks.endpoints(workspace) == []


def test_a_test_event_is_sent_at_once_even_to_an_address_that_is_off(actor, receiver, told):
    row, secret = told
    webhooks.change(actor, row.id, row.url, row.events, row.name, enabled=False)
    sent = webhooks.send_test(actor, row.id)

    assert (sent.status, sent.attempts[0]["status"]) == ("delivered", 204)
    assert receiver.verified(secret)["type"] == "webhook.test"


# ---- keeping


def test_events_are_deleted_after_thirty_days(kit, actor, told):
    webhooks.send_test(actor, told[0].id)
    kit.sql("update webhook_event set id = %(old)s", old=first_id_at(now() - timedelta(days=31)))
    webhooks.send_test(actor, told[0].id)

    assert telling.forget_old() >= 1
    [row] = kit.sql("select at from webhook_event")
    assert row.at > now() - timedelta(minutes=1)


def test_the_newest_events_come_first_a_page_at_a_time(kit, actor, told):
    with in_workspace(kit.workspace_id) as session:
        events = [Event(EventType.TASK_CREATED, {"number": number}) for number in range(webhooks.PAGE + 5)]
        store.add(session, kit.workspace_id, [(told[0].id, event) for event in events])
    first = webhooks.page(kit.workspace_id, told[0].id)
    second = webhooks.page(kit.workspace_id, told[0].id, before=first.older)

    assert [row.data["number"] for row in first.lines[:2]] == [54, 53] and first.newer is None
    assert [row.data["number"] for row in second.lines] == [4, 3, 2, 1, 0] and second.older is None
    assert webhooks.page(kit.workspace_id, told[0].id, after=second.newer).lines == first.lines
    assert webhooks.page(kit.workspace_id, told[0].id, failed=True).lines == []

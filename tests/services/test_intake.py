"""From stored requests to planned messages."""

from uuid import uuid4

from app.db import inbox
from app.db.engine import in_workspace
from app.db.tables import RawEvent
from app.db.tables.base import new_id, now
from app.services import intake


def test_the_same_message_under_two_events_is_one_message(kit):
    kit.vendor("jira")
    kit.route("jira")

    kit.process(kit.receive("#bug", message_id=7), kit.receive("#bug", message_id=7))
    kit.say("#bug", message_id=7)

    assert kit.messages() == [("#bug", "routed")]


def test_an_event_processed_twice_changes_nothing(kit):
    kit.vendor("jira")
    kit.route("jira")
    event = kit.receive("#bug")

    kit.process(event)
    kit.process(event)

    assert kit.messages() == [("#bug", "routed")]


def test_without_rules_and_llm_a_message_waits_for_a_person(kit):
    kit.say("It is broken")

    [row] = kit.sql("select status, status_reason from message")
    assert row.status == "needs_review"
    assert "add an LLM account or a rule" in row.status_reason


def test_a_category_no_route_takes_is_ignored_with_the_reason(kit):
    kit.say("#billing Where is my invoice?")

    [row] = kit.sql("select status, status_reason from message")
    assert (row.status, row.status_reason) == ("ignored", "no route takes this category")


def test_a_route_without_a_usable_destination_fails_the_message_visibly(kit):
    kit.route("gone")

    kit.say("#bug")

    [row] = kit.sql("select status, status_reason from message")
    assert row.status == "failed"
    assert "'bugs' has no destination" in row.status_reason


def test_a_burst_becomes_one_task_with_comments(kit):
    kit.join_window(30)
    jira = kit.vendor("jira")
    kit.route("jira")

    kit.process(kit.receive("#bug It crashed"), kit.receive("#bug And again"), kit.receive("#bug Third time"))
    kit.deliver()

    assert len(jira.tasks) == 1
    assert sorted(text for _, text in jira.comments) == ["Ann: #bug And again", "Ann: #bug Third time"]


def test_a_message_that_joins_before_the_task_exists_is_added_once_it_does(kit):
    from app.domain.errors import TransientError

    kit.join_window(30)
    jira = kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")
    kit.say("#bug It crashed")
    kit.say("#bug And again")
    assert (len(jira.tasks), jira.comments) == (0, [])

    for _ in range(2):
        kit.make_due()
        kit.deliver()

    assert (len(jira.tasks), len(jira.comments)) == (1, 1)


def test_another_conversation_or_category_gets_its_own_task(kit):
    kit.join_window(30)
    jira = kit.vendor("jira")
    kit.route("jira", when={})

    kit.say("#bug", chat=1)
    kit.say("#bug", chat=2)
    kit.say("#billing", chat=1)

    assert (len(jira.tasks), jira.comments) == (3, [])


def test_after_the_joining_window_a_new_task_is_made(kit):
    kit.join_window(30)
    jira = kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug")
    kit.sql("update task set last_message_at = now() - interval '31 minutes'")

    kit.say("#bug")

    assert len(jira.tasks) == 2


def test_an_edit_changes_the_text_and_makes_no_second_task(kit):
    jira = kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug It crashd", message_id=7)

    edited = {
        "message_id": 7, "date": 1_790_000_000, "edit_date": 1_790_000_060, "text": "#bug It crashed",
        "chat": {"id": 1, "type": "private"}, "from": {"id": 1, "is_bot": False, "first_name": "Ann"},
    }  # fmt: skip
    kit.say("", message_id=8, message=None, edited_message=edited)

    assert kit.messages() == [("#bug It crashed", "routed")]
    assert len(jira.tasks) == 1


def test_a_body_nobody_can_read_is_kept_and_marked_without_failing_its_neighbours(kit):
    with in_workspace(kit.workspace_id) as session:
        broken = RawEvent(
            workspace_id=kit.workspace_id,
            bot_id=kit.bot_id,
            event_key=uuid4().hex,
            body=b"\x00\xed\xa0\x80" + b"[" * 50,
        )
        session.add(broken)

    kit.process(broken.id, kit.receive("hello"))

    [row] = kit.sql("select status, body, reason from raw_event where id = %(id)s", id=broken.id)
    assert (row.status, bytes(row.body)[:4]) == ("failed", b"\x00\xed\xa0\x80")
    assert row.reason
    assert [text for text, _ in kit.messages()] == ["hello"]


def test_text_postgresql_refuses_is_stored_readably(kit):
    kit.say("nul \x00 here")

    assert [text for text, _ in kit.messages()] in (["nul \ufffd here"], ["nul  here"])


def test_a_service_event_is_kept_with_the_reason(kit):
    kit.say("", message=None, my_chat_member={"chat": {"id": 1, "type": "private"}, "date": 1, "from": {"id": 1}})

    [row] = kit.sql("select status, reason from raw_event")
    assert (row.status, row.reason) == ("ignored", "membership")


def test_a_message_whose_worker_died_is_taken_over_when_its_lease_runs_out(kit):
    kit.vendor("jira")
    kit.route("jira")
    with in_workspace(kit.workspace_id) as session:  # a worker stores and leases the message, and is killed
        config = intake.configuration.current(kit.workspace_id, session)
        intake._store(session, config, inbox.claim_events(session, [kit.receive("#bug")]))
    [message] = kit.sql("select id from message")

    intake.classify_again(kit.workspace_id, [message.id])
    assert kit.messages() == [("#bug", "received")]  # the lease still holds
    kit.sql("update message set next_try_at = now()")
    intake.classify_again(kit.workspace_id, [message.id])

    from app.services.pool import pool

    assert pool().drain(20)
    assert kit.messages() == [("#bug", "routed")]


def test_two_workers_cannot_take_over_one_message(kit):
    kit.say("#bug")
    kit.sql("update message set status = 'received', next_try_at = now()")
    ids = [row.id for row in kit.sql("select id from message")]

    with in_workspace(kit.workspace_id) as one, in_workspace(kit.workspace_id) as other:
        claims = [len(inbox.claim_messages(session, ids, new_id(), now())) for session in (one, other)]

    assert claims == [1, 0]

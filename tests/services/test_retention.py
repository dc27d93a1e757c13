"""Deleting what is too old, and everything about one contact, and nothing that is not finished."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from app.db import retention as rows
from app.db.engine import in_workspace
from app.db.tables import RawEvent
from app.db.tables.base import now
from app.domain.errors import Ambiguous, Forbidden, InvalidInput, NotFound, Rejected, TransientError
from app.services import audit, learning, replay, retention, review
from app.services.learning import LocalSettings
from app.services.members import Actor, Role
from tests.kit import Kit, with_photo

SECRET = "zanzibar"  # stands in everything the customer wrote
WORDS_ANYWHERE = ("message", "attachment", "raw_event", "contact", "conversation", "task", "delivery", "attempt",
                  "customer_reply", "remote_comment", "classification", "timeline_entry", "review_hold")  # fmt: skip
ALL = {"raw_events": 30, "texts": 30, "exchanges": 30, "timeline": 30, "audit": 30}


@pytest.fixture
def owner(kit):
    return Actor(uuid4(), "mia@acme.test", Role.OWNER, kit.workspace_id)


@pytest.fixture
def busy(kit: Kit):
    """Four messages: delivered, in review, refused by the vendor, and waiting for a vendor that is away."""
    vendor = kit.vendor("jira")
    kit.route("jira")
    kit.say(f"#bug {SECRET} delivered")
    vendor.script.append(Rejected("The content was refused."))
    kit.say(f"#bug {SECRET} refused", chat=2)
    vendor.script.append(TransientError("Down for maintenance."))
    kit.say(f"#bug {SECRET} waiting", chat=3)
    kit.say(f"{SECRET} in review", chat=4)
    assert [status for _place, status in kit.states()] == ["delivered", "failed", "retrying"]
    return kit


def age(kit: Kit, days: int = 31) -> None:
    """Let everything have happened so long ago."""
    old = {"days": days}
    for table, column in (("message", "received_at"), ("raw_event", "received_at"), ("attempt", "started_at"),
                          ("timeline_entry", "at")):  # fmt: skip
        kit.sql(f"update {table} set {column} = {column} - make_interval(days => %(days)s)", **old)


def where_it_stands(kit: Kit, words: str) -> list[str]:
    """The tables in which the words are found."""
    found = []
    for table in WORDS_ANYWHERE:
        text = "encode(t.body, 'escape') || t::text" if table == "raw_event" else "t::text"
        if kit.sql(f"select from {table} t where {text} ilike %(words)s", words=f"%{words}%"):
            found.append(table)
    return found


# ---- limits


def test_everything_is_kept_for_ever_until_somebody_says_otherwise(busy):
    age(busy, 4000)

    assert retention.settings(busy.workspace_id) == dict.fromkeys(ALL)
    assert retention.delete_old(busy.workspace_id) == {}
    assert len([text for text, _status in busy.messages() if SECRET in text]) == 4


def test_texts_go_of_what_is_finished_and_of_nothing_else(busy, owner):
    retention.save(owner, {"texts": 30})
    age(busy)

    assert retention.would_delete(busy.workspace_id, {"texts": 30}) == {"texts": 1}
    assert retention.delete_old(busy.workspace_id) == {"texts": 1}

    assert [text for text, _status in busy.messages()] == [
        "", f"#bug {SECRET} refused", f"#bug {SECRET} waiting", f"{SECRET} in review"
    ]  # fmt: skip
    assert retention.delete_old(busy.workspace_id) == {"texts": 0}


def test_a_refused_task_that_is_cancelled_and_a_decided_message_are_finished(busy, owner):
    retention.save(owner, {"texts": 30})
    [failed] = busy.sql("select id from delivery where status = 'failed'")
    replay.cancel(owner, [failed.id])
    [waiting] = busy.sql("select id from message where status = 'needs_review'")
    review.decide(owner, waiting.id, None)
    age(busy)

    assert retention.delete_old(busy.workspace_id) == {"texts": 3}


def test_what_is_young_enough_stays(busy, owner):
    retention.save(owner, ALL)
    age(busy, 29)

    assert set(retention.delete_old(busy.workspace_id).values()) == {0}
    assert retention.would_delete(busy.workspace_id, ALL) == dict.fromkeys(ALL, 0)


def test_no_word_of_a_cleared_message_stands_anywhere_and_its_task_is_still_known(kit, owner):
    kit.vendor("jira")
    kit.route("jira", when={"category": ["bug"]})
    kit.process(kit.receive("", message=with_photo(f"#bug {SECRET}")))
    kit.sql("update attempt set exchanges = jsonb_build_array(%(words)s::text)", words=SECRET)
    [before] = kit.sql("select ref_id, ref_url, status from delivery")
    retention.save(owner, {"texts": 30})
    age(kit)
    assert {"message", "raw_event", "task", "attempt"} <= set(where_it_stands(kit, SECRET))

    retention.delete_old(kit.workspace_id)

    assert where_it_stands(kit, SECRET) == []
    assert kit.sql("select ref_id, ref_url, status from delivery") == [before]
    assert kit.sql("select status, category_id is not null from message") == [("routed", True)]
    assert kit.sql("select id from attachment") == []


@pytest.mark.parametrize(
    ("data", "table", "kept"), [("raw_events", "raw_event", 0), ("timeline", "timeline_entry", None)]
)
def test_old_rows_are_deleted_in_batches_up_to_a_bound(busy, owner, monkeypatch, data, table, kept):
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    retention.save(owner, {data: 30})
    age(busy)
    [(before,)] = busy.sql(f"select count(*) from {table}")
    expected = retention.would_delete(busy.workspace_id, {data: 30})[data]

    assert retention.delete_old(busy.workspace_id) == {data: 2}
    deleted = 2
    while batch := retention.delete_old(busy.workspace_id)[data]:
        deleted += batch

    [(after,)] = busy.sql(f"select count(*) from {table}")
    assert (deleted, before - after) == (expected, expected)
    assert kept is None or after == kept


def test_the_timeline_and_the_exchanges_of_what_is_not_finished_stay(busy, owner):
    busy.sql("update attempt set exchanges = '[{}]'")
    retention.save(owner, {"timeline": 30, "exchanges": 30})
    age(busy)

    assert retention.delete_old(busy.workspace_id)["exchanges"] == 1
    left = busy.sql("select d.status from attempt a join delivery d on d.id = a.delivery_id where a.exchanges <> '[]'")
    told = busy.sql("select m.text from timeline_entry e join message m on m.id = e.message_id")
    assert {row.status for row in left} == {"failed", "retrying"}
    assert {row.text for row in told} == {f"#bug {SECRET} refused", f"#bug {SECRET} waiting", f"{SECRET} in review"}


def test_a_request_nobody_has_processed_stays(kit, owner):
    kit.receive("hello")
    retention.save(owner, {"raw_events": 1})
    age(kit)

    assert retention.delete_old(kit.workspace_id) == {"raw_events": 0}


def test_old_entries_of_the_audit_log_go(kit, owner):
    retention.save(owner, {"audit": 30})
    with in_workspace(kit.workspace_id) as session:
        audit.record(session, "x@acme.test", kit.workspace_id, "change", "route", "old")
    old_id = rows.first_id_at(now() - timedelta(days=31))
    kit.sql("update audit_entry set id = %(id)s where key = 'old'", id=old_id)

    assert retention.would_delete(kit.workspace_id, {"audit": 30}) == {"audit": 1}
    assert retention.delete_old(kit.workspace_id) == {"audit": 1}
    assert [entry.noun for entry in audit.entries(kit.workspace_id, audit.Wanted())] == ["retention"]


def test_the_job_deletes_only_where_a_limit_is_set(busy, owner, neighbour):
    retention.save(owner, {"texts": 30})
    age(busy)

    retention.run()
    assert [text for text, _status in busy.messages()].count("") == 1
    retention.save(owner, {})
    age(busy)
    busy.sql("update delivery set status = 'cancelled'")

    retention.run()

    assert [text for text, _status in busy.messages()].count("") == 1


def test_a_run_begins_nothing_after_its_time(busy, owner, monkeypatch):
    retention.save(owner, {"texts": 30})
    age(busy)
    monkeypatch.setattr(retention, "RUN_S", -1.0)

    retention.run()

    assert [text for text, _status in busy.messages()].count("") == 0


def test_a_change_of_limits_is_audited_and_the_same_again_is_not(kit, owner):
    retention.save(owner, {"texts": 90})
    retention.save(owner, {"texts": 90})
    retention.save(owner, {"texts": 60})

    found = audit.entries(kit.workspace_id, audit.Wanted(noun="retention"))
    assert [(entry.before["texts"], entry.after["texts"]) for entry in found] == [(90, 60), (None, 90)]
    assert retention.settings(kit.workspace_id)["texts"] == 60


@pytest.mark.parametrize("limits", [{"texts": 0}, {"audit": 29}, {"timeline": 3651}, {"raw_events": -1}])
def test_limits_that_cannot_be_name_their_class(kit, owner, limits):
    with pytest.raises(InvalidInput) as refused:
        retention.save(owner, limits)

    assert refused.value.field == next(iter(limits))


def test_only_owners_set_limits_and_only_managers_erase(kit):
    manager, agent = (Actor(uuid4(), "x@acme.test", role, kit.workspace_id) for role in (Role.MANAGER, Role.AGENT))

    with pytest.raises(Forbidden):
        retention.save(manager, {"texts": 30})
    with pytest.raises(Forbidden):
        retention.erase_contact(agent, uuid4())


def test_other_settings_of_the_workspace_stay(kit, owner):
    learning.save_settings(owner, LocalSettings(audit_share=0.07))

    retention.save(owner, {"texts": 30})
    retention.save(owner, {})

    assert learning.settings(kit.workspace_id).audit_share == 0.07


def test_the_model_does_not_learn_from_a_text_that_is_gone(kit, owner):
    kit.say("mein Bildschirm bleibt schwarz")
    [message] = kit.sql("select id from message")
    review.decide(owner, message.id, "bug")
    retention.save(owner, {"texts": 30})
    age(kit)
    retention.delete_old(kit.workspace_id)
    learning.learner.cache_clear()

    kit.process(kit.receive("", chat=2))

    assert kit.sql("select source from classification order by id desc limit 1")[0].source != "memory"


# ---- one contact


def contact_of(kit: Kit, chat: int):
    return kit.sql("select id from contact where external_id = %(id)s", id=str(chat))[0].id


@pytest.fixture
def two(kit):
    """Two contacts; the first has a delivered task, and messages in review, failed to be sent, and with a photo."""
    vendor = kit.vendor("jira")
    kit.route("jira")
    kit.say(f"#bug {SECRET} one")
    vendor.script.append(Rejected("Refused."))
    kit.say(f"#bug {SECRET} two")
    kit.say(f"what about {SECRET}?")
    kit.process(kit.receive("", message=with_photo(f"{SECRET} photo")))
    kit.say("#bug of somebody else", chat=2)
    return kit


def test_nothing_of_an_erased_contact_is_left_but_the_refs_of_their_tasks(two, owner):
    contact = contact_of(two, 1)
    refs = two.sql("select ref_id, ref_url from delivery where status = 'delivered'")

    done = retention.erase_contact(owner, contact)

    assert (done.messages, done.waiting) == (4, False)
    assert where_it_stands(two, SECRET) == []
    mine = two.sql("select * from message where contact_id = %(id)s", id=contact)
    assert {(row.text, row.title, row.external_id[:7]) for row in mine} == {("", "", "erased:")}
    [person] = two.sql("select name, external_id, tags from contact where id = %(id)s", id=contact)
    assert (person.name, person.external_id, person.tags) == ("", f"erased:{contact}", [])
    assert two.sql("select ref_id, ref_url from delivery where status = 'delivered'") == refs
    assert len(refs) == 2


def test_what_was_not_sent_is_cancelled_and_what_waits_in_review_needs_nobody(two, owner):
    retention.erase_contact(owner, contact_of(two, 1))

    assert two.states() == [("jira", "delivered"), ("jira", "cancelled"), ("jira", "delivered")]
    assert {status for text, status in two.messages() if not text} == {"routed", "ignored"}


def test_other_people_are_not_touched(two, owner):
    other = two.sql("select * from message where contact_id = %(id)s", id=contact_of(two, 2))

    retention.erase_contact(owner, contact_of(two, 1))

    assert two.sql("select * from message where contact_id = %(id)s", id=contact_of(two, 2)) == other
    assert two.sql("select external_id from conversation where external_id not like 'erased:%%'") != []


def test_a_group_keeps_its_conversation_while_somebody_else_wrote_in_it(two, owner):
    [first], [second] = (
        two.sql("select conversation_id as id from message where contact_id = %(id)s limit 1", id=contact_of(two, chat))
        for chat in (1, 2)
    )
    two.sql("update message set conversation_id = %(to)s where conversation_id = %(id)s", to=second.id, id=first.id)

    retention.erase_contact(owner, contact_of(two, 1))

    [kept] = two.sql("select external_id, chat_id from conversation where id = %(id)s", id=second.id)
    assert (kept.external_id, kept.chat_id) == ("2", "2")


def test_a_webhook_that_comes_again_brings_nothing_back(two, owner):
    event = two.sql("select * from raw_event order by id limit 1")[0]
    retention.erase_contact(owner, contact_of(two, 1))

    again = RawEvent(workspace_id=two.workspace_id, bot_id=two.bot_id, event_key=event.event_key, body=b"{}")
    with (
        pytest.raises(IntegrityError, match="uq_raw_event_bot_id_event_key"),
        in_workspace(two.workspace_id) as session,
    ):
        session.add(again)


def test_somebody_erased_who_writes_again_is_somebody_new(two, owner):
    old = contact_of(two, 1)
    retention.erase_contact(owner, old)

    two.say("#bug hello again", chat=1)

    assert contact_of(two, 1) != old
    assert ("#bug hello again", "routed") in two.messages()


def test_a_task_that_is_being_looked_for_is_erased_when_it_has_ended(kit, owner):
    vendor = kit.vendor("jira")
    kit.route("jira")
    vendor.script.append(Ambiguous("Cut off."))
    kit.say(f"#bug {SECRET}")
    kit.say(f"{SECRET} as well")
    contact = contact_of(kit, 1)
    assert kit.states() == [("jira", "unknown")]

    done = retention.erase_contact(owner, contact)
    assert (done.messages, done.waiting) == (1, True)
    assert "message" in where_it_stands(kit, SECRET)
    kit.make_due()
    kit.deliver()
    retention.run()

    assert kit.states() == [("jira", "delivered")]
    assert where_it_stands(kit, SECRET) == []


def test_an_erasure_is_finished_only_when_nothing_can_arrive_any_more(two, owner):
    contact = contact_of(two, 1)
    retention.erase_contact(owner, contact)
    retention.run()
    assert two.sql("select erased_at from contact where id = %(id)s", id=contact)[0].erased_at is None
    two.sql("update contact set erasure_asked_at = now() - interval '11 minutes' where id = %(id)s", id=contact)

    retention.run()

    assert two.sql("select erased_at from contact where id = %(id)s", id=contact)[0].erased_at


def test_many_messages_are_erased_in_batches(two, owner, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)

    assert retention.erase_contact(owner, contact_of(two, 1)).messages == 4
    assert where_it_stands(two, SECRET) == []


def test_an_erasure_is_audited_without_naming_the_person(two, owner):
    contact = contact_of(two, 1)
    retention.erase_contact(owner, contact)

    [entry] = audit.entries(two.workspace_id, audit.Wanted(noun="contact"))
    assert (entry.actor, entry.action, entry.key, entry.after) == (owner.email, "erase", str(contact), {"messages": 4})
    assert "erased" in two.events()


def test_the_model_is_fitted_anew_without_what_was_erased(two, owner):
    [message] = two.sql("select id from message where text like 'what about%%'")
    review.decide(owner, message.id, "bug")
    with in_workspace(two.workspace_id) as session:
        learning.store.add_version(session, learning.ModelVersion(
            workspace_id=two.workspace_id, weights=b"", thresholds={}, created_at=now()), 3)  # fmt: skip
        assert not learning.store.erased_since_fitting(session, two.workspace_id)

    retention.erase_contact(owner, contact_of(two, 1))

    with in_workspace(two.workspace_id) as session:
        assert learning.store.erased_since_fitting(session, two.workspace_id)
        assert learning.store.corrections(session, two.workspace_id, learning.store.FIRST, 10) == []


def test_contacts_are_found_by_the_beginning_of_their_name_or_their_id(two):
    two.sql("update contact set name = 'Zoë 100%% Li' where external_id = '2'", id=2)

    def found(words: str) -> list[str]:
        return [contact.external_id for contact in retention.find_contacts(two.workspace_id, words)]

    assert [found(words) for words in ("zoë", "Zoë 100%", "2", "ann", "an", "li", "%", "", "nobody")] == [
        ["2"], ["2"], ["2"], ["1"], ["1"], [], [], [], []
    ]  # fmt: skip


def test_what_stands_at_vendors_is_named_before_an_erasure(two):
    contact, messages, addresses = retention.about_contact(two.workspace_id, contact_of(two, 1))

    assert (contact.name, messages, len(addresses)) == ("Ann", 4, 1)
    assert addresses[0].startswith("https://vendor.test/")


def test_a_contact_of_another_workspace_is_not_erased(two, neighbour):
    with pytest.raises(NotFound):
        retention.erase_contact(neighbour, contact_of(two, 1))

    assert SECRET in str(two.messages())

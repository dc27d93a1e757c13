"""Exactly one task, whatever the vendor does."""

import json

from app.db import work
from app.db.engine import in_workspace
from app.db.tables.base import new_id
from app.domain.breaker import FAILURES_TO_OPEN, SECONDS_TO_OPEN
from app.domain.errors import Ambiguous, Rejected, TransientError, Unauthorized
from app.domain.retry import TRIES_BEFORE_FAILOVER
from app.domain.tasks import Capability
from app.domain.templates import NAMES
from app.services import sweep
from app.services.pool import LEASE
from tests.kit import PLAIN, after_commit, with_photo


def test_a_classified_message_becomes_one_task(kit):
    jira = kit.vendor("jira")
    kit.route("jira")

    kit.say("#bug It crashed")

    [[task]] = jira.tasks.values()
    assert (task.category, task.title) == ("bug", "#bug It crashed")
    assert kit.states() == [("jira", "delivered")]
    assert kit.events() == ["received", "classified", "routed", "delivery_delivered"]


def test_every_name_a_field_mapping_may_use_is_filled_in(kit):
    jira = kit.vendor("jira")
    kit.sql("update destination set fields = %(fields)s", fields=json.dumps({name: f"<{{{name}}}>" for name in NAMES}))
    kit.route("jira")

    kit.say("#bug It crashed", **{"message": with_photo("#bug It crashed")})

    [[task]] = jira.tasks.values()
    assert not [name for name, text in task.fields.items() if "{" in text]
    assert (task.fields["bot"], task.fields["contact.name"], task.fields["channel"]) == ("<tg>", "<Ann>", "<telegram>")
    assert [(one.name, one.url == task.link) for one in task.attachments] == [("image", True)]


def test_a_tag_set_by_a_rule_stays_with_the_contact_and_later_rules_see_it(kit):
    jira = kit.vendor("jira")
    kit.route("jira")
    kit.rule("vip", {"text_contains": "contract"}, {"tag": "vip"}, go_on=True)
    kit.rule("vip-bug", {"contact_tag": ["vip"]}, {"category": "bug"})

    kit.say("#billing about our contract")
    kit.say("nothing a rule knows")

    assert [row.tags for row in kit.sql("select tags from contact")] == [["vip"]]
    assert [task.category for [task] in jira.tasks.values()] == ["bug"]


def test_a_busy_vendor_is_tried_again_and_gets_one_task(kit):
    jira = kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")

    kit.say("#bug")
    assert kit.states() == [("jira", "retrying")]
    kit.make_due()
    kit.deliver()

    assert [len(made) for made in jira.tasks.values()] == [1]
    assert kit.states() == [("jira", "delivered")]


def test_a_task_whose_answer_was_lost_is_found_and_adopted(kit):
    jira = kit.vendor("jira", script=[after_commit(Ambiguous("cut"))])
    kit.route("jira")

    kit.say("#bug")
    assert kit.states() == [("jira", "unknown")]
    kit.make_due()
    kit.deliver()

    assert [len(made) for made in jira.tasks.values()] == [1]
    assert (jira.searches, kit.states()) == (1, [("jira", "delivered")])


def test_a_task_that_was_not_made_is_made_after_looking(kit):
    jira = kit.vendor("jira", script=[Ambiguous("cut before")])
    kit.route("jira")

    kit.say("#bug")
    kit.make_due()
    kit.deliver()

    assert (jira.searches, [len(made) for made in jira.tasks.values()]) == (1, [1])


def test_a_search_that_lags_is_asked_twice_before_a_second_task_could_be_made(kit):
    lagging = PLAIN | {Capability.FIND_LAGS}
    jira = kit.vendor("jira", script=[after_commit(Ambiguous("cut"))], can=lagging, hidden_searches=1)
    kit.route("jira")

    kit.say("#bug")
    for _ in range(2):
        kit.make_due()
        kit.deliver()

    assert (jira.searches, [len(made) for made in jira.tasks.values()]) == (2, [1])
    assert kit.states() == [("jira", "delivered")]


def test_a_vendor_with_an_idempotency_key_is_simply_asked_again(kit):
    lark = kit.vendor("lark", script=[after_commit(Ambiguous("cut"))], can=frozenset({Capability.IDEMPOTENT_CREATE}))
    kit.route("lark")

    kit.say("#bug")
    kit.make_due()
    kit.deliver()

    assert (lark.searches, [len(made) for made in lark.tasks.values()]) == (0, [1])


def test_a_refused_task_goes_to_the_next_destination_at_once(kit):
    jira, notion = kit.vendor("jira", script=[Rejected("field 'due'")]), kit.vendor("notion")
    kit.route("jira", "notion")

    kit.say("#bug")

    assert (len(jira.tasks), len(notion.tasks)) == (0, 1)
    assert kit.states() == [("jira", "cancelled"), ("notion", "delivered")]
    [handed_on] = kit.sql("select data from timeline_entry where event = 'delivery_cancelled'")
    assert (handed_on.data["cause"], handed_on.data["failed_over_to"]) == ("rejected", "notion")


def test_an_uncertain_task_is_never_handed_on_before_it_was_looked_for(kit):
    jira = kit.vendor("jira", script=[after_commit(Ambiguous("cut")), TransientError("down")])
    notion = kit.vendor("notion")
    kit.route("jira", "notion")

    kit.say("#bug")
    for _ in range(4):
        kit.make_due()
        kit.deliver()

    assert (len(jira.tasks), len(notion.tasks)) == (1, 0)


def test_an_idempotent_vendor_that_stays_down_after_an_uncertain_end_keeps_its_task(kit):
    down = [TransientError("down") for _ in range(5)]
    lark = kit.vendor(
        "lark", script=[after_commit(Ambiguous("cut")), *down], can=frozenset({Capability.IDEMPOTENT_CREATE})
    )
    notion = kit.vendor("notion")
    kit.route("lark", "notion")

    kit.say("#bug")
    for _ in range(7):
        kit.make_due()
        kit.deliver()

    assert ([len(made) for made in lark.tasks.values()], len(notion.tasks)) == ([1], 0)
    assert kit.states() == [("lark", "delivered")]


def test_a_vendor_that_stays_busy_hands_its_task_on(kit):
    jira = kit.vendor("jira", script=[TransientError("down") for _ in range(20)])
    notion = kit.vendor("notion")
    kit.route("jira", "notion")

    kit.say("#bug")
    for _ in range(TRIES_BEFORE_FAILOVER - 1):
        assert len(notion.tasks) == 0
        kit.make_due()
        kit.deliver()

    assert (len(jira.tasks), len(notion.tasks)) == (0, 1)


def test_parallel_destinations_succeed_and_fail_each_for_itself(kit):
    jira, notion = kit.vendor("jira", script=[TransientError("down")]), kit.vendor("notion")
    kit.route("jira", "notion", strategy="parallel")

    kit.say("#bug")
    kit.deliver()
    assert sorted(kit.states()) == [("jira", "retrying"), ("notion", "delivered")]
    kit.make_due()
    kit.deliver()

    assert [len(made) for vendor in (jira, notion) for made in vendor.tasks.values()] == [1, 1]


def test_dead_credentials_park_deliveries_and_nothing_more_is_sent(kit):
    jira = kit.vendor("jira", script=[Unauthorized("The token was revoked.")])
    kit.route("jira")

    kit.say("#bug one")
    kit.say("#bug two")

    assert kit.states() == [("jira", "retrying"), ("jira", "retrying")]
    assert len(jira.tasks) == 0
    [health] = kit.sql("select parked_reason from destination_health")
    assert "revoked" in health.parked_reason


def test_a_connector_that_breaks_ends_as_a_failure_somebody_sees(kit):
    kit.vendor("jira", script=[ZeroDivisionError()])
    kit.route("jira")

    kit.say("#bug")

    [row] = kit.sql("select status, cause, error from delivery")
    assert (row.status, row.cause) == ("failed", "broken")
    assert "Replay" in row.error


def test_a_worker_that_died_while_sending_leaves_an_unknown_that_is_looked_for(kit):
    jira = kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")
    kit.say("#bug")
    kit.make_due()
    with in_workspace(kit.workspace_id) as session:  # a worker claims the delivery, and is killed
        [claimed] = work.claim(session, [row.id for row in kit.sql("select id from delivery")], new_id(), LEASE)
    kit.sql("update delivery set next_try_at = now() - interval '1 second'")

    sweep.sweep()
    assert kit.states() == [("jira", "unknown")]
    kit.deliver()

    assert (jira.searches, [len(made) for made in jira.tasks.values()]) == (1, [1])
    assert [row.outcome for row in kit.sql("select outcome from attempt order by id")] == [
        "retrying",
        "lost",
        "delivered",
    ]


def test_a_claim_that_was_taken_over_cannot_save_its_result(kit):
    jira = kit.vendor("jira")
    kit.route("jira")

    def lose_the_lease():
        kit.sql("update delivery set lease_token = gen_random_uuid()")

    jira.before = lose_the_lease
    kit.say("#bug")

    assert kit.states() == [("jira", "sending")]
    assert [row.outcome for row in kit.sql("select outcome from attempt")] == ["superseded"]


def test_two_workers_cannot_claim_one_delivery(kit):
    kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")
    kit.say("#bug")
    kit.make_due()
    ids = [row.id for row in kit.sql("select id from delivery")]

    with in_workspace(kit.workspace_id) as one, in_workspace(kit.workspace_id) as other:
        claims = [len(work.claim(session, ids, new_id(), LEASE)) for session in (one, other)]

    assert claims == [1, 0]


def failing_for_a_while(kit, **options):
    """A destination that failed so long and so often that the next failure opens its circuit."""
    vendor = kit.vendor("jira", script=[TransientError("down") for _ in range(50)], **options)
    since = SECONDS_TO_OPEN + 1
    kit.sql(
        "insert into destination_health (destination_id, workspace_id, failures, failing_since, pauses, last_error, "
        "parked_reason) select id, workspace_id, %(failures)s, now() - %(since)s * interval '1 second', 0, '', '' "
        "from destination where key = 'jira'",
        failures=FAILURES_TO_OPEN - 1, since=since,
    )  # fmt: skip
    return vendor


def test_after_failing_for_a_while_nobody_calls_until_the_pause_is_over(kit):
    jira = failing_for_a_while(kit)
    kit.route("jira")

    for number in range(4):
        kit.say(f"#bug {number}")

    assert len(jira.script) == 49
    assert [row.cause for row in kit.sql("select cause from delivery order by id")] == ["busy"] + ["circuit_open"] * 3


def test_an_open_circuit_hands_new_tasks_on_at_once_and_the_primary_is_asked_again_after_the_pause(kit):
    jira = failing_for_a_while(kit)
    notion = kit.vendor("notion")
    kit.route("jira", "notion")
    kit.say("#bug one")

    kit.say("#bug two")
    assert len(notion.tasks) == 1
    jira.script.clear()
    kit.make_due()
    kit.say("#bug three")

    assert (len(jira.tasks), len(notion.tasks)) == (1, 1)

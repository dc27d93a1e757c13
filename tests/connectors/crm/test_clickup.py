"""What is true of ClickUp only."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from pydantic import ValidationError

from app.domain.classification import Priority
from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, TransientError, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Person, RemoteComment, RemoteField, Target, TaskRef, TaskStatus
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.clickup import CASE, CLICKUP_TASK, LIST, SPACE, TEAM, refused

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/clickup/openapi.yaml"
THE_LIST, THE_TASK = f"/api/v2/list/{LIST}", f"/api/v2/task/{CLICKUP_TASK['id']}"
TASKS, CUSTOM = ("GET", f"{THE_LIST}/task"), ("GET", f"{THE_LIST}/field")
HOOKS = f"/api/v2/team/{TEAM}/webhook"
SCORE, SEEN, TIER, WORDS, WHEN, WHO, NOTE, SUM = (f"0a52c486-5f05-403b-b4fd-00000000000{n}" for n in range(8))
CUSTOM_FIELDS = [
    {"id": SCORE, "name": "Score", "type": "number"},
    {"id": SEEN, "name": "Seen", "type": "checkbox"},
    {"id": TIER, "name": "Tier", "type": "drop_down", "type_config": {"options": [{"id": "o1", "name": "Gold"}]}},
    {"id": WORDS, "name": "Words", "type": "labels", "type_config": {"options": [{"id": "l1", "label": "New"}]}},
    {"id": WHEN, "name": "When", "type": "date"},
    {"id": WHO, "name": "Who", "type": "users"},
    {"id": NOTE, "name": "Note", "type": "short_text"},
    {"id": SUM, "name": "Sum", "type": "formula"},
]
STATUSES = [
    {"status": "Neu", "type": "open"}, {"status": "Dran", "type": "custom"},
    {"status": "Abgelehnt", "type": "done"}, {"status": "Fertig", "type": "closed"},
]  # fmt: skip
NOW = 1_796_000_000.0


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def requests_of(there):
    return [request for request, _ in there.server.log]


def created(there, task=TASK):
    there.answers(CASE.create, CASE.created)
    there.connector().create(task)
    return there.sent(CASE.create)[-1]


def task(**more):
    return CLICKUP_TASK | {"list": {"id": LIST}} | more


# ---- creating and updating


def test_the_personal_token_travels_as_it_is(vendor):
    there = vendor("clickup")

    created(there)

    (request,) = requests_of(there)
    assert request.headers["Authorization"] == SECRET


def test_a_task_gets_due_date_priority_assignee_tags_link_and_key(vendor):
    made = created(vendor("clickup"), replace(TASK, assignee="182"))

    assert made["name"] == TASK.title
    assert (made["due_date"], made["due_date_time"]) == (1_796_117_400_000, True)
    assert made["priority"] == 2
    assert made["assignees"] == [182]
    assert made["tags"] == ["bug"]
    assert "screen.png: https://files.example/screen.png" in made["description"]
    assert made["description"].endswith(f"\n\noctopus-{KEY}")


@pytest.mark.parametrize(
    ("priority", "number"), [(Priority.URGENT, 1), (Priority.HIGH, 2), (Priority.NORMAL, 3), (Priority.LOW, 4)]
)
def test_priorities_become_clickups_numbers(priority, number, vendor):
    assert created(vendor("clickup"), replace(TASK, priority=priority))["priority"] == number


def test_a_day_without_time_is_its_noon_so_that_no_time_zone_moves_it(vendor):
    made = created(vendor("clickup"), mapped(due_date="2026-12-01", start_date="2026-11-30T09:00:00+01:00"))

    assert (made["due_date"], made["due_date_time"]) == (1_796_126_400_000, False)
    assert datetime.fromtimestamp(made["due_date"] / 1000, UTC) == datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert datetime.fromtimestamp(made["start_date"] / 1000, UTC) == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert made["start_date_time"] is True


def test_a_field_mapped_to_nothing_is_left_out(vendor):
    made = created(vendor("clickup"), mapped(due_date="", tags="", priority="", description="Short", points="3"))

    assert not {"due_date", "due_date_time", "tags", "priority", "assignees", "status"} & set(made)
    assert made["description"] == f"Short\n\noctopus-{KEY}"
    assert made["points"] == 3


def test_a_description_in_markdown_takes_the_place_of_the_plain_one_and_carries_the_key(vendor):
    made = created(vendor("clickup"), mapped(markdown_content="**Hi**", status="Dran", priority="Urgent"))

    assert made["markdown_content"] == f"**Hi**\n\noctopus-{KEY}"
    assert "description" not in made
    assert (made["status"], made["priority"]) == ("Dran", 1)


def test_custom_fields_are_created_in_their_own_shapes(vendor):
    there = vendor("clickup")
    there.answers(CUSTOM, {"fields": CUSTOM_FIELDS})
    fields = {
        SCORE: "3.5", SEEN: "Yes", TIER: "gold", WORDS: "new", WHEN: "2026-12-01T09:30:00Z", WHO: "182, 183",
        NOTE: "Hi 😀",
    }  # fmt: skip

    made = created(there, mapped(**fields))

    assert made["custom_fields"] == [
        {"id": SCORE, "value": 3.5}, {"id": SEEN, "value": True}, {"id": TIER, "value": "o1"},
        {"id": WORDS, "value": ["l1"]},
        {"id": WHEN, "value": 1_796_117_400_000, "value_options": {"time": True}},
        {"id": WHO, "value": {"add": [182, 183]}}, {"id": NOTE, "value": "Hi 😀"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope", "x"), (SUM, "1"), (SCORE, "many"), (SEEN, "perhaps"), (TIER, "Silver"), (WORDS, "new, old"),
        (WHEN, "tomorrow"), (WHO, "Ann"), ("assignees", "ann@example.com"), ("due_date", "soon"),
        ("priority", "very"), ("points", "some"),
    ],
)  # fmt: skip
def test_nothing_is_sent_when_a_field_cannot_take_its_value(name, text, vendor):
    there = vendor("clickup")
    there.answers(CUSTOM, {"fields": CUSTOM_FIELDS})
    there.answers(CASE.create, CASE.created)

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name and f"'{name}'" in str(caught.value)
    assert there.sent(CASE.create) == []


def test_an_update_adds_the_assignee_sets_custom_fields_and_leaves_status_and_tags_alone(vendor):
    there = vendor("clickup")
    there.answers(CUSTOM, {"fields": CUSTOM_FIELDS})
    there.answers(("PUT", THE_TASK), CLICKUP_TASK)
    there.answers(("POST", f"{THE_TASK}/field/{NOTE}"), {})

    there.connector().update(there.ref, replace(mapped(**{NOTE: "Hi", "status": "Dran"}), assignee="182"))

    (sent,) = there.sent(("PUT", THE_TASK))
    assert sent["assignees"] == {"add": [182], "rem": []}
    assert not {"status", "tags", "custom_fields"} & set(sent)
    assert sent["description"].endswith(KEY)
    assert there.sent(("POST", f"{THE_TASK}/field/{NOTE}")) == [{"value": "Hi"}]


# ---- finding


def test_find_reads_page_after_page_of_the_last_30_days_closed_ones_as_well(vendor):
    there = vendor("clickup")
    page = {"tasks": [{"id": str(n), "description": "another"} for n in range(100)], "last_page": False}
    there.answers_once(TASKS, page)
    there.answers(TASKS, CASE.found)

    assert there.connector().find(KEY) == there.ref

    first, second = (request.args for request in requests_of(there))
    assert (first["page"], second["page"]) == ("0", "1")
    assert first["include_closed"] == first["subtasks"] == "true"
    assert first["order_by"] == "created" and "reverse" not in first
    looked_back_s = time.time() - int(first["date_created_gt"]) / 1000
    assert looked_back_s == pytest.approx(30 * 86_400, abs=60)


def test_a_key_in_a_markdown_description_is_found_in_its_plain_text(vendor):
    there = vendor("clickup")
    there.answers(TASKS, {"tasks": [CLICKUP_TASK | {"text_content": f"Hi\n\noctopus-{KEY}\n"}], "last_page": True})

    assert there.connector().find(KEY) == there.ref


# ---- status and transition


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("open", TaskStatus.OPEN), ("unstarted", TaskStatus.OPEN), ("custom", TaskStatus.IN_PROGRESS),
        ("done", TaskStatus.DONE), ("closed", TaskStatus.DONE), ("new", TaskStatus.UNKNOWN),
    ],
)  # fmt: skip
def test_status_goes_by_its_type_with_assignees_and_time_of_change(kind, status, vendor):
    there = vendor("clickup")
    people = [{"id": 1, "username": "Ann"}, {"id": 2, "username": None, "email": "bo@example.com"}]
    there.answers(
        ("GET", THE_TASK),
        task(status={"status": "Fertig", "type": kind}, assignees=people, date_updated="1796117400123"),
    )

    ref = there.connector().status(there.ref)

    changed_at = datetime(2026, 12, 1, 9, 30, 0, 123_000, tzinfo=UTC)
    assert ref == TaskRef(CLICKUP_TASK["id"], CLICKUP_TASK["url"], status, "Ann, bo@example.com", changed_at)


def test_a_deleted_task_is_gone(vendor):
    there = vendor("clickup")
    there.answers(("GET", THE_TASK), refused("Task not found, deleted", "ITEM_013"), 404)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


@pytest.mark.parametrize(
    ("kind", "wanted", "sent"),
    [
        ("open", TaskStatus.DONE, "Fertig"),
        ("custom", TaskStatus.CANCELLED, "Fertig"),
        ("closed", TaskStatus.OPEN, "Neu"),
        ("done", TaskStatus.OPEN, "Neu"),
        ("custom", TaskStatus.OPEN, None),
        ("unstarted", TaskStatus.OPEN, None),
        ("done", TaskStatus.DONE, None),
        ("closed", TaskStatus.CANCELLED, None),
    ],
)
def test_transition_goes_by_type_in_the_list_the_task_is_in_now(kind, wanted, sent, vendor):
    there = vendor("clickup")
    there.answers(("GET", THE_TASK), task(status={"type": kind}, list={"id": "901100000009"}))
    there.answers(("GET", "/api/v2/list/901100000009"), {"statuses": STATUSES})
    there.answers(("PUT", THE_TASK), CLICKUP_TASK)

    there.connector().transition(there.ref, wanted)

    assert there.sent(("PUT", THE_TASK)) == ([{"status": sent}] if sent else [])


def test_a_list_without_a_closed_status_uses_a_done_one(vendor):
    there = vendor("clickup")
    there.answers(("GET", THE_TASK), task())
    there.answers(("GET", THE_LIST), {"statuses": STATUSES[:3]})
    there.answers(("PUT", THE_TASK), CLICKUP_TASK)

    there.connector().transition(there.ref, TaskStatus.DONE)

    assert there.sent(("PUT", THE_TASK)) == [{"status": "Abgelehnt"}]


def test_a_list_without_such_a_status_is_told(vendor):
    there = vendor("clickup")
    there.answers(("GET", THE_TASK), task())
    there.answers(("GET", THE_LIST), {"statuses": STATUSES[:2]})

    with pytest.raises(Rejected) as caught:
        there.connector().transition(there.ref, TaskStatus.DONE)

    assert caught.value.field == "status"


# ---- comments and changes


def test_comments_are_told_oldest_first_over_all_pages(vendor):
    there = vendor("clickup")
    comments = [
        {"id": str(n), "comment_text": f"No. {n}\n", "user": {"username": "Ann"}, "date": str(1_796_117_400_000 + n)}
        for n in range(27, 0, -1)
    ]
    there.answers_once(("GET", f"{THE_TASK}/comment"), {"comments": comments[:25]})
    there.answers_once(("GET", f"{THE_TASK}/comment"), {"comments": comments[25:]})

    found = there.connector().comments(there.ref)

    assert [one.id for one in found] == [str(n) for n in range(1, 28)]
    written_at = datetime(2026, 12, 1, 9, 30, 0, 1_000, tzinfo=UTC)
    assert found[0] == RemoteComment("1", "No. 1", "Ann", written_at)
    first, second = (request.args for request in requests_of(there))
    assert not first
    assert (second["start"], second["start_id"]) == ("1796117400003", "3")


def test_our_comment_notifies_nobody_in_particular(vendor):
    there = vendor("clickup")
    there.answers(("POST", f"{THE_TASK}/comment"), {"id": "458"})

    there.connector().comment(there.ref, "Once more", KEY)

    assert there.sent(("POST", f"{THE_TASK}/comment")) == [{"comment_text": "Once more", "notify_all": False}]


def test_changes_at_the_moment_itself_and_of_closed_tasks_are_told(vendor):
    there = vendor("clickup")
    there.answers(TASKS, {"tasks": [task(status={"type": "closed"})], "last_page": True})

    (ref,) = there.connector().changes(datetime(2026, 12, 1, 9, 30, tzinfo=UTC))

    assert (ref.id, ref.status) == (CLICKUP_TASK["id"], TaskStatus.DONE)
    (asked,) = (request.args for request in requests_of(there))
    assert asked["date_updated_gt"] == "1796117399999"
    assert (asked["order_by"], asked["include_closed"]) == ("updated", "true")


# ---- connecting


def answers_check(there, **more):
    there.answers(("GET", "/api/v2/user"), {"user": {"id": 182, "username": "Ann"}})
    answer = {"id": LIST, "name": "Inbox", "archived": False, "permission_level": "create", "space": {"id": SPACE}}
    there.answers(("GET", THE_LIST), answer | {"statuses": STATUSES} | more)


def test_check_names_the_member_and_the_list(vendor):
    there = vendor("clickup")
    answers_check(there)

    assert there.connector().check() == "Ann in Inbox"


@pytest.mark.parametrize("level", ["read", "comment"])
def test_check_names_the_permission_a_reader_lacks(level, vendor):
    there = vendor("clickup")
    answers_check(there, permission_level=level)

    with pytest.raises(Refused, match="right to edit"):
        there.connector().check()


def test_check_tells_of_an_archived_list(vendor):
    there = vendor("clickup")
    answers_check(there, archived=True)

    with pytest.raises(TargetGone, match="archived"):
        there.connector().check()


def answers_places(there, *more_teams):
    there.answers(("GET", "/api/v2/team"), {"teams": [*more_teams, {"id": TEAM, "name": "Acme"}]})
    there.answers(("GET", f"/api/v2/team/{TEAM}/space"), {"spaces": [{"id": SPACE, "name": "Support"}]})
    there.answers(("GET", f"/api/v2/space/{SPACE}/list"), {"lists": [{"id": LIST, "name": "Inbox"}]})
    folders = [{"name": "Q4", "lists": [{"id": "901100000009", "name": "Bugs"}]}]
    there.answers(("GET", f"/api/v2/space/{SPACE}/folder"), {"folders": folders})


def test_lists_within_and_without_folders_are_offered(vendor):
    there = vendor("clickup")
    answers_places(there)

    assert there.connector().targets() == [
        Target("Support: Inbox", {"list": LIST}), Target("Support: Q4 / Bugs", {"list": "901100000009"}),
    ]  # fmt: skip


def test_fields_and_people_are_offered_and_what_cannot_be_written_is_not(vendor):
    there = vendor("clickup")
    answers_check(there)
    there.answers(CUSTOM, {"fields": CUSTOM_FIELDS})
    members = [{"id": 182, "username": "Ann", "email": "ann@example.com"}, {"id": 183, "username": None}]
    there.answers(("GET", f"{THE_LIST}/member"), {"members": members})
    connector = there.connector()

    fields = {field.key: field for field in connector.fields()}

    assert fields[TIER] == RemoteField(TIER, "Tier", "drop_down", options=("Gold",))
    assert fields[WORDS].options == ("New",)
    assert fields["status"].options == ("Neu", "Dran", "Abgelehnt", "Fertig")
    assert fields["name"].required and SUM not in fields
    assert connector.people() == [Person("182", "Ann", "ann@example.com"), Person("183", "183")]


def test_a_pasted_address_is_not_taken_for_a_list(vendor):
    with pytest.raises(ValidationError):
        vendor("clickup").connector(list="https://app.clickup.com/9011/v/li/901100000001")


@pytest.mark.parametrize(
    ("status", "sentence", "code", "error"),
    [
        (401, "Token invalid", "OAUTH_025", Unauthorized),
        (401, "Team not authorized", "OAUTH_023", Refused),
        (401, "Team not authorized", "OAUTH_027", Refused),
        (401, "Team not authorized", "OAUTH_045", Refused),
        (400, "Status not found", "CRTSK_001", Rejected),
        (200, "Status not found", "CRTSK_001", Rejected),
        (404, "List not found", "SUBCAT_001", TargetGone),
    ],
)
def test_what_clickups_refusals_mean(status, sentence, code, error, vendor):
    there = vendor("clickup")
    there.answers(CASE.create, refused(sentence, code), status)

    with pytest.raises(error) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error
    assert "replay" in str(caught.value) or "again" in str(caught.value)


def test_a_refused_custom_field_is_told_from_clickups_own(vendor):
    there = vendor("clickup")
    there.answers(CASE.create, refused("Value must be an option index or uuid", "FIELD_011"), 400)

    with pytest.raises(Rejected) as caught:
        there.connector().create(TASK)

    assert caught.value.field == "custom_fields"


def test_a_rate_limit_ends_when_clickup_says_so(vendor):
    there = vendor("clickup")
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 40)}
    there.answers(CASE.create, refused("Rate limit reached", "APP_002"), 429, reset)

    with pytest.raises(TransientError) as caught:
        there.connector().create(TASK)

    assert caught.value.retry_after_s == pytest.approx(40, abs=3)


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/clickup/d1"
BODY = (
    '{"event":"taskStatusUpdated","history_items":[{"user":{"username":"Zoë 😀"}}],"task_id":"86cv5pkvr",'
    '"webhook_id":"w1"}'
).encode()
SIGNATURE = (
    "2fd3359ad2c022953ba3a40253946198df5c91e8cd6f2e524a1fb5443d0bb951"  # openssl dgst -sha256 -hmac secret, of BODY
)


def hook(signature=SIGNATURE, body=BODY):
    return RawRequest("POST", {"x-signature": signature} if signature else {}, body)


def of_hook(hook_id, url=HOOK, list_id=LIST):
    return {"id": hook_id, "endpoint": url, "list_id": list_id, "secret": "an-old-secret"}


def test_a_webhook_is_set_on_the_list_and_its_secret_is_kept_and_not_recorded(vendor):
    there = vendor("clickup")
    answers_places(there)
    there.answers(("GET", HOOKS), {"webhooks": []})
    there.answers(("POST", HOOKS), {"id": "w1", "webhook": {"id": "w1", "secret": "the-hooks-secret"}})

    with recording() as exchanges:
        assert there.connector().set_hook(HOOK) == {"hook_secret": "the-hooks-secret"}

    (sent,) = there.sent(("POST", HOOKS))
    assert (sent["endpoint"], sent["list_id"]) == (HOOK, int(LIST))
    assert {"taskStatusUpdated", "taskAssigneeUpdated", "taskCommentPosted"} <= set(sent["events"])
    assert "the-hooks-secret" not in orjson.dumps(exchanges.as_dicts()).decode()


def test_a_second_click_replaces_the_webhook_of_this_list_and_address_only(vendor):
    there = vendor("clickup")
    answers_places(there)
    others = [of_hook("w2", "https://elsewhere.example"), of_hook("w3", list_id="901100000009")]
    there.answers(("GET", HOOKS), {"webhooks": [of_hook("w1", list_id=int(LIST)), *others]})
    there.answers(("DELETE", "/api/v2/webhook/w1"), {})
    there.answers(("POST", HOOKS), {"webhook": {"secret": "a-new-secret"}})

    with recording() as exchanges:
        assert there.connector().set_hook(HOOK) == {"hook_secret": "a-new-secret"}

    assert [request.path for request in requests_of(there) if request.method == "DELETE"] == ["/api/v2/webhook/w1"]
    assert "an-old-secret" not in orjson.dumps(exchanges.as_dicts()).decode()


def test_among_several_workspaces_the_lists_own_gets_the_webhook(vendor):
    there = vendor("clickup")
    answers_check(there)
    answers_places(there, {"id": "9011000009", "name": "Other"})
    there.answers(("GET", "/api/v2/team/9011000009/space"), {"spaces": [{"id": "1", "name": "Mine"}]})
    there.answers(("GET", HOOKS), {"webhooks": []})
    there.answers(("POST", HOOKS), {"webhook": {"secret": "the-hooks-secret"}})

    there.connector().set_hook(HOOK)

    assert len(there.sent(("POST", HOOKS))) == 1


def test_a_list_shared_from_a_foreign_workspace_gets_no_webhook_and_says_so(vendor):
    there = vendor("clickup")
    answers_check(there, space={"id": "77"})
    answers_places(there, {"id": "9011000009", "name": "Other"})
    there.answers(("GET", "/api/v2/team/9011000009/space"), {"spaces": []})

    with pytest.raises(Refused, match="shared"):
        there.connector().set_hook(HOOK)


def test_a_signed_request_names_its_task(vendor):
    connector = vendor("clickup").connector(hook_secret="secret")

    connector.verify_hook(hook(), NOW)

    assert connector.changed(hook()) == (CLICKUP_TASK["id"],)
    assert connector.answer_hook(hook()).store


@pytest.mark.parametrize("request_", [hook(""), hook("wrong"), hook(body=BODY + b" "), hook(SIGNATURE.upper())])
def test_a_request_without_clickups_signature_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("clickup").connector(hook_secret="secret").verify_hook(request_, NOW)


def test_nothing_is_believed_while_the_secret_is_missing(vendor):
    signed_with_nothing = (
        "a1d1e5d5df31079099b429e66f5946db8103e0beb941432725787198b1df1af0"  # openssl dgst -sha256 -hmac "", of BODY
    )

    with pytest.raises(BadSignature):
        vendor("clickup").connector().verify_hook(hook(signed_with_nothing), NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"task_id": null}', b'{"task_id": {}}'])
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("clickup").connector().changed(hook(body=body))


# ---- the vendor's document


@cache
def _document() -> dict:
    return yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the vendor's contract is not beside this checkout")
def test_every_request_is_as_described(vendor):
    there = vendor("clickup")
    answers_check(there)
    answers_places(there)
    there.answers(CUSTOM, {"fields": CUSTOM_FIELDS})
    there.answers(("GET", f"{THE_LIST}/member"), {"members": []})
    there.answers(CASE.create, CASE.created)
    there.answers(TASKS, CASE.nothing)
    there.answers(("GET", THE_TASK), task())
    there.answers(("PUT", THE_TASK), CLICKUP_TASK)
    fields = {
        SCORE: "3", SEEN: "no", TIER: "Gold", WORDS: "New", WHEN: "2026-12-01", WHO: "182", NOTE: "Hi",
        "status": "Dran", "start_date": "2026-11-30", "points": "2.5",
    }  # fmt: skip
    for name in fields:
        there.answers(("POST", f"{THE_TASK}/field/{name}"), {})
    there.answers(("POST", f"{THE_TASK}/comment"), {"id": "458"})
    comments = [{"id": str(n), "date": "1796117400000"} for n in range(25)]
    there.answers_once(("GET", f"{THE_TASK}/comment"), {"comments": comments})
    there.answers(("GET", f"{THE_TASK}/comment"), {"comments": []})
    there.answers(("GET", HOOKS), {"webhooks": [of_hook("w1")]})
    there.answers(("DELETE", "/api/v2/webhook/w1"), {})
    there.answers(("POST", HOOKS), {"webhook": {"secret": "the-hooks-secret"}})
    connector = there.connector()
    connector.check()
    connector.targets()
    connector.fields()
    connector.people()
    connector.create(replace(mapped(**fields), assignee="182"))
    connector.find(KEY)
    connector.update(there.ref, replace(mapped(**fields), assignee="182"))
    connector.comment(there.ref, "Once more", KEY)
    connector.comments(there.ref)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.status(there.ref)
    list(connector.changes(datetime(2026, 12, 1, tzinfo=UTC)))
    connector.set_hook(HOOK)

    contract = OpenAPI.from_dict(_document() | {"servers": [{"url": f"{there.address}/api"}]})
    requests = requests_of(there)
    for request in requests:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    assert len(requests) >= 30

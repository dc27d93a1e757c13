"""What is true of Pipedrive only."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.classification import Priority
from app.domain.errors import (
    Ambiguous,
    BadSignature,
    Malformed,
    Refused,
    Rejected,
    RemoteError,
    TargetGone,
    TransientError,
    Unauthorized,
)
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, Person, RemoteField, Target, TaskStatus
from connectors.crm import pipedrive
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.pipedrive import ACTIVITIES, ACTIVITY, answer, refused

CREATE, LIST = ("POST", ACTIVITIES), ("GET", ACTIVITIES)
READ, WRITE = ("GET", f"{ACTIVITIES}/512"), ("PATCH", f"{ACTIVITIES}/512")
ME, TOKEN, WEBHOOKS = ("GET", "/v1/users/me"), ("POST", "/oauth/token"), "/v1/webhooks"
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "r3fresh-word"}
NOW = 1_796_000_000.0


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def created(there, task=TASK, **config):
    there.answers(CREATE, there.case.created)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]


def reading(vendor, **changes: object):
    """A Pipedrive whose activity is as told."""
    there = vendor("pipedrive", around=False)
    there.answers(READ, answer(ACTIVITY | changes))
    there.answers(WRITE, answer(ACTIVITY))
    there.answers_around()
    return there


def requests_to(there, path, method="GET"):
    return [request for request, _ in there.server.log if request.path == path and request.method == method]


# ---- creating


def test_create_sends_an_activity_with_due_time_assignee_priority_and_the_key_below_its_note(vendor):
    there = vendor("pipedrive")

    activity = created(there, replace(TASK, assignee="8", body="a < b & c\nnext"), activity_type="call")

    note = activity.pop("note")
    assert note.startswith("a &lt; b &amp; c<br>next<br>screen.png: https://files.example/screen.png<br>")
    assert note.endswith(f"<br><br>octopus-{KEY}")
    assert activity == {
        "type": "call", "subject": TASK.title, "due_date": "2026-12-01", "due_time": "09:30", "owner_id": 8,
        "priority": 103,
    }  # fmt: skip
    assert requests_to(there, ACTIVITIES, "POST")[0].headers["x-api-token"] == SECRET


def test_a_priority_the_company_does_not_have_is_left_out(vendor):
    assert "priority" not in created(vendor("pipedrive"), replace(TASK, priority=Priority.NORMAL))


def test_mapped_fields_are_typed_and_a_field_mapped_to_nothing_is_left_out(vendor):
    fields = {
        "subject": "Hi\nyou", "note": "Short <b>", "due_date": "2026-12-24", "deal_id": "5", "person_id": "6",
        "lead_id": "46c3b0e1-db35-59ca-1828-4817378dff71", "location": "Tallinn", "priority": "low", "type": "",
    }  # fmt: skip

    activity = created(vendor("pipedrive"), mapped(**fields))

    assert activity == {
        "subject": "Hi you", "note": f"Short &lt;b&gt;<br><br>octopus-{KEY}", "due_date": "2026-12-24", "deal_id": 5,
        "participants": [{"person_id": 6, "primary": True}], "lead_id": "46c3b0e1-db35-59ca-1828-4817378dff71",
        "location": {"value": "Tallinn"}, "priority": 101, "type": "task",
    }  # fmt: skip


def test_a_due_date_mapped_to_nothing_takes_its_time_along(vendor):
    assert not {"due_date", "due_time"} & set(created(vendor("pipedrive"), mapped(due_date="")))


@pytest.mark.parametrize(
    ("name", "text"), [("nope", "x"), ("deal_id", "first"), ("person_id", "²"), ("priority", "extreme")]
)
def test_nothing_is_sent_when_a_field_cannot_take_its_value(name, text, vendor):
    there = vendor("pipedrive")

    with pytest.raises(Rejected, match="Nothing was sent") as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


def test_an_assignee_that_is_no_number_is_named_before_anything_is_sent(vendor):
    there = vendor("pipedrive")

    with pytest.raises(Rejected, match="owner_id"):
        there.connector().create(replace(TASK, assignee="ann@example.com"))

    assert there.sent(CREATE) == []


def test_whatever_else_a_create_asks_is_asked_before_it(vendor):
    there = vendor("pipedrive", around=False)
    there.answers(CREATE, there.case.created)
    there.answers(("GET", "/api/v2/activityFields"), answer([]))
    there.answers(ME, refused("Internal error"), 500)

    with pytest.raises(TransientError) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is TransientError  # not Ambiguous, as nothing was made
    assert there.sent(CREATE) == []


def test_an_update_leaves_note_and_type_to_people(vendor):
    there = vendor("pipedrive")
    there.answers(WRITE, answer(ACTIVITY))

    there.connector().update(there.ref, mapped(subject="New", note="New note"))

    assert there.sent(WRITE) == [{"subject": "New", "due_date": "2026-12-01", "due_time": "09:30", "priority": 103}]


# ---- looking


def test_find_reads_the_activities_touched_in_the_last_30_days_newest_first_and_no_deleted_one(vendor, httpserver):
    there = vendor("pipedrive")
    deleted = ACTIVITY | {"id": 511, "is_deleted": True}
    httpserver.expect_request(ACTIVITIES, method="GET").respond_with_handler(
        lambda request: Response(
            orjson.dumps(there.case.found if "cursor" in request.args else answer([deleted], next_cursor="c2"))
        )
    )

    assert there.connector().find(KEY) == there.ref

    first, second = (request.args for request in requests_to(there, ACTIVITIES))
    assert (first["sort_by"], first["sort_direction"], second["cursor"]) == ("update_time", "desc", "c2")
    assert 29 <= (datetime.now(UTC) - datetime.fromisoformat(first["updated_since"])).days <= 30


def test_status_names_the_assignee_and_the_time_of_change(vendor):
    ref = reading(vendor, done=True).connector().status(vendor("pipedrive").ref)

    assert (ref.id, ref.status, ref.assignee) == ("512", TaskStatus.DONE, "Ann")
    assert ref.changed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_an_activity_of_somebody_who_left_has_no_name(vendor):
    assert reading(vendor, owner_id=8).connector().status(vendor("pipedrive").ref).assignee == ""


def test_a_deleted_activity_is_gone(vendor):
    there = reading(vendor, is_deleted=True)

    for call in (there.connector().status, lambda ref: there.connector().comment(ref, "Hi", KEY)):
        with pytest.raises(TargetGone):
            call(there.ref)

    assert there.sent(WRITE) == []


@pytest.mark.parametrize(
    ("done", "wanted", "sent"),
    [
        (False, TaskStatus.DONE, True),
        (False, TaskStatus.CANCELLED, True),
        (True, TaskStatus.OPEN, False),
        (True, TaskStatus.CANCELLED, None),
        (False, TaskStatus.OPEN, None),
    ],
)
def test_transition_marks_as_done_or_not_only_when_it_is_not_so_already(done, wanted, sent, vendor):
    there = reading(vendor, done=done)

    there.connector().transition(there.ref, wanted)

    assert there.sent(WRITE) == ([] if sent is None else [{"done": sent}])


def test_a_comment_goes_below_the_note_people_wrote(vendor):
    there = reading(vendor, note="<b>Mine</b>")

    there.connector().comment(there.ref, "Once <more>\n😀", KEY)

    (sent,) = there.sent(WRITE)
    assert sent == {"note": f"<b>Mine</b><br><br>Once &lt;more&gt;<br>😀<br>octopus-note-{KEY}"}


def test_a_comment_tried_again_stands_there_once_and_the_same_words_of_another_twice(vendor):
    there = reading(vendor, note=f"Text<br><br>Still down<br>octopus-note-{KEY}")

    there.connector().comment(there.ref, "Still down", KEY)
    assert there.sent(WRITE) == []

    there.connector().comment(there.ref, "Still down", "another-key")
    assert there.sent(WRITE)[0]["note"].count("Still down") == 2


def test_a_comment_is_not_taken_for_the_task_it_stands_on(vendor):
    there = vendor("pipedrive")
    there.answers(LIST, answer([{"id": 1, "note": f"octopus-note-{KEY}"}]))

    assert there.connector().find(KEY) is None


def test_changes_lists_the_activities_touched_since(vendor):
    there = vendor("pipedrive")
    there.answers(LIST, answer([ACTIVITY | {"done": True}, ACTIVITY | {"id": 9, "is_deleted": True}]))

    (ref,) = there.connector().changes(datetime(2026, 11, 23, 8, 0, 0, 999, tzinfo=UTC))

    assert (ref.id, ref.status) == ("512", TaskStatus.DONE)
    assert requests_to(there, ACTIVITIES)[0].args["updated_since"] == "2026-11-23T08:00:00Z"


# ---- connecting


def test_check_names_the_user_and_the_company(vendor):
    there = vendor("pipedrive")
    there.answers(LIST, answer([]))

    assert there.connector().check() == "Ann in Acme"


def test_check_names_the_activity_types_there_are(vendor):
    with pytest.raises(Rejected, match="no activity type 'fax'.*task, call"):
        vendor("pipedrive").connector(activity_type="fax").check()


def test_check_names_the_scopes_an_app_lacks(vendor):
    there = vendor("pipedrive")
    there.answers(LIST, refused("Scope and URL mismatch", "ERR_FORBIDDEN"), 403)

    with pytest.raises(Refused, match="activities:full"):
        there.connector().check()


def test_targets_fields_and_people_are_offered(vendor):
    connector = vendor("pipedrive").connector()

    assert connector.targets() == [
        Target("Task", {"activity_type": "task"}), Target("Call", {"activity_type": "call"})
    ]  # fmt: skip
    assert connector.people() == [Person("7", "Ann", "ann@example.com")]
    fields = {field.key: field for field in connector.fields()}
    assert fields["type"] == RemoteField("type", "Type", "option", options=("task", "call"))
    assert fields["priority"].options == ("low", "high")
    assert fields["subject"].required


def test_it_does_not_say_that_it_can_read_comments(vendor):
    assert Capability.COMMENTS not in vendor("pipedrive").connector().CAN


def test_a_token_or_an_app_is_needed():
    with pytest.raises(ValidationError, match="Either an API token or"):
        pipedrive.Config(client_id="app-1")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, refused("Validation failed: owner_id: must be a number"), Rejected),
        (400, refused("Bad request"), Rejected),
        (200, refused("Something is wrong with the subject"), Rejected),
        (402, refused("Account is not active", "ERR_PAYMENT_REQUIRED"), Refused),
        (403, refused("Scope and URL mismatch", "ERR_FORBIDDEN"), Refused),
        (404, refused("Activity not found", "ERR_NOT_FOUND"), TargetGone),
    ],
)
def test_pipedrives_refusals_are_understood(status, body, error, vendor):
    there = vendor("pipedrive")
    there.answers(CREATE, body, status)

    with pytest.raises(RemoteError, match="Nothing was done") as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error
    assert body["error"] in str(caught.value)


@pytest.mark.parametrize(("page", "kind"), [("<html>Blocked", "text/html"), ("error code: 1015", "text/plain")])
def test_the_edges_page_for_who_asked_too_often_is_waited_out_and_no_lack_of_rights(page, kind, vendor, httpserver):
    there = vendor("pipedrive")
    httpserver.expect_request(ACTIVITIES, method="POST").respond_with_data(page, 403, content_type=kind)

    with pytest.raises(TransientError, match="too often") as caught:
        there.connector().create(TASK)

    assert caught.value.retry_after_s == 60 and not isinstance(caught.value, Ambiguous)


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_by_the_newest_refresh_token(vendor, httpserver):
    there = vendor("pipedrive", around=False)
    given = iter([("t-old", "r-2"), ("t-new", "r-3"), ("t-third", "r-4")])

    def give(_):
        access, refresh = next(given)
        told = {"access_token": access, "refresh_token": refresh, "expires_in": 3599}
        return Response(orjson.dumps(told | {"api_domain": "https://acme.pipedrive.example"}))

    def read(request):
        is_good = request.headers["Authorization"] == "Bearer t-new"
        body = answer(ACTIVITY) if is_good else refused("Unauthorized", "ERR_UNAUTHORIZED")
        return Response(orjson.dumps(body), status=200 if is_good else 401)

    httpserver.expect_request(TOKEN[1]).respond_with_handler(give)
    httpserver.expect_request(READ[1]).respond_with_handler(read)
    there.answers_around()
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert {(ref.id, ref.assignee) for ref in refs} == {("512", "Ann")}
    asked = requests_to(there, TOKEN[1], "POST")
    assert [one.form["refresh_token"] for one in asked] == ["r3fresh-word", "r-2"]
    assert asked[0].authorization.username == "app-1" and asked[0].authorization.password == SECRET


def test_a_connection_that_was_ended_asks_to_connect_again(vendor):
    there = vendor("pipedrive")
    there.answers(TOKEN, {"success": False, "error": "invalid_grant", "message": f"{SECRET} was revoked"}, 400)

    with pytest.raises(Unauthorized, match="Connect it again") as caught:
        there.connector(**APP).status(there.ref)

    assert SECRET not in str(caught.value)


def test_an_app_nobody_has_let_in_yet_asks_to_connect(vendor):
    there = vendor("pipedrive")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).status(there.ref)

    assert there.server.log == []


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/pipedrive/d1"
HOOK_SECRET = "b537207f20cbfa02357cf448134da559"
# printf octopus:HOOK_SECRET | base64
PROOF = "Basic b2N0b3B1czpiNTM3MjA3ZjIwY2JmYTAyMzU3Y2Y0NDgxMzRkYTU1OQ=="


def hook(proof=PROOF, **meta: object):
    body = {"meta": {"action": "change", "entity": "activity", "entity_id": "512", "version": "2.0"} | meta}
    return RawRequest("POST", {"authorization": proof} if proof else {}, orjson.dumps(body), url=HOOK)


def test_a_webhook_replaces_an_earlier_one_and_its_password_is_returned_and_not_recorded(vendor):
    there = vendor("pipedrive")
    earlier = [{"id": 1, "subscription_url": HOOK}, {"id": 2, "subscription_url": "https://other.example"}]
    there.answers(("GET", WEBHOOKS), answer(earlier))
    there.answers(("DELETE", f"{WEBHOOKS}/1"), {"success": True})
    there.answers(("POST", WEBHOOKS), answer({"id": 3}), 201)

    with recording() as exchanges:
        kept = there.connector().set_hook(HOOK)

    (sent,) = there.sent(("POST", WEBHOOKS))
    assert kept == {"hook_secret": sent["http_auth_password"]} and len(kept["hook_secret"]) >= 32
    assert (sent["subscription_url"], sent["event_action"], sent["event_object"]) == (HOOK, "*", "activity")
    assert sent["version"] == "2.0" and sent["http_auth_user"] == "octopus"
    assert requests_to(there, f"{WEBHOOKS}/1", "DELETE") and not requests_to(there, f"{WEBHOOKS}/2", "DELETE")
    assert kept["hook_secret"] not in orjson.dumps(exchanges.as_dicts()).decode()


def test_a_request_with_the_webhooks_password_names_the_activity(vendor):
    connector = vendor("pipedrive").connector(hook_secret=HOOK_SECRET)

    connector.verify_hook(hook(), NOW)

    assert connector.changed(hook()) == ("512",)
    assert connector.changed(hook(action="delete", entity_id=513)) == ("513",)
    assert connector.answer_hook(hook()).store


@pytest.mark.parametrize("proof", ["", "Basic ", PROOF[:-1], PROOF.lower(), PROOF.removeprefix("Basic ")])
def test_a_request_without_the_webhooks_password_is_refused(proof, vendor):
    with pytest.raises(BadSignature):
        vendor("pipedrive").connector(hook_secret=HOOK_SECRET).verify_hook(hook(proof), NOW)


def test_nothing_is_believed_while_the_secret_is_missing(vendor):
    without_password = "Basic " + b64encode(b"octopus:").decode()

    for proof in ("", without_password):
        with pytest.raises(BadSignature):
            vendor("pipedrive").connector().verify_hook(hook(proof), NOW)


def test_news_of_something_else_than_an_activity_name_none(vendor):
    assert vendor("pipedrive").connector().changed(hook(entity="deal")) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"meta":1}', b'{"meta":{"entity":"activity","entity_id":null}}'])
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("pipedrive").connector().changed(RawRequest("POST", {}, body))

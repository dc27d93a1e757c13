"""What is true of Airtable only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.errors import (
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
from app.domain.tasks import Capability, RemoteComment, RemoteField, Target, TaskStatus
from connectors.airtable_base import SCOPES
from connectors.crm import airtable
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.airtable import BASE, COLUMNS, RECORD, RECORDS, SCHEMA, STATES, TABLE, record, schema

CREATE, LIST = ("PATCH", RECORDS), ("GET", RECORDS)
READ, WRITE = ("GET", f"{RECORDS}/{RECORD}"), ("PATCH", f"{RECORDS}/{RECORD}")
COMMENTS, TOKEN = f"{RECORDS}/{RECORD}/comments", ("POST", "/oauth2/v1/token")
WHOAMI, BASES = ("GET", "/v0/meta/whoami"), ("GET", "/v0/meta/bases")
WEBHOOKS = f"/v0/bases/{BASE}/webhooks"
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "r3fresh-word"}
CONTRACT = Path(__file__).parents[3] / "../shared/contracts/airtable/openapi.yaml"
NOW = 1_796_000_000.0


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def created(there, task=TASK, **config):
    there.answers(CREATE, there.case.created)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]["records"][0]["fields"]


def requests_to(there, path):
    return [request for request, _ in there.server.log if request.path == path]


# ---- creating


def test_create_upserts_by_the_key_and_fills_the_columns_the_table_has(vendor):
    there = vendor("airtable")

    cells = created(there, replace(TASK, labels=("bug", "vip"), assignee="ann@example.com"))

    sent = there.sent(CREATE)[0]
    assert sent["performUpsert"] == {"fieldsToMergeOn": ["Octopus key"]}
    assert sent["typecast"] is True
    notes = cells.pop("Notes")
    assert "screen.png: https://files.example/screen.png" in notes and TASK.link in notes
    assert cells == {
        "Name": TASK.title, "Octopus key": KEY, "Status": "Todo", "Due": "2026-12-01", "Priority": "High",
        "Tags": ["Bug"], "Assignee": {"email": "ann@example.com"},
    }  # fmt: skip


def test_a_table_of_three_columns_gets_title_text_and_key_only(vendor):
    there = vendor("airtable", around=False)
    there.answers(SCHEMA, schema(*COLUMNS[:3]))

    assert set(created(there, replace(TASK, assignee="usr1"))) == {"Name", "Notes", "Octopus key"}


def test_where_the_first_column_numbers_the_records_the_title_stands_above_the_text(vendor):
    there = vendor("airtable", around=False)
    there.answers(SCHEMA, schema({"id": "fld1", "name": "No", "type": "autoNumber"}, *COLUMNS[1:3]))

    cells = created(there)

    assert set(cells) == {"Notes", "Octopus key"}
    assert cells["Notes"].startswith(f"{TASK.title}\n{TASK.body}")


def test_mapped_fields_are_typed_by_the_tables_own_columns(vendor):
    task = mapped(
        Size="3", Seen="yes", Tags="Bug, Wish", Assignee="usr9", Due="2026-12-24", Status="Dropped", Priority=""
    )

    cells = created(vendor("airtable"), task)

    assert (cells["Size"], cells["Seen"], cells["Tags"]) == (3, True, ["Bug", "Wish"])
    assert (cells["Assignee"], cells["Due"], cells["Status"]) == ({"id": "usr9"}, "2026-12-24", "Dropped")
    assert "Priority" not in cells


@pytest.mark.parametrize(("name", "text"), [("Nmae", "x"), ("Size", "many"), ("Number", "4"), ("Changed", "now")])
def test_nothing_is_sent_when_a_column_cannot_take_its_value(name, text, vendor):
    there = vendor("airtable")

    with pytest.raises(Rejected, match="Nothing was sent") as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


def test_an_update_leaves_key_and_status_as_they_are(vendor):
    there = vendor("airtable")
    there.answers(WRITE, record())

    there.connector().update(there.ref, mapped(Name="New title"))

    (sent,) = there.sent(WRITE)
    assert sent["fields"]["Name"] == "New title"
    assert not {"Octopus key", "Status"} & set(sent["fields"])


# ---- looking


def test_find_asks_for_the_exact_key_in_the_column_as_it_is_named(vendor):
    there = vendor("airtable")
    there.answers(LIST, there.case.found)

    there.connector(key_field="My {key}").find(KEY)

    assert requests_to(there, RECORDS)[0].args["filterByFormula"] == f'{{My {{key\\}}}}="{KEY}"'


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        (None, TaskStatus.OPEN), ("Todo", TaskStatus.OPEN), ("In progress", TaskStatus.IN_PROGRESS),
        ("done", TaskStatus.DONE), ("Dropped", TaskStatus.CANCELLED), (True, TaskStatus.DONE),
    ],
)  # fmt: skip
def test_status_reads_the_status_column_the_assignee_and_the_time_of_change(cell, status, vendor):
    there = vendor("airtable")
    cells = {
        "Assignee": {"id": "usr1", "email": "ann@example.com", "name": "Ann"},
        "Changed": "2026-11-20T08:00:00.500Z",
    }
    there.answers(READ, record(Status=cell, **cells))

    ref = there.connector(cancelled_value="Dropped").status(there.ref)

    assert (ref.id, ref.status, ref.assignee) == (RECORD, status, "Ann")
    assert ref.changed_at == datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {"error": "NOT_FOUND"}), (422, {"error": {"type": "ROW_DOES_NOT_EXIST", "message": "no rec1"}})],
)
def test_a_deleted_record_is_gone(status, body, vendor):
    there = vendor("airtable")
    there.answers(READ, body, status)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


@pytest.mark.parametrize(
    ("now", "wanted", "config", "sent"),
    [
        ("Todo", TaskStatus.DONE, {}, "Done"),
        ("In progress", TaskStatus.CANCELLED, {}, "Done"),
        ("Todo", TaskStatus.CANCELLED, {"cancelled_value": "Dropped"}, "Dropped"),
        ("Done", TaskStatus.OPEN, {}, "Todo"),
        ("Done", TaskStatus.CANCELLED, {}, None),
        ("Done", TaskStatus.DONE, {}, None),
        ("In progress", TaskStatus.OPEN, {}, None),
        (None, TaskStatus.OPEN, {}, None),
    ],
)
def test_transition_chooses_the_option_and_writes_only_when_it_is_not_there_already(now, wanted, config, sent, vendor):
    there = vendor("airtable")
    there.answers(READ, record(Status=now))
    there.answers(WRITE, record())

    there.connector(**config).transition(there.ref, wanted)

    assert [one["fields"] for one in there.sent(WRITE)] == ([] if sent is None else [{"Status": sent}])


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        (None, TaskStatus.DONE, True), (None, TaskStatus.CANCELLED, True), (True, TaskStatus.OPEN, False),
        (True, TaskStatus.CANCELLED, None),
    ],
)  # fmt: skip
def test_a_tick_is_set_and_taken_away(now, wanted, sent, vendor):
    there = vendor("airtable")
    there.answers(READ, record(Seen=now))
    there.answers(WRITE, record())

    there.connector(status_field="Seen", cancelled_value="Dropped").transition(there.ref, wanted)

    assert [one["fields"] for one in there.sent(WRITE)] == ([] if sent is None else [{"Seen": sent}])


def test_a_status_column_without_the_option_names_those_it_has(vendor):
    there = vendor("airtable")

    with pytest.raises(Rejected, match="Todo, In progress, Done, Dropped") as caught:
        there.connector(done_value="Fertig").transition(there.ref, TaskStatus.DONE)

    assert caught.value.field == "Status"


def test_without_a_status_column_tasks_cannot_be_closed(vendor):
    assert Capability.TRANSITION not in vendor("airtable").connector(status_field="").CAN
    assert Capability.TRANSITION in vendor("airtable").connector().CAN


def test_comments_of_all_pages_are_listed_oldest_first(vendor, httpserver):
    there = vendor("airtable")
    newest = {
        "id": "com2",
        "text": "Done",
        "author": {"email": "bo@example.com"},
        "createdTime": "2026-11-21T08:00:00.000Z",
    }
    oldest = {"id": "com1", "text": "Hm", "author": {"name": "Ann"}, "createdTime": "2026-11-20T08:00:00.000Z"}
    httpserver.expect_request(COMMENTS, method="GET").respond_with_handler(
        lambda request: Response(
            orjson.dumps({"comments": [oldest]} if "offset" in request.args else {"comments": [newest], "offset": "p2"})
        )
    )

    assert there.connector().comments(there.ref) == [
        RemoteComment("com1", "Hm", "Ann", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        RemoteComment("com2", "Done", "bo@example.com", datetime(2026, 11, 21, 8, tzinfo=UTC)),
    ]


def test_changes_lists_our_own_records_changed_since_from_all_pages(vendor, httpserver):
    there = vendor("airtable")
    pages = {None: {"records": [record(Status="Done")], "offset": "p2"}, "p2": {"records": [record() | {"id": "rec2"}]}}
    httpserver.expect_request(RECORDS, method="GET").respond_with_handler(
        lambda request: Response(orjson.dumps(pages[request.args.get("offset")]))
    )

    first, second = there.connector().changes(datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC))

    assert (first.id, first.status, second.id) == (RECORD, TaskStatus.DONE, "rec2")
    assert requests_to(there, RECORDS)[0].args["filterByFormula"] == (
        'AND({Octopus key}!="", IS_AFTER(LAST_MODIFIED_TIME(), DATETIME_PARSE("2026-11-23T08:00:04.000Z")))'
    )


# ---- connecting


def answers_check(there, me=None, level="edit"):
    there.answers(WHOAMI, {"id": "usr1", **(me or {})})
    there.answers(BASES, {"bases": [{"id": BASE, "name": "Support", "permissionLevel": level}]})


def test_check_names_the_user_the_base_and_the_table(vendor):
    there = vendor("airtable")
    answers_check(there, {"email": "ann@example.com", "scopes": list(SCOPES)})

    assert there.connector().check() == "ann@example.com in Support: Tasks"


def test_check_names_the_scope_the_token_lacks(vendor):
    there = vendor("airtable")
    answers_check(there, {"scopes": list(SCOPES[:-1])})

    with pytest.raises(Refused, match="lacks the scopes webhook:manage"):
        there.connector().check()


@pytest.mark.parametrize("level", ["none", "read", "comment"])
def test_check_tells_a_reader_which_right_is_missing(level, vendor):
    there = vendor("airtable")
    answers_check(there, level=level)

    with pytest.raises(Refused, match="editor"):
        there.connector().check()


def test_check_tells_of_a_base_or_a_table_that_is_not_shown(vendor):
    there = vendor("airtable")
    answers_check(there)

    with pytest.raises(TargetGone, match="base"):
        there.connector(base="appOther").check()
    with pytest.raises(TargetGone, match="no such table"):
        there.connector(table="tblOther").check()


@pytest.mark.parametrize(
    ("config", "name"),
    [({"key_field": "Key"}, "Key"), ({"key_field": "Size"}, "Size"), ({"body_field": "Text"}, "Text"),
     ({"status_field": "Notes"}, "Notes")],
)  # fmt: skip
def test_check_names_a_column_that_is_missing_or_of_another_kind(config, name, vendor):
    there = vendor("airtable")
    answers_check(there)

    with pytest.raises(Rejected, match=f"no field '{name}'") as caught:
        there.connector(**config).check()

    assert caught.value.field == name


def test_targets_are_the_tables_of_all_bases_that_can_be_written(vendor):
    there = vendor("airtable")
    bases = [
        {"id": BASE, "name": "Support", "permissionLevel": "create"},
        {"id": "appRead", "name": "Books", "permissionLevel": "read"},
    ]
    there.answers(BASES, {"bases": bases})

    assert there.connector().targets() == [Target("Support: Tasks", {"base": BASE, "table": TABLE})]


def test_fields_are_the_columns_people_can_fill(vendor):
    fields = {field.key: field for field in vendor("airtable").connector().fields()}

    assert fields["Status"] == RemoteField("Status", "Status", "singleSelect", options=STATES)
    assert fields["Name"].required and not fields["Notes"].required
    assert not {"Octopus key", "Number", "Changed"} & set(fields)


def test_a_token_or_an_app_is_needed():
    with pytest.raises(ValidationError, match="Either a personal access token or"):
        airtable.Config(base=BASE, table=TABLE, client_id="app-1")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"error": {"type": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "message": "Invalid permissions"}}, Refused),
        (404, {"error": {"type": "TABLE_NOT_FOUND", "message": "Could not find table"}}, TargetGone),
        (422, {"error": {"type": "INVALID_MULTIPLE_CHOICE_OPTIONS", "message": "Insufficient permissions"}}, Rejected),
        (422, {"error": {"type": "INVALID_VALUE_FOR_COLUMN", "message": 'Field "Due" cannot accept it'}}, Rejected),
    ],
)
def test_airtables_refusals_are_understood(status, body, error, vendor):
    there = vendor("airtable")
    there.answers(CREATE, body, status)

    with pytest.raises(RemoteError, match="replay") as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error
    assert body["error"]["message"] in str(caught.value)


def test_used_up_calls_of_the_month_are_tried_again_hourly(vendor):
    there = vendor("airtable")
    said = {"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "message": "Monthly limit"}]}
    there.answers(CREATE, said, 429)

    with pytest.raises(TransientError, match="month") as caught:
        there.connector().create(TASK)

    assert caught.value.retry_after_s == 3_600


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_by_the_newest_refresh_token(vendor, httpserver):
    there = vendor("airtable")
    given = iter([("t-old", "r-2"), ("t-new", "r-3"), ("t-third", "r-4")])

    def give(_):
        access, refresh = next(given)
        return Response(orjson.dumps({"access_token": access, "refresh_token": refresh, "expires_in": 3600}))

    def answer(request):
        is_good = request.headers["Authorization"] == "Bearer t-new"
        body = (
            record()
            if is_good
            else {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}}
        )
        return Response(orjson.dumps(body), status=200 if is_good else 401)

    httpserver.expect_request(TOKEN[1]).respond_with_handler(give)
    httpserver.expect_request(READ[1]).respond_with_handler(answer)
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert refs == [there.ref] * 8
    asked = requests_to(there, TOKEN[1])
    assert [one.form["refresh_token"] for one in asked] == ["r3fresh-word", "r-2"]
    assert asked[0].authorization.username == "app-1" and asked[0].authorization.password == SECRET


def test_a_connection_that_was_ended_asks_to_connect_again(vendor):
    there = vendor("airtable")
    there.answers(TOKEN, {"error": "invalid_grant", "error_description": f"{SECRET} was revoked"}, 400)

    with pytest.raises(Unauthorized, match="Connect it again") as caught:
        there.connector(**APP).status(there.ref)

    assert SECRET not in str(caught.value)


def test_an_app_nobody_has_let_in_yet_asks_to_connect(vendor):
    there = vendor("airtable")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).status(there.ref)

    assert there.server.log == []


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/airtable/d1"
HOOK_SECRET = "awD/LWFpcnRhYmxlLW1hYy1zZWNyZXQ="  # of bytes that are no text
BODY = (
    b'{"base":{"id":"appLkNDICXNqxSDhG"},"webhook":{"id":"ach00000000000001"},"timestamp":"2026-11-23T08:00:00.000Z"}'
)
# openssl dgst -sha256 -mac HMAC -macopt hexkey:(HOOK_SECRET, decoded), of BODY
SIGNATURE = "hmac-sha256=bfaca20a401e188f08f74a8829c2784fb39275b5bbd4ce709489dbb62727f97c"


def hook(signature=SIGNATURE, body=BODY):
    return RawRequest("POST", {"x-airtable-content-mac": signature} if signature else {}, body, url=HOOK)


def payload(minute: int, **changes: object):
    return {"timestamp": f"2026-11-23T07:{minute}:00.000Z", "changedTablesById": {TABLE: changes}}


def test_a_webhook_replaces_an_earlier_one_and_its_secret_is_returned_and_not_recorded(vendor):
    there = vendor("airtable")
    earlier = [{"id": "ach1", "notificationUrl": HOOK}, {"id": "ach2", "notificationUrl": None}]
    there.answers(("GET", WEBHOOKS), {"webhooks": earlier})
    there.answers(("DELETE", f"{WEBHOOKS}/ach1"), {})
    there.answers(("POST", WEBHOOKS), {"id": "ach3", "macSecretBase64": HOOK_SECRET})

    with recording() as exchanges:
        kept = there.connector().set_hook(HOOK)

    assert kept == {"hook_secret": HOOK_SECRET}
    (sent,) = there.sent(("POST", WEBHOOKS))
    assert sent["notificationUrl"] == HOOK
    assert sent["specification"]["options"]["filters"]["recordChangeScope"] == TABLE
    assert requests_to(there, f"{WEBHOOKS}/ach1") and not requests_to(there, f"{WEBHOOKS}/ach2")
    assert HOOK_SECRET not in orjson.dumps(exchanges.as_dicts()).decode()


def test_a_signed_notice_is_believed(vendor):
    connector = vendor("airtable").connector(hook_secret=HOOK_SECRET)

    connector.verify_hook(hook(), NOW)

    assert connector.answer_hook(hook()).store


@pytest.mark.parametrize("request_", [hook(""), hook("hmac-sha256="), hook(body=BODY + b" "), hook(SIGNATURE[12:])])
def test_a_notice_without_airtables_mac_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("airtable").connector(hook_secret=HOOK_SECRET).verify_hook(request_, NOW)


@pytest.mark.parametrize("secret", ["", "not base64 😀", "abc"])
def test_nothing_is_believed_while_the_secret_is_missing_or_mistyped(secret, vendor):
    connector = vendor("airtable").connector(hook_secret=secret)

    for request in (hook(), hook("")):
        with pytest.raises(BadSignature):
            connector.verify_hook(request, NOW)


def test_a_notice_names_the_records_of_the_table_that_were_just_changed_or_deleted(vendor):
    there = vendor("airtable")
    there.answers(("GET", WEBHOOKS), {"webhooks": [{"id": "ach00000000000001", "cursorForNextPayload": 60}]})
    payloads = [
        payload(50, changedRecordsById={"recLongAgo": {}}),
        payload(59, changedRecordsById={"rec1": {}, "rec2": {}}, createdRecordsById={"recNew": {}}),
        payload(59, changedRecordsById={"rec1": {}}, destroyedRecordIds=["rec3"]),
        {
            "timestamp": "2026-11-23T07:59:00.000Z",
            "changedTablesById": {"tblOther": {"changedRecordsById": {"rec9": {}}}},
        },
        {"error": True, "code": "INVALID_HOOK"},
    ]
    path = f"{WEBHOOKS}/ach00000000000001/payloads"
    there.answers(("GET", path), {"cursor": 60, "mightHaveMore": False, "payloads": payloads})

    assert there.connector().changed(hook()) == ("rec1", "rec2", "rec3")
    assert requests_to(there, path)[0].args.to_dict() == {"cursor": "10", "limit": "50"}


def test_a_notice_of_a_webhook_removed_meanwhile_names_nothing(vendor):
    there = vendor("airtable")
    there.answers(("GET", WEBHOOKS), {"webhooks": []})

    assert there.connector().changed(hook()) == ()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"webhook":1}', b'{"webhook":{"id":"a"},"timestamp":"yesterday"}']
)
def test_a_body_of_another_shape_is_malformed_and_asks_nothing(body, vendor):
    there = vendor("airtable")

    with pytest.raises(Malformed):
        there.connector().changed(hook(body=body))

    assert there.server.log == []


# ---- the contract


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendors' contracts are not beside this checkout")
def test_every_request_is_as_described(vendor):
    """Reading comments and removing a webhook are not in the document and are left out."""
    there = vendor("airtable")
    answers_check(there)
    there.answers(CREATE, there.case.created)
    there.answers(LIST, there.case.found)
    there.answers(READ, record())
    there.answers(WRITE, record())
    there.answers(("POST", COMMENTS), {"id": "com1", "text": "Hi"})
    there.answers(("GET", WEBHOOKS), {"webhooks": [{"id": "ach00000000000001", "cursorForNextPayload": 3}]})
    there.answers(("POST", WEBHOOKS), {"id": "ach1", "macSecretBase64": HOOK_SECRET})
    there.answers(("GET", f"{WEBHOOKS}/ach00000000000001/payloads"), {"payloads": []})
    connector = there.connector()

    connector.check()
    connector.create(replace(TASK, assignee="ann@example.com"))
    connector.find(KEY)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Hi", KEY)
    connector.transition(there.ref, TaskStatus.DONE)
    list(connector.changes(datetime(2026, 11, 23, tzinfo=UTC)))
    connector.set_hook(HOOK)
    connector.changed(hook())

    document = yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)
    contract = OpenAPI.from_dict(document | {"servers": [{"url": f"{there.address}/v0"}]})
    for request, _ in there.server.log:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    assert len(there.server.log) >= 12

"""What is true of Zoho CRM only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import orjson
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.classification import Priority
from app.domain.errors import (
    Ambiguous,
    BadSignature,
    Malformed,
    Refused,
    Rejected,
    TargetGone,
    TransientError,
    Unauthorized,
)
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, Person, Target, TaskRef, TaskStatus
from connectors.crm import zoho

from .case import KEY, SECRET, TASK
from .cases.zoho import CASE, ZOHO_ID, ZOHO_TOKEN, zoho_row

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/zoho/openapi.yaml"
UPSERT, COQL, WATCH = CASE.create, CASE.lookup, ("POST", "/crm/v8/actions/watch")
THE_CASE = f"/crm/v8/Cases/{ZOHO_ID}"
FIELDS = ("GET", "/crm/v8/settings/fields")
DESCRIBED = [
    {"api_name": "Subject", "field_label": "Subject", "data_type": "text", "system_mandatory": True, "length": 255},
    {"api_name": "Description", "field_label": "Description", "data_type": "textarea"},
    {"api_name": "Octopus_key", "field_label": "Octopus key", "data_type": "text", "unique": {"casesensitive": ""}},
    {"api_name": "Score", "field_label": "Score", "data_type": "integer"},
    {"api_name": "Share", "field_label": "Share", "data_type": "percent"},
    {"api_name": "Vip", "field_label": "VIP", "data_type": "boolean"},
    {"api_name": "Topics", "field_label": "Topics", "data_type": "multiselectpicklist"},
    {"api_name": "Related_To", "field_label": "Contact", "data_type": "lookup"},
    {"api_name": "Created_Time", "field_label": "Created", "data_type": "datetime", "read_only": True},
    {
        "api_name": "Status", "field_label": "Status", "data_type": "picklist",
        "pick_list_values": [{"actual_value": "New"}, {"actual_value": "Escalated"}, {"actual_value": "Closed"}],
    },
]  # fmt: skip
RECORD = {
    "id": ZOHO_ID, "Status": "Escalated", "Modified_Time": "2026-11-20T15:30:00+05:30",
    "Owner": {"id": "9", "name": "Ann Lee", "email": "ann@example.com"},
}  # fmt: skip
SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def record_sent(there, task=TASK, **config):
    there.answers(UPSERT, CASE.created)
    there.connector(**config).create(task)
    return there.sent(UPSERT)[-1]["data"][0]


# ---- creating


def test_a_record_is_upserted_by_the_field_that_holds_the_key(vendor):
    there = vendor("zoho")

    record = record_sent(there, replace(TASK, assignee="9"), key_field="Their_key")

    assert there.sent(UPSERT)[0]["duplicate_check_fields"] == ["Their_key"]
    assert (record["Their_key"], record["Priority"], record["Owner"]) == (KEY, "High", {"id": "9"})
    assert record["Tag"] == [{"name": "bug"}]


def test_tasks_cannot_be_upserted_so_they_are_created_and_searched(vendor):
    there = vendor("zoho")
    there.answers(("POST", "/crm/v8/Tasks"), CASE.created)
    connector = there.connector(module="Tasks")

    connector.create(replace(TASK, priority=Priority.URGENT))

    (sent,) = there.sent(("POST", "/crm/v8/Tasks"))
    assert "duplicate_check_fields" not in sent
    assert (sent["data"][0]["Due_Date"], sent["data"][0]["Priority"]) == ("2026-12-01", "Highest")
    assert Capability.IDEMPOTENT_CREATE not in connector.CAN and Capability.FIND in connector.CAN
    assert Capability.IDEMPOTENT_CREATE in there.connector().CAN


def test_a_task_refused_as_a_duplicate_of_its_own_key_is_the_earlier_trys(vendor):
    there = vendor("zoho")
    details = {"api_name": "Octopus_key", "duplicate_record": {"id": "77", "module": {"api_name": "Tasks"}}}
    there.answers(("POST", "/crm/v8/Tasks"), zoho_row("DUPLICATE_DATA", "duplicate data", **details), 202)

    assert there.connector(module="Tasks").create(TASK).id == "77"


def test_a_record_is_searched_exactly_by_its_key_and_no_content_is_none(vendor, httpserver):
    there = vendor("zoho")
    httpserver.expect_request(COQL[1], method="POST").respond_with_data("", 204)

    assert there.connector().find(KEY) is None
    assert there.sent(COQL) == [{"select_query": f"select id from Cases where Octopus_key = '{KEY}' limit 1"}]


def test_an_empty_answer_that_is_no_204_is_not_taken_for_nothing_found(vendor, httpserver):
    there = vendor("zoho")
    httpserver.expect_request(COQL[1], method="POST").respond_with_data("", 200)

    with pytest.raises(TransientError):
        there.connector().find(KEY)


@pytest.mark.parametrize("name", ["module", "key_field", "status_field"])
def test_a_query_cannot_be_steered_by_the_settings(name):
    with pytest.raises(ValidationError):
        zoho.Config(**(CASE.config | {name: "Cases where id is not null"}))


def test_mapped_fields_get_the_types_the_module_describes(vendor):
    there = vendor("zoho")
    there.answers(FIELDS, {"fields": DESCRIBED})

    fields = {"Score": "3", "Share": "2.5", "Vip": "Yes", "Topics": "a, b", "Related_To": "55", "Subject": "Short"}
    record = record_sent(there, mapped(**fields, Description=""))

    assert (record["Score"], record["Share"], record["Vip"], record["Topics"]) == (3, 2.5, True, ["a", "b"])
    assert (record["Related_To"], record["Subject"]) == ({"id": "55"}, "Short")
    assert "Description" not in record


@pytest.mark.parametrize(("name", "text"), [("Score", "many"), ("Vip", "perhaps"), ("Nope", "x")])
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, text, vendor):
    there = vendor("zoho")
    there.answers(FIELDS, {"fields": DESCRIBED})

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(UPSERT) == []


# ---- what refusals mean


@pytest.mark.parametrize(
    ("status", "code", "details", "error", "words"),
    [
        (401, "OAUTH_SCOPE_MISMATCH", {}, Refused, "permission"),
        (403, "NO_PERMISSION", {"permissions": ["Crm_Implied_Create_Cases"]}, Refused, "Crm_Implied_Create_Cases"),
        (400, "INVALID_MODULE", {}, TargetGone, "module"),
        (400, "INVALID_DATA", {"resource_path_index": 1}, TargetGone, "record"),
        (500, "INTERNAL_ERROR", {}, Ambiguous, "fault of its own"),
        (200, "INVALID_DATA", {"api_name": "Status", "expected_data_type": "picklist"}, Rejected, "'Status'"),
    ],
)
def test_a_code_tells_what_happened_whatever_the_status(status, code, details, error, words, vendor):
    there = vendor("zoho")
    row = zoho_row(code, "no", **details)
    there.answers(UPSERT, row if status == 200 else row["data"][0], status)

    with pytest.raises(error, match=words):
        there.connector().create(TASK)


def test_an_update_refused_inside_a_200_is_refused(vendor):
    there = vendor("zoho")
    there.answers(("PUT", THE_CASE), zoho_row("INVALID_DATA", "invalid data", api_name="Subject"))

    with pytest.raises(Rejected) as caught:
        there.connector().update(there.ref, TASK)

    assert caught.value.field == "Subject"


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_at_the_same_time(vendor, httpserver):
    there = vendor("zoho", around=False)
    given = iter(["first-token", "second-token", "third-token"])
    httpserver.expect_request(ZOHO_TOKEN[1]).respond_with_handler(
        lambda _: Response(orjson.dumps({"access_token": next(given), "expires_in": 3600}))
    )

    def create(request):
        is_good = request.headers["Authorization"] == "Zoho-oauthtoken second-token"
        refusal = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
        return Response(orjson.dumps(CASE.created if is_good else refusal), status=200 if is_good else 401)

    httpserver.expect_request(UPSERT[1]).respond_with_handler(create)
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    forms = [request.form for request, _ in httpserver.log if request.path == ZOHO_TOKEN[1]]
    assert len(forms) == 2  # the first, and one renewal
    assert forms[1].to_dict() == {
        "grant_type": "refresh_token", "client_id": "1000.CLIENT", "client_secret": SECRET,
        "refresh_token": "1000.refresh-token",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": "invalid_code"}, Unauthorized),
        ({"error": "invalid_client"}, Unauthorized),
        ({"error": "Access Denied", "error_description": "You have made too many requests."}, TransientError),
    ],
)  # fmt: skip
def test_a_refusal_of_the_token_endpoint_inside_a_200_is_understood(body, error, vendor):
    there = vendor("zoho", around=False)
    there.answers(ZOHO_TOKEN, body)

    with pytest.raises(error) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error


def test_without_consent_nothing_is_sent(vendor):
    there = vendor("zoho")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(refresh_token="").create(TASK)

    assert there.server.log == []


@pytest.mark.parametrize(
    ("data_centre", "accounts", "api"),
    [
        ("zoho.com", "accounts.zoho.com", "www.zohoapis.com"),
        ("zoho.com.cn", "accounts.zoho.com.cn", "www.zohoapis.com.cn"),
        ("zohocloud.ca", "accounts.zohocloud.ca", "www.zohoapis.ca"),
    ],
)
def test_the_data_centre_decides_where_calls_go(data_centre, accounts, api):
    asked = []

    def answer(request):
        asked.append(request.url.host)
        is_token = request.url.path == ZOHO_TOKEN[1]
        return httpx.Response(200, json={"access_token": "a-token"} if is_token else CASE.created)

    config = zoho.Config(**CASE.config, data_centre=data_centre)
    zoho.Connector(config, transport=httpx.MockTransport(answer)).create(TASK)

    assert asked == [accounts, api]


# ---- reading


def test_status_tells_state_owner_and_time_of_change(vendor):
    there = vendor("zoho")
    there.answers(("GET", THE_CASE), {"data": [RECORD]})

    ref = there.connector().status(there.ref)

    assert (ref.status, ref.assignee) == (TaskStatus.IN_PROGRESS, "Ann Lee")
    assert ref.changed_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "config", "status"),
    [
        ("New", {}, TaskStatus.OPEN),
        ("Closed", {}, TaskStatus.DONE),
        ("Parked", {}, TaskStatus.UNKNOWN),
        (None, {}, TaskStatus.OPEN),
        ("Solved", {"done_value": "Solved"}, TaskStatus.DONE),
    ],
)
def test_status_values_are_told_in_our_words(value, config, status, vendor):
    there = vendor("zoho")
    there.answers(("GET", THE_CASE), {"data": [RECORD | {"Status": value}]})

    assert there.connector(**config).status(there.ref).status is status


def test_a_deleted_record_is_gone(vendor, httpserver):
    there = vendor("zoho")
    httpserver.expect_request(THE_CASE).respond_with_data("", 204)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_changes_are_read_over_all_pages(vendor, httpserver):
    there = vendor("zoho")

    def page(request):
        is_second = request.args.get("page_token") == "next"
        info = {"more_records": not is_second, "next_page_token": None if is_second else "next"}
        return Response(orjson.dumps({"data": [RECORD | {"id": "2" if is_second else "1"}], "info": info}))

    httpserver.expect_request("/crm/v8/Cases", method="GET").respond_with_handler(page)

    assert [ref.id for ref in there.connector().changes(SINCE)] == ["1", "2"]
    asked = [request for request, _ in httpserver.log if request.path == "/crm/v8/Cases"]
    assert asked[0].headers["If-Modified-Since"] == "2026-11-20T09:59:59+00:00"
    assert "page" not in asked[1].args


def test_nothing_changed_is_no_error(vendor, httpserver):
    there = vendor("zoho")
    httpserver.expect_request("/crm/v8/Cases", method="GET").respond_with_data("", 304)

    assert list(there.connector().changes(SINCE)) == []


def test_comments_are_the_notes_oldest_first(vendor):
    there = vendor("zoho")
    notes = [
        {"id": "2", "Note_Content": "Later", "Created_Time": "2026-11-21T10:00:00+00:00", "Created_By": {"name": "Bo"}},
        {"id": "1", "Note_Content": "First", "Created_Time": "2026-11-20T10:00:00+00:00", "Created_By": {"name": "Al"}},
    ]
    there.answers(("GET", f"{THE_CASE}/Notes"), {"data": notes, "info": {"more_records": False}})

    assert [(one.text, one.author) for one in there.connector().comments(there.ref)] == [
        ("First", "Al"),
        ("Later", "Bo"),
    ]


def test_people_are_the_active_users(vendor):
    there = vendor("zoho")
    users = [{"id": "9", "full_name": "Ann Lee", "email": "ann@example.com"}]
    there.answers(("GET", "/crm/v8/users"), {"users": users, "info": {"more_records": False}})

    assert there.connector().people() == [Person("9", "Ann Lee", "ann@example.com")]


# ---- connecting


def test_check_names_the_user_and_the_module(vendor):
    there = vendor("zoho")
    there.answers(("GET", "/crm/v8/users"), {"users": [{"id": "9", "full_name": "Ann Lee"}]})
    there.answers(FIELDS, {"fields": DESCRIBED})

    assert there.connector().check() == "Ann Lee in Cases"


@pytest.mark.parametrize("described", [DESCRIBED[:2], [*DESCRIBED[:2], DESCRIBED[2] | {"unique": {}}]])
def test_check_wants_a_field_for_the_key_that_takes_each_value_once(described, vendor):
    there = vendor("zoho")
    there.answers(("GET", "/crm/v8/users"), {"users": [{"id": "9", "full_name": "Ann Lee"}]})
    there.answers(FIELDS, {"fields": described})

    with pytest.raises(Rejected) as caught:
        there.connector().check()

    assert caught.value.field == "Octopus_key"


def test_targets_are_the_modules_that_can_hold_tasks(vendor):
    there = vendor("zoho")
    modules = [
        {"api_name": "Cases", "plural_label": "Cases", "api_supported": True, "generated_type": "default"},
        {"api_name": "Invoices", "plural_label": "Invoices", "api_supported": True, "generated_type": "default"},
        {"api_name": "Tickets_X", "plural_label": "Tickets", "api_supported": True, "generated_type": "custom"},
    ]
    there.answers(("GET", "/crm/v8/settings/modules"), {"modules": modules})

    assert there.connector().targets() == [
        Target("Cases", {"module": "Cases"}),
        Target("Tickets", {"module": "Tickets_X"}),
    ]
    assert Capability.TRANSITION not in there.connector(module="Tickets_X").CAN


def test_fields_leave_out_the_key_and_what_cannot_be_written(vendor):
    there = vendor("zoho")
    there.answers(FIELDS, {"fields": DESCRIBED})

    fields = {field.key: field for field in there.connector().fields()}

    assert "Octopus_key" not in fields and "Created_Time" not in fields
    assert fields["Subject"].required
    assert fields["Status"].options == ("New", "Escalated", "Closed")


# ---- transitions


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        ("New", TaskStatus.DONE, ["Closed"]),
        ("New", TaskStatus.CANCELLED, ["Closed"]),
        ("Closed", TaskStatus.OPEN, ["New"]),
        ("Closed", TaskStatus.CANCELLED, []),
        ("Closed", TaskStatus.DONE, []),
        ("Escalated", TaskStatus.OPEN, []),
    ],
)
def test_a_transition_sets_the_value_that_means_it_and_only_when_it_must(now, wanted, sent, vendor):
    there = vendor("zoho")
    there.answers(("GET", THE_CASE), {"data": [RECORD | {"Status": now}]})
    there.answers(FIELDS, {"fields": DESCRIBED})
    there.answers(("PUT", THE_CASE), zoho_row("SUCCESS", "record updated", id=ZOHO_ID))

    there.connector().transition(there.ref, wanted)

    assert [one["data"][0]["Status"] for one in there.sent(("PUT", THE_CASE))] == sent


def test_a_transition_the_module_has_no_value_for_says_which_there_are(vendor):
    there = vendor("zoho")
    described = [{"api_name": "Status", "pick_list_values": [{"actual_value": "New"}, {"actual_value": "Solved"}]}]
    there.answers(("GET", THE_CASE), {"data": [RECORD]})
    there.answers(FIELDS, {"fields": described})

    with pytest.raises(Rejected, match="New, Solved"):
        there.connector().transition(there.ref, TaskStatus.DONE)

    there.answers(("PUT", THE_CASE), zoho_row("SUCCESS", "record updated", id=ZOHO_ID))
    there.connector(done_value="Solved").transition(there.ref, TaskStatus.DONE)
    assert there.sent(("PUT", THE_CASE)) == [{"data": [{"Status": "Solved"}]}]


# ---- notifications


def notification(**body):
    return RawRequest("POST", {}, orjson.dumps(body))


def test_a_notification_is_watched_for_a_week_and_the_same_address_keeps_its_channel(vendor):
    there = vendor("zoho")
    there.answers(WATCH, {"watch": [{"code": "SUCCESS", "details": {}, "message": "ok", "status": "success"}]}, 201)

    kept = there.connector().set_hook("https://octopus.example/hooks/1")
    there.connector().set_hook("https://octopus.example/hooks/1")

    first, second = (sent["watch"][0] for sent in there.sent(WATCH))
    assert first["token"] == kept["hook_secret"] and len(first["token"]) <= 50
    assert first["channel_id"] == second["channel_id"] and first["channel_id"].isdigit()
    assert first["events"] == ["Cases.edit", "Cases.delete"]
    left = datetime.fromisoformat(first["channel_expiry"]) - datetime.now(UTC)
    assert 6.9 < left.total_seconds() / 86_400 < 7


def test_a_notification_zoho_refuses_is_not_taken_for_set(vendor):
    there = vendor("zoho")
    refused = zoho_row("INVALID_DATA", "invalid data", api_name="notify_url")["data"]
    there.answers(WATCH, {"watch": refused}, 202)

    with pytest.raises(Rejected):
        there.connector().set_hook("https://octopus.example/hooks/1")


def test_a_notification_proves_itself_by_its_token_and_names_the_records(vendor):
    connector = vendor("zoho").connector(hook_secret="the-token")
    good = notification(module="Cases", operation="update", ids=["1", "2"], token="the-token", channel_id="7")

    connector.verify_hook(good, 0.0)
    assert connector.changed(good) == ("1", "2")
    assert connector.changed(notification(module="Leads", ids=["3"], token="the-token")) == ()
    for bad in (notification(module="Cases", ids=["1"], token="other"), RawRequest("POST", {}, b"not JSON")):
        with pytest.raises(BadSignature):
            connector.verify_hook(bad, 0.0)
    with pytest.raises(Malformed):
        connector.changed(notification(module="Cases"))


def test_without_a_secret_no_notification_passes(vendor):
    with pytest.raises(BadSignature):
        vendor("zoho").connector().verify_hook(notification(token=""), 0.0)


# ---- the vendor's contract


@cache
def _document() -> dict:
    return yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendor's contract is not beside this checkout")
def test_requests_are_as_the_vendor_describes_them(vendor, httpserver):
    there = vendor("zoho")
    there.answers(UPSERT, CASE.created)
    there.answers(COQL, CASE.found)
    there.answers(("GET", THE_CASE), {"data": [RECORD]})
    there.answers(("PUT", THE_CASE), zoho_row("SUCCESS", "record updated", id=ZOHO_ID))
    there.answers(FIELDS, {"fields": DESCRIBED})
    there.answers(("GET", "/crm/v8/Cases"), {"data": [RECORD], "info": {"more_records": False}})
    there.answers(("GET", "/crm/v8/users"), {"users": [{"id": "9", "full_name": "Ann"}]})
    there.answers(("GET", "/crm/v8/settings/modules"), {"modules": []})
    connector = there.connector()

    connector.create(replace(TASK, labels=()))  # tags and notes are described as read, with ids and authors
    connector.find(KEY)
    connector.update(there.ref, TASK)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.check()
    connector.people()
    connector.targets()
    assert list(connector.changes(SINCE)) == [connector.status(there.ref)]

    contract = OpenAPI.from_dict(_document() | {"servers": [{"url": there.address}]})
    asked = [request for request, _ in httpserver.log if request.path != ZOHO_TOKEN[1]]
    for request in asked:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    assert len(asked) >= 9


def test_a_ref_leads_to_the_record_in_the_browser():
    config = zoho.Config(**CASE.config, data_centre="zoho.eu", module="Deals")

    assert zoho.Connector(config)._ref({"id": "5"}) == TaskRef("5", "https://crm.zoho.eu/crm/tab/Potentials/5")

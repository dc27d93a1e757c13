"""What is true of Salesforce only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import jwt
import orjson
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.classification import Priority
from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, TransientError, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, Target, TaskStatus
from connectors.crm import salesforce

from .case import KEY, SECRET, TASK
from .cases.salesforce import CASE, RECORD, SALESFORCE_ID, SALESFORCE_TOKEN, found, refused

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/salesforce/openapi.yaml"
API = "/services/data/v68.0"
CREATE, QUERY = CASE.create, CASE.lookup
THE_TASK = f"{API}/sobjects/Task/{SALESFORCE_ID}"
BY_KEY = ("PATCH", f"{API}/sobjects/Task/Octopus_Key__c/{KEY}")
SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FIELDS = [
    {"name": "Subject", "label": "Subject", "type": "combobox", "length": 255, "nillable": True},
    {"name": "Description", "label": "Comments", "type": "textarea", "length": 32000, "nillable": True},
    {"name": "Octopus_Key__c", "label": "Key", "type": "string", "length": 64, "externalId": True, "unique": True},
    {"name": "Score__c", "label": "Score", "type": "double", "nillable": True},
    {"name": "Vip__c", "label": "VIP", "type": "boolean", "nillable": False, "defaultedOnCreate": True},
    {"name": "Topics__c", "label": "Topics", "type": "multipicklist", "nillable": True},
    {"name": "WhoId", "label": "Name", "type": "reference", "length": 18, "nillable": True},
    {
        "name": "Status", "label": "Status", "type": "picklist", "length": 255, "nillable": False,
        "picklistValues": [{"value": "Not Started", "active": True}, {"value": "Old", "active": False}],
    },
]  # fmt: skip
DESCRIBED = {
    "name": "Task", "createable": True, "updateable": True,
    "fields": [
        *({"createable": True, "updateable": True} | one for one in FIELDS),
        {"name": "CreatedDate", "type": "datetime", "createable": False, "updateable": False},
    ],
}  # fmt: skip
DESCRIBE = ("GET", f"{API}/sobjects/Task/describe")
STATES = [
    {"ApiName": "Not Started", "IsDefault": True, "IsClosed": False},
    {"ApiName": "Waiting for parts", "IsDefault": False, "IsClosed": False},
    {"ApiName": "Completed", "IsDefault": False, "IsClosed": True},
]
LEAD_STATES = [
    {"ApiName": "Open - Not Contacted", "IsDefault": True, "IsConverted": False},
    {"ApiName": "Answered", "IsDefault": False, "IsConverted": False},
    {"ApiName": "Closed - Converted", "IsDefault": False, "IsConverted": True},
    {"ApiName": "Closed - Not Converted", "IsDefault": False, "IsConverted": False},
]


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def created(there, task=TASK, **config):
    path = (CREATE[0], f"{API}/sobjects/{config.get('object', 'Task')}")
    there.answers(path, CASE.created, 201)
    there.connector(**config).create(task)
    return there.sent(path)[-1]


def answers_queries(there, **answers):
    """By the object asked for; the queries asked are returned."""
    asked = []

    def answer(request):
        asked.append(request.args["q"])
        return Response(orjson.dumps(found(*answers[request.args["q"].split(" FROM ")[1].split()[0]])))

    there.server.expect_request(QUERY[1]).respond_with_handler(answer)
    return asked


# ---- creating


def test_without_a_field_for_it_the_key_stands_at_the_end_of_the_description(vendor):
    record = created(vendor("salesforce"), replace(TASK, assignee="005A"))

    assert record["Description"].endswith(f"\n\noctopus-{KEY}")
    assert "screen.png: https://files.example/screen.png" in record["Description"]
    assert (record["Subject"], record["Priority"], record["OwnerId"]) == (TASK.title, "High", "005A")
    assert record["ActivityDate"] == "2026-12-01"


def test_with_a_field_for_it_the_record_is_upserted_by_its_key(vendor):
    there = vendor("salesforce")
    there.answers(BY_KEY, CASE.created | {"created": True}, 201)
    connector = there.connector(key_field="Octopus_Key__c")

    assert connector.create(TASK) == there.ref

    (record,) = there.sent(BY_KEY)
    assert KEY not in orjson.dumps(record).decode()  # Salesforce refuses the key in the body as well
    assert Capability.IDEMPOTENT_CREATE in connector.CAN
    assert Capability.IDEMPOTENT_CREATE not in there.connector().CAN and Capability.FIND in there.connector().CAN


def test_a_key_refused_as_a_duplicate_is_the_earlier_trys_record(vendor):
    there = vendor("salesforce")
    there.answers(BY_KEY, refused("DUPLICATE_VALUE", "duplicate value found", "Octopus_Key__c"), 400)
    there.answers(QUERY, found(RECORD))

    assert there.connector(key_field="Octopus_Key__c").create(TASK) == there.ref


def test_several_records_with_the_key_are_told(vendor):
    there = vendor("salesforce")
    there.answers(BY_KEY, [f"{API}/sobjects/Task/1", f"{API}/sobjects/Task/2"], 300)

    with pytest.raises(Rejected, match="several records"):
        there.connector(key_field="Octopus_Key__c").create(TASK)


def test_a_case_has_its_own_priorities_and_no_due_date(vendor):
    record = created(vendor("salesforce"), replace(TASK, priority=Priority.NORMAL), object="Case")

    assert record["Priority"] == "Medium" and "ActivityDate" not in record


def test_a_lead_gets_the_name_and_company_it_must_have_and_keeps_them_when_updated(vendor):
    there = vendor("salesforce")
    record = created(there, object="Lead")
    path = f"{API}/sobjects/Lead/{SALESFORCE_ID}"
    there.answers(("PATCH", path), None, 204)

    there.connector(object="Lead").update(there.ref, TASK)

    assert (record["LastName"], record["Company"]) == (TASK.title, "[not provided]")
    assert "Priority" not in record
    assert "Company" not in there.sent(("PATCH", path))[0]


def test_records_are_saved_past_rules_that_only_warn_of_duplicates(vendor):
    there = vendor("salesforce")
    created(there)

    (request,) = (request for request, _ in there.server.log if request.path == CREATE[1])
    assert request.headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"


def test_mapped_fields_get_the_types_the_object_describes(vendor):
    there = vendor("salesforce")
    there.answers(DESCRIBE, DESCRIBED)

    fields = {"Score__c": "2.5", "Vip__c": "Yes", "Topics__c": "a, b", "WhoId": "00Q1", "Subject": "Short\ntitle"}
    record = created(there, mapped(**fields))

    assert (record["Score__c"], record["Vip__c"], record["Topics__c"]) == (2.5, True, "a;b")
    assert (record["WhoId"], record["Subject"]) == ("00Q1", "Short title")


def test_a_field_mapped_to_nothing_is_left_out_but_the_key_stays(vendor):
    there = vendor("salesforce")
    there.answers(DESCRIBE, DESCRIBED)

    record = created(there, mapped(Subject="", Description=""))

    assert "Subject" not in record and record["Description"] == f"octopus-{KEY}"


@pytest.mark.parametrize(("name", "text"), [("Score__c", "many"), ("Vip__c", "perhaps"), ("Nope__c", "x")])
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, text, vendor):
    there = vendor("salesforce")
    there.answers(DESCRIBE, DESCRIBED)

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


# ---- looking


def test_with_a_field_for_it_the_key_is_searched_exactly(vendor):
    there = vendor("salesforce")
    asked = answers_queries(there, Task=[RECORD])

    assert there.connector(key_field="Octopus_Key__c").find(KEY) == there.ref
    assert asked[0].endswith(f"FROM Task WHERE Octopus_Key__c = '{KEY}'")


def test_without_one_the_records_of_the_last_days_are_read_over_all_pages(vendor):
    there = vendor("salesforce")
    other = RECORD | {"Id": "00Tother", "Description": "octopus-another"}
    there.answers(QUERY, found(other) | {"done": False, "nextRecordsUrl": f"{API}/query/01g-200"})
    there.answers(("GET", f"{API}/query/01g-200"), found(RECORD))

    assert there.connector().find(KEY) == there.ref

    asked = [request for request, _ in there.server.log if request.path == QUERY[1]]
    assert "CreatedDate = LAST_N_DAYS:7 ORDER BY CreatedDate DESC" in asked[0].args["q"]


@pytest.mark.parametrize(
    ("object_name", "record", "config", "status"),
    [
        ("Task", {"Status": "Not Started", "IsClosed": False}, {}, TaskStatus.OPEN),
        ("Task", {"Status": "In Progress", "IsClosed": False}, {}, TaskStatus.IN_PROGRESS),
        ("Task", {"Status": "Their own", "IsClosed": False}, {}, TaskStatus.OPEN),
        ("Task", {"Status": "Their own", "IsClosed": True}, {}, TaskStatus.DONE),
        ("Case", {"Status": "Closed", "IsClosed": True}, {}, TaskStatus.DONE),
        ("Lead", {"Status": "Closed - Not Converted", "IsConverted": False}, {}, TaskStatus.CANCELLED),
        ("Lead", {"Status": "Their own", "IsConverted": False}, {}, TaskStatus.UNKNOWN),
        ("Lead", {"Status": "Their own", "IsConverted": True}, {}, TaskStatus.DONE),
        ("Lead", {"Status": "Answered", "IsConverted": False}, {"done_value": "Answered"}, TaskStatus.DONE),
    ],
)
def test_status_is_told_in_our_words(object_name, record, config, status, vendor):
    there = vendor("salesforce")
    there.answers(QUERY, found({"Id": "1"} | record))

    assert there.connector(object=object_name, **config).status(there.ref).status is status


def test_status_names_the_owner_and_the_time_of_change(vendor):
    there = vendor("salesforce")
    more = {"Owner": {"Name": "Ann Lee"}, "SystemModstamp": "2026-11-20T08:00:00.000+0000"}
    there.answers(QUERY, found(RECORD | more))

    ref = there.connector().status(there.ref)

    assert (ref.assignee, ref.changed_at) == ("Ann Lee", datetime(2026, 11, 20, 8, tzinfo=UTC))


def test_a_deleted_record_is_gone(vendor):
    there = vendor("salesforce")
    there.answers(QUERY, found())

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_an_id_cannot_steer_a_query(vendor):
    there = vendor("salesforce")
    asked = answers_queries(there, Task=[RECORD])

    there.connector().status(replace(there.ref, id="1' OR Name != '\\"))

    assert asked[0].endswith(r"WHERE Id = '1\' OR Name != \'\\'")


def test_settings_cannot_steer_a_query():
    with pytest.raises(ValidationError):
        salesforce.Config(**(CASE.config | {"key_field": "Id != null OR Id"}))


def test_changes_since_a_moment_are_our_records_only_where_the_key_has_a_field(vendor):
    there = vendor("salesforce")
    asked = answers_queries(there, Task=[RECORD])

    (ref,) = there.connector(key_field="Octopus_Key__c").changes(SINCE)
    list(there.connector().changes(SINCE))

    assert ref.id == SALESFORCE_ID
    moment = "SystemModstamp >= 2026-11-20T10:00:00.000Z"
    assert asked[0].endswith(f"WHERE {moment} AND Octopus_Key__c != null ORDER BY SystemModstamp")
    assert asked[1].endswith(f"WHERE {moment} ORDER BY SystemModstamp")


@pytest.mark.parametrize(
    ("object_name", "path", "field"), [("Task", "FeedItem", "Body"), ("Case", "CaseComment", "CommentBody")]
)
def test_a_comment_is_a_chatter_post_or_a_comment_of_the_case(object_name, path, field, vendor):
    there = vendor("salesforce")
    there.answers(("POST", f"{API}/sobjects/{path}"), CASE.created, 201)

    there.connector(object=object_name).comment(there.ref, "Once more", KEY)

    assert there.sent(("POST", f"{API}/sobjects/{path}")) == [{"ParentId": SALESFORCE_ID, field: "Once more"}]


def test_comments_are_told_oldest_first_and_without_markup(vendor):
    there = vendor("salesforce")
    notes = [
        {"Id": "2", "Body": "<p>A &lt; B</p><p>Bye</p>", "IsRichText": True, "CreatedDate": "2026-11-21T10:00:00.000Z"},
        {
            "Id": "1", "Body": "<b> stays", "IsRichText": False, "CreatedDate": "2026-11-20T10:00:00.000+0000",
            "CreatedBy": {"Name": "Ann"},
        },
    ]  # fmt: skip
    asked = answers_queries(there, FeedItem=notes)

    first, second = there.connector().comments(there.ref)

    assert first == RemoteComment("1", "<b> stays", "Ann", datetime(2026, 11, 20, 10, tzinfo=UTC))
    assert second.text == "A < B\nBye"
    assert f"ParentId = '{SALESFORCE_ID}' AND Type = 'TextPost'" in asked[0]


# ---- transitions


@pytest.mark.parametrize(
    ("object_name", "now", "wanted", "sent"),
    [
        ("Task", "Not Started", TaskStatus.DONE, ["Completed"]),
        ("Task", "Not Started", TaskStatus.CANCELLED, ["Completed"]),
        ("Task", "Completed", TaskStatus.OPEN, ["Not Started"]),
        ("Task", "Completed", TaskStatus.CANCELLED, []),
        ("Task", "Waiting for parts", TaskStatus.OPEN, []),
        ("Lead", "Open - Not Contacted", TaskStatus.CANCELLED, ["Closed - Not Converted"]),
        ("Lead", "Closed - Not Converted", TaskStatus.OPEN, ["Open - Not Contacted"]),
    ],
)
def test_a_transition_sets_the_orgs_own_value_and_only_when_it_must(object_name, now, wanted, sent, vendor):
    there = vendor("salesforce")
    states = STATES if object_name == "Task" else LEAD_STATES
    ended = next(one for one in states if one["ApiName"] == now)
    record = {"Id": SALESFORCE_ID, "Status": now} | ended
    answers_queries(there, **{object_name: [record], "TaskStatus": STATES, "LeadStatus": LEAD_STATES})
    path = f"{API}/sobjects/{object_name}/{SALESFORCE_ID}"
    there.answers(("PATCH", path), None, 204)

    there.connector(object=object_name).transition(there.ref, wanted)

    assert there.sent(("PATCH", path)) == [{"Status": value} for value in sent]


def test_a_lead_is_finished_by_the_value_the_manager_names_and_never_converted(vendor):
    there = vendor("salesforce")
    answers_queries(there, Lead=[{"Id": SALESFORCE_ID} | {"Status": "New"}], LeadStatus=LEAD_STATES)
    path = f"{API}/sobjects/Lead/{SALESFORCE_ID}"
    there.answers(("PATCH", path), None, 204)

    with pytest.raises(Rejected, match="only Open - Not Contacted, Answered, Closed - Not Converted"):
        there.connector(object="Lead").transition(there.ref, TaskStatus.DONE)
    there.connector(object="Lead", done_value="Answered").transition(there.ref, TaskStatus.DONE)

    assert there.sent(("PATCH", path)) == [{"Status": "Answered"}]


# ---- what refusals mean


@pytest.mark.parametrize(
    ("status", "code", "fields", "error", "words"),
    [
        (401, "INVALID_SESSION_ID", (), Unauthorized, "access token"),
        (403, "API_DISABLED_FOR_ORG", (), Refused, "API_DISABLED_FOR_ORG"),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY", (), Refused, "permission"),
        (404, "ENTITY_IS_DELETED", (), TargetGone, "deleted"),
        (400, "INVALID_CROSS_REFERENCE_KEY", ("OwnerId",), Rejected, "'OwnerId'"),
        (400, "UNABLE_TO_LOCK_ROW", (), TransientError, "saving the same"),
        (500, "UNABLE_TO_LOCK_ROW", (), TransientError, "saving the same"),
    ],
)  # fmt: skip
def test_a_code_tells_what_happened(status, code, fields, error, words, vendor):
    there = vendor("salesforce")
    there.answers(CREATE, refused(code, "no", *fields), status)

    with pytest.raises(error, match=words) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error


def test_a_field_salesforce_does_not_know_is_named(vendor):
    there = vendor("salesforce")
    there.answers(CREATE, refused("INVALID_FIELD", "No such column 'Nope__c' on sobject of type Task"), 400)

    with pytest.raises(Rejected) as caught:
        there.connector().create(TASK)

    assert caught.value.field == "Nope__c"


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_at_the_same_time(vendor, httpserver):
    there = vendor("salesforce", around=False)
    given = iter(["first-token", "second-token", "third-token"])
    httpserver.expect_request(SALESFORCE_TOKEN[1]).respond_with_handler(
        lambda _: Response(orjson.dumps({"access_token": next(given)}))
    )

    def create(request):
        is_good = request.headers["Authorization"] == "Bearer second-token"
        body = CASE.created if is_good else refused("INVALID_SESSION_ID", "Session expired or invalid")
        return Response(orjson.dumps(body), status=201 if is_good else 401)

    httpserver.expect_request(CREATE[1]).respond_with_handler(create)
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    forms = [request.form.to_dict() for request, _ in httpserver.log if request.path == SALESFORCE_TOKEN[1]]
    assert forms == [
        {
            "grant_type": "refresh_token", "client_id": "3MVG.key", "client_secret": SECRET,
            "refresh_token": "5Aep.refresh",
        }
    ] * 2  # fmt: skip


def test_before_consent_the_app_signs_in_for_itself(vendor):
    there = vendor("salesforce")
    created(there, refresh_token="")

    (form,) = (request.form for request, _ in there.server.log if request.path == SALESFORCE_TOKEN[1])
    assert form.to_dict() == {"grant_type": "client_credentials", "client_id": "3MVG.key", "client_secret": SECRET}


@pytest.mark.parametrize("line_end", ["\n", " "], ids=["lines", "pasted into one line"])
@pytest.mark.parametrize(("domain", "place"), [("acme", "login"), ("acme--test.sandbox", "test")])
def test_with_a_private_key_octopus_signs_for_the_user(domain, place, line_end, vendor):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    pem = pem.replace("\n", line_end)
    there = vendor("salesforce")
    created(there, private_key=pem, username="octopus@acme.example", client_secret="", refresh_token="", domain=domain)

    (form,) = (request.form for request, _ in there.server.log if request.path == SALESFORCE_TOKEN[1])
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" and "client_secret" not in form
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience=f"https://{place}.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("3MVG.key", "octopus@acme.example")
    assert claims["exp"] <= datetime.now(UTC).timestamp() + 180


def test_a_private_key_that_cannot_be_read_is_told_without_showing_it(vendor):
    there = vendor("salesforce")

    with pytest.raises(Unauthorized, match="private key") as caught:
        there.connector(private_key="-----BEGIN nonsense", username="a@b.example").create(TASK)

    assert "nonsense" not in str(caught.value)
    assert there.server.log == []


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client_id", "inactive_user"])
def test_a_connection_that_ended_asks_to_connect_again(error, vendor):
    there = vendor("salesforce", around=False)
    there.answers(SALESFORCE_TOKEN, {"error": error, "error_description": "expired access/refresh token"}, 400)

    with pytest.raises(Unauthorized, match="Connect again"):
        there.connector().create(TASK)


def test_calls_go_where_the_token_says():
    asked = []

    def answer(request):
        asked.append(request.url.host)
        token = {"access_token": "a-token", "instance_url": "https://acme-eu.my.salesforce.com"}
        return httpx.Response(200, json=token if request.url.path == SALESFORCE_TOKEN[1] else CASE.created)

    ref = salesforce.Connector(salesforce.Config(**CASE.config), transport=httpx.MockTransport(answer)).create(TASK)

    assert asked == ["acme.my.salesforce.com", "acme-eu.my.salesforce.com"]
    assert ref.url == f"https://acme.my.salesforce.com/lightning/r/Task/{SALESFORCE_ID}/view"


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("acme", "acme"),
        ("https://acme.my.salesforce.com/", "acme"),
        ("acme--test.sandbox.lightning.force.com/lightning/page/home", "acme--test.sandbox"),
        ("Acme.my.salesforce-setup.com", "acme"),
    ],
)
def test_my_domain_is_taken_from_what_the_browser_shows(typed, domain):
    assert salesforce.Config(**(CASE.config | {"domain": typed})).domain == domain


@pytest.mark.parametrize(
    "wrong",
    [{"domain": ""}, {"domain": "evil.com"}, {"domain": "a b"}, {"client_secret": ""},
     {"client_secret": "", "username": "a@b.example"}, {"private_key": "x" * 40}],
)  # fmt: skip
def test_settings_that_cannot_sign_in_are_refused(wrong):
    with pytest.raises(ValidationError):
        salesforce.Config(**(CASE.config | wrong))


# ---- connecting


def answers_check(there, **described):
    there.answers(DESCRIBE, DESCRIBED | described)
    there.answers(("GET", "/services/oauth2/userinfo"), {"user_id": "005", "organization_id": "00D", "name": "Ann"})


def test_check_names_the_user_and_the_object(vendor):
    there = vendor("salesforce")
    answers_check(there)

    assert there.connector(key_field="Octopus_Key__c").check() == "Ann in Task"


@pytest.mark.parametrize(("right", "name"), [("createable", "Create"), ("updateable", "Edit")])
def test_check_names_the_missing_permission(right, name, vendor):
    there = vendor("salesforce")
    answers_check(there, **{right: False})

    with pytest.raises(Refused, match=f"permission {name} on the object Task"):
        there.connector().check()


def test_check_wants_the_field_for_the_key_to_be_an_external_id(vendor):
    there = vendor("salesforce")
    answers_check(there)

    with pytest.raises(Rejected, match="External ID") as caught:
        there.connector(key_field="Score__c").check()

    assert caught.value.field == "Score__c"


def test_check_wants_the_field_for_the_key_of_a_case_to_be_unique(vendor):
    there = vendor("salesforce")
    fields = [{"name": "Key__c", "externalId": True, "unique": False}]
    there.answers(("GET", f"{API}/sobjects/Case/describe"), DESCRIBED | {"fields": fields})

    with pytest.raises(Rejected, match="Unique"):
        there.connector(object="Case", key_field="Key__c").check()


def test_targets_are_the_objects_that_can_hold_tasks(vendor):
    there = vendor("salesforce")
    objects = [
        {"name": "Account", "label": "Account", "createable": True},
        {"name": "Case", "label": "Ticket", "createable": True},
        {"name": "Lead", "label": "Lead", "createable": False},
    ]
    there.answers(("GET", f"{API}/sobjects"), {"sobjects": objects})

    assert there.connector().targets() == [Target("Ticket", {"object": "Case"})]


def test_fields_leave_out_the_key_and_what_cannot_be_written(vendor):
    there = vendor("salesforce")
    there.answers(DESCRIBE, DESCRIBED)

    fields = {one.key: one for one in there.connector(key_field="Octopus_Key__c").fields()}

    assert "Octopus_Key__c" not in fields and "CreatedDate" not in fields
    assert (fields["Status"].required, fields["Status"].options) == (True, ("Not Started",))
    assert not fields["Vip__c"].required


def test_people_are_the_active_users(vendor):
    there = vendor("salesforce")
    asked = answers_queries(there, User=[{"Id": "005A", "Name": "Ann", "Email": "ann@example.com"}])

    assert there.connector().people() == [Person("005A", "Ann", "ann@example.com")]
    assert "IsActive = true" in asked[0]


# ---- outbound messages


MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
 <OrganizationId>00Dxx0000001gPLEAY</OrganizationId><ActionId>04kxx</ActionId><SessionId xsi:nil="true"/>
 <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/68.0</EnterpriseUrl>
 <Notification><Id>04lxx1</Id>
  <sObject xsi:type="sf:Task" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>00T1</sf:Id></sObject>
 </Notification>
 <Notification><Id>04lxx2</Id>
  <sObject xsi:type="sf:Task" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>00T2</sf:Id></sObject>
 </Notification>
</notifications></soapenv:Body></soapenv:Envelope>"""


def message(text: str = MESSAGE, query: str = "secret=the-word"):
    return RawRequest("POST", {}, text.encode(), query)


def test_an_outbound_message_names_the_records_and_is_acknowledged(vendor):
    connector = vendor("salesforce").connector(hook_secret="the-word")

    connector.verify_hook(message(), 0.0)

    assert connector.changed(message()) == ("00T1", "00T2")
    answer = connector.answer_hook(message())
    assert b"<Ack>true</Ack>" in answer.body and answer.content_type.startswith("text/xml")


@pytest.mark.parametrize(("secret", "query"), [("the-word", "secret=other"), ("the-word", ""), ("", "secret=")])
def test_an_outbound_message_without_the_secret_in_its_address_is_refused(secret, query, vendor):
    with pytest.raises(BadSignature):
        vendor("salesforce").connector(hook_secret=secret).verify_hook(message(query=query), 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "not XML",
        "<a/>",
        MESSAGE.replace("<soapenv:Envelope", '<!DOCTYPE x [<!ENTITY a "aaaa">]><soapenv:Envelope', 1),
        "\ud800",
    ],
)
def test_what_is_no_outbound_message_is_malformed(text, vendor):
    request = RawRequest("POST", {}, text.encode("utf-8", "surrogatepass"))

    with pytest.raises(Malformed):
        vendor("salesforce").connector().changed(request)


# ---- the vendor's contract


@cache
def _document() -> dict:
    return yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendor's contract is not beside this checkout")
def test_requests_are_as_the_vendor_describes_them(vendor, httpserver):
    there = vendor("salesforce")
    there.answers(CREATE, CASE.created, 201)
    there.answers(BY_KEY, CASE.created | {"created": True}, 201)
    there.answers(("PATCH", THE_TASK), None, 204)
    there.answers(("POST", f"{API}/sobjects/FeedItem"), CASE.created, 201)
    there.answers(("GET", f"{API}/sobjects"), {"sobjects": []})
    answers_queries(there, Task=[RECORD], TaskStatus=STATES, User=[], FeedItem=[])
    answers_check(there)
    connector = there.connector()

    connector.create(mapped(Score__c="3"))
    there.connector(key_field="Octopus_Key__c").create(TASK)
    connector.find(KEY)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Once more", KEY)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.check()
    connector.people()
    connector.targets()
    assert connector.comments(there.ref) == []
    assert list(connector.changes(SINCE)) == [connector.status(there.ref)]

    contract = OpenAPI.from_dict(_document() | {"servers": [{"url": there.address}]})
    asked = [request for request, _ in httpserver.log]
    for request in asked:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    assert len(asked) >= 14

"""What is true of Dynamics 365 only."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

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
from app.domain.tasks import Person, RemoteComment, Target, TaskStatus
from connectors.crm import dynamics

from .case import KEY, SECRET, TASK
from .cases.dynamics import CASE, DYNAMICS_TOKEN, TASK_ROW, refused

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/dynamics/openapi.yaml"
API = "/api/data/v9.2"
CREATE, TASKS = CASE.create, CASE.lookup
THE_TASK = ("PATCH", f"{API}/tasks({KEY})")
NOTES = ("POST", f"{API}/annotations")
ATTRIBUTES = f"{API}/EntityDefinitions(LogicalName='task')/Attributes"
PICKLISTS = f"{ATTRIBUTES}/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
CUSTOMER = "75c2dd85-e89e-e711-8122-000d3aa2331c"
USER = "75c2dd85-e89e-e711-8122-000d3aa23310"
NAME = "@OData.Community.Display.V1.FormattedValue"
SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DUPLICATE = refused("0x80040237", "A record with matching key values already exists.")


def label(text: str):
    return {"UserLocalizedLabel": {"Label": text}}


def column(name: str, kind: str, writable: bool = True, required: str = "None"):
    return {
        "LogicalName": name, "DisplayName": label(name.title()), "AttributeType": kind,
        "RequiredLevel": {"Value": required}, "IsValidForCreate": writable, "IsValidForUpdate": writable,
    }  # fmt: skip


COLUMNS = [
    column("subject", "String", required="ApplicationRequired"),
    column("description", "Memo"),
    column("prioritycode", "Picklist"),
    column("new_tier", "Picklist"),
    column("actualdurationminutes", "Integer"),
    column("new_score", "Decimal"),
    column("isbilled", "Boolean"),
    column("regardingobjectid", "Lookup"),
    column("createdon", "DateTime", writable=False),
]
OPTIONS = [
    {
        "LogicalName": "prioritycode",
        "OptionSet": {"Options": [{"Value": 0, "Label": label("Low")}, {"Value": 2, "Label": label("High")}]},
    },
    {
        "LogicalName": "new_tier", "OptionSet": None,
        "GlobalOptionSet": {"Options": [{"Value": 100000001, "Label": label("Gold")}]},
    },
]  # fmt: skip


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def answers_columns(there):
    there.answers(("GET", ATTRIBUTES), {"value": COLUMNS})
    there.answers(("GET", PICKLISTS), {"value": OPTIONS})


def created(there, task=TASK, table="task", **config):
    path = ("POST", f"{API}/{table}s")
    there.answers(path, {"activityid": KEY, "incidentid": KEY, "leadid": KEY}, 201)
    there.connector(table=table, **config).create(task)
    return there.sent(path)[-1]


def asked(there, path):
    return [request.args.to_dict() for request, _ in there.server.log if request.path == path]


# ---- creating


def test_the_key_is_the_records_own_id(vendor):
    there = vendor("dynamics")

    row = created(there, replace(TASK, assignee=USER))

    assert row["activityid"] == KEY
    assert (row["prioritycode"], row["scheduledend"]) == (2, "2026-12-01T09:30:00Z")
    assert row["ownerid@odata.bind"] == f"/systemusers({USER})"
    (request,) = (request for request, _ in there.server.log if request.path == CREATE[1])
    assert request.headers["Prefer"] == "return=representation" and request.headers["OData-Version"] == "4.0"


def test_a_second_try_finds_the_record_of_the_first_and_changes_nothing(vendor):
    there = vendor("dynamics")
    there.answers(CREATE, DUPLICATE, 412)
    there.answers(TASKS, CASE.found)

    assert there.connector().create(TASK) == there.ref
    assert asked(there, TASKS[1])[-1]["$filter"] == f"activityid eq {KEY}"


def test_another_column_that_must_be_unique_is_not_taken_for_the_task(vendor):
    there = vendor("dynamics")
    there.answers(CREATE, refused("0x80060892", "Entity Key Number violated."), 412)
    there.answers(TASKS, CASE.nothing)

    with pytest.raises(Rejected, match="such a record already"):
        there.connector().create(TASK)


def test_a_case_belongs_to_the_customer_of_the_settings_unless_one_is_mapped(vendor):
    there = vendor("dynamics")
    there.answers(("GET", ATTRIBUTES.replace("task", "incident")), {"value": []})
    there.answers(("GET", PICKLISTS.replace("task", "incident")), {"value": []})

    row = created(there, replace(TASK, priority=Priority.LOW), "incident", customer=CUSTOMER)
    other = created(there, mapped(**{"customerid_contact@odata.bind": "contacts(7)"}), "incident", customer=CUSTOMER)

    assert row["customerid_account@odata.bind"] == f"/accounts({CUSTOMER})"
    assert (row["title"], row["prioritycode"]) == (TASK.title, 3) and "scheduledend" not in row
    assert other["customerid_contact@odata.bind"] == "/contacts(7)" and "customerid_account@odata.bind" not in other


def test_a_lead_gets_a_name_that_an_update_leaves_alone(vendor):
    there = vendor("dynamics")
    row = created(there, table="lead")
    there.answers(("PATCH", f"{API}/leads({KEY})"), None, 204)

    there.connector(table="lead").update(there.ref, TASK)

    assert (row["subject"], row["lastname"], row["leadid"]) == (TASK.title, "[not provided]", KEY)
    (changed,) = there.sent(("PATCH", f"{API}/leads({KEY})"))
    assert "lastname" not in changed and "leadid" not in changed


def test_an_update_never_makes_a_deleted_record_again(vendor):
    there = vendor("dynamics")
    there.answers(THE_TASK, refused("0x80040217", f"task With Id = {KEY} Does Not Exist"), 404)

    with pytest.raises(TargetGone):
        there.connector().update(there.ref, TASK)

    (request,) = (request for request, _ in there.server.log if request.path == THE_TASK[1])
    assert request.headers["If-Match"] == "*"


def test_mapped_fields_get_the_types_the_table_describes(vendor):
    there = vendor("dynamics")
    answers_columns(there)

    fields = {
        "prioritycode": "low", "new_tier": "Gold", "actualdurationminutes": "5", "new_score": "2.5", "isbilled": "no",
        "subject": "Short\ntitle", "description": "",
    }  # fmt: skip
    row = created(there, mapped(**fields))

    assert (row["prioritycode"], row["new_tier"], row["subject"]) == (0, 100000001, "Short title")
    assert (row["actualdurationminutes"], row["new_score"], row["isbilled"]) == (5, 2.5, False)
    assert "description" not in row


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prioritycode", "Someday"), ("actualdurationminutes", "2.5"), ("new_score", "x"), ("isbilled", "perhaps"),
        ("regardingobjectid", "7"), ("nope", "x"),
    ],
)  # fmt: skip
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, text, vendor):
    there = vendor("dynamics")
    answers_columns(there)

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


# ---- looking


@pytest.mark.parametrize(
    ("table", "state", "reason", "status"),
    [
        ("task", 0, 2, TaskStatus.OPEN),
        ("task", 0, 3, TaskStatus.IN_PROGRESS),
        ("task", 1, 5, TaskStatus.DONE),
        ("task", 2, 6, TaskStatus.CANCELLED),
        ("task", 7, 100000000, TaskStatus.UNKNOWN),
        ("incident", 0, 1, TaskStatus.OPEN),
        ("incident", 0, 2, TaskStatus.IN_PROGRESS),
        ("lead", 0, 2, TaskStatus.IN_PROGRESS),
        ("lead", 2, 4, TaskStatus.CANCELLED),
    ],
)
def test_status_is_told_in_our_words(table, state, reason, status, vendor):
    there = vendor("dynamics")
    row = {"activityid": KEY, "incidentid": KEY, "leadid": KEY, "statecode": state, "statuscode": reason}
    there.answers(("GET", f"{API}/{table}s"), {"value": [row]})

    assert there.connector(table=table, customer=CUSTOMER).status(there.ref).status is status


def test_status_names_the_owner_and_the_time_of_change(vendor):
    there = vendor("dynamics")
    more = {f"_ownerid_value{NAME}": "Ann Lee", "modifiedon": "2026-11-20T08:00:00Z"}
    there.answers(TASKS, {"value": [TASK_ROW | more]})

    ref = there.connector().status(there.ref)

    assert (ref.assignee, ref.changed_at) == ("Ann Lee", datetime(2026, 11, 20, 8, tzinfo=UTC))
    (request,) = (request for request, _ in there.server.log if request.path == TASKS[1])
    assert "FormattedValue" in request.headers["Prefer"]


def test_a_deleted_record_is_gone(vendor):
    there = vendor("dynamics")
    there.answers(TASKS, CASE.nothing)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_changes_are_read_over_all_pages(vendor, httpserver):
    there = vendor("dynamics")

    def page(request):
        if "$skiptoken" in request.args:
            return Response(orjson.dumps({"value": [TASK_ROW | {"activityid": "2", "statecode": 1}]}))
        link = "https://acme.crm4.dynamics.com/api/data/v9.2/tasks?$select=activityid&$skiptoken=%3Ccookie%20page%3E"
        return Response(orjson.dumps({"value": [TASK_ROW], "@odata.nextLink": link}))

    httpserver.expect_request(TASKS[1], method="GET").respond_with_handler(page)

    first, second = there.connector().changes(SINCE)

    assert (first.id, second.id, second.status) == (KEY, "2", TaskStatus.DONE)
    one, two = asked(there, TASKS[1])
    assert one["$filter"] == "modifiedon ge 2026-11-20T10:00:00Z" and one["$orderby"] == "modifiedon asc"
    assert two == {"$select": "activityid", "$skiptoken": "<cookie page>"}


def test_a_comment_is_a_note_whose_id_is_its_key_so_a_second_try_adds_none(vendor):
    there = vendor("dynamics")
    there.answers(NOTES, DUPLICATE, 412)

    there.connector().comment(there.ref, "Once more", KEY)

    assert there.sent(NOTES) == [
        {"annotationid": KEY, "notetext": "Once more", "objectid_task@odata.bind": f"/tasks({KEY})"}
    ]


def test_comments_are_the_notes_without_their_markup(vendor):
    there = vendor("dynamics")
    notes = [
        {
            "annotationid": "1", "notetext": "<div><p>A &amp; B</p><p>Bye</p></div>",
            "createdon": "2026-11-20T10:00:00Z", f"_createdby_value{NAME}": "Ann",
        },
        {"annotationid": "2", "notetext": None, "subject": "a <b> stays"},
    ]  # fmt: skip
    there.answers(("GET", f"{API}/annotations"), {"value": notes})

    assert there.connector().comments(there.ref) == [
        RemoteComment("1", "A & B\nBye", "Ann", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        RemoteComment("2", "a <b> stays"),
    ]
    assert asked(there, f"{API}/annotations")[0]["$filter"] == f"_objectid_value eq {KEY}"


# ---- transitions


@pytest.mark.parametrize(
    ("table", "now", "wanted", "sent"),
    [
        ("task", (0, 2), TaskStatus.DONE, [{"statecode": 1, "statuscode": 5}]),
        ("task", (0, 2), TaskStatus.CANCELLED, [{"statecode": 2, "statuscode": 6}]),
        ("task", (1, 5), TaskStatus.OPEN, [{"statecode": 0, "statuscode": 2}]),
        ("task", (1, 5), TaskStatus.DONE, []),
        ("task", (0, 3), TaskStatus.OPEN, []),
        ("incident", (0, 1), TaskStatus.CANCELLED, [{"statecode": 2, "statuscode": 6}]),
        ("lead", (0, 1), TaskStatus.DONE, [{"statecode": 1, "statuscode": 3}]),
    ],
)
def test_a_transition_sets_state_and_reason_only_when_it_must(table, now, wanted, sent, vendor):
    there = vendor("dynamics")
    row = {"activityid": KEY, "incidentid": KEY, "leadid": KEY, "statecode": now[0], "statuscode": now[1]}
    there.answers(("GET", f"{API}/{table}s"), {"value": [row]})
    there.answers(("PATCH", f"{API}/{table}s({KEY})"), None, 204)

    there.connector(table=table, customer=CUSTOMER).transition(there.ref, wanted)

    assert there.sent(("PATCH", f"{API}/{table}s({KEY})")) == sent


def test_a_case_is_resolved_by_the_action_made_for_it(vendor):
    there = vendor("dynamics")
    there.answers(("GET", f"{API}/incidents"), {"value": [{"incidentid": KEY, "statecode": 0, "statuscode": 1}]})
    there.answers(("POST", f"{API}/CloseIncident"), None, 204)

    there.connector(table="incident", customer=CUSTOMER).transition(there.ref, TaskStatus.DONE)

    assert there.sent(("POST", f"{API}/CloseIncident")) == [
        {
            "IncidentResolution": {"subject": "Done in Octopus", "incidentid@odata.bind": f"/incidents({KEY})"},
            "Status": 5,
        }
    ]


# ---- what refusals mean


@pytest.mark.parametrize(
    ("status", "code", "message", "error", "words"),
    [
        (401, "0x80072560", "The user is not a member of the organization.", Refused, "Application users"),
        (403, "0x80040220", "Principal user is missing prvCreateActivity privilege", Refused, "prvCreateActivity"),
        (404, "0x8006088a", "Resource not found for the segment 'incidents'.", TargetGone, "record or table"),
        (404, "0x80040217", "systemuser With Id = 7 Does Not Exist", Rejected, "'ownerid'"),
        (400, "0x80044331", "The length of the 'subject' attribute of the 'task' entity", Rejected, "'subject'"),
        (400, "0x80048d19", "Invalid property 'new_x' was found in entity", Rejected, "'new_x'"),
        (400, "0x80040203", "Something else", Rejected, "the request"),
        (429, "0x80072326", "Number of concurrent requests exceeded the limit", TransientError, "too often"),
    ],
)
def test_a_code_tells_what_happened(status, code, message, error, words, vendor):
    there = vendor("dynamics")
    there.answers(CREATE, refused(code, message), status)

    with pytest.raises(RemoteError, match=words) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_at_the_same_time(vendor, httpserver):
    there = vendor("dynamics", around=False)
    given = iter(["first-token", "second-token", "third-token"])
    httpserver.expect_request(DYNAMICS_TOKEN[1]).respond_with_handler(
        lambda _: Response(
            orjson.dumps({"access_token": next(given), "expires_in": 3599, "refresh_token": "0.rotated"})
        )
    )

    def create(request):
        is_good = request.headers["Authorization"] == "Bearer second-token"
        return Response(orjson.dumps(CASE.created) if is_good else b"", status=201 if is_good else 401)

    httpserver.expect_request(CREATE[1]).respond_with_handler(create)
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    first, second = (request.form.to_dict() for request, _ in httpserver.log if request.path == DYNAMICS_TOKEN[1])
    assert first == {
        "grant_type": "refresh_token", "client_id": "c1d2", "client_secret": SECRET,
        "refresh_token": "0.refresh-token",
        "scope": "https://acme.crm4.dynamics.com/user_impersonation offline_access",
    }  # fmt: skip
    assert second["refresh_token"] == "0.rotated"


def test_before_consent_the_application_signs_in_for_itself(vendor):
    there = vendor("dynamics")
    created(there, refresh_token="")

    (form,) = (request.form for request, _ in there.server.log if request.path == DYNAMICS_TOKEN[1])
    assert form.to_dict() == {
        "grant_type": "client_credentials", "client_id": "c1d2", "client_secret": SECRET,
        "scope": "https://acme.crm4.dynamics.com/.default",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error", "description", "words"),
    [
        (400, "invalid_grant", "AADSTS70043: The refresh token has expired", "AADSTS70043"),
        (401, "invalid_client", "AADSTS7000215: Invalid client secret provided.", "AADSTS7000215"),
        (400, "invalid_request", None, "invalid_request"),
    ],
)
def test_a_connection_that_ended_asks_to_connect_again(status, error, description, words, vendor):
    there = vendor("dynamics", around=False)
    there.answers(DYNAMICS_TOKEN, {"error": error, "error_description": description}, status)

    with pytest.raises(Unauthorized, match=words) as caught:
        there.connector().create(TASK)

    assert "Connect again" in str(caught.value)


def test_entra_id_away_is_no_reason_to_connect_again(vendor):
    there = vendor("dynamics", around=False)
    there.answers(DYNAMICS_TOKEN, {"error": "temporarily_unavailable"}, 503)

    with pytest.raises(TransientError) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is TransientError  # nothing can have been made


@pytest.mark.parametrize(
    ("environment", "sign_in"),
    [
        ("acme.crm4.dynamics.com", "login.microsoftonline.com"),
        ("acme.crm.dynamics.cn", "login.partner.microsoftonline.cn"),
        ("acme.crm.microsoftdynamics.us", "login.microsoftonline.us"),
    ],
)
def test_each_cloud_has_its_own_sign_in(environment, sign_in):
    hosts = []

    def answer(request):
        hosts.append(request.url.host)
        is_token = request.url.path == DYNAMICS_TOKEN[1]
        return httpx.Response(200, json={"access_token": "a-token"} if is_token else CASE.created)

    config = dynamics.Config(**(CASE.config | {"environment": environment}))
    ref = dynamics.Connector(config, transport=httpx.MockTransport(answer)).create(TASK)

    assert hosts == [sign_in, environment]
    assert ref.url == f"https://{environment}/main.aspx?etn=task&pagetype=entityrecord&id={KEY}"


@pytest.mark.parametrize("typed", ["https://Acme.crm4.dynamics.com/main.aspx?appid=1", "acme.crm4.dynamics.com "])
def test_the_environment_is_taken_from_what_the_browser_shows(typed):
    assert dynamics.Config(**(CASE.config | {"environment": typed})).environment == "acme.crm4.dynamics.com"


@pytest.mark.parametrize(
    "wrong",
    [
        {"environment": "acme.example.com"}, {"environment": "acme"}, {"tenant": "a/b"}, {"table": "incident"},
        {"customer": "x) or (1 eq 1"},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        dynamics.Config(**(CASE.config | wrong))


# ---- connecting


def answers_check(there, missing=""):
    function = "Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName"
    there.answers(("GET", f"{API}/WhoAmI"), {"UserId": USER, "OrganizationId": USER})
    there.answers(("GET", f"{API}/systemusers({USER})"), {"fullname": "# Octopus"})
    for name in ("prvCreateActivity", "prvWriteActivity"):
        given = [] if name == missing else [{"Depth": "Global", "PrivilegeName": name}]
        path = f"{API}/systemusers({USER})/{function}(PrivilegeName='{name}')"
        there.answers(("GET", path), {"RolePrivileges": given})


def test_check_names_the_user_and_the_table(vendor):
    there = vendor("dynamics")
    answers_check(there)

    assert there.connector().check() == "# Octopus in tasks"


@pytest.mark.parametrize("privilege", ["prvCreateActivity", "prvWriteActivity"])
def test_check_names_the_missing_privilege(privilege, vendor):
    there = vendor("dynamics")
    answers_check(there, missing=privilege)

    with pytest.raises(Refused, match=privilege):
        there.connector().check()


def test_targets_are_the_tables_that_can_hold_tasks(vendor):
    there = vendor("dynamics")
    tables = [{"LogicalName": "task", "DisplayName": label("Aufgabe")}, {"LogicalName": "lead", "DisplayName": None}]
    there.answers(("GET", f"{API}/EntityDefinitions"), {"value": tables})

    assert there.connector().targets() == [Target("Aufgabe", {"table": "task"}), Target("lead", {"table": "lead"})]


def test_fields_leave_out_what_cannot_be_written_and_list_the_choices(vendor):
    there = vendor("dynamics")
    answers_columns(there)

    fields = {one.key: one for one in there.connector().fields()}

    assert "createdon" not in fields and "regardingobjectid" not in fields
    assert fields["subject"].required and not fields["description"].required
    assert (fields["prioritycode"].options, fields["new_tier"].options) == (("Low", "High"), ("Gold",))


def test_people_are_the_active_users(vendor):
    there = vendor("dynamics")
    users = [{"systemuserid": USER, "fullname": "Ann", "internalemailaddress": "ann@example.com"}]
    there.answers(("GET", f"{API}/systemusers"), {"value": users})

    assert there.connector().people() == [Person(USER, "Ann", "ann@example.com")]
    assert "isdisabled eq false" in asked(there, f"{API}/systemusers")[0]["$filter"]


# ---- webhooks


def test_a_webhook_set_twice_renews_the_secret_and_adds_no_second(vendor, httpserver):
    there = vendor("dynamics")
    patched = []

    def endpoint(request):
        patched.append((request.path, request.get_json()))
        return Response(status=204)

    path_of_endpoints = re.compile(rf"{API}/serviceendpoints\(.*\)")
    httpserver.expect_request(path_of_endpoints, method="PATCH").respond_with_handler(endpoint)
    filters = [{"sdkmessagefilterid": "f1", "_sdkmessageid_value": "m1"}]
    there.answers(("GET", f"{API}/sdkmessagefilters"), {"value": filters})
    steps = ("POST", f"{API}/sdkmessageprocessingsteps")
    for _ in range(3):
        there.answers_once(steps, {}, 201)
    there.answers(steps, DUPLICATE, 412)

    first = there.connector().set_hook("https://octopus.example/hooks/1")
    second = there.connector().set_hook("https://octopus.example/hooks/1")

    (path, one), (again, two) = patched
    assert path == again and UUID(path.split("(")[1][:-1])
    assert (one["authvalue"], two["authvalue"]) == (first["hook_secret"], second["hook_secret"])
    assert (one["url"], one["contract"], one["authtype"]) == ("https://octopus.example/hooks/1", 8, 4)
    sent = there.sent(steps)
    assert sent[:3] == sent[3:] and len({step["sdkmessageprocessingstepid"] for step in sent}) == 3
    assert all(step["mode"] == 1 and step["sdkmessageid@odata.bind"] == "/sdkmessages(m1)" for step in sent)
    assert [one["$filter"] for one in asked(there, f"{API}/sdkmessagefilters")][:3] == [
        "primaryobjecttypecode eq 'task' and sdkmessageid/name eq 'Update'",
        "primaryobjecttypecode eq 'task' and sdkmessageid/name eq 'Delete'",
        "primaryobjecttypecode eq 'annotation' and sdkmessageid/name eq 'Create'",
    ]


def event(query: str = "code=the-word", **body):
    return RawRequest("POST", {}, orjson.dumps(body), query)


def note_about(table: str):
    target = {"Attributes": [{"key": "objectid", "value": {"Id": "7", "LogicalName": table}}]}
    return event(
        PrimaryEntityName="annotation", PrimaryEntityId="9", InputParameters=[{"key": "Target", "value": target}]
    )


def test_a_webhook_names_the_task_that_changed_or_was_commented(vendor):
    connector = vendor("dynamics").connector(hook_secret="the-word")
    changed = event(MessageName="Update", PrimaryEntityName="task", PrimaryEntityId=KEY)

    connector.verify_hook(changed, 0.0)

    assert connector.changed(changed) == (KEY,)
    assert connector.changed(note_about("task")) == ("7",)
    assert connector.changed(note_about("account")) == ()
    assert connector.changed(event(PrimaryEntityName="annotation", PrimaryEntityId="9")) == ()  # left out above 256 KB
    assert connector.answer_hook(changed).status == 200
    with pytest.raises(Malformed):
        connector.changed(event(PrimaryEntityName="task"))


@pytest.mark.parametrize(("secret", "query"), [("the-word", "code=other"), ("the-word", ""), ("", "code=")])
def test_a_webhook_without_the_secret_is_refused(secret, query, vendor):
    with pytest.raises(BadSignature):
        vendor("dynamics").connector(hook_secret=secret).verify_hook(event(query), 0.0)


# ---- the vendor's contract


@cache
def _document() -> dict:
    return yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendor's contract is not beside this checkout")
def test_requests_are_as_the_vendor_describes_them(vendor, httpserver):
    there = vendor("dynamics")
    there.answers(CREATE, CASE.created, 201)
    there.answers(TASKS, CASE.found)
    there.answers(THE_TASK, None, 204)
    there.answers(NOTES, None, 204)
    there.answers(("GET", f"{API}/annotations"), {"value": []})
    there.answers(("GET", f"{API}/EntityDefinitions"), {"value": []})
    there.answers(("GET", f"{API}/systemusers"), {"value": []})
    answers_check(there)
    answers_columns(there)
    connector = there.connector()

    connector.create(mapped(subject="Mapped"))
    connector.find(KEY)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Once more", KEY)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.check()
    connector.people()
    connector.targets()
    assert connector.comments(there.ref) == []
    assert list(connector.changes(SINCE)) == [connector.status(there.ref)]

    # The document has the tables' paths below a server of their own, and the token's below the tenant's.
    document = _document()
    paths = {f"{API}{path}": described for path, described in document["paths"].items()}
    token = paths.pop(f"{API}/oauth2/v2.0/token")
    token["post"].pop("servers")
    paths[DYNAMICS_TOKEN[1]] = token
    contract = OpenAPI.from_dict(document | {"paths": paths, "servers": [{"url": there.address}]})
    described = 0
    for request, _ in httpserver.log:
        if "Microsoft.Dynamics.CRM" in request.path or request.path.startswith(f"{API}/systemusers("):
            continue  # functions and casts are not in the document; a read by id is taken for a list by the library
        contract.validate_request(WerkzeugOpenAPIRequest(request))
        described += 1
    assert described >= 14

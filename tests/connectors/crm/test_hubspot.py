"""What is true of HubSpot only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.classification import Priority
from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, Person, TaskRef, TaskStatus
from connectors.crm import hubspot
from connectors.oauth import consent_address, redeem

from .case import KEY, SECRET, TASK
from .cases.hubspot import OWNERS, PIPELINES, RECORD
from .test_vendor_contracts import CONTRACTS, _assert_described

OBJECTS = "/crm/v3/objects"
TICKETS, TICKET = f"{OBJECTS}/tickets", f"{OBJECTS}/tickets/512"
CREATE, READ, WRITE, SEARCH = ("POST", TICKETS), ("GET", TICKET), ("PATCH", TICKET), ("POST", f"{TICKETS}/search")
NOTES, NOTES_FOUND = f"{OBJECTS}/notes", ("POST", f"{OBJECTS}/notes/search")
PEOPLE, STAGES, TOKEN = ("GET", "/crm/v3/owners/"), ("GET", "/crm/v3/pipelines/tickets"), ("POST", "/oauth/v1/token")
PROPERTIES = ("GET", "/crm/v3/properties/tickets")
MARK = f"octopus{KEY.replace('-', '')}"
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "r3fresh-word"}
SINCE = datetime(2026, 11, 20, 8, tzinfo=UTC)
DEAL = {"object": "deals", "pipeline": "9", "stage": "fresh"}


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def record(**properties: str | None):
    return RECORD | {"properties": RECORD["properties"] | properties}


def created(there, task=TASK, **config):
    call = ("POST", f"{OBJECTS}/{config.get('object', 'tickets')}")
    there.answers(call, there.case.created)
    there.connector(**config).create(task)
    return there.sent(call)[-1]["properties"]


def reading(vendor, of="tickets", **properties: str | None):
    """A HubSpot whose record is as told."""
    there = vendor("hubspot")
    there.answers(("GET", f"{OBJECTS}/{of}/512"), record(**properties))
    there.answers(("PATCH", f"{OBJECTS}/{of}/512"), RECORD)
    there.answers(("GET", f"/crm/v3/pipelines/{of}"), PIPELINES)
    there.answers(PEOPLE, OWNERS)
    return there


def moved(there, status, of="tickets", **config):
    """The stage the record is moved to; None where it stays."""
    there.connector(object=of, **config).transition(there.ref, status)
    sent = there.sent(("PATCH", f"{OBJECTS}/{of}/512"))
    return next(iter(sent[-1]["properties"].values())) if sent else None


def requests_to(there, path, method="GET"):
    return [request for request, _ in there.server.log if request.path == path and request.method == method]


# ---- creating


def test_a_ticket_gets_pipeline_stage_owner_priority_and_the_key_below_its_text(vendor):
    properties = created(vendor("hubspot"), replace(TASK, assignee="7", body="a < b"))

    text = properties.pop("content")
    assert text.startswith("a < b\nscreen.png: https://files.example/screen.png") and text.endswith(f"\n\n{MARK}")
    assert properties == {
        "subject": TASK.title, "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH",
        "hubspot_owner_id": "7",
    }  # fmt: skip


def test_a_task_shows_no_markup_of_a_customer_and_is_due_at_the_due_date(vendor):
    task = replace(TASK, body="<b>&\nHi", priority=Priority.URGENT, attachments=(), link="", assignee="7")

    properties = created(vendor("hubspot"), task, object="tasks")

    assert properties == {
        "hs_task_subject": TASK.title, "hs_task_body": f"&lt;b&gt;&amp;<br>Hi<br><br>{MARK}",
        "hs_task_priority": "HIGH", "hs_timestamp": "2026-12-01T09:30:00Z", "hubspot_owner_id": "7",
    }  # fmt: skip


def test_a_mapped_text_of_a_task_shows_no_markup_either(vendor):
    assert created(vendor("hubspot"), mapped(hs_task_body="<i>x"), object="tasks")["hs_task_body"] == (
        f"&lt;i&gt;x<br><br>{MARK}"
    )


def test_a_task_without_a_due_date_is_due_now_and_an_update_does_not_move_it(vendor):
    there, undated = reading(vendor, "tasks"), replace(TASK, due_at=None)

    due = datetime.fromisoformat(created(there, undated, object="tasks")["hs_timestamp"])
    there.connector(object="tasks").update(there.ref, undated)

    assert abs((due - datetime.now(UTC)).total_seconds()) < 60
    assert "hs_timestamp" not in there.sent(("PATCH", f"{OBJECTS}/tasks/512"))[0]["properties"]


def test_a_deal_closes_at_the_due_date(vendor):
    properties = created(vendor("hubspot"), **DEAL)

    assert (properties["closedate"], properties["pipeline"], properties["dealstage"]) == (
        "2026-12-01T09:30:00Z", "9", "fresh",
    )  # fmt: skip


@pytest.mark.parametrize("of", ["tickets", "deals"])
def test_the_due_date_goes_to_a_property_of_ones_own(of, vendor):
    properties = created(vendor("hubspot"), object=of, due_property="answer_by")

    assert properties["answer_by"] == "2026-12-01"
    assert "closedate" not in properties


def test_mapped_fields_take_the_place_of_ours_and_one_mapped_to_nothing_is_left_out(vendor):
    fields = {
        "subject": "Hi\nyou", "content": "Short", "hs_ticket_priority": "", "hs_pipeline_stage": "2", "kind": "A",
        "long": "x" * 70_000,
    }  # fmt: skip

    properties = created(vendor("hubspot"), mapped(**fields))

    assert len(properties.pop("long")) == 60_000
    assert properties == {
        "subject": "Hi you", "content": f"Short\n\n{MARK}", "hs_pipeline": "0", "hs_pipeline_stage": "2", "kind": "A",
    }  # fmt: skip


def test_a_created_ticket_is_known_whatever_its_mapped_stage_and_without_another_call(vendor):
    there = vendor("hubspot")
    there.answers(CREATE, record(hs_pipeline_stage="4"))

    assert there.connector().create(mapped(hs_pipeline_stage="4")) == there.ref
    assert len(there.server.log) == 1


def test_an_update_leaves_the_stage_to_people(vendor):
    there = reading(vendor)

    there.connector().update(there.ref, mapped(subject="New", hs_pipeline_stage="1", hs_pipeline="0"))

    assert set(there.sent(WRITE)[0]["properties"]) == {"subject", "content", "hs_ticket_priority"}


# ---- status


@pytest.mark.parametrize(
    ("of", "stage", "status"),
    [
        ("tickets", "1", TaskStatus.OPEN),
        ("tickets", "2", TaskStatus.IN_PROGRESS),
        ("tickets", "4", TaskStatus.DONE),
        ("tickets", "77", TaskStatus.UNKNOWN),
        ("deals", "talks", TaskStatus.IN_PROGRESS),
        ("deals", "won", TaskStatus.DONE),
        ("deals", "lost", TaskStatus.CANCELLED),
        ("tasks", "NOT_STARTED", TaskStatus.OPEN),
        ("tasks", "DEFERRED", TaskStatus.OPEN),
        ("tasks", "IN_PROGRESS", TaskStatus.IN_PROGRESS),
        ("tasks", "COMPLETED", TaskStatus.DONE),
        ("tasks", "FORGOTTEN", TaskStatus.UNKNOWN),
    ],
)
def test_what_a_stage_means(of, stage, status, vendor):
    name = {"tickets": "hs_pipeline_stage", "deals": "dealstage", "tasks": "hs_task_status"}[of]
    there = reading(vendor, of, **{name: stage})

    assert there.connector(object=of).status(there.ref).status is status


def test_status_names_the_owner_and_the_time_of_change(vendor):
    there = reading(vendor)

    assert there.connector().status(there.ref) == TaskRef(
        "512", "https://hubspot.example/512", TaskStatus.OPEN, "Ann Lee",
        datetime(2026, 11, 20, 9, 30, 0, 250_000, tzinfo=UTC),
    )  # fmt: skip
    assert requests_to(there, TICKET)[0].args["properties"] == "hs_pipeline_stage,hs_pipeline,hubspot_owner_id"


@pytest.mark.parametrize(("owner", "asked"), [("99", 1), (None, 0), ("", 0)])
def test_an_owner_who_left_and_nobody_have_no_name(owner, asked, vendor):
    there = reading(vendor, hubspot_owner_id=owner)

    assert there.connector().status(there.ref).assignee == ""
    assert len(requests_to(there, PEOPLE[1])) == asked


def test_a_deleted_record_is_gone(vendor):
    there = vendor("hubspot")
    there.answers(READ, {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"}, 404)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_eight_calls_at_once_ask_owners_and_pipelines_once(vendor):
    there = reading(vendor, hs_pipeline_stage="2")
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert {(ref.assignee, ref.status) for ref in refs} == {("Ann Lee", TaskStatus.IN_PROGRESS)}
    assert len(requests_to(there, PEOPLE[1])) == len(requests_to(there, STAGES[1])) == 1


# ---- transition


@pytest.mark.parametrize(
    ("stage", "wanted", "sent"),
    [
        ("1", TaskStatus.DONE, "4"),
        ("2", TaskStatus.CANCELLED, "4"),
        ("4", TaskStatus.OPEN, "1"),
        ("1", TaskStatus.OPEN, None),
        ("2", TaskStatus.OPEN, None),
        ("5", TaskStatus.DONE, None),
        ("5", TaskStatus.CANCELLED, None),
        ("77", TaskStatus.DONE, "4"),
    ],
)
def test_a_ticket_is_closed_and_opened_by_the_first_such_stage_and_stays_where_it_is_already_so(
    stage, wanted, sent, vendor
):
    assert moved(reading(vendor, hs_pipeline_stage=stage), wanted) == sent


@pytest.mark.parametrize(
    ("stage", "wanted", "sent"),
    [
        ("fresh", TaskStatus.DONE, "won"),
        ("talks", TaskStatus.CANCELLED, "lost"),
        ("lost", TaskStatus.CANCELLED, None),
        ("lost", TaskStatus.DONE, "won"),
        ("won", TaskStatus.OPEN, "fresh"),
    ],
)
def test_a_deal_is_won_lost_or_opened_again(stage, wanted, sent, vendor):
    there = reading(vendor, "deals", pipeline="9", dealstage=stage)

    assert moved(there, wanted, "deals", pipeline="9", stage="fresh") == sent


@pytest.mark.parametrize(
    ("state", "wanted", "sent"),
    [
        ("NOT_STARTED", TaskStatus.DONE, "COMPLETED"),
        ("IN_PROGRESS", TaskStatus.CANCELLED, "COMPLETED"),
        ("COMPLETED", TaskStatus.CANCELLED, None),
        ("COMPLETED", TaskStatus.OPEN, "NOT_STARTED"),
        ("WAITING", TaskStatus.OPEN, None),
    ],
)
def test_a_task_is_completed_or_not(state, wanted, sent, vendor):
    assert moved(reading(vendor, "tasks", hs_task_status=state), wanted, "tasks") == sent


def test_a_record_moved_to_another_pipeline_is_closed_by_a_stage_of_that_one(vendor):
    assert moved(reading(vendor, hs_pipeline="9", hs_pipeline_stage="talks"), TaskStatus.DONE) == "won"


def test_a_pipeline_without_a_closed_stage_is_named_and_nothing_changed(vendor):
    there = reading(vendor, hs_pipeline="10", hs_pipeline_stage="on")

    with pytest.raises(Rejected, match="no stage that means done; nothing was changed"):
        there.connector().transition(there.ref, TaskStatus.DONE)

    assert there.sent(WRITE) == []


# ---- comments

NOTED = {"associations": {"notes": {"results": [{"id": "90", "type": "ticket_to_note"}, {"id": "100"}, {"id": "90"}]}}}


def note(note_id, minute, text="Hi", owner=None):
    properties = {"hs_note_body": text, "hubspot_owner_id": owner}
    return {"id": note_id, "createdAt": f"2026-11-20T08:{minute:02}:00Z", "properties": properties}


def test_comments_are_the_notes_on_the_record_in_order_with_their_authors_and_without_markup(vendor):
    there = vendor("hubspot")
    there.answers(READ, RECORD | NOTED)
    there.answers(PEOPLE, OWNERS)
    there.answers(NOTES_FOUND, {"results": [note("90", 5, "Two<br>lines &lt;3"), note("100", 1, "<p>First</p>", "7")]})

    first, second = there.connector().comments(there.ref)

    assert (first.id, first.text, first.author) == ("100", "First", "Ann Lee")
    assert first.written_at == datetime(2026, 11, 20, 8, 1, tzinfo=UTC)
    assert (second.id, second.text, second.author) == ("90", "Two\nlines <3", "")
    (filters,) = there.sent(NOTES_FOUND)[0]["filterGroups"]
    assert filters["filters"][0]["values"] == ["90", "100"]


def test_a_note_the_search_does_not_know_yet_is_read_alone(vendor):
    there = vendor("hubspot")
    there.answers(READ, RECORD | NOTED)
    there.answers(NOTES_FOUND, {"results": [note("90", 1)]})
    there.answers(("GET", f"{NOTES}/100"), note("100", 5, "Just now"))

    assert [comment.text for comment in there.connector().comments(there.ref)] == ["Hi", "Just now"]


def test_a_record_without_notes_costs_one_call(vendor):
    there = vendor("hubspot")
    there.answers(READ, RECORD)

    assert there.connector().comments(there.ref) == []
    assert len(there.server.log) == 1


def test_of_very_many_notes_the_newest_hundred_are_read(vendor):
    there = vendor("hubspot")
    linked = [{"id": str(number)} for number in range(1, 251)]
    there.answers(READ, RECORD | {"associations": {"notes": {"results": linked}}})
    there.answers(NOTES_FOUND, {"results": [note(str(number), number % 60) for number in range(151, 251)]})

    assert len(there.connector().comments(there.ref)) == 100
    assert there.sent(NOTES_FOUND)[0]["filterGroups"][0]["filters"][0]["values"][0] == "151"


def test_what_we_comment_is_read_back_as_we_wrote_it(vendor):
    there = vendor("hubspot")
    there.answers(("POST", NOTES), {"id": "1"})
    there.connector().comment(there.ref, 'Still "down" & <out>\n😀', KEY)
    (sent,) = there.sent(("POST", NOTES))
    there.answers(READ, RECORD | NOTED)
    there.answers(NOTES_FOUND, {"results": [note(one, 1, sent["properties"]["hs_note_body"]) for one in ("90", "100")]})

    assert there.connector().comments(there.ref)[0].text == 'Still "down" & <out>\n😀'
    assert sent["associations"][0]["to"] == {"id": "512"}


def test_a_task_has_no_notes_and_says_so(vendor):
    connector = vendor("hubspot").connector(object="tasks")

    assert not {Capability.COMMENT, Capability.COMMENTS} & connector.CAN
    assert connector.comments(TaskRef("512")) == []
    assert {Capability.COMMENT, Capability.COMMENTS} <= vendor("hubspot").connector().CAN


# ---- changes


def test_changes_lists_what_was_touched_since_page_by_page(vendor, httpserver):
    there = reading(vendor)
    pages = {
        None: {"results": [record(hs_pipeline_stage="4")], "paging": {"next": {"after": "200"}}},
        "200": {"results": [RECORD | {"id": "513"}]},
    }
    httpserver.expect_request(SEARCH[1], method="POST").respond_with_handler(
        lambda request: Response(orjson.dumps(pages[request.get_json().get("after")]))
    )

    done, open_ = there.connector().changes(SINCE)

    assert (done.id, done.status, done.assignee) == ("512", TaskStatus.DONE, "Ann Lee")
    assert (open_.id, open_.status) == ("513", TaskStatus.OPEN)
    (asked,) = there.sent(SEARCH)[0]["filterGroups"]
    assert asked["filters"] == [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1795161600000"}]
    assert there.sent(SEARCH)[0]["sorts"] == ["hs_lastmodifieddate"]


@pytest.mark.parametrize(("last", "again"), [("2026-11-20T08:00:05Z", 5_000), ("2026-11-20T08:00:00Z", 1)])
def test_above_what_one_search_gives_a_new_one_goes_on_from_the_last_change(last, again, vendor, httpserver):
    there = reading(vendor)

    def answer(request):
        is_first = request.get_json()["filterGroups"][0]["filters"][0]["value"] == "1795161600000"
        body = {"results": [record(hs_lastmodifieddate=last)]}
        return Response(orjson.dumps(body | ({"paging": {"next": {"after": "9900"}}} if is_first else {})))

    httpserver.expect_request(SEARCH[1], method="POST").respond_with_handler(answer)

    assert len(list(there.connector().changes(SINCE))) == 2

    second = there.sent(SEARCH)[1]
    assert second["filterGroups"][0]["filters"][0]["value"] == str(1_795_161_600_000 + again)
    assert "after" not in second


# ---- connecting


def test_people_are_the_owners_of_all_pages(vendor, httpserver):
    there = vendor("hubspot")
    pages = {
        None: {"results": OWNERS["results"][:1], "paging": {"next": {"after": "1"}}},
        "1": {"results": OWNERS["results"][1:]},
    }
    httpserver.expect_request(PEOPLE[1]).respond_with_handler(
        lambda request: Response(orjson.dumps(pages[request.args.get("after")]))
    )

    assert there.connector().people() == [
        Person("7", "Ann Lee", "ann@example.com"), Person("8", "bo@example.com", "bo@example.com"), Person("9", "9"),
    ]  # fmt: skip


def checked(vendor, *properties, **config):
    there = vendor("hubspot")
    there.answers(("GET", "/account-info/v3/details"), {"portalId": 62515})
    there.answers(("GET", TICKETS), {"results": []})
    there.answers(STAGES, PIPELINES)
    there.answers(PROPERTIES, {"results": properties})
    return there.connector(**config).check()


def test_check_finds_the_properties_that_are_named(vendor):
    known = {"name": "octopus_key", "hasUniqueValue": True}, {"name": "answer_by"}

    assert checked(vendor, *known, unique_property="octopus_key", due_property="answer_by") == "Account 62515"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"unique_property": "gone"}, "no property 'gone'"),
        ({"due_property": "gone"}, "no property 'gone'"),
        ({"unique_property": "twice"}, "'twice' does not require unique values"),
    ],
)
def test_check_refuses_a_property_that_cannot_do_its_work(config, words, vendor):
    with pytest.raises(Rejected, match=words):
        checked(vendor, {"name": "twice", "hasUniqueValue": False}, **config)


def test_check_refuses_a_stage_there_is_not(vendor):
    with pytest.raises(TargetGone, match="no stage 77"):
        checked(vendor, stage="77")


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([{"context": {"requiredGranularScopes": ["tickets"]}}], "lacks one of the scopes tickets;"),
        ([], "lacks a scope;"),
    ],
)
def test_a_missing_scope_is_named(errors, words, vendor):
    there = vendor("hubspot")
    told = {"status": "error", "message": "not granted", "category": "MISSING_SCOPES", "errors": errors}
    there.answers(PEOPLE, told, 403)

    with pytest.raises(Refused, match=words):
        there.connector().people()


def test_a_token_or_an_app_is_needed():
    with pytest.raises(ValidationError, match="Either an access token or"):
        hubspot.Config(client_id="app-1")


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls(vendor, httpserver):
    there = vendor("hubspot")
    given = iter(["t-old", "t-new", "t-third"])

    def give(_):
        told = {"access_token": next(given), "refresh_token": "r3fresh-word", "token_type": "bearer"}
        return Response(orjson.dumps(told | {"expires_in": 1800}))

    def read(request):
        if request.headers["Authorization"] == "Bearer t-new":
            return Response(orjson.dumps(record(hubspot_owner_id=None)))
        ended = {"status": "error", "message": "The OAuth token expired", "category": "EXPIRED_AUTHENTICATION"}
        return Response(orjson.dumps(ended), status=401)

    httpserver.expect_request(TOKEN[1]).respond_with_handler(give)
    httpserver.expect_request(TICKET).respond_with_handler(read)
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert {ref.id for ref in refs} == {"512"}
    asked = requests_to(there, TOKEN[1], "POST")
    assert [dict(one.form) for one in asked] == 2 * [
        {
            "grant_type": "refresh_token", "refresh_token": "r3fresh-word", "client_id": "app-1",
            "client_secret": SECRET,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_grant", "error_description": f"{SECRET} was revoked", "message": f"{SECRET} was revoked"},
        {"status": "BAD_REFRESH_TOKEN", "message": f"missing or invalid refresh token {SECRET}"},
    ],
)
def test_a_connection_that_was_ended_asks_to_connect_again(body, vendor):
    there = vendor("hubspot")
    there.answers(TOKEN, body, 400)

    with pytest.raises(Unauthorized, match="Connect it again") as caught:
        there.connector(**APP).status(there.ref)

    assert SECRET not in str(caught.value)


def test_an_app_nobody_has_let_in_yet_asks_to_connect(vendor):
    there = vendor("hubspot")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).status(there.ref)

    assert there.server.log == []


def test_consent_is_asked_on_hubspots_page_and_its_code_exchanged(vendor):
    there = vendor("hubspot")
    there.answers(TOKEN, {"access_token": "t-1", "refresh_token": "r-1", "token_type": "bearer", "expires_in": 1800})
    connector = there.connector(**APP)
    at_home = connector.config.model_copy(update={"base_url": None})

    page = consent_address(connector.CONSENT, at_home, "https://octopus.example/consent", "state-1", "verifier-1")
    token = redeem("HubSpot", connector.CONSENT, connector.config, "code-1", "https://octopus.example/consent", "v-1")

    assert page.startswith("https://app.hubspot.com/oauth/authorize?") and "scope=oauth+tickets+" in page
    assert token.refresh == "r-1"
    assert requests_to(there, TOKEN[1], "POST")[0].form["code"] == "code-1"


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/k1"
CLIENT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
SENT_AT, NOW = "1796000000123", 1_796_000_100.0
BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1795999999000,'
    b'"subscriptionType":"ticket.propertyChange","attemptNumber":0,"objectId":512,"propertyName":"hs_pipeline_stage",'
    b'"propertyValue":"4","changeSource":"CRM"}]'
)
# printf '%s' "POST$HOOK$BODY$SENT_AT" | openssl dgst -sha256 -hmac "$CLIENT_SECRET" -binary | base64
SIGNATURE = "hmnweO5OWNz4yV4XUfSe7mCf4ecaAYEpJmpjlztdHH8="


def hook(body=BODY, signature=SIGNATURE, sent_at=SENT_AT, url=HOOK, method="POST", query=""):
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": sent_at}
    return RawRequest(method, headers, body, query, url)


def events(*told):
    return RawRequest("POST", {}, orjson.dumps(told))


def test_a_signed_request_names_the_ticket(vendor):
    connector = vendor("hubspot").connector(hook_secret=CLIENT_SECRET)

    connector.verify_hook(hook(), NOW)

    assert connector.changed(hook()) == ("512",)
    assert connector.answer_hook(hook()).store


def test_the_secret_of_a_connected_app_is_enough(vendor):
    vendor("hubspot").connector(**APP | {"client_secret": CLIENT_SECRET}).verify_hook(hook(), NOW)


@pytest.mark.parametrize(
    "request_",
    [
        hook(signature=""),
        hook(signature=SIGNATURE[:-2] + "A="),
        hook(body=BODY.replace(b"512", b"513")),
        hook(sent_at="1796000000124"),
        hook(sent_at=""),
        hook(url=HOOK + "2"),
        hook(method="PUT"),
        hook(query="a=1"),
    ],
)
def test_a_request_that_was_changed_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("hubspot").connector(hook_secret=CLIENT_SECRET).verify_hook(request_, NOW)


@pytest.mark.parametrize(("now", "is_good"), [(299, True), (301, False), (-299, True), (-301, False)])
def test_a_request_is_good_for_five_minutes(now, is_good, vendor):
    connector = vendor("hubspot").connector(hook_secret=CLIENT_SECRET)

    if is_good:
        connector.verify_hook(hook(), 1_796_000_000.0 + now)
    else:
        with pytest.raises(BadSignature, match="clock"):
            connector.verify_hook(hook(), 1_796_000_000.0 + now)


def test_nothing_is_believed_while_the_secret_is_missing(vendor):
    signed_with_nothing = "OIUZbT2gFbkUgkrNmPNj+vD+aUrbAkhxXIlps1BaCcs="

    for signature in ("", signed_with_nothing):
        with pytest.raises(BadSignature):
            vendor("hubspot").connector().verify_hook(hook(signature=signature), NOW)


@pytest.mark.parametrize(
    ("of", "type_id", "singular"), [("tickets", "0-5", "ticket"), ("deals", "0-3", "deal"), ("tasks", "0-27", "task")]
)
def test_events_of_both_names_count_and_those_of_other_objects_do_not(of, type_id, singular, vendor):
    request = events(
        {"subscriptionType": "object.propertyChange", "objectTypeId": type_id, "objectId": 1},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "objectId": 2},
        {"subscriptionType": "contact.deletion", "objectId": 3},
        {"subscriptionType": f"{singular}.deletion", "objectId": 4},
        {"subscriptionType": f"{singular}.associationChange", "fromObjectId": 5, "toObjectId": 6},
        {"subscriptionType": f"{singular}.merge", "primaryObjectId": 7, "mergedObjectIds": [8]},
        {"subscriptionType": f"{singular}.propertyChange", "objectId": 1},
    )

    assert vendor("hubspot").connector(object=of).changed(request) == ("1", "4", "5", "7")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"{}", b"7", b"[7]", b"[null]", b"[{}]", b'[{"subscriptionType":7}]',
        b'[{"subscriptionType":"ticket.deletion"}]', b'[{"subscriptionType":"ticket.deletion","objectId":null}]',
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("hubspot").connector().changed(RawRequest("POST", {}, body))


def test_the_webhook_is_set_by_clicking_and_the_steps_hold_its_address(vendor):
    connector = vendor("hubspot").connector()

    assert Capability.HOOK in connector.CAN and Capability.SETS_HOOK not in connector.CAN
    assert "{url}" in " ".join(connector.HOOK_STEPS)


# ---- the contract


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
@pytest.mark.parametrize("signed_in", [{}, APP])
def test_what_is_read_and_changed_is_asked_as_described(signed_in, vendor):
    there = reading(vendor, hs_pipeline_stage="2")
    there.answers(TOKEN, {"access_token": "t-1", "refresh_token": "r-1", "token_type": "bearer", "expires_in": 1800})
    there.answers(("GET", "/account-info/v3/details"), {"portalId": 62515})
    there.answers(("GET", TICKETS), {"results": []})
    there.answers(PROPERTIES, {"results": [{"name": "answer_by"}]})
    there.answers(SEARCH, {"results": [record(hs_pipeline_stage="4")]})
    connector = there.connector(due_property="answer_by", **signed_in)

    connector.check()
    connector.fields()
    connector.targets()
    connector.people()
    connector.transition(there.ref, TaskStatus.DONE)
    assert [ref.status for ref in connector.changes(SINCE)] == [TaskStatus.DONE]

    assert _assert_described(there) >= 9


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
def test_comments_and_tasks_are_asked_as_described(vendor):
    there = vendor("hubspot")
    there.answers(READ, RECORD | NOTED)
    there.answers(NOTES_FOUND, {"results": [note("90", 1)]})
    there.answers(("GET", f"{NOTES}/100"), note("100", 5))
    there.answers(("POST", f"{OBJECTS}/tasks"), there.case.created)
    there.answers(("GET", f"{TICKETS}/{KEY}"), RECORD)
    there.answers(PEOPLE, OWNERS)

    there.connector().comments(there.ref)
    there.connector(object="tasks").create(TASK)
    there.connector(unique_property="octopus_key").find(KEY)

    assert _assert_described(there) >= 6

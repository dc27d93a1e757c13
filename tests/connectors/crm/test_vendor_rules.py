"""What is true of one vendor only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.classification import Priority
from app.domain.errors import Ambiguous, Refused, Rejected, TargetGone, TransientError, Unauthorized
from app.domain.tasks import Capability, TaskRef, TaskStatus
from connectors.answers import KEPT_AT_END, Kept, clipped
from connectors.crm import jira

from .case import KEY, SECRET, TASK
from .cases import CASES
from .cases.lark import LARK_TOKEN
from .cases.linear import LINEAR_ID
from .cases.notion import NOTION_PAGE, NOTION_PROPERTIES

NOTION_SOURCE = ("GET", "/v1/data_sources/d9824bdc-8445-4327-be8b-5b47500af6ce")


def mapped(**fields: str):
    return replace(TASK, fields=fields)


# ---- jira


def jira_fields(there, task):
    there.answers(there.case.create, there.case.created)
    there.connector().create(task)
    return there.sent(there.case.create)[-1]["fields"]


def test_jira_gets_the_key_as_a_label_and_no_priority_unless_it_is_mapped(vendor):
    fields = jira_fields(vendor("jira"), replace(TASK, labels=("two words",)))

    assert fields["labels"] == [f"octopus-{KEY}", "two_words"]
    assert fields["duedate"] == "2026-12-01"
    assert "priority" not in fields


def test_jira_gets_mapped_fields_in_their_shapes_and_none_that_is_mapped_to_nothing(vendor):
    task = mapped(priority="High", components="Web, API", duedate="", labels="vip", description="Short")

    fields = jira_fields(vendor("jira"), task)

    assert fields["priority"] == {"name": "High"}
    assert fields["components"] == [{"name": "Web"}, {"name": "API"}]
    assert fields["labels"] == [f"octopus-{KEY}", "vip"]
    assert fields["description"]["content"][0]["content"][0]["text"] == "Short"
    assert "duedate" not in fields


def test_jira_custom_fields_are_typed_by_the_projects_own_description(vendor):
    there = vendor("jira")
    types = "/rest/api/3/issue/createmeta/OCT/issuetypes"
    there.answers(("GET", types), {"issueTypes": [{"id": "7", "name": "task"}]})
    described = [
        {"fieldId": "customfield_1", "name": "Score", "schema": {"type": "number"}, "required": True},
        {"fieldId": "customfield_2", "name": "Tier", "schema": {"type": "option"}, "allowedValues": [{"value": "A"}]},
        {"fieldId": "customfield_3", "name": "Note", "schema": {"type": "string", "custom": "x:textarea"}},
    ]
    there.answers(("GET", f"{types}/7"), {"fields": described})

    fields = jira_fields(there, mapped(customfield_1="3", customfield_2="A", customfield_3="Hi"))

    assert fields["customfield_1"] == 3.0
    assert fields["customfield_2"] == {"value": "A"}
    assert fields["customfield_3"]["type"] == "doc"
    assert [(f.key, f.required, f.options) for f in there.connector().fields()][:2] == [
        ("customfield_1", True, ()), ("customfield_2", False, ("A",)),
    ]  # fmt: skip


def test_jira_search_cannot_be_steered_by_the_project_key(vendor):
    there = vendor("jira")
    there.answers(there.case.lookup, there.case.nothing)

    there.connector(project='X" OR "').find(KEY)

    jql = there.sent(there.case.lookup)[0]["jql"]
    assert jql == f'labels = "octopus-{KEY}" AND project = "X\\" OR \\""'


def test_jira_check_names_the_user_and_the_issue_types_there_are(vendor):
    there = vendor("jira")
    there.answers(("GET", "/rest/api/3/myself"), {"displayName": "Ann"})
    path = "/rest/api/3/issue/createmeta/OCT/issuetypes"
    there.answers(("GET", path), {"issueTypes": [{"id": "7", "name": "Task"}, {"id": "8", "name": "Story"}]})

    assert there.connector().check() == "Ann"
    with pytest.raises(Rejected, match="it has: Task, Story") as caught:
        there.connector(issue_type="Bug").check()
    assert caught.value.field == "issuetype"


@pytest.mark.parametrize("typed", ["acme", "acme.atlassian.net", "https://acme.atlassian.net/jira/projects"])
def test_jira_takes_the_site_as_people_paste_it(typed):
    config = jira.Config(site=typed, email="a@example.com", token=SECRET, project="OCT")

    assert jira.Connector(config).address == "https://acme.atlassian.net"


def test_jira_needs_a_site_or_an_address():
    with pytest.raises(ValidationError, match="Site is missing"):
        jira.Config(email="a@example.com", token=SECRET, project="OCT")


def test_jira_projects_are_listed_over_all_pages(vendor, httpserver):
    there = vendor("jira")

    def page(request):
        start = int(request.args["startAt"])
        found = [{"key": f"P{n}", "name": "Project"} for n in range(start, min(start + 50, 70))]
        return Response(orjson.dumps({"values": found, "isLast": start >= 50}))

    httpserver.expect_request("/rest/api/3/project/search").respond_with_handler(page)

    targets = there.connector().targets()

    assert len(targets) == 70
    assert targets[-1].config == {"project": "P69"}


# ---- linear


def test_linear_adopts_the_issue_an_earlier_try_made(vendor, httpserver):
    there = vendor("linear")
    taken = {"data": None, "errors": [{"message": "Entity already exists", "extensions": {"code": "INPUT_ERROR"}}]}

    def answer(request):
        is_create = "issueCreate" in request.get_json()["query"]
        return Response(orjson.dumps(taken if is_create else there.case.found))

    httpserver.expect_request("/graphql").respond_with_handler(answer)

    assert there.connector().create(TASK) == there.ref


def test_linear_gets_an_id_of_version_4_that_is_always_the_same(vendor):
    there = vendor("linear")
    there.answers(there.case.create, there.case.created)

    there.connector().create(TASK)
    there.connector().create(TASK)

    assert [sent["variables"]["input"]["id"] for sent in there.sent(there.case.create)] == [LINEAR_ID, LINEAR_ID]


def test_linear_gets_priority_as_a_number_and_lists_as_lists(vendor):
    there = vendor("linear")
    there.answers(there.case.create, there.case.created)

    there.connector().create(mapped(priority=Priority.URGENT, labelIds="a, b", estimate="3", dueDate=""))

    sent = there.sent(there.case.create)[0]["variables"]["input"]
    assert (sent["priority"], sent["labelIds"], sent["estimate"]) == (1, ["a", "b"], 3)
    assert "dueDate" not in sent


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("AUTHENTICATION_ERROR", "no", Unauthorized),
        ("FORBIDDEN", "no", Refused),
        ("INPUT_ERROR", "Entity not found: Team", TargetGone),
        ("INTERNAL_SERVER_ERROR", "oops", Ambiguous),
        ("GRAPHQL_VALIDATION_FAILED", 'got invalid value at "input.estimate"', Rejected),
    ],
)
def test_linear_failures_inside_a_200_are_failures(code, message, error, vendor):
    there = vendor("linear")
    there.answers(there.case.create, {"errors": [{"message": message, "extensions": {"code": code}}]})

    with pytest.raises(error):
        there.connector().create(TASK)


def test_a_comment_linear_has_already_is_not_an_error(vendor):
    there = vendor("linear")
    taken = {"errors": [{"message": "Entity already exists", "extensions": {"code": "INPUT_ERROR"}}]}
    there.answers(there.case.create, taken)

    there.connector().comment(there.ref, "Hi", KEY)

    assert there.sent(there.case.create)[0]["variables"]["input"]["id"] == LINEAR_ID


# ---- notion


def notion_sent(there, task):
    there.answers(there.case.create, there.case.created)
    there.connector().create(task)
    return there.sent(there.case.create)[-1]


def test_notion_properties_follow_the_types_of_the_database(vendor):
    sent = notion_sent(vendor("notion"), mapped(Kind="bug, minor", Size="3", State="New"))["properties"]

    assert sent["Task"]["title"][0]["text"]["content"] == TASK.title
    assert sent["Octopus key"]["rich_text"][0]["text"]["content"] == KEY
    assert sent["Due"] == {"date": {"start": "2026-12-01T09:30:00+00:00"}}
    assert sent["Kind"] == {"select": {"name": "bug minor"}}
    assert (sent["Size"], sent["State"]) == ({"number": 3.0}, {"status": {"name": "New"}})


@pytest.mark.parametrize(("name", "text"), [("Nope", "x"), ("Size", "many"), ("Made", "2026-12-01")])
def test_notion_gets_nothing_when_a_mapped_property_cannot_be_written(name, text, vendor):
    there = vendor("notion")

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(there.case.create) == []


def test_notion_unread_schema_leaves_title_text_and_key(vendor):
    there = vendor("notion", around=False)
    there.answers(NOTION_SOURCE, {"code": "object_not_found", "message": "no"}, 404)

    sent = notion_sent(there, mapped(Kind="bug"))

    assert list(sent["properties"]) == ["Name"]
    text = orjson.dumps(sent["children"]).decode()
    assert "Kind: bug" in text and KEY in text


def test_notion_database_gets_the_key_property_it_lacks(vendor):
    there = vendor("notion", around=False)
    bare = {"Task": NOTION_PROPERTIES["Task"]}
    there.answers(NOTION_SOURCE, {"properties": bare})
    there.answers(("PATCH", NOTION_SOURCE[1]), {"properties": {}})

    sent = notion_sent(there, TASK)

    assert there.sent(("PATCH", NOTION_SOURCE[1])) == [{"properties": {"Octopus key": {"rich_text": {}}}}]
    assert "Octopus key" in sent["properties"]


def test_notion_says_so_when_it_cannot_be_searched(vendor):
    there = vendor("notion", around=False)
    there.answers(NOTION_SOURCE, {"properties": {"Task": NOTION_PROPERTIES["Task"]}})
    there.answers(("PATCH", NOTION_SOURCE[1]), {"code": "restricted_resource", "message": "no"}, 403)

    with pytest.raises(Rejected, match="cannot tell whether the page was made"):
        there.connector().find(KEY)


def test_notion_limits_are_kept_for_a_long_text_of_emoji(vendor):
    sent = notion_sent(vendor("notion"), replace(TASK, body="😀" * 100_000))

    texts = [part["text"]["content"] for block in sent["children"] for part in block["paragraph"]["rich_text"]]
    assert len(sent["children"]) <= 100
    assert max(len(text.encode("utf-16-le")) // 2 for text in texts) <= 2_000


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ({"properties": {"State": {"type": "status", "status": {"id": "o2"}}}}, TaskStatus.DONE),
        ({"properties": {"State": {"type": "status", "status": {"id": "o1"}}}}, TaskStatus.OPEN),
        ({"properties": {"State": {"type": "status", "status": {"id": "new"}}}}, TaskStatus.UNKNOWN),
        ({"in_trash": True}, TaskStatus.CANCELLED),
    ],
)
def test_notion_status_follows_the_groups_of_the_status_property(page, status, vendor):
    there = vendor("notion")
    there.answers(("GET", f"/v1/pages/{NOTION_PAGE['id']}"), NOTION_PAGE | page)

    assert there.connector().status(there.ref).status is status


# ---- hubspot


def test_hubspot_with_a_unique_property_upserts_and_needs_no_search(vendor):
    there = vendor("hubspot")
    connector = there.connector(unique_property="octopus_key")
    there.answers(("POST", "/crm/v3/objects/tickets/batch/upsert"), {"status": "COMPLETE", "results": [{"id": "512"}]})

    assert connector.create(TASK).id == "512"
    assert Capability.IDEMPOTENT_CREATE in connector.CAN
    assert Capability.IDEMPOTENT_CREATE not in there.connector().CAN
    (sent,) = there.sent(("POST", "/crm/v3/objects/tickets/batch/upsert"))
    assert (sent["inputs"][0]["idProperty"], sent["inputs"][0]["id"]) == ("octopus_key", KEY)


def test_hubspot_failure_inside_a_207_is_a_failure(vendor):
    there = vendor("hubspot")
    failed = {"status": "COMPLETE", "results": [], "errors": [{"message": 'Property "x" does not exist'}]}
    there.answers(("POST", "/crm/v3/objects/tickets/batch/upsert"), failed, 207)

    with pytest.raises(Rejected) as caught:
        there.connector(unique_property="octopus_key").create(TASK)

    assert caught.value.field == "x"


@pytest.mark.parametrize(("content", "is_ours"), [(f"text\n\noctopus{KEY.replace('-', '')}", True), ("text", False)])
def test_hubspot_adopts_the_record_of_a_conflict_only_when_it_is_ours(content, is_ours, vendor):
    there = vendor("hubspot")
    there.answers(there.case.create, {"category": "CONFLICT", "message": "Ticket exists. Existing ID: 101"}, 409)
    there.answers(("GET", "/crm/v3/objects/tickets/101"), {"id": "101", "properties": {"content": content}})

    if is_ours:
        assert there.connector().create(TASK) == TaskRef("101")
    else:
        with pytest.raises(Rejected, match="101"):
            there.connector().create(TASK)


def test_hubspot_shows_no_markup_of_a_customer(vendor):
    there = vendor("hubspot")
    there.answers(("POST", "/crm/v3/objects/notes"), {"id": "1"})

    there.connector().comment(there.ref, "<img src=x>\nHi", KEY)

    (sent,) = there.sent(("POST", "/crm/v3/objects/notes"))
    assert sent["properties"]["hs_note_body"] == "&lt;img src=x&gt;<br>Hi"


def test_hubspot_status_follows_the_pipeline(vendor):
    there = vendor("hubspot")
    there.answers(("GET", "/crm/v3/objects/tickets/512"), {"id": "512", "properties": {"hs_pipeline_stage": "4"}})
    closed = {"id": "4", "label": "Closed", "metadata": {"ticketState": "CLOSED"}}
    there.answers(("GET", "/crm/v3/pipelines/tickets"), {"results": [{"id": "0", "label": "P", "stages": [closed]}]})

    assert there.connector().status(there.ref).status is TaskStatus.DONE
    assert there.connector().targets()[0].config == {"pipeline": "0", "stage": "4"}


# ---- lark


def test_lark_renews_a_refused_token_once_for_eight_calls_at_the_same_time(vendor, httpserver):
    there = vendor("lark", around=False)
    given = iter(["t-old-token", "t-new-token", "t-third"])
    httpserver.expect_request(LARK_TOKEN).respond_with_handler(
        lambda _: Response(orjson.dumps({"code": 0, "msg": "ok", "expire": 7200, "tenant_access_token": next(given)}))
    )

    def create(request):
        is_good = request.headers["Authorization"] == "Bearer t-new-token"
        answer = there.case.created if is_good else {"code": 99991663, "msg": "Invalid access token"}
        return Response(orjson.dumps(answer), status=200 if is_good else 400)

    httpserver.expect_request(there.case.create[1]).respond_with_handler(create)
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    assert len(there.sent(("POST", LARK_TOKEN))) == 2  # the first, and one renewal


def test_lark_gives_up_when_the_new_token_is_refused_too(vendor):
    there = vendor("lark")
    there.answers(there.case.create, {"code": 99991663, "msg": "Invalid access token"}, 400)

    with pytest.raises(Unauthorized):
        there.connector().create(TASK)

    assert len(there.sent(there.case.create)) == 2


def test_lark_app_with_a_wrong_secret_is_unauthorized(vendor):
    there = vendor("lark", around=False)
    there.answers(("POST", LARK_TOKEN), {"code": 10014, "msg": "app secret invalid"})

    with pytest.raises(Unauthorized):
        there.connector().create(TASK)


def test_lark_gets_the_key_as_client_token_and_the_due_time_in_milliseconds_as_text(vendor):
    there = vendor("lark")
    there.answers(there.case.create, there.case.created)

    there.connector(tasklist="list-1").create(mapped(assignee="ou_1"))

    (sent,) = there.sent(there.case.create)
    assert sent["client_token"] == KEY
    assert sent["due"] == {"timestamp": "1796117400000", "is_all_day": False}
    assert sent["members"] == [{"id": "ou_1", "type": "user", "role": "assignee"}]
    assert sent["tasklists"] == [{"tasklist_guid": "list-1"}]


def test_lark_permission_that_is_missing_is_refused_even_inside_a_200(vendor):
    there = vendor("lark")
    there.answers(there.case.create, {"code": 99991672, "msg": "Access denied"})

    with pytest.raises(Refused):
        there.connector().create(TASK)


# ---- what they share


def test_a_clipped_text_keeps_both_ends():
    text = clipped("a" * 5_000 + "b" * KEPT_AT_END, 3_000)

    assert len(text) == 3_000
    assert text.startswith("aaa") and text.endswith("b" * KEPT_AT_END)


def test_a_value_that_could_not_be_fetched_is_asked_for_again():
    kept, answers = Kept(), iter([TransientError("away"), ("value", 60.0)])

    def fetch():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(TransientError):
        kept.get(fetch)
    assert kept.get(fetch) == "value"
    assert kept.get(fetch) == "value"


def test_the_cases_hold_a_secret_to_look_for():
    assert all(SECRET in case.config.values() for case in CASES.values())

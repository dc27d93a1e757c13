"""What is true of Jira only, besides the rules in test_vendor_rules."""

import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from werkzeug import Response

from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, TransientError
from app.domain.messages import RawRequest
from app.domain.tasks import Person, RemoteComment, Target, TaskStatus
from connectors.jira_documents import document, text_of

from .case import KEY, SECRET, TASK
from .cases.jira import CASE, status

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/jira/README.md"
NOT_IN_CONTRACT = {  # its table is hand-written and not complete
    ("GET", "/rest/api/3/mypermissions"),
    ("GET", "/rest/api/3/issue/{}/comment"),
    ("GET", "/rest/webhooks/1.0/webhook"),
    ("POST", "/rest/webhooks/1.0/webhook"),
    ("PUT", "/rest/webhooks/1.0/webhook/{}"),
}
API = "/rest/api/3"
CREATE, SEARCH, ISSUE = CASE.create, CASE.lookup, f"{API}/issue/OCT-1"
TRANSITIONS, USERS = f"{ISSUE}/transitions", ("GET", f"{API}/user/assignable/search")
PERMISSIONS, HOOKS = ("GET", f"{API}/mypermissions"), "/rest/webhooks/1.0/webhook"
TYPES = f"{API}/issue/createmeta/OCT/issuetypes"
URL, NOW = "https://octopus.example/crm-hooks/1", 1_796_000_000.0
ANN = {
    "accountId": "5b10ac8d82e05b22cc7d4ef5", "displayName": "Ann Lee", "emailAddress": "ann@example.com",
    "active": True, "accountType": "atlassian",
}  # fmt: skip
TO_DO, DOING = status("new", "To Do", "1"), status("indeterminate", "In Progress", "2")
REVIEW, DONE = status("indeterminate", "Review", "3"), status("done", "Done", "4")
WONT_DO = status("done", "Won’t Do", "5")
FIELDS = {"status": DOING, "assignee": ANN, "updated": "2026-11-20T11:00:00.500+0100"}


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def created(there, task=TASK, **config):
    there.answers(CREATE, CASE.created)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]["fields"]


def queries(there, path):
    return [request.args.to_dict() for request, _ in there.server.log if request.path == path]


# ---- creating


def test_a_create_carries_due_date_assignee_labels_and_attachments(vendor):
    fields = created(vendor("jira"), replace(TASK, assignee="5b10ac8d82e05b22cc7d4ef5"))

    assert (fields["duedate"], fields["assignee"]) == ("2026-12-01", {"accountId": "5b10ac8d82e05b22cc7d4ef5"})
    assert fields["labels"] == [f"octopus-{KEY}", "bug"]
    assert "screen.png: https://files.example/screen.png" in text_of(fields["description"])


@pytest.mark.parametrize("task", [replace(TASK, assignee="Ann@example.com"), mapped(assignee="ann@example.com")])
def test_an_assignee_may_be_given_by_email(task, vendor):
    there = vendor("jira")
    other = ANN | {"accountId": "2", "emailAddress": "ann@example.com.au"}
    there.answers(USERS, [other, ANN])
    there.answers(CREATE, CASE.created)
    connector = there.connector()

    for _ in range(2):
        connector.create(task)

    assert [sent["fields"]["assignee"] for sent in there.sent(CREATE)] == [{"accountId": ANN["accountId"]}] * 2
    (asked,) = queries(there, USERS[1])
    assert (asked["project"], asked["query"].lower()) == ("OCT", "ann@example.com")


def test_an_email_its_owner_hides_still_finds_the_only_one_it_belongs_to(vendor):
    there = vendor("jira")
    there.answers(USERS, [ANN | {"emailAddress": ""}])

    assert created(there, mapped(reporter="ann@example.com"))["reporter"] == {"accountId": ANN["accountId"]}


@pytest.mark.parametrize("found", [[], [ANN | {"emailAddress": ""}, ANN | {"emailAddress": "", "accountId": "2"}]])
def test_nothing_is_sent_for_an_assignee_nobody_can_tell(found, vendor):
    there = vendor("jira")
    there.answers(USERS, found)

    with pytest.raises(Rejected) as caught:
        there.connector().create(replace(TASK, assignee="ann@example.com"))

    assert caught.value.field == "assignee"
    assert there.sent(CREATE) == []


def test_custom_fields_are_typed_by_the_issue_types_own_description(vendor):
    there = vendor("jira")
    there.answers(("GET", TYPES), {"issueTypes": [{"id": "7", "name": "Task"}]})
    types = {
        "customfield_1": {"type": "number"}, "customfield_2": {"type": "array", "items": "option"},
        "customfield_3": {"type": "array", "items": "string"}, "customfield_4": {"type": "user"},
        "customfield_5": {"type": "array", "items": "user"}, "customfield_6": {"type": "date"},
    }  # fmt: skip
    there.answers(("GET", f"{TYPES}/7"), {"fields": [{"fieldId": k, "schema": v} for k, v in types.items()]})

    fields = created(there, mapped(
        customfield_1="3.5", customfield_2="Web, API", customfield_3="a, b", customfield_4="1",
        customfield_5="1, 2", customfield_6="2026-12-01",
    ))  # fmt: skip

    assert {name: fields[name] for name in types} == {
        "customfield_1": 3.5, "customfield_2": [{"value": "Web"}, {"value": "API"}], "customfield_3": ["a", "b"],
        "customfield_4": {"accountId": "1"}, "customfield_5": [{"accountId": "1"}, {"accountId": "2"}],
        "customfield_6": "2026-12-01",
    }  # fmt: skip
    with pytest.raises(Rejected, match="takes a number"):
        there.connector().create(mapped(customfield_1="nan"))
    assert len(there.sent(CREATE)) == 1


def test_an_update_leaves_the_labels_to_people(vendor):
    there = vendor("jira")
    there.server.expect_request(ISSUE, method="PUT").respond_with_data(status=204)

    there.connector().update(there.ref, mapped(summary="New title", labels="vip"))

    (sent,) = there.sent(("PUT", ISSUE))
    assert sent["fields"]["summary"] == "New title"
    assert not {"labels", "project", "issuetype"} & set(sent["fields"])


# ---- reading


def test_status_tells_assignee_and_time_of_change(vendor):
    there = vendor("jira")
    there.answers(("GET", ISSUE), {"key": "OCT-1", "fields": FIELDS})

    ref = there.connector().status(there.ref)

    assert (ref.status, ref.assignee) == (TaskStatus.IN_PROGRESS, "Ann Lee")
    assert ref.changed_at == datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)
    assert queries(there, ISSUE) == [{"fields": "status,resolution,assignee,updated"}]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"status": DONE, "resolution": None, "assignee": None}, TaskStatus.DONE),
        ({"status": DONE, "resolution": {"name": "Fixed"}}, TaskStatus.DONE),
        ({"status": DONE, "resolution": {"name": "Duplicate"}}, TaskStatus.CANCELLED),
        ({"status": WONT_DO}, TaskStatus.CANCELLED),
        ({"status": status("done", "已取消")}, TaskStatus.CANCELLED),
        ({"status": status("indeterminate", "Rejected by QA")}, TaskStatus.IN_PROGRESS),
    ],
)
def test_what_was_closed_without_being_done_is_cancelled(fields, wanted, vendor):
    there = vendor("jira")
    there.answers(("GET", ISSUE), {"key": "OCT-1", "fields": fields})

    assert there.connector().status(there.ref).status is wanted


@pytest.mark.parametrize("answer", [{}, [], {"errorMessages": []}])
def test_an_answer_without_an_issue_is_not_taken_for_an_open_one(answer, vendor):
    there = vendor("jira")
    there.answers(("GET", ISSUE), answer)

    with pytest.raises(TransientError):
        there.connector().status(there.ref)
    with pytest.raises(TransientError):
        there.connector().transition(there.ref, TaskStatus.DONE)
    assert there.sent(("POST", TRANSITIONS)) == []


def test_an_issue_moved_to_another_project_keeps_the_id_we_know(vendor):
    there = vendor("jira")
    there.answers(("GET", ISSUE), {"key": "SUP-9", "fields": FIELDS})

    assert there.connector().status(there.ref).id == "OCT-1"


def test_an_issue_that_was_deleted_is_gone(vendor):
    there = vendor("jira")
    gone = {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
    there.answers(("GET", ISSUE), gone, 404)

    with pytest.raises(TargetGone, match="or you do not have permission"):
        there.connector().status(there.ref)


def test_changes_are_asked_by_the_minute_without_a_time_zone_and_read_over_all_pages(vendor, httpserver):
    there = vendor("jira")

    def issue(key, updated):
        return {"key": key, "fields": FIELDS | {"updated": updated}}

    pages = {
        None: {"issues": [issue("OCT-1", "2026-11-20T10:00:10.000+0000")], "nextPageToken": "next"},
        "next": {
            "issues": [issue("OCT-2", "2026-11-20T10:00:30.000+0000"), issue("OCT-3", "2026-11-20T12:00:31.000+0200")],
            "isLast": True,
        },
    }
    httpserver.expect_request(SEARCH[1], method="POST").respond_with_handler(
        lambda request: Response(orjson.dumps(pages[request.get_json().get("nextPageToken")]))
    )

    found = list(there.connector().changes(datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)))

    assert [ref.id for ref in found] == ["OCT-2", "OCT-3"]  # the first one changed within the minute, but before
    first, second = there.sent(SEARCH)
    assert first["jql"] == second["jql"] == 'project = "OCT" AND updated >= 1795168800000'
    assert (found[1].assignee, found[1].url) == ("Ann Lee", f"{there.address}/browse/OCT-3")


def test_a_search_in_a_project_that_is_gone_says_so(vendor):
    there = vendor("jira")
    said = "The value 'OCT' does not exist for the field 'project'."
    there.answers(SEARCH, {"errorMessages": [said], "errors": {}}, 400)

    with pytest.raises(TargetGone, match="choose another project"):
        list(there.connector().changes(datetime(2026, 11, 20, tzinfo=UTC)))


def test_comments_are_read_over_all_pages_as_plain_text(vendor, httpserver):
    there = vendor("jira")
    mention = {"type": "mention", "attrs": {"id": "1", "text": "@Bo"}}
    words = [{"type": "text", "text": "See "}, mention, {"type": "hardBreak"}, {"type": "text", "text": "one"}]
    item = {"type": "listItem", "content": [document("two")["content"][0]]}
    picture = {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "7"}}]}
    content = [{"type": "paragraph", "content": words}, {"type": "bulletList", "content": [item, item]}, picture]
    first = {
        "id": "1", "author": ANN, "body": {"type": "doc", "version": 1, "content": content},
        "created": "2026-11-20T10:00:00.000+0000",
    }  # fmt: skip
    second = {"id": "2", "body": document("Later\n\non")}
    httpserver.expect_request(f"{ISSUE}/comment", method="GET").respond_with_handler(
        lambda request: Response(
            orjson.dumps({"comments": [first if request.args["startAt"] == "0" else second], "total": 2})
        )
    )

    assert there.connector().comments(there.ref) == [
        RemoteComment("1", "See @Bo\none\ntwo\ntwo", "Ann Lee", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        RemoteComment("2", "Later\n\non"),
    ]
    assert [asked["orderBy"] for asked in queries(there, f"{ISSUE}/comment")] == ["created"] * 2


def test_people_are_those_who_can_be_assigned_with_their_emails(vendor):
    there = vendor("jira")
    hidden = {"accountId": "2", "displayName": "Bo"}
    there.answers(USERS, [ANN, hidden, ANN | {"active": False}, ANN | {"accountType": "app"}])

    assert there.connector().people() == [
        Person(ANN["accountId"], "Ann Lee", "ann@example.com"), Person("2", "Bo"),
    ]  # fmt: skip
    assert queries(there, USERS[1]) == [{"project": "OCT", "maxResults": "1000"}]


def test_an_answer_in_another_shape_is_not_taken_for_nobody(vendor):
    there = vendor("jira")
    there.answers(USERS, {"values": []})

    with pytest.raises(TransientError):
        there.connector().people()


# ---- connecting


def test_check_names_the_permissions_a_user_lacks(vendor):
    there = vendor("jira")
    there.answers(("GET", f"{API}/myself"), {"displayName": "Ann"})
    there.answers(("GET", TYPES), {"issueTypes": [], "total": 0})
    granted = {
        "BROWSE_PROJECTS": {"name": "Browse Projects", "havePermission": True},
        "CREATE_ISSUES": {"name": "Create Issues", "havePermission": False},
        "EDIT_ISSUES": {"name": "Edit Issues", "havePermission": True},
        "ADD_COMMENTS": {"name": "Add Comments", "havePermission": True},
        "TRANSITION_ISSUES": {"name": "Transition Issues", "havePermission": False},
    }
    there.answers(PERMISSIONS, {"permissions": granted})

    with pytest.raises(Refused, match="OCT: Create Issues, Transition Issues. Nothing"):
        there.connector().check()
    assert queries(there, PERMISSIONS[1])[0]["projectKey"] == "OCT"


def test_links_lead_to_the_site_even_when_the_api_has_an_address_of_its_own(vendor):
    there = vendor("jira")
    there.answers(CREATE, CASE.created)

    assert there.connector(site="acme").create(TASK).url == "https://acme.atlassian.net/browse/OCT-1"


# ---- transitions


def workflow(there, begins, ways):
    """A workflow of its own. ways: status id -> statuses a step leads to."""
    issue = {"key": "OCT-1", "fields": {"status": begins}}

    def steps(_):
        now = issue["fields"]["status"]["id"]
        offered = [{"id": f"{now}>{to['id']}", "name": f"To {to['name']}", "to": to} for to in ways[now]]
        return Response(orjson.dumps({"transitions": offered}))

    def step(request):
        now, _, to = request.get_json()["transition"]["id"].partition(">")
        assert now == issue["fields"]["status"]["id"]
        issue["fields"]["status"] = next(one for one in ways[now] if one["id"] == to)
        return Response(status=204)

    there.server.expect_request(ISSUE, method="GET").respond_with_handler(lambda _: Response(orjson.dumps(issue)))
    there.server.expect_request(TRANSITIONS, method="GET").respond_with_handler(steps)
    there.server.expect_request(TRANSITIONS, method="POST").respond_with_handler(step)
    return issue


EVERYWHERE = {status_id: [TO_DO, WONT_DO, DOING, DONE] for status_id in "1245"}
STRICT = {"1": [DOING], "2": [TO_DO, REVIEW], "3": [DOING, DONE], "4": [REVIEW]}


@pytest.mark.parametrize(
    ("begins", "ways", "wanted", "ends", "steps"),
    [
        (TO_DO, EVERYWHERE, TaskStatus.DONE, DONE, 1),
        (TO_DO, EVERYWHERE, TaskStatus.CANCELLED, WONT_DO, 1),
        (TO_DO, STRICT, TaskStatus.DONE, DONE, 3),
        (DOING, STRICT, TaskStatus.CANCELLED, DONE, 2),  # no such status, so done
        (DONE, EVERYWHERE, TaskStatus.OPEN, TO_DO, 1),
        (DONE, STRICT, TaskStatus.OPEN, REVIEW, 1),
        (DONE, EVERYWHERE, TaskStatus.DONE, DONE, 0),
        (DONE, EVERYWHERE, TaskStatus.CANCELLED, DONE, 0),
        (WONT_DO, EVERYWHERE, TaskStatus.DONE, WONT_DO, 0),
        (DOING, EVERYWHERE, TaskStatus.OPEN, DOING, 0),
        (TO_DO, {"1": [WONT_DO]}, TaskStatus.DONE, WONT_DO, 1),
    ],
)
def test_a_transition_finds_its_way_through_the_workflow(begins, ways, wanted, ends, steps, vendor):
    there = vendor("jira")
    issue = workflow(there, begins, ways)

    there.connector().transition(there.ref, wanted)

    assert issue["fields"]["status"] == ends
    assert len(there.sent(("POST", TRANSITIONS))) == steps


def test_a_workflow_without_a_way_leaves_the_issue_and_says_where_it_may_go(vendor):
    there = vendor("jira")
    issue = workflow(there, TO_DO, {"1": [status("new", "Backlog", "9")]})

    with pytest.raises(Rejected, match="only to: Backlog"):
        there.connector().transition(there.ref, TaskStatus.DONE)
    assert issue["fields"]["status"] == TO_DO


def test_a_workflow_without_end_is_left_after_a_few_steps(vendor):
    there = vendor("jira")
    chain = [status("indeterminate", f"Step {n}", str(n)) for n in range(20)]
    workflow(there, chain[0], {str(n): [chain[n + 1]] for n in range(19)})

    with pytest.raises(Rejected, match="left in 'Step 5'"):
        there.connector().transition(there.ref, TaskStatus.DONE)


@pytest.mark.parametrize(("wanted", "resolution"), [(TaskStatus.DONE, "10"), (TaskStatus.CANCELLED, "11")])
def test_a_screen_that_asks_how_the_issue_ended_is_answered(wanted, resolution, vendor):
    there = vendor("jira")
    there.answers(("GET", ISSUE), {"key": "OCT-1", "fields": {"status": DOING}})
    endings = {"allowedValues": [{"id": "11", "name": "Won't Do"}, {"id": "10", "name": "Done"}], "required": True}
    there.answers(("GET", TRANSITIONS), {"transitions": [{"id": "31", "to": DONE, "fields": {"resolution": endings}}]})
    there.server.expect_request(TRANSITIONS, method="POST").respond_with_data(status=204)

    there.connector().transition(there.ref, wanted)

    assert there.sent(("POST", TRANSITIONS)) == [
        {"transition": {"id": "31"}, "fields": {"resolution": {"id": resolution}}}
    ]
    assert queries(there, TRANSITIONS)[0] == {"expand": "transitions.fields"}


# ---- webhooks


def allows_webhooks(there, is_administrator=True):
    granted = {"ADMINISTER": {"name": "Administer Jira", "havePermission": is_administrator}}
    there.answers(PERMISSIONS, {"permissions": granted})


def test_a_webhook_is_set_for_the_project_with_a_secret_of_its_own(vendor):
    there = vendor("jira")
    allows_webhooks(there)
    there.answers(("GET", HOOKS), [{"self": f"{there.address}{HOOKS}/1", "url": "https://another.example"}])
    there.answers(("POST", HOOKS), {"self": f"{there.address}{HOOKS}/2"}, 201)

    kept = there.connector().set_hook(URL)

    (sent,) = there.sent(("POST", HOOKS))
    assert (sent["url"], sent["secret"]) == (URL, kept["hook_secret"])
    assert sent["filters"] == {"issue-related-events-section": 'project = "OCT"'}
    assert sent["events"] == ["jira:issue_updated", "jira:issue_deleted", "comment_created"]
    assert len(kept["hook_secret"]) > 30


def test_a_second_click_gives_the_webhook_there_is_a_new_secret(vendor):
    there = vendor("jira")
    allows_webhooks(there)
    there.answers(("GET", HOOKS), [{"self": f"{there.address}{HOOKS}/72", "url": URL}])
    there.answers(("PUT", f"{HOOKS}/72"), {"self": f"{there.address}{HOOKS}/72"})

    first, second = there.connector().set_hook(URL), there.connector().set_hook(URL)

    assert [sent["secret"] for sent in there.sent(("PUT", f"{HOOKS}/72"))] == [
        first["hook_secret"], second["hook_secret"],
    ]  # fmt: skip
    assert first != second and there.sent(("POST", HOOKS)) == []


def test_who_is_no_administrator_is_told_what_one_must_click(vendor):
    there = vendor("jira")
    allows_webhooks(there, is_administrator=False)

    with pytest.raises(Refused, match=f"none was set. Let a Jira administrator .* {URL} .* project = OCT as JQL"):
        there.connector().set_hook(URL)
    assert [request.path for request, _ in there.server.log] == [PERMISSIONS[1]]


def hook(body, secret=SECRET, signature=None):
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    made = f"sha256={hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()}"
    return RawRequest("POST", {"x-hub-signature": made if signature is None else signature}, sent)


def test_the_signature_atlassian_publishes_as_an_example_passes(vendor):
    """Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/ (Secure admin webhooks)."""
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    connector = vendor("jira").connector(hook_secret="It's a Secret to Everybody")

    connector.verify_hook(hook(b"Hello World!", signature=signature), NOW)
    with pytest.raises(BadSignature):
        connector.verify_hook(hook(b"Hello World?", signature=signature), NOW)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=a4771c39", None])
def test_a_webhook_without_the_right_signature_is_refused(signature, vendor):
    connector = vendor("jira").connector(hook_secret=SECRET)

    with pytest.raises(BadSignature):
        connector.verify_hook(hook({"webhookEvent": "x"}, "another secret", signature), NOW)


def test_without_a_secret_no_webhook_passes(vendor):
    with pytest.raises(BadSignature):
        vendor("jira").connector().verify_hook(hook({"webhookEvent": "x"}, ""), NOW)


def test_a_webhook_names_the_issue_it_speaks_of(vendor):
    connector = vendor("jira").connector()

    for kind in ("jira:issue_updated", "jira:issue_deleted", "comment_created"):
        assert connector.changed(hook({"webhookEvent": kind, "issue": {"id": "1", "key": "OCT-1"}})) == ("OCT-1",)
    assert connector.changed(hook({"webhookEvent": "sprint_started", "sprint": {}})) == ()
    for unreadable in ({"issue": {"key": "OCT-1"}}, {"webhookEvent": "jira:issue_updated"}, {"webhookEvent": 1}):
        with pytest.raises(Malformed):
            connector.changed(hook(unreadable))


# ---- the vendor's words and contract


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (400, Rejected, "Correct the mapping and replay"),
        (403, Refused, "Let a Jira administrator grant it"),
        (404, TargetGone, "choose another project"),
    ],
)
def test_jiras_own_words_are_passed_on(code, error, words, vendor):
    there = vendor("jira")
    there.answers(CREATE, {"errorMessages": ["You may not.", "Really."], "errors": {}}, code)

    with pytest.raises(error, match=words) as caught:
        there.connector().create(TASK)
    assert '"You may not. Really."' in str(caught.value)


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendor's contract is not beside this checkout")
def test_the_contract_knows_every_call(vendor):
    there = vendor("jira")
    there.answers(("GET", f"{API}/myself"), {"displayName": "Ann"})
    there.answers(("GET", f"{API}/project/search"), {"values": [{"key": "OCT", "name": "Octopus"}], "isLast": True})
    there.answers(("GET", TYPES), {"issueTypes": [{"id": "7", "name": "Task"}]})
    there.answers(("GET", f"{TYPES}/7"), {"fields": [{"fieldId": "summary", "name": "Summary", "required": True}]})
    there.answers(USERS, [ANN])
    there.answers(CREATE, CASE.created)
    there.answers(SEARCH, CASE.found)
    there.answers(("POST", f"{ISSUE}/comment"), {"id": "1"}, 201)
    there.answers(("GET", f"{ISSUE}/comment"), {"comments": [], "total": 0})
    there.server.expect_request(ISSUE, method="PUT").respond_with_data(status=204)
    workflow(there, TO_DO, EVERYWHERE)
    allows_webhooks(there)
    there.answers_once(("GET", HOOKS), [])
    there.answers(("GET", HOOKS), [{"self": f"{there.address}{HOOKS}/72", "url": URL}])
    there.answers(("POST", HOOKS), {"self": f"{there.address}{HOOKS}/72"}, 201)
    there.answers(("PUT", f"{HOOKS}/72"), {})
    connector = there.connector()

    assert connector.check() == "Ann"
    assert connector.targets() == [Target("Octopus (OCT)", {"project": "OCT"})]
    assert [field.key for field in connector.fields()] == ["summary"]
    ref = connector.create(replace(TASK, assignee="ann@example.com"))
    assert connector.find(KEY) == ref
    connector.update(ref, TASK)
    connector.comment(ref, "Once more", KEY)
    assert connector.comments(ref) == []
    connector.transition(ref, TaskStatus.DONE)
    assert [one.id for one in connector.changes(datetime(2026, 11, 20, tzinfo=UTC))] == ["OCT-1"]
    connector.set_hook(URL)
    connector.set_hook(URL)

    calls = {(request.method, _template(request.path)) for request, _ in there.server.log}
    assert calls - _described() == NOT_IN_CONTRACT
    assert {answer.status_code for _, answer in there.server.log} <= {200, 201, 204}
    wanted = there.sent(CREATE)[0]["fields"]
    assert (wanted["project"], wanted["issuetype"]) == ({"key": "OCT"}, {"name": "Task"})
    assert set(there.sent(SEARCH)[0]) <= {"jql", "fields", "maxResults", "nextPageToken"}


def _template(path: str) -> str:
    return re.sub(r"(?<=/)(OCT-1|OCT|7|72)(?=/|$)", "{}", path)


def _described() -> set[tuple[str, str]]:
    """The calls of the contract's table, names in braces emptied."""
    calls = set()
    table = r"((?:GET|POST|PUT)(?:, (?:GET|POST|PUT))*) (/rest/[^\s?]+)(?: and \.\.\.(/\S+))?"
    for methods, path, more in re.findall(table, CONTRACT.read_text("utf-8")):
        for method in methods.split(", "):
            for described in {path, path + more}:
                calls.add((method, re.sub(r"\{\w+\}", "{}", described)))
    return calls

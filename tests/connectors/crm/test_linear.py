"""What is true of Linear only, besides the rules in test_vendor_rules."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import graphql
import orjson
import pytest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.errors import BadSignature, Malformed, Rejected, TargetGone, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Person, RemoteComment, TaskStatus
from connectors import linear_queries
from connectors.crm import linear

from .case import KEY, SECRET, TASK
from .cases.linear import CASE, LINEAR_ID

SCHEMA = Path(__file__).parents[3] / "../shared/contracts/linear/schema.graphql"
GRAPHQL, TEAM = CASE.create, CASE.config["team"]
QUERIES = [name for name, text in vars(linear_queries).items() if name.isupper() and "{" in text and name != "ISSUE"]
LAST = {"hasNextPage": False, "endCursor": None}
ISSUE = {
    "id": LINEAR_ID, "url": "https://linear.example/1", "trashed": None, "updatedAt": "2026-11-20T10:00:00.000Z",
    "assignee": {"displayName": "ann", "name": "Ann Lee"}, "state": {"type": "started"},
}  # fmt: skip
NOW = 1_796_000_000
APP = {"api_key": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "first-refresh"}


def sent_with(there, word):
    """The variables of the requests whose document holds `word`."""
    return [sent["variables"] for sent in there.sent(GRAPHQL) if word in sent["query"]]


def answers_by_word(there, **answers):
    """Answer each document by the operation's name in it."""

    def answer(request):
        document = request.get_json()["query"]
        data = next(data for name, data in answers.items() if f" {name}(" in document)
        return Response(orjson.dumps({"data": data}))

    there.server.expect_request("/graphql").respond_with_handler(answer)


# ---- reading


def test_status_tells_assignee_and_time_of_change(vendor):
    there = vendor("linear")
    there.answers(GRAPHQL, {"data": {"issues": {"nodes": [ISSUE]}}})

    ref = there.connector().status(there.ref)

    assert (ref.status, ref.assignee) == (TaskStatus.IN_PROGRESS, "ann")
    assert ref.changed_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_an_issue_in_the_trash_is_gone_but_still_counts_as_made(vendor):
    there = vendor("linear")
    there.answers(GRAPHQL, {"data": {"issues": {"nodes": [ISSUE | {"trashed": True}]}}})

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)
    assert there.connector().find(KEY).id == LINEAR_ID


def test_changes_are_read_over_all_pages_without_the_trash(vendor, httpserver):
    there = vendor("linear")

    def page(request):
        is_second = request.get_json()["variables"]["after"] == "next"
        issue = ISSUE | {"id": "2" if is_second else "1"}
        info = LAST if is_second else {"hasNextPage": True, "endCursor": "next"}
        nodes = [issue, ISSUE | {"id": "3", "trashed": True}]
        return Response(orjson.dumps({"data": {"issues": {"nodes": nodes, "pageInfo": info}}}))

    httpserver.expect_request("/graphql").respond_with_handler(page)

    since = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert [ref.id for ref in there.connector().changes(since)] == ["1", "2"]
    assert sent_with(there, "Changes(")[0] == {"team": TEAM, "since": "2026-11-20T10:00:00+00:00", "after": None}


def test_comments_come_oldest_first_with_their_authors(vendor):
    there = vendor("linear")
    nodes = [
        {"id": "2", "body": "Later", "createdAt": "2026-11-21T10:00:00.000Z", "user": None},
        {"id": "1", "body": "First", "createdAt": "2026-11-20T10:00:00.000Z", "user": {"displayName": "ann"}},
    ]
    there.answers(GRAPHQL, {"data": {"issue": {"comments": {"nodes": nodes, "pageInfo": LAST}}}})

    assert there.connector().comments(there.ref) == [
        RemoteComment("1", "First", "ann", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        RemoteComment("2", "Later", "", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)),
    ]


def test_people_are_the_teams_active_members(vendor):
    there = vendor("linear")
    nodes = [
        {"id": "u1", "name": "Ann Lee", "email": "ann@example.com", "active": True},
        {"id": "u2", "name": "Gone", "email": "gone@example.com", "active": False},
    ]
    there.answers(GRAPHQL, {"data": {"team": {"members": {"nodes": nodes, "pageInfo": LAST}}}})

    assert there.connector().people() == [Person("u1", "Ann Lee", "ann@example.com")]


# ---- transitions


def states(now, *kinds):
    nodes = [{"id": f"s{place}", "type": kind, "position": -place} for place, kind in enumerate(kinds)]
    return {"issue": {"state": {"type": now}, "team": {"states": {"nodes": nodes}}}}


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        ("started", TaskStatus.DONE, ["s3"]),
        ("started", TaskStatus.CANCELLED, ["s4"]),
        ("completed", TaskStatus.OPEN, ["s1"]),
        ("duplicate", TaskStatus.CANCELLED, []),
        ("started", TaskStatus.OPEN, []),
        ("completed", TaskStatus.DONE, []),
    ],
)
def test_a_transition_takes_the_state_of_the_issues_team_and_only_when_it_must(now, wanted, sent, vendor):
    there = vendor("linear")
    known = states(now, "backlog", "unstarted", "started", "completed", "canceled")
    answers_by_word(there, States=known, Update={"issueUpdate": {"success": True}})

    there.connector().transition(there.ref, wanted)

    assert [one["input"] for one in sent_with(there, "Update(")] == [{"stateId": state} for state in sent]


def test_the_first_of_several_states_is_taken(vendor):
    there = vendor("linear")
    answers_by_word(
        there, States=states("started", "completed", "completed"), Update={"issueUpdate": {"success": True}}
    )

    there.connector().transition(there.ref, TaskStatus.CANCELLED)  # the team has no such state: it is done then

    assert sent_with(there, "Update(")[0]["input"] == {"stateId": "s1"}


def test_a_transition_the_team_has_no_state_for_is_rejected(vendor):
    there = vendor("linear")
    answers_by_word(there, States=states("completed", "completed"))

    with pytest.raises(Rejected, match="unstarted or backlog"):
        there.connector().transition(there.ref, TaskStatus.OPEN)


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_and_the_new_refresh_token_is_used(vendor, httpserver):
    there = vendor("linear")
    given = iter([1, 2, 3])

    def token(_):
        number = next(given)
        answer = {"access_token": f"token-{number}", "refresh_token": f"refresh-{number}", "expires_in": 86_399}
        return Response(orjson.dumps(answer))

    def create(request):
        is_good = request.headers["Authorization"] == "Bearer token-2"
        refused = {"errors": [{"message": "no", "extensions": {"code": "AUTHENTICATION_ERROR"}}]}
        return Response(orjson.dumps(CASE.created if is_good else refused), status=200 if is_good else 401)

    httpserver.expect_request("/oauth/token").respond_with_handler(token)
    httpserver.expect_request("/graphql").respond_with_handler(create)
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    forms = [request.form for request, _ in httpserver.log if request.path == "/oauth/token"]
    assert [form["refresh_token"] for form in forms] == ["first-refresh", "refresh-1"]
    assert (forms[0]["client_id"], forms[0]["client_secret"]) == ("app-1", SECRET)


def test_a_connection_ended_at_linear_asks_to_connect_again(vendor):
    there = vendor("linear")
    there.answers(("POST", "/oauth/token"), {"error": "invalid_grant"}, 400)

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP).create(TASK)
    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).create(TASK)


@pytest.mark.parametrize("given", [{"api_key": ""}, {"client_id": "app-1", "client_secret": "x"}])
def test_credentials_are_either_a_key_or_an_app(given):
    with pytest.raises(ValidationError, match="either an API key"):
        linear.Config(**(CASE.config | given))


# ---- webhooks


def hook(body, secret=SECRET, signature=None):
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    signature = hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest() if signature is None else signature
    return RawRequest("POST", {"linear-signature": signature}, sent)


def changed_issue(sent_at=NOW):
    return {"action": "update", "type": "Issue", "data": {"id": "i-1"}, "webhookTimestamp": sent_at * 1000 + 5}


def test_a_webhook_is_set_once_and_a_second_click_gives_it_a_new_secret(vendor):
    there = vendor("linear")
    url = "https://octopus.example/hooks/1"
    others = [{"id": "h0", "url": url, "team": {"id": "another"}}]
    answers_by_word(
        there, Hooks={"webhooks": {"nodes": others, "pageInfo": LAST}}, SetHook={"webhookCreate": {"success": True}}
    )
    first = there.connector().set_hook(url)
    there.server.clear()
    ours = [*others, {"id": "h1", "url": url, "team": {"id": TEAM}}]
    answers_by_word(
        there, Hooks={"webhooks": {"nodes": ours, "pageInfo": LAST}}, ResetHook={"webhookUpdate": {"success": True}}
    )
    second = there.connector().set_hook(url)

    assert first != second and len(first["hook_secret"]) > 30
    (reset,) = sent_with(there, "ResetHook(")
    assert (reset["id"], reset["input"]["secret"]) == ("h1", second["hook_secret"])


def test_a_set_webhook_tells_of_issues_and_comments_of_the_team(vendor):
    there = vendor("linear")
    empty = {"webhooks": {"nodes": [], "pageInfo": LAST}}
    answers_by_word(there, Hooks=empty, SetHook={"webhookCreate": {"success": True}})

    kept = there.connector().set_hook("https://octopus.example/hooks/1")

    (wanted,) = sent_with(there, "SetHook(")
    assert (wanted["input"]["teamId"], wanted["input"]["resourceTypes"]) == (TEAM, ["Issue", "Comment"])
    assert wanted["input"]["secret"] == kept["hook_secret"]


def test_a_signature_made_by_another_tool_passes(vendor):
    """Made with: openssl dgst -sha256 -hmac lin_wh_secret."""
    body = b'{"type":"Issue","data":{"id":"i-1"},"webhookTimestamp":1796000000000}'
    signature = "fba1941a67f29bd6b219e13dce9bddb9e93df0e8ff0ae8036069431d89e5f786"

    vendor("linear").connector(hook_secret="lin_wh_secret").verify_hook(hook(body, signature=signature), NOW)


def test_a_webhook_proves_itself_by_signature_and_time(vendor):
    connector = vendor("linear").connector(hook_secret=SECRET)

    connector.verify_hook(hook(changed_issue()), NOW + 30.0)

    for request in (
        hook(changed_issue(), "another secret"),
        hook(changed_issue(), signature=""),
        hook(changed_issue(NOW - 90)),
        hook(changed_issue(NOW + 180)),
        hook({"type": "Issue", "data": {"id": "i-1"}}),
    ):
        with pytest.raises(BadSignature):
            connector.verify_hook(request, NOW + 30.0)


def test_without_a_secret_no_webhook_passes(vendor):
    with pytest.raises(BadSignature):
        vendor("linear").connector().verify_hook(hook(changed_issue(), ""), NOW)


def test_a_webhook_names_the_issue_it_speaks_of(vendor):
    connector = vendor("linear").connector()

    assert connector.changed(hook(changed_issue())) == ("i-1",)
    assert connector.changed(hook({"type": "Comment", "data": {"id": "c-1", "issueId": "i-2"}})) == ("i-2",)
    assert connector.changed(hook({"type": "Comment", "data": {"id": "c-1", "projectId": "p"}})) == ()
    assert connector.changed(hook({"type": "Project", "data": {"id": "p"}})) == ()
    with pytest.raises(Malformed):
        connector.changed(hook({"type": "Issue"}))


# ---- the vendor's contract


@pytest.mark.skipif(not SCHEMA.is_file(), reason="the vendor's schema is not beside this checkout")
def test_linears_schema_knows_every_document():
    schema = graphql.build_schema(SCHEMA.read_text("utf-8"))

    assert len(QUERIES) == 13
    for name in QUERIES:
        assert graphql.validate(schema, graphql.parse(getattr(linear_queries, name))) == [], name
    for kind, sent in (
        (
            "WebhookCreateInput",
            {"url": "u", "teamId": TEAM, "label": "Octopus", "resourceTypes": ["Issue"], "secret": "s"},
        ),
        ("WebhookUpdateInput", {"resourceTypes": ["Issue"], "secret": "s", "enabled": True}),
        ("IssueUpdateInput", {"stateId": "s1"}),
    ):
        assert set(sent) <= set(schema.type_map[kind].fields), kind


def test_a_task_mapped_to_a_state_goes_there(vendor):
    there = vendor("linear")
    there.answers(GRAPHQL, CASE.created)

    there.connector().create(replace(TASK, fields={"stateId": "s9"}))

    assert there.sent(GRAPHQL)[0]["variables"]["input"]["stateId"] == "s9"

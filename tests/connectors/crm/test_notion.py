"""What is true of Notion only."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, Target, TaskStatus
from connectors.crm import notion
from connectors.http import recording
from connectors.oauth import consent_address, redeem

from .case import KEY, SECRET, TASK
from .cases.notion import NOTION_PAGE, NOTION_PROPERTIES

SOURCE = ("GET", "/v1/data_sources/d9824bdc-8445-4327-be8b-5b47500af6ce")
ADD_KEY = ("PATCH", SOURCE[1])
QUERY = ("POST", f"{SOURCE[1]}/query")
CREATE, PAGE = ("POST", "/v1/pages"), f"/v1/pages/{NOTION_PAGE['id']}"
READ, WRITE = ("GET", PAGE), ("PATCH", PAGE)
COMMENTS, USERS, ME = "/v1/comments", ("GET", "/v1/users"), ("GET", "/v1/users/me")
TOKEN = ("POST", "/v1/oauth/token")
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "r3fresh-word"}
CONTRACT = Path(__file__).parents[3] / "../shared/contracts/notion/openapi.yaml"
NOW = 1_796_000_000.0
NO_MORE = {"object": "list", "has_more": False, "next_cursor": None}
ANN = {"object": "user", "id": "u-ann", "type": "person", "name": "Ann", "person": {"email": "ann@example.com"}}
BOT = {"object": "user", "id": "u-bot", "type": "bot", "name": "Octopus", "bot": {}}
RESTRICTED = {"object": "error", "status": 403, "code": "restricted_resource", "message": "Insufficient permissions"}
MORE = {
    "Priority": {"id": "p", "type": "select", "select": {"options": [{"name": "High"}, {"name": "Low"}]}},
    "Tags": {"id": "t", "type": "multi_select", "multi_select": {"options": [{"name": "Bug"}, {"name": "Wish"}]}},
    "Assignee": {"id": "h", "type": "people", "people": {}},
    "Seen": {"id": "i", "type": "checkbox", "checkbox": {}},
    "Page": {"id": "j", "type": "url", "url": {}},
    "Plan": {"id": "k", "type": "date", "date": {}},
    "Notes": {"id": "l", "type": "rich_text", "rich_text": {}},
    "Papers": {"id": "m", "type": "files", "files": {}},
}
STATES = {
    "id": "e", "type": "status",
    "status": {
        "options": [
            {"id": "s0", "name": "Not started"}, {"id": "s1", "name": "Doing"}, {"id": "s2", "name": "Dropped"},
            {"id": "s3", "name": "Done"},
        ],
        "groups": [
            {"name": "To-do", "option_ids": ["s0"]}, {"name": "In progress", "option_ids": ["s1"]},
            {"name": "Complete", "option_ids": ["s2", "s3"]},
        ],
    },
}  # fmt: skip
CHOICES = {"type": "select", "select": {"options": [{"id": "c0", "name": "Todo"}, {"id": "c1", "name": "Shut"}]}}


def listed(*rows, **more):
    return NO_MORE | {"results": list(rows)} | more


def mapped(**fields: str):
    return replace(TASK, fields=fields)


@pytest.fixture
def full(vendor):
    """A database with a property of each kind, and Ann in its workspace."""
    there = vendor("notion", around=False)
    properties = NOTION_PROPERTIES | MORE | {"State": STATES}
    there.answers(SOURCE, {"id": "d1", "title": [{"plain_text": "Tasks"}], "properties": properties})
    there.answers(USERS, listed(ANN, BOT))
    return there


def created(there, task=TASK, **config):
    there.answers(CREATE, there.case.created)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]["properties"]


def page(**properties):
    return NOTION_PAGE | {"last_edited_time": "2026-11-20T08:00:00.000Z", "properties": properties}


def state(name):
    ids = {one["name"]: one["id"] for one in STATES["status"]["options"]}
    return {"State": {"type": "status", "status": {"id": ids[name], "name": name}}}


def asked(there, path):
    return [request for request, _ in there.server.log if request.path == path]


# ---- connecting


def test_check_names_the_account_and_the_database(full):
    full.answers(ME, BOT)
    full.answers(ADD_KEY, {})
    full.answers(QUERY, listed(NOTION_PAGE))
    full.answers(("GET", COMMENTS), listed())

    assert full.connector().check() == "Octopus in Tasks"


def test_check_names_every_capability_that_is_missing(vendor):
    there = vendor("notion")
    there.answers(ME, BOT)
    there.answers(ADD_KEY, RESTRICTED, 403)
    there.answers(USERS, RESTRICTED, 403)
    there.answers(QUERY, listed(NOTION_PAGE))
    there.answers(("GET", COMMENTS), RESTRICTED, 403)

    with pytest.raises(Refused) as caught:
        there.connector().check()

    for capability in ("Update content", "Read user information", "Read comments"):
        assert capability in str(caught.value)
    assert "Insert" not in str(caught.value)


def test_check_says_that_content_may_not_be_read(vendor):
    there = vendor("notion", around=False)
    there.answers(ME, BOT)
    there.answers(SOURCE, RESTRICTED, 403)

    with pytest.raises(Refused, match="the capability Read content"):
        there.connector().check()


def test_check_of_a_database_that_is_not_shared_says_how_to_share_it(vendor):
    there = vendor("notion", around=False)
    there.answers(ME, BOT)
    there.answers(SOURCE, {"object": "error", "code": "object_not_found", "message": "Could not find"}, 404)

    with pytest.raises(TargetGone, match="Connections"):
        there.connector().check()


@pytest.mark.parametrize("kind", ["select", "formula"])
def test_a_key_property_of_another_type_is_told_and_never_converted(kind, vendor):
    there = vendor("notion", around=False)
    there.answers(ME, BOT)
    there.answers(SOURCE, {"id": "d1", "properties": {"Octopus key": {"type": kind, kind: {}}}})

    with pytest.raises(Rejected) as caught:
        there.connector().check()

    assert caught.value.field == "Octopus key"
    assert there.sent(ADD_KEY) == []


@pytest.mark.parametrize(
    ("call", "path", "capability"),
    [
        (lambda c, ref: c.create(TASK), CREATE, "Insert content"),
        (lambda c, ref: c.update(ref, TASK), WRITE, "Update content"),
        (lambda c, ref: c.comment(ref, "Hi", KEY), ("POST", COMMENTS), "Insert comments"),
        (lambda c, ref: c.comments(ref), ("GET", COMMENTS), "Read comments"),
        (lambda c, ref: c.find(KEY), QUERY, "Read content"),
        (lambda c, ref: c.people(), USERS, "Read user information"),
    ],
)
def test_a_refused_call_names_the_capability_it_lacks(call, path, capability, vendor):
    there = vendor("notion")
    there.answers(path, RESTRICTED, 403)

    with pytest.raises(Refused, match=f"the capability {capability}"):
        call(there.connector(), there.ref)


def test_targets_are_all_data_sources_but_those_in_the_trash(vendor):
    there = vendor("notion")
    found = [
        {"id": "d1", "title": [{"plain_text": "Ta"}, {"plain_text": "sks"}]},
        {"id": "d2", "title": [], "in_trash": True},
        {"id": "d3", "title": []},
    ]
    there.server.expect_request(
        "/v1/search", json={"filter": {"property": "object", "value": "data_source"}, "page_size": 100}
    ).respond_with_json(listed(*found[:2], has_more=True, next_cursor="c2"))
    there.server.expect_request("/v1/search").respond_with_json(listed(found[2]))

    assert there.connector().targets() == [
        Target("Tasks", {"data_source": "d1"}), Target("Untitled", {"data_source": "d3"}),
    ]  # fmt: skip
    assert there.sent(("POST", "/v1/search"))[1]["start_cursor"] == "c2"


def test_fields_have_types_and_allowed_values_and_leave_out_what_notion_fills(full):
    fields = {field.key: (field.type, field.required, field.options) for field in full.connector().fields()}

    assert not {"Octopus key", "Made"} & set(fields)
    assert fields["Task"] == ("title", True, ())
    assert fields["Kind"] == ("select", False, ("bug", "wish"))
    assert fields["State"] == ("status", False, ("Not started", "Doing", "Dropped", "Done"))
    assert fields["Tags"] == ("multi_select", False, ("Bug", "Wish"))
    assert fields["Assignee"][0] == "people"


def test_people_are_the_members_without_the_bots(full):
    assert full.connector().people() == [Person("u-ann", "Ann", "ann@example.com")]


def test_every_call_says_which_version_of_the_api_is_meant(full):
    full.connector().people()

    (request,) = asked(full, USERS[1])
    assert request.headers["Notion-Version"] == "2025-09-03"
    assert request.headers["Authorization"] == f"Bearer {SECRET}"


# ---- creating


def test_create_fills_the_properties_the_database_has(full):
    sent = created(full, replace(TASK, labels=("bug", "vip"), assignee="Ann@Example.com"))

    assert sent["Due"] == {"date": {"start": "2026-12-01T09:30:00+00:00"}}
    assert sent["Priority"] == {"select": {"name": "High"}}
    assert sent["Tags"] == {"multi_select": [{"name": "Bug"}]}
    assert sent["Assignee"] == {"people": [{"id": "u-ann"}]}
    assert "State" not in sent


def test_links_to_attachments_and_the_message_stand_in_the_text(full):
    created(full)

    text = orjson.dumps(full.sent(CREATE)[0]["children"]).decode()
    assert "screen.png: https://files.example/screen.png" in text and TASK.link in text


def test_mapped_fields_are_typed_by_the_properties(full):
    sent = created(
        full,
        mapped(
            Seen="yes", Size="3", Page="https://a.test/1", Plan="2026-12-01/2026-12-05", Notes="Hi", State="Doing",
            Tags="Bug, New one", Assignee="ann@example.com, u-9", Papers="https://a.test/x.pdf", Priority="",
        ),
    )  # fmt: skip

    assert (sent["Seen"], sent["Size"]) == ({"checkbox": True}, {"number": 3.0})
    assert sent["Page"] == {"url": "https://a.test/1"}
    assert sent["Plan"] == {"date": {"start": "2026-12-01", "end": "2026-12-05"}}
    assert sent["Notes"]["rich_text"][0]["text"]["content"] == "Hi"
    assert sent["State"] == {"status": {"name": "Doing"}}
    assert sent["Tags"] == {"multi_select": [{"name": "Bug"}, {"name": "New one"}]}
    assert sent["Assignee"] == {"people": [{"id": "u-ann"}, {"id": "u-9"}]}
    assert sent["Papers"]["files"][0]["external"] == {"url": "https://a.test/x.pdf"}
    assert "Priority" not in sent


@pytest.mark.parametrize(
    ("name", "text"),
    [("State", "Perhaps"), ("Due", "tomorrow"), ("Plan", "/2026-12-05"), ("Size", "inf"), ("Made", "2026-12-01")],
)
def test_nothing_is_sent_when_a_property_cannot_take_its_value(name, text, full):
    with pytest.raises(Rejected, match="nothing was sent") as caught:
        full.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert full.sent(CREATE) == []


def test_an_assignee_nobody_of_the_workspace_is_rejects_the_task_before_it_is_sent(full):
    with pytest.raises(Rejected, match="eve@example.com"):
        full.connector().create(replace(TASK, assignee="eve@example.com"))

    assert full.sent(CREATE) == []


def test_a_new_task_gets_the_option_of_open_tasks_where_one_is_named(full):
    assert created(full, open_option="Not started")["State"] == {"status": {"name": "Not started"}}


def test_an_update_leaves_the_status_to_the_people(full):
    full.answers(WRITE, NOTION_PAGE)

    full.connector().update(full.ref, mapped(State="Not started", Size="4"))

    (sent,) = full.sent(WRITE)
    assert sent["properties"]["Size"] == {"number": 4.0}
    assert not {"State", "Octopus key"} & set(sent["properties"])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("Due date is not a property that exists.", "Due date"),
        ("Could not find property with name or id: Due date", "Due date"),
        ("body failed validation: body.properties.Size.number should be a number", "Size"),
        ("body.properties.archived.checkbox should be a boolean", "archived"),
        ("The request is too long", ""),
    ],
)
def test_a_refused_value_names_its_property(said, field, vendor):
    there = vendor("notion")
    there.answers(CREATE, {"object": "error", "code": "validation_error", "message": said}, 400)

    with pytest.raises(Rejected) as caught:
        there.connector().create(TASK)

    assert caught.value.field == field


# ---- looking


def test_find_asks_for_the_exact_key(vendor):
    there = vendor("notion")
    there.answers(QUERY, there.case.found)

    assert there.connector().find(KEY).id == NOTION_PAGE["id"]

    assert there.sent(QUERY)[0]["filter"] == {"property": "Octopus key", "rich_text": {"equals": KEY}}


@pytest.mark.parametrize(
    ("name", "config", "status"),
    [
        ("Not started", {}, TaskStatus.OPEN), ("Doing", {}, TaskStatus.IN_PROGRESS), ("Done", {}, TaskStatus.DONE),
        ("Dropped", {}, TaskStatus.DONE), ("Dropped", {"cancelled_option": "dropped"}, TaskStatus.CANCELLED),
        ("Doing", {"done_option": "Doing"}, TaskStatus.DONE),
    ],
)  # fmt: skip
def test_status_follows_the_group_unless_an_option_is_named(name, config, status, full):
    full.answers(READ, page(**state(name)))

    assert full.connector(**config).status(full.ref).status is status


@pytest.mark.parametrize(
    ("cell", "status"), [("Todo", TaskStatus.OPEN), ("Shut", TaskStatus.DONE), ("Else", TaskStatus.IN_PROGRESS)]
)
def test_a_select_can_tell_the_status(cell, status, vendor):
    there = vendor("notion", around=False)
    there.answers(SOURCE, {"properties": NOTION_PROPERTIES | {"Phase": CHOICES}})
    there.answers(READ, page(Phase={"type": "select", "select": {"id": "x", "name": cell}}))
    connector = there.connector(status_property="Phase", open_option="Todo", done_option="Shut")

    assert connector.status(there.ref).status is status


@pytest.mark.parametrize(("tick", "status"), [(True, TaskStatus.DONE), (False, TaskStatus.OPEN)])
def test_a_checkbox_can_tell_the_status(tick, status, full):
    full.answers(READ, page(Seen={"type": "checkbox", "checkbox": tick}))

    assert full.connector(status_property="Seen").status(full.ref).status is status


def test_status_tells_the_assignees_and_the_time_of_the_edit(full):
    people = [{"object": "user", "id": "u-ann"}, {"object": "user", "id": "u-2", "name": "Bo"}]
    full.answers(READ, page(Assignee={"type": "people", "people": people}))

    ref = full.connector().status(full.ref)

    assert ref.assignee == "Ann, Bo"
    assert ref.changed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_without_the_right_to_read_users_names_are_left_out_and_asked_for_once(vendor):
    there = vendor("notion", around=False)
    there.answers(SOURCE, {"properties": NOTION_PROPERTIES | MORE})
    there.answers(USERS, RESTRICTED, 403)
    there.answers(READ, page(Assignee={"type": "people", "people": [{"id": "u-ann"}]}))
    connector = there.connector()

    assert [connector.status(there.ref).assignee for _ in range(3)] == [""] * 3

    assert len(asked(there, USERS[1])) == 1


def test_a_page_that_is_not_there_is_gone(vendor):
    there = vendor("notion")
    there.answers(READ, {"object": "error", "code": "object_not_found", "message": "Could not find page"}, 404)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_a_page_in_the_trash_cannot_be_written(vendor):
    there = vendor("notion")
    said = "Can't edit block that is archived. You must unarchive the block before editing."
    there.answers(WRITE, {"object": "error", "code": "validation_error", "message": said}, 400)

    with pytest.raises(TargetGone, match="trash"):
        there.connector().update(there.ref, TASK)


@pytest.mark.parametrize(
    ("now", "wanted", "config", "sent"),
    [
        ("Not started", TaskStatus.DONE, {}, "Dropped"),
        ("Not started", TaskStatus.DONE, {"cancelled_option": "Dropped"}, "Done"),
        ("Not started", TaskStatus.DONE, {"done_option": "Done"}, "Done"),
        ("Doing", TaskStatus.CANCELLED, {"cancelled_option": "Dropped"}, "Dropped"),
        ("Done", TaskStatus.OPEN, {}, "Not started"),
        ("Done", TaskStatus.DONE, {}, None),
        ("Done", TaskStatus.CANCELLED, {}, None),
        ("Doing", TaskStatus.OPEN, {}, None),
    ],
)
def test_transition_takes_the_groups_option_and_writes_only_when_it_is_not_there_already(
    now, wanted, config, sent, full
):
    full.answers(READ, page(**state(now)))
    full.answers(WRITE, NOTION_PAGE)

    full.connector(**config).transition(full.ref, wanted)

    wanted_calls = [] if sent is None else [{"State": {"status": {"name": sent}}}]
    assert [one["properties"] for one in full.sent(WRITE)] == wanted_calls


def test_transition_ticks_a_checkbox(full):
    full.answers(READ, page(Seen={"type": "checkbox", "checkbox": False}))
    full.answers(WRITE, NOTION_PAGE)

    full.connector(status_property="Seen").transition(full.ref, TaskStatus.CANCELLED)

    assert full.sent(WRITE)[0]["properties"] == {"Seen": {"checkbox": True}}


@pytest.mark.parametrize("config", [{"done_option": "Nope"}, {"status_property": "Kind"}, {"status_property": "Size"}])
def test_transition_says_so_when_no_status_means_that(config, full):
    with pytest.raises(Rejected, match="no status that means 'done'"):
        full.connector(**config).transition(full.ref, TaskStatus.DONE)

    assert full.sent(WRITE) == []


def test_changes_are_ours_since_the_begun_minute_over_all_pages(full):
    second = NOTION_PAGE | {"id": "p2"}
    full.answers_once(QUERY, listed(page(**state("Done")), has_more=True, next_cursor="c2"))
    full.answers(QUERY, listed(second))

    found = list(full.connector().changes(datetime(2026, 11, 20, 8, 30, 59, tzinfo=UTC)))

    assert [(ref.id, ref.status) for ref in found] == [
        (NOTION_PAGE["id"], TaskStatus.DONE), ("p2", TaskStatus.OPEN),
    ]  # fmt: skip
    first, next_page = full.sent(QUERY)
    assert first["filter"]["and"] == [
        {"property": "Octopus key", "rich_text": {"is_not_empty": True}},
        {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-20T08:30:00+00:00"}},
    ]
    assert next_page["start_cursor"] == "c2"


def test_comments_are_read_to_the_end_oldest_first_with_their_authors(full):
    late = {"id": "c2", "created_time": "2026-11-20T09:00:00.000Z", "created_by": {"id": "u-ann"},
            "rich_text": [{"plain_text": "On "}, {"plain_text": "it"}]}  # fmt: skip
    early = {"id": "c1", "created_time": "2026-11-20T08:00:00.000Z", "created_by": {"id": "u-bot"}, "rich_text": [],
             "display_name": {"type": "integration", "resolved_name": "Octopus"}}  # fmt: skip
    full.server.expect_request(COMMENTS, query_string={"block_id": full.ref.id, "page_size": "100"}).respond_with_json(
        listed(late, has_more=True, next_cursor="n")
    )
    full.server.expect_request(COMMENTS).respond_with_json(listed(early))

    assert full.connector().comments(full.ref) == [
        RemoteComment("c1", "", "Octopus", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        RemoteComment("c2", "On it", "Ann", datetime(2026, 11, 20, 9, tzinfo=UTC)),
    ]


def test_a_long_comment_is_sent_in_pieces_notion_takes(full):
    full.answers(("POST", COMMENTS), {"id": "c1"})

    full.connector().comment(full.ref, "😀" * 60_000, KEY)

    (sent,) = full.sent(("POST", COMMENTS))
    texts = [part["text"]["content"] for part in sent["rich_text"]]
    assert len(texts) <= 100 and max(len(text.encode("utf-16-le")) // 2 for text in texts) <= 2_000


# ---- credentials


def test_a_token_or_an_app_is_needed():
    with pytest.raises(ValidationError, match="Either an integration token or the Client ID"):
        notion.Config(data_source="d1")


def test_consent_asks_for_the_users_own_workspace_and_redeems_with_the_app_in_the_header(vendor):
    there = vendor("notion")
    there.answers(TOKEN, {"access_token": "a", "refresh_token": "r", "bot_id": "b", "workspace_id": "w"})
    config = notion.Config(base_url=there.address, data_source="d1", client_id="app-1", client_secret=SECRET)
    consent = notion.Connector.CONSENT

    address = urlsplit(consent_address(consent, config, "https://o.test/back", "s1", "v" * 43))
    token = redeem("Notion", consent, config, "code-1", "https://o.test/back", "v" * 43)

    assert address.path == "/v1/oauth/authorize"
    assert parse_qs(address.query)["owner"] == ["user"]
    (request,) = asked(there, TOKEN[1])
    assert (request.authorization.username, request.authorization.password) == ("app-1", SECRET)
    assert (token.value, token.refresh) == ("a", "r")


def test_a_refused_token_is_renewed_once_for_eight_calls_at_the_same_time(vendor):
    there = vendor("notion", around=False)
    given = iter(["old-token", "new-token", "third-token"])
    refreshed = []

    def renew(request):
        refreshed.append(request.form["refresh_token"])
        return Response(orjson.dumps({"access_token": next(given), "refresh_token": f"r{len(refreshed)}"}))

    def read(request):
        is_good = request.headers["Authorization"] == "Bearer new-token"
        body = NOTION_PAGE if is_good else {"object": "error", "code": "unauthorized", "message": "invalid"}
        return Response(orjson.dumps(body), status=200 if is_good else 401)

    there.server.expect_request(TOKEN[1]).respond_with_handler(renew)
    there.server.expect_request(PAGE).respond_with_handler(read)
    there.answers(SOURCE, {"properties": NOTION_PROPERTIES})
    connector = there.connector(**APP)

    with recording() as exchanges, ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert [ref.id for ref in refs] == [NOTION_PAGE["id"]] * 8
    assert refreshed == ["r3fresh-word", "r1"]
    assert SECRET not in orjson.dumps(exchanges.as_dicts()).decode()


def test_an_ended_consent_asks_to_connect_again(vendor):
    there = vendor("notion")
    there.answers(TOKEN, {"error": "invalid_grant", "error_description": f"{SECRET} was revoked"}, 400)

    with pytest.raises(Unauthorized, match="Connect it again") as caught:
        there.connector(**APP).status(there.ref)

    assert SECRET not in str(caught.value)


def test_an_app_nobody_has_let_in_yet_asks_to_connect(vendor):
    there = vendor("notion")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).status(there.ref)

    assert there.server.log == []


# ---- webhooks

VERIFICATION = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"
BODY = (
    b'{"id":"367cba44-b6f3-4c92-81e7-6a2e9659efd4","type":"page.properties_updated",'
    b'"entity":{"id":"59833787-2cf9-4fdf-8782-e53db20768a5","type":"page"},"data":{"updated_properties":["e"]}}'
)
# openssl dgst -sha256 -hmac (VERIFICATION), of BODY
SIGNATURE = "sha256=1c3b362e1d31ce9d7364e476b70295016ad54b5616ef94aad4324679e1782e57"


def hook(body=BODY, signature=SIGNATURE):
    return RawRequest("POST", {"x-notion-signature": signature} if signature else {}, body)


def first(token=VERIFICATION):
    return hook(orjson.dumps({"verification_token": token}), "")


def event(kind, **more):
    return hook(orjson.dumps({"type": f"{kind}.updated", "entity": {"id": "e1", "type": kind}, **more}))


def test_a_signed_event_is_believed_and_names_its_page(vendor):
    connector = vendor("notion").connector(hook_secret=VERIFICATION)

    connector.verify_hook(hook(), NOW)

    assert connector.answer_hook(hook()).store
    assert connector.changed(hook()) == (NOTION_PAGE["id"],)


@pytest.mark.parametrize(
    "request_", [hook(signature=""), hook(BODY + b" "), hook(signature=SIGNATURE[7:]), hook(signature="sha256=")]
)
def test_an_event_without_notions_signature_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("notion").connector(hook_secret=VERIFICATION).verify_hook(request_, NOW)


@pytest.mark.parametrize("kept", ["", "new"])
def test_no_event_is_believed_before_a_token_was_sent(kept, vendor):
    connector = vendor("notion").connector(hook_secret=kept)
    forged = "sha256=" + hmac.new(kept.encode(), BODY, hashlib.sha256).hexdigest()

    for request in (hook(), hook(signature=forged), hook(signature="")):
        with pytest.raises(BadSignature):
            connector.verify_hook(request, NOW)


@pytest.mark.parametrize("kept", ["", "new", VERIFICATION])
def test_the_first_call_passes_and_its_token_is_kept(kept, vendor):
    connector = vendor("notion").connector(hook_secret=kept)

    connector.verify_hook(first(), NOW)
    answer = connector.answer_hook(first())

    assert (answer.status, answer.store, answer.keep) == (200, False, {"hook_secret": VERIFICATION})


def test_another_token_does_not_take_the_place_of_the_kept_one(vendor):
    with pytest.raises(BadSignature, match="type 'new'"):
        vendor("notion").connector(hook_secret=VERIFICATION).verify_hook(first("secret_of_somebody_else"), NOW)


@pytest.mark.parametrize("token", ["", 7, None, "x" * 501])
def test_a_first_call_without_a_usable_token_is_no_first_call(token, vendor):
    with pytest.raises(BadSignature):
        vendor("notion").connector().verify_hook(first(token), NOW)


def test_an_event_that_names_a_token_besides_must_be_signed(vendor):
    with pytest.raises(BadSignature):
        vendor("notion").connector().verify_hook(event("page", verification_token="secret_x"), NOW)


def test_a_comments_event_names_the_page_and_other_events_name_none(vendor):
    connector = vendor("notion").connector()

    assert connector.changed(event("comment", data={"page_id": "p1", "parent": {"id": "p1", "type": "page"}})) == (
        "p1",
    )
    assert connector.changed(event("data_source", data={})) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"entity":1}', b'{"entity":{"type":"page","id":[]}}'])
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("notion").connector().changed(hook(body))


def test_the_subscription_is_made_by_hand_and_the_steps_give_the_token_back():
    steps = " ".join(notion.Connector.HOOK_STEPS)

    assert Capability.HOOK in notion.Connector.CAN and Capability.SETS_HOOK not in notion.Connector.CAN
    assert "{url}" in steps and "{hook_secret}" in steps


# ---- the contract


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the vendors' contracts are not beside this checkout")
def test_every_request_is_as_described(full):
    """The token call is left out: the document shows it in JSON, ours is the form of RFC 6749."""
    full.answers(ME, BOT)
    full.answers(ADD_KEY, {})
    full.answers(CREATE, full.case.created)
    full.answers(QUERY, full.case.found)
    full.answers(READ, page(**state("Not started")))
    full.answers(WRITE, NOTION_PAGE)
    full.answers(("POST", COMMENTS), {"id": "c1"})
    full.answers(("GET", COMMENTS), listed())
    full.answers(("POST", "/v1/search"), listed())
    connector = full.connector()

    connector.check()
    connector.targets()
    connector.create(replace(TASK, assignee="ann@example.com"))
    connector.find(KEY)
    connector.update(full.ref, TASK)
    connector.comment(full.ref, "Hi", KEY)
    connector.comments(full.ref)
    connector.transition(full.ref, TaskStatus.DONE)
    list(connector.changes(datetime(2026, 11, 23, tzinfo=UTC)))

    document = yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)
    contract = OpenAPI.from_dict(document | {"servers": [{"url": full.address}]})
    for request, _ in full.server.log:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    assert len(full.server.log) >= 14

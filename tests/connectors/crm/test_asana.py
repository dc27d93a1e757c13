"""What is true of Asana only."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from pydantic import ValidationError
from werkzeug import Response

from app.domain.errors import BadSignature, Malformed, Refused, Rejected, TargetGone, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Person, RemoteComment, RemoteField, Target, TaskStatus
from connectors.crm import asana
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.asana import ASANA_TASK, PROJECT, TAG, TAGS, WORKSPACE, refused

CREATE, LIST, TOKEN = ("POST", "/api/1.0/tasks"), ("GET", "/api/1.0/tasks"), ("POST", "/-/oauth_token")
THE_TASK, WEBHOOKS = f"/api/1.0/tasks/{ASANA_TASK['gid']}", "/api/1.0/webhooks"
SETTINGS = ("GET", f"/api/1.0/projects/{PROJECT}/custom_field_settings")
CUSTOM_FIELDS = [
    {"gid": "31", "name": "Score", "resource_subtype": "number"},
    {
        "gid": "32", "name": "Tier", "resource_subtype": "enum",
        "enum_options": [
            {"gid": "321", "name": "Gold", "enabled": True}, {"gid": "322", "name": "Tin", "enabled": False},
        ],
    },
    {
        "gid": "33", "name": "Parts", "resource_subtype": "multi_enum",
        "enum_options": [{"gid": "331", "name": "Web"}, {"gid": "332", "name": "API"}],
    },
    {"gid": "34", "name": "Seen", "resource_subtype": "date"},
    {"gid": "35", "name": "Owners", "resource_subtype": "people"},
    {"gid": "36", "name": "Note", "resource_subtype": "text"},
    {"gid": "37", "name": "Sum", "resource_subtype": "number", "is_value_read_only": True},
]  # fmt: skip
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "r3fresh-word"}
NOW = 1_796_000_000.0


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def created(there, task=TASK, **config):
    there.answers(CREATE, there.case.created)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]["data"]


def answers_settings(there):
    there.answers(SETTINGS, {"data": [{"gid": f"s{one['gid']}", "custom_field": one} for one in CUSTOM_FIELDS]})


def requests_to(there, path):
    return [request for request, _ in there.server.log if request.path == path]


# ---- creating


def test_with_a_personal_token_the_key_stands_below_the_text(vendor):
    task = created(vendor("asana"), replace(TASK, assignee="ann@example.com"))

    assert task["projects"] == [PROJECT] and "external" not in task
    assert task["notes"].endswith(f"\n\noctopus-{KEY}")
    assert "screen.png: https://files.example/screen.png" in task["notes"]
    assert (task["due_at"], task["assignee"]) == ("2026-12-01T09:30:00Z", "ann@example.com")


def test_as_an_app_the_key_is_the_external_id_and_the_text_stays_clean(vendor):
    there = vendor("asana")
    there.answers(TOKEN, {"access_token": "t-1", "expires_in": 3600})

    task = created(there, **APP)

    assert task["external"] == {"gid": KEY}
    assert KEY not in task["notes"]


def test_a_section_is_given_with_its_project(vendor):
    task = created(vendor("asana"), section="77")

    assert task["memberships"] == [{"project": PROJECT, "section": "77"}]
    assert "projects" not in task


def test_a_tag_the_workspace_has_is_used_and_one_it_lacks_is_made_once(vendor):
    there = vendor("asana")
    there.answers(("POST", "/api/1.0/tags"), {"data": {"gid": "88"}})
    there.answers(CREATE, there.case.created)
    connector = there.connector()

    for _ in range(2):
        connector.create(replace(TASK, labels=("BUG", "vip")))

    assert [sent["data"]["tags"] for sent in there.sent(CREATE)] == [[TAG, "88"]] * 2
    assert there.sent(("POST", "/api/1.0/tags")) == [{"data": {"name": "vip", "workspace": WORKSPACE}}]
    assert len(requests_to(there, TAGS[1])) == 2


def test_mapped_fields_replace_ours_and_a_field_mapped_to_nothing_is_left_out(vendor):
    task = created(
        vendor("asana"), mapped(due_on="2026-12-24", followers="1, 2", tags="", notes="Short", name="Hi\nyou")
    )

    assert task["due_on"] == "2026-12-24" and "due_at" not in task  # Asana refuses both
    assert task["followers"] == ["1", "2"] and "tags" not in task
    assert (task["name"], task["notes"]) == ("Hi you", f"Short\n\noctopus-{KEY}")


def test_custom_fields_are_typed_by_the_projects_own_description(vendor):
    there = vendor("asana")
    answers_settings(there)

    task = created(
        there, mapped(**{"31": "3.5", "32": "gold", "33": "web, API", "34": "2026-12-01", "35": "1,2", "36": "Hi"})
    )

    assert task["custom_fields"] == {
        "31": 3.5, "32": "321", "33": ["331", "332"], "34": {"date": "2026-12-01"}, "35": ["1", "2"], "36": "Hi",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"), [("nope", "x"), ("31", "many"), ("32", "Tin"), ("33", "Web, Door"), ("37", "4")]
)
def test_nothing_is_sent_when_a_custom_field_cannot_take_its_value(name, text, vendor):
    there = vendor("asana")
    answers_settings(there)

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


def test_an_update_keeps_the_key_and_leaves_tags_and_collaborators_to_people(vendor):
    there = vendor("asana")
    there.answers(("PUT", THE_TASK), {"data": ASANA_TASK})

    there.connector().update(there.ref, mapped(name="New title", followers="1"))

    (sent,) = there.sent(("PUT", THE_TASK))
    assert sent["data"]["name"] == "New title" and KEY in sent["data"]["notes"]
    assert not {"tags", "followers", "projects"} & set(sent["data"])


# ---- looking


def test_with_a_personal_token_find_reads_all_tasks_touched_in_the_last_30_days(vendor, httpserver):
    there = vendor("asana")
    first = {"data": [{"gid": "1", "notes": "x"}], "next_page": {"offset": "next", "path": "/", "uri": "/"}}
    httpserver.expect_request(LIST[1], method="GET").respond_with_handler(
        lambda request: Response(orjson.dumps(there.case.found if "offset" in request.args else first))
    )

    assert there.connector().find(KEY) == there.ref

    asked, again = (request.args for request in requests_to(there, LIST[1]))
    assert asked["project"] == PROJECT and again["offset"] == "next"
    assert 29 <= (datetime.now(UTC) - datetime.fromisoformat(asked["modified_since"])).days <= 30


def test_as_an_app_find_asks_for_the_external_id(vendor):
    there = vendor("asana")
    there.answers(TOKEN, {"access_token": "t-1", "expires_in": 3600})
    path = f"/api/1.0/tasks/external:{KEY}"
    there.answers_once(("GET", path), {"data": ASANA_TASK})
    there.answers(("GET", path), refused("task: Not a recognized ID"), 404)
    connector = there.connector(**APP)

    assert connector.find(KEY) == there.ref
    assert connector.find(KEY) is None


def test_status_names_the_assignee_and_the_time_of_change(vendor):
    there = vendor("asana")
    more = {"completed": True, "assignee": {"name": "Ann"}, "modified_at": "2026-11-20T08:00:00.500Z"}
    there.answers(("GET", THE_TASK), {"data": ASANA_TASK | more})

    ref = there.connector().status(there.ref)

    assert (ref.status, ref.assignee) == (TaskStatus.DONE, "Ann")
    assert ref.changed_at == datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=UTC)


def test_a_deleted_task_is_gone(vendor):
    there = vendor("asana")
    there.answers(("GET", THE_TASK), refused("task: Not a recognized ID: 1"), 404)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


@pytest.mark.parametrize(
    ("completed", "wanted", "sent"),
    [
        (False, TaskStatus.DONE, True),
        (False, TaskStatus.CANCELLED, True),
        (True, TaskStatus.OPEN, False),
        (True, TaskStatus.DONE, None),
        (True, TaskStatus.CANCELLED, None),
        (False, TaskStatus.OPEN, None),
    ],
)
def test_transition_completes_or_reopens_only_when_it_is_not_so_already(completed, wanted, sent, vendor):
    there = vendor("asana")
    there.answers(("GET", THE_TASK), {"data": ASANA_TASK | {"completed": completed}})
    there.answers(("PUT", THE_TASK), {"data": ASANA_TASK})

    there.connector().transition(there.ref, wanted)

    assert there.sent(("PUT", THE_TASK)) == ([] if sent is None else [{"data": {"completed": sent}}])


def test_comments_are_what_people_wrote(vendor):
    there = vendor("asana")
    stories = [
        {"gid": "1", "type": "system", "text": "Ann assigned to Bo"},
        {
            "gid": "2", "type": "comment", "text": "Done soon", "created_by": {"name": "Bo"},
            "created_at": "2026-11-20T08:00:00.000Z",
        },
    ]  # fmt: skip
    there.answers(("GET", f"{THE_TASK}/stories"), {"data": stories, "next_page": None})

    assert there.connector().comments(there.ref) == [
        RemoteComment("2", "Done soon", "Bo", datetime(2026, 11, 20, 8, tzinfo=UTC))
    ]


def test_changes_lists_the_projects_tasks_touched_since(vendor):
    there = vendor("asana")
    there.answers(LIST, {"data": [ASANA_TASK | {"completed": True}], "next_page": None})

    (ref,) = there.connector().changes(datetime(2026, 11, 23, 8, 0, 0, 999, tzinfo=UTC))

    assert (ref.id, ref.status) == (ASANA_TASK["gid"], TaskStatus.DONE)
    assert requests_to(there, LIST[1])[0].args["modified_since"] == "2026-11-23T08:00:00Z"


# ---- connecting


def answers_check(there, access_level="editor"):
    there.answers(("GET", "/api/1.0/users/me"), {"data": {"gid": "u1", "name": "Ann"}})
    memberships = {"data": [{"gid": "m1", "access_level": access_level}], "next_page": None}
    there.answers(("GET", f"/api/1.0/projects/{PROJECT}/project_memberships"), memberships)


def test_check_names_the_user_and_the_project(vendor):
    there = vendor("asana")
    answers_check(there)

    assert there.connector().check() == "Ann in Support"


@pytest.mark.parametrize("access_level", ["viewer", "commenter"])
def test_check_names_the_right_a_reader_lacks(access_level, vendor):
    there = vendor("asana")
    answers_check(there, access_level)

    with pytest.raises(Refused, match="editor"):
        there.connector().check()


def test_check_tells_of_an_archived_project(vendor):
    there = vendor("asana", around=False)
    answers_check(there)
    there.answers(("GET", f"/api/1.0/projects/{PROJECT}"), {"data": {"name": "Support", "archived": True}})

    with pytest.raises(TargetGone, match="archived"):
        there.connector().check()


def test_targets_fields_and_people_are_offered(vendor):
    there = vendor("asana")
    there.answers(("GET", "/api/1.0/workspaces"), {"data": [{"gid": WORKSPACE, "name": "Acme"}]})
    projects = {"data": [{"gid": PROJECT, "name": "Support"}], "next_page": None}
    there.answers(("GET", f"/api/1.0/workspaces/{WORKSPACE}/projects"), projects)
    users = {"data": [{"gid": "u1", "name": "Ann", "email": "ann@example.com"}]}
    there.answers(("GET", f"/api/1.0/workspaces/{WORKSPACE}/users"), users)
    answers_settings(there)
    connector = there.connector()

    assert connector.targets() == [Target("Acme: Support", {"project": PROJECT, "section": ""})]
    assert connector.people() == [Person("u1", "Ann", "ann@example.com")]
    fields = {field.key: field for field in connector.fields()}
    assert fields["32"] == RemoteField("32", "Tier", "enum", options=("Gold",))
    assert fields["name"].required and "37" not in fields


def test_a_plan_without_custom_fields_offers_asanas_own(vendor):
    there = vendor("asana")
    there.answers(SETTINGS, refused("This feature is not available on your plan"), 402)

    assert there.connector().fields() == list(asana.FIELDS)


def test_a_token_or_an_app_is_needed():
    with pytest.raises(ValidationError, match="Either a personal access token or"):
        asana.Config(project=PROJECT, client_id="app-1")


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "projects: [0]: Not a recognized ID: 1", TargetGone),
        (400, "due_on: Not a valid date", Rejected),
        (400, "Could not parse request data, invalid JSON", Rejected),
        (402, "Payment Required", Refused),
        (403, "You do not have access to this project", Refused),
    ],
)
def test_asanas_sentences_are_understood(status, message, error, vendor):
    there = vendor("asana")
    there.answers(CREATE, refused(message), status)

    with pytest.raises(error, match="replay") as caught:
        there.connector().create(TASK)

    assert message.partition(":")[0] in str(caught.value)


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_at_the_same_time(vendor, httpserver):
    there = vendor("asana", around=False)
    given = iter(["t-old", "t-new", "t-third"])
    httpserver.expect_request(TOKEN[1]).respond_with_handler(
        lambda _: Response(orjson.dumps({"access_token": next(given), "expires_in": 3600}))
    )

    def answer(request):
        is_good = request.headers["Authorization"] == "Bearer t-new"
        body = {"data": ASANA_TASK} if is_good else refused("The bearer token has expired.")
        return Response(orjson.dumps(body), status=200 if is_good else 401)

    httpserver.expect_request(THE_TASK).respond_with_handler(answer)
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.status(there.ref), range(8)))

    assert refs == [there.ref] * 8
    asked = [request.form.to_dict() for request in requests_to(there, TOKEN[1])]
    assert asked == 2 * [
        {
            "grant_type": "refresh_token", "refresh_token": "r3fresh-word", "client_id": "app-1",
            "client_secret": SECRET,
        }
    ]  # fmt: skip


def test_a_connection_that_was_ended_asks_to_connect_again(vendor):
    there = vendor("asana")
    there.answers(TOKEN, {"error": "invalid_grant", "error_description": f"{SECRET} was revoked"}, 400)

    with pytest.raises(Unauthorized, match="Connect it again") as caught:
        there.connector(**APP).status(there.ref)

    assert SECRET not in str(caught.value)


def test_an_app_nobody_has_let_in_yet_asks_to_connect(vendor):
    there = vendor("asana")

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).status(there.ref)

    assert there.server.log == []


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/asana/d1"
BODY = (
    '{"events":[{"action":"changed","resource":{"gid":"10","resource_type":"task"},"parent":null},'
    '{"action":"added","resource":{"gid":"55","resource_type":"story"},"parent":{"gid":"11","resource_type":"task"}},'
    '{"action":"changed","resource":{"gid":"10","resource_type":"task","name":"Zoë 😀"},"parent":null}]}'
).encode()
HOOK_SECRET = "b537207f20cbfa02357cf448134da559"
# openssl dgst -sha256 -hmac HOOK_SECRET, of BODY
SIGNATURE = "c11ad67eea484ffdd03e3ba85c8cbbbeab3c85ebb39ec8864c410b18a5c8328f"


def hook(signature=SIGNATURE, body=BODY, **headers: str):
    proof = {"x-hook-signature": signature} if signature else {}
    return RawRequest("POST", proof | headers, body, url=HOOK)


def test_a_webhook_replaces_an_earlier_one_and_its_secret_is_returned_and_not_recorded(vendor):
    there = vendor("asana")
    earlier = [{"gid": "w1", "target": HOOK}, {"gid": "w2", "target": "https://other.example"}]
    there.answers(("GET", WEBHOOKS), {"data": earlier, "next_page": None})
    there.answers(("DELETE", f"{WEBHOOKS}/w1"), {"data": {}})
    there.answers(("POST", WEBHOOKS), {"data": {"gid": "w3"}, "X-Hook-Secret": HOOK_SECRET}, 201)

    with recording() as exchanges:
        kept = there.connector().set_hook(HOOK)

    assert kept == {"hook_secret": HOOK_SECRET}
    (sent,) = there.sent(("POST", WEBHOOKS))
    assert (sent["data"]["resource"], sent["data"]["target"]) == (PROJECT, HOOK)
    assert {one["action"] for one in sent["data"]["filters"]} == {"changed", "deleted", "undeleted", "added"}
    assert requests_to(there, f"{WEBHOOKS}/w1")
    assert HOOK_SECRET not in orjson.dumps(exchanges.as_dicts()).decode()


def test_a_signed_request_names_each_task_once(vendor):
    connector = vendor("asana").connector(hook_secret=HOOK_SECRET)

    connector.verify_hook(hook(), NOW)

    assert connector.changed(hook()) == ("10", "11")
    assert connector.answer_hook(hook()).store


@pytest.mark.parametrize("request_", [hook(""), hook("0" * 64), hook(body=BODY + b" "), hook(SIGNATURE.upper())])
def test_a_request_without_asanas_signature_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("asana").connector(hook_secret=HOOK_SECRET).verify_hook(request_, NOW)


def test_nothing_is_believed_while_the_secret_is_missing(vendor):
    with pytest.raises(BadSignature):
        vendor("asana").connector().verify_hook(hook(), NOW)


def test_a_handshake_is_echoed_and_neither_stored_nor_able_to_plant_a_secret(vendor):
    connector = vendor("asana").connector(hook_secret=HOOK_SECRET)
    handshake = hook("", b"", **{"x-hook-secret": "planted"})

    connector.verify_hook(handshake, NOW)

    answer = connector.answer_hook(handshake)
    assert answer.headers == {"X-Hook-Secret": "planted"}
    assert (answer.status, answer.store, answer.keep) == (200, False, {})


def test_a_heartbeat_names_no_task(vendor):
    assert vendor("asana").connector().changed(hook(body=b'{"events":[]}')) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events":[1]}', b'{"events":[{"resource":{"gid":null}}]}'])
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("asana").connector().changed(hook(body=body))

"""What is true of Lark and Feishu only, besides the rules in test_vendor_rules."""

import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from werkzeug import Response

from app.domain.errors import BadSignature, Malformed, Refused, Rejected
from app.domain.messages import RawRequest
from app.domain.tasks import Person, RemoteComment, TaskStatus
from connectors.lark_events import _decrypted

from .case import TASK
from .cases.lark import CASE, LARK_TASK
from .test_vendor_contracts import CONTRACTS, _assert_described

THE_TASK = f"/open-apis/task/v2/tasks/{LARK_TASK['guid']}"
LIST = ("GET", "/open-apis/task/v2/tasklists/list-1")
CUSTOM = ("GET", "/open-apis/task/v2/custom_fields")
ENCRYPT_KEY = "kudryavka"
OPTIONS = [{"guid": "o1", "name": "Gold"}, {"guid": "o2", "name": "Old", "is_hidden": True}]
CUSTOM_FIELDS = [
    {"guid": "f1", "name": "Tier", "type": "single_select", "single_select_setting": {"options": OPTIONS}},
    {"guid": "f2", "name": "Areas", "type": "multi_select", "multi_select_setting": {"options": OPTIONS}},
    {"guid": "f3", "name": "Score", "type": "number"},
    {"guid": "f4", "name": "Until", "type": "datetime"},
    {"guid": "f5", "name": "Helpers", "type": "member"},
]
MEMBERS = [
    {"id": "ou_1", "type": "user", "role": "editor", "name": "Ann"},
    {"id": "oc_1", "type": "chat", "role": "viewer"},
    {"id": "cli_test", "type": "app", "role": "editor"},
]


def listed(*items, **more):
    return {"code": 0, "data": {"items": list(items), "has_more": False, **more}}


def tasklist(members):
    owner = {"id": "ou_2", "type": "user", "role": "owner"}
    return {"code": 0, "data": {"tasklist": {"guid": "list-1", "name": "Support", "owner": owner, "members": members}}}


# ---- the task list: people, fields, permission


def test_people_are_those_the_list_is_shared_with(vendor):
    there = vendor("lark")
    there.answers(LIST, tasklist(MEMBERS))

    assert there.connector(tasklist="list-1").people() == [Person("ou_1", "Ann"), Person("ou_2", "ou_2")]
    assert there.connector().people() == []


def test_check_refuses_a_list_the_app_may_only_view(vendor):
    there = vendor("lark")
    there.answers(("GET", "/open-apis/bot/v3/info"), {"code": 0, "bot": {"app_name": "Octopus"}})
    there.answers(LIST, tasklist([{"id": "cli_test", "type": "app", "role": "viewer"}]))

    with pytest.raises(Refused, match="editor"):
        there.connector(tasklist="list-1").check()


def test_a_permission_that_is_missing_is_named(vendor):
    there = vendor("lark")
    said = "Access denied. One of the following scopes is required: [task:task:write]"
    there.answers(CASE.create, {"code": 99991672, "msg": said}, 400)

    with pytest.raises(Refused, match="task:task:write"):
        there.connector().create(TASK)


def test_custom_fields_of_the_list_can_be_mapped_in_their_own_types(vendor):
    there = vendor("lark")
    there.answers(CUSTOM, listed(*CUSTOM_FIELDS))
    there.answers(CASE.create, CASE.created)
    connector = there.connector(tasklist="list-1")

    values = {"f1": "Gold", "f2": "Gold", "f3": "3", "f4": "2026-12-01T09:30:00Z", "f5": "ou_1, ou_2"}
    connector.create(replace(TASK, fields=values))

    assert there.sent(CASE.create)[0]["custom_fields"] == [
        {"guid": "f1", "single_select_value": "o1"},
        {"guid": "f2", "multi_select_value": ["o1"]},
        {"guid": "f3", "number_value": "3"},
        {"guid": "f4", "datetime_value": "1796117400000"},
        {"guid": "f5", "member_value": [{"id": "ou_1", "type": "user"}, {"id": "ou_2", "type": "user"}]},
    ]
    assert [(field.name, field.options) for field in connector.fields()][-5:-3] == [
        ("Tier", ("Gold",)), ("Areas", ("Gold",)),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [("f1", "Silver"), ("f4", "soon"), ("nope", "x")])
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, text, vendor):
    there = vendor("lark")
    there.answers(CUSTOM, listed(*CUSTOM_FIELDS))

    with pytest.raises(Rejected) as caught:
        there.connector(tasklist="list-1").create(replace(TASK, fields={name: text}))

    assert caught.value.field == name
    assert there.sent(CASE.create) == []


# ---- what became of a task


def test_status_tells_assignees_and_time_of_change(vendor):
    there = vendor("lark")
    members = [{"id": "ou_1", "name": "Ann", "role": "assignee"}, {"id": "ou_2", "role": "follower"}]
    there.answers(
        ("GET", THE_TASK),
        {"code": 0, "data": {"task": LARK_TASK | {"members": members, "updated_at": "1796117400000"}}},
    )

    ref = there.connector().status(there.ref)

    assert (ref.assignee, ref.changed_at) == ("Ann", datetime(2026, 12, 1, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "wanted", "completes"),
    [
        ("todo", TaskStatus.DONE, True),
        ("todo", TaskStatus.CANCELLED, True),
        ("todo", TaskStatus.OPEN, None),
        ("done", TaskStatus.CANCELLED, None),
        ("done", TaskStatus.OPEN, False),
    ],
)
def test_a_transition_completes_or_reopens_and_only_when_it_must(now, wanted, completes, vendor):
    there = vendor("lark")
    there.answers(("GET", THE_TASK), {"code": 0, "data": {"task": LARK_TASK | {"status": now}}})
    there.answers(("PATCH", THE_TASK), {"code": 0})

    there.connector().transition(there.ref, wanted)

    sent = there.sent(("PATCH", THE_TASK))
    assert [one["update_fields"] for one in sent] == ([] if completes is None else [["completed_at"]])
    assert [one["task"]["completed_at"] != "0" for one in sent] == ([] if completes is None else [completes])


def test_comments_are_read_over_all_pages(vendor, httpserver):
    there = vendor("lark")

    def page(request):
        is_second = request.args.get("page_token") == "next"
        comment = {
            "id": 2 if is_second else 1,
            "content": "Hi",
            "creator": {"id": "ou_1"},
            "created_at": "1796117400000",
        }
        more = {} if is_second else {"has_more": True, "page_token": "next"}
        return Response(orjson.dumps(listed(comment, **more)))

    httpserver.expect_request("/open-apis/task/v2/comments", method="GET").respond_with_handler(page)

    moment = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    assert there.connector().comments(there.ref) == [
        RemoteComment("1", "Hi", "ou_1", moment),
        RemoteComment("2", "Hi", "ou_1", moment),
    ]


# ---- events


def event(body, key=ENCRYPT_KEY, signature=None):
    """As Lark sends it: encrypted, and signed over the encrypted bytes."""
    padder, iv = PKCS7(128).padder(), b"0123456789abcdef"
    encryptor = Cipher(algorithms.AES256(hashlib.sha256(key.encode()).digest()), modes.CBC(iv)).encryptor()
    padded = padder.update(orjson.dumps(body)) + padder.finalize()
    encrypted = b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode()
    sent = orjson.dumps({"encrypt": encrypted})
    if signature is None:
        signature = hashlib.sha256(b"1796117400" + b"nonce" + key.encode() + sent).hexdigest()
    headers = {
        "x-lark-request-timestamp": "1796117400", "x-lark-request-nonce": "nonce", "x-lark-signature": signature,
    }  # fmt: skip
    return RawRequest("POST", headers, sent)


def updated(event_type="task.task.updated_v1", **more):
    return {"schema": "2.0", "header": {"event_id": "e1", "event_type": event_type}, "event": {"task_id": "t-1"} | more}


def test_the_vendors_own_example_is_decrypted():
    """Source: Lark's page on Encrypt Key, where the key is 'test key' and the text 'hello world'."""
    assert _decrypted("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "test key") == b"hello world"


def test_a_signed_event_names_its_task(vendor):
    connector = vendor("lark").connector(hook_secret=ENCRYPT_KEY)
    for one in (updated(obj_type=5), updated("task.task.comment.updated_v1", comment_id="9")):
        request = event(one)
        connector.verify_hook(request, 0.0)
        assert connector.changed(request) == ("t-1",)
        assert connector.answer_hook(request).store

    assert connector.changed(event(updated("im.message.receive_v1"))) == ()
    with pytest.raises(Malformed):
        connector.changed(event({"header": {"event_type": "task.task.updated_v1"}}))


def test_an_event_that_does_not_prove_itself_is_refused(vendor):
    connector = vendor("lark").connector(hook_secret=ENCRYPT_KEY)

    for request in (
        event(updated(), signature="0" * 64),
        event(updated(), signature=""),
        event(updated(), key="another key"),
        RawRequest("POST", {}, orjson.dumps(updated())),
        RawRequest("POST", {}, b"not JSON"),
        RawRequest("POST", {}, b'{"encrypt": "YWJj"}'),
    ):
        with pytest.raises(BadSignature):
            connector.verify_hook(request, 0.0)


def test_without_an_encrypt_key_nothing_passes(vendor):
    with pytest.raises(BadSignature):
        vendor("lark").connector().verify_hook(event({"type": "url_verification", "challenge": "c"}, key=""), 0.0)


def test_the_handshake_is_answered_with_its_challenge_and_not_stored(vendor):
    connector = vendor("lark").connector(hook_secret=ENCRYPT_KEY)
    request = event({"type": "url_verification", "challenge": "c-1", "token": "t"}, signature="")

    connector.verify_hook(request, 0.0)
    answer = connector.answer_hook(request)

    assert (orjson.loads(answer.body), answer.store) == ({"challenge": "c-1"}, False)


# ---- the vendor's contract


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
def test_what_is_read_is_asked_as_described(vendor):
    there = vendor("lark")
    there.answers(LIST, tasklist(MEMBERS))
    there.answers(CUSTOM, listed(*CUSTOM_FIELDS))
    there.answers(("GET", THE_TASK), {"code": 0, "data": {"task": LARK_TASK}})
    there.answers(("GET", "/open-apis/task/v2/comments"), listed())
    connector = there.connector(tasklist="list-1")

    connector.people()
    connector.fields()
    connector.status(there.ref)
    connector.comments(there.ref)

    assert _assert_described(there) == 5  # and the token

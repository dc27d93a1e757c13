"""What is true of DingTalk only, besides the rules in test_contract."""

import hashlib
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
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
from connectors import dingtalk_people
from connectors.crm import dingtalk
from connectors.dingtalk_events import _sealed, opened
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.dingtalk import BY_KEY, CASE, CHANGE, CREATE, READ, TODO, TODO_ID, TODOS, TOKEN
from .test_vendor_contracts import CONTRACTS, _assert_described

OWNER, ANN, BEN = CASE.config["owner"], "uniAnn", "uniBen"
QUERY, PROBE = ("POST", f"{TODOS}/org/tasks/query"), ("PUT", f"{TODOS}/tasks/octopus-connection-check")
BY_UNION_ID, BY_MOBILE = ("POST", "/topapi/user/getbyunionid"), ("POST", "/topapi/v2/user/getbymobile")
USER, MEMBERS = ("POST", "/topapi/v2/user/get"), ("POST", "/topapi/v2/user/list")
DEPARTMENTS = ("POST", "/topapi/v2/department/listsubid")
CHANGED_MS, CHANGED_AT = 1796117400000, datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
TASK_EXISTS = {"code": "todo.taskCreate.paramError", "message": "task exist", "requestid": "r1"}
NOT_THERE = CASE.nothing
TOKEN_ENDED = {"code": "InvalidAuthentication", "message": "不合法的access_token", "requestid": "r1"}


def good(**result):
    return {"errcode": 0, "errmsg": "ok", "result": result}


def described(there, **todo):
    """The vendor with this to-do."""
    there.answers(TOKEN, CASE.around[TOKEN])
    there.answers(READ, TODO | todo)
    there.answers(CHANGE, {"result": True, "requestId": "r2"})
    return there.connector()


def created(there, task):
    there.answers(CREATE, CASE.created)
    there.connector().create(task)
    return there.sent(CREATE)[-1]


def knows(there, union_id, name, mobile="13800000000"):
    there.answers(BY_UNION_ID, good(userid=f"id-{union_id}"))
    there.answers(BY_MOBILE, good(userid=f"id-{union_id}"))
    there.answers(USER, good(userid=f"id-{union_id}", unionid=union_id, name=name))


# ---- the token


def test_a_token_that_ended_is_renewed_once_for_eight_parallel_calls(vendor, httpserver):
    there = vendor("dingtalk", around=False)
    given = iter(["accesstoken-old", "accesstoken-new"])

    def token(_):
        return Response(orjson.dumps({"accessToken": next(given), "expireIn": 7200}))

    def todo(request):
        is_new = request.headers["x-acs-dingtalk-access-token"] == "accesstoken-new"
        return Response(orjson.dumps(TODO if is_new else TOKEN_ENDED), 200 if is_new else 401)

    httpserver.expect_request(TOKEN[1], method=TOKEN[0]).respond_with_handler(token)
    httpserver.expect_request(READ[1], method=READ[0]).respond_with_handler(todo)
    connector = there.connector()

    with ThreadPoolExecutor(8) as pool:
        refs = list(pool.map(lambda _: connector.status(there.ref), range(8)))

    assert refs == [there.ref] * 8
    assert [sent["appKey"] for sent in there.sent(TOKEN)] == ["dingtest"] * 2


def test_the_old_api_tells_of_an_ended_token_inside_a_200_and_gets_the_new_one(vendor, httpserver):
    there = vendor("dingtalk", around=False)
    given = iter(["accesstoken-old", "accesstoken-new"])
    httpserver.expect_request(TOKEN[1], method="POST").respond_with_handler(
        lambda _: Response(orjson.dumps({"accessToken": next(given), "expireIn": 7200}))
    )
    ended = {"errcode": 40014, "errmsg": "不合法的access_token", "request_id": "r1"}

    def departments(request):
        assert "x-acs-dingtalk-access-token" not in request.headers
        return Response(orjson.dumps(ended if request.args["access_token"].endswith("old") else good(dept_id_list=[])))

    httpserver.expect_request(DEPARTMENTS[1], method="POST").respond_with_handler(departments)
    there.answers(MEMBERS, good(has_more=False, list=[]))

    assert there.connector().people() == []
    assert len(there.sent(DEPARTMENTS)) == 2


def test_wrong_credentials_are_said_to_be_wrong_and_neither_they_nor_the_token_are_kept(vendor):
    there = vendor("dingtalk", around=False)
    there.answers(TOKEN, {"code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret"}, 400)

    with recording() as exchanges, pytest.raises(Unauthorized, match="Client Secret"):
        there.connector().create(TASK)

    assert exchanges.kept == []


def test_a_token_answer_without_a_token_is_asked_again_later(vendor):
    there = vendor("dingtalk", around=False)
    there.answers(TOKEN, {"expireIn": 7200})

    with pytest.raises(TransientError):
        there.connector().create(TASK)


# ---- what refusals mean


@pytest.mark.parametrize(
    ("status", "code", "said", "error"),
    [
        (400, "todo.taskCreate.paramError", "subject is oversize", Rejected),
        (400, "invalidParameter.union.id", "无效的unionId", Rejected),
        (400, "todo.taskCreate.flowControlError", "flowControl because of executorId or orgId", TransientError),
        (403, "Forbidden.AccessDenied.QpsLimitForApi", "qps", TransientError),
        (403, "Forbidden.AccessDenied.IpNotInWhiteList", "request ip=203.0.113.7", Refused),
        (500, "todo.taskCreate.systemError", "todo.taskCreate.systemError", Ambiguous),
        (503, "ServiceUnavailable", "later", Ambiguous),
    ],
)
def test_what_a_code_of_the_new_api_means(status, code, said, error, vendor):
    there = vendor("dingtalk")
    there.answers(CREATE, {"code": code, "message": said, "requestid": "r1"}, status)

    with pytest.raises(error) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        ({"errcode": 88, "sub_code": "90018", "errmsg": "ding talk error[subcode=90018]"}, TransientError, "too often"),
        (
            {"errcode": 88, "sub_code": "60011", "sub_msg": "应用尚未开通所需的权限：[qyapi_get_department_list]"},
            Refused,
            "the permission qyapi_get_department_list",
        ),
        ({"errcode": 50004, "errmsg": "请求的部门id不在授权范围内"}, Refused, "range of contacts"),
        ({"errcode": 60020, "errmsg": "访问ip不在白名单之中"}, Refused, "egress"),
        ({"errcode": 60003, "errmsg": "部门不存在"}, Rejected, "部门不存在"),
    ],
)
def test_what_an_errcode_of_the_old_api_means(answer, error, told, vendor):
    there = vendor("dingtalk")
    there.answers(MEMBERS, answer)

    with pytest.raises(error, match=told) as caught:
        there.connector().people()

    assert type(caught.value) is error


def test_a_permission_that_is_missing_is_named(vendor):
    there = vendor("dingtalk")
    denied = {
        "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied", "message": "没有调用该接口的权限",
        "requestid": "r1", "accessdenieddetail": {"requiredScopes": ["Todo.Todo.Write"]},
    }  # fmt: skip
    there.answers(CREATE, denied, 403)

    with pytest.raises(Refused, match=r"permission Todo\.Todo\.Write"):
        there.connector().create(TASK)


# ---- what a to-do says


def test_a_new_todo_has_its_key_its_owner_its_page_and_a_card_with_the_text(vendor):
    sent = created(vendor("dingtalk"), TASK)

    assert sent["sourceId"] == KEY
    assert (sent["creatorId"], sent["executorIds"]) == (OWNER, [OWNER])
    assert sent["detailUrl"] == {"appUrl": TASK.link, "pcUrl": TASK.link}
    assert (sent["dueTime"], sent["priority"]) == (CHANGED_MS, 30)
    (line,) = sent["contentFieldList"]
    assert "一打开就崩溃 😀" in line["fieldValue"] and "https://files.example/screen.png" in sent["description"]


def test_the_owner_is_the_operator(vendor, httpserver):
    there = vendor("dingtalk")
    created(there, TASK)

    assert httpserver.log[-1][0].args.to_dict() == {"operatorId": OWNER}


def test_a_todo_without_a_page_of_its_own_still_has_an_address(vendor):
    sent = created(vendor("dingtalk"), replace(TASK, link=""))

    assert sent["detailUrl"]["appUrl"].startswith("https://")


def test_a_card_keeps_begin_and_end_of_a_text_within_its_bytes(vendor):
    task = replace(TASK, body="开始" + "字" * 1_000 + "结束", attachments=(), link="")

    sent = created(vendor("dingtalk"), task)

    value = sent["contentFieldList"][0]["fieldValue"]
    assert value.startswith("开始") and "[…]" in value and value.rstrip().endswith("结束")
    assert len(value.encode()) <= 1_024 and "\ufffd" not in value
    assert "[…]" not in sent["description"]


@pytest.mark.parametrize(
    ("priority", "number"), [(Priority.LOW, 10), (Priority.NORMAL, 20), (Priority.HIGH, 30), (Priority.URGENT, 40)]
)
def test_each_priority_has_its_number(priority, number, vendor):
    assert created(vendor("dingtalk"), replace(TASK, priority=priority))["priority"] == number


def test_mapped_fields_replace_what_octopus_would_send(vendor):
    fields = {
        "subject": "Short", "description": "Mapped", "executorIds": f"{ANN}, {BEN}", "participantIds": OWNER,
        "priority": "40",
    }  # fmt: skip

    sent = created(vendor("dingtalk"), replace(TASK, fields=fields, assignee="uniCarl"))

    assert (sent["subject"], sent["description"], sent["priority"]) == ("Short", "Mapped", 40)
    assert (sent["executorIds"], sent["participantIds"]) == ([ANN, BEN], [OWNER])


@pytest.mark.parametrize(("name", "value"), [("priority", "high"), ("nope", "x")])
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, value, vendor):
    there = vendor("dingtalk")

    with pytest.raises(Rejected) as caught:
        there.connector().create(replace(TASK, fields={name: value}))

    assert caught.value.field == name
    assert there.server.log == []


def test_every_field_offered_for_mapping_is_taken(vendor):
    there = vendor("dingtalk")
    fields = {field.key: (field.options or ("x",))[0] for field in there.connector().fields()}

    assert created(there, replace(TASK, fields=fields))["subject"] == "x"


def test_an_assignee_may_be_named_by_mobile_number(vendor):
    there = vendor("dingtalk")
    knows(there, ANN, "Ann")

    sent = created(there, replace(TASK, assignee="13800000000"))

    assert sent["executorIds"] == [ANN]
    assert there.sent(BY_MOBILE) == [{"mobile": "13800000000"}]


def test_an_assignee_dingtalk_does_not_know_is_named_and_no_todo_is_made(vendor):
    there = vendor("dingtalk")
    there.answers(BY_MOBILE, {"errcode": 60121, "errmsg": "找不到该用户", "request_id": "r1"})

    with pytest.raises(Rejected) as caught:
        there.connector().create(replace(TASK, assignee="13800000000"))

    assert caught.value.field == "assignee"
    assert there.sent(CREATE) == []


# ---- exactly one


def test_a_second_create_with_the_same_key_returns_the_first_ones_todo(vendor):
    there = vendor("dingtalk")
    there.answers(CREATE, TASK_EXISTS, 400)
    there.answers(BY_KEY, TODO)

    assert there.connector().create(TASK) == there.ref


def test_a_key_that_is_taken_but_cannot_be_found_is_told_and_not_sent_again(vendor):
    there = vendor("dingtalk")
    there.answers(CREATE, TASK_EXISTS, 400)
    there.answers(BY_KEY, NOT_THERE, 400)

    with pytest.raises(Rejected, match="exists already") as caught:
        there.connector().create(TASK)

    assert caught.value.field == "sourceId"
    assert len(there.sent(CREATE)) == 1


def test_a_key_dingtalk_does_not_know_is_not_found_by_its_400(vendor):
    there = vendor("dingtalk")
    there.answers(BY_KEY, NOT_THERE, 400)

    assert there.connector().find(KEY) is None


# ---- what became of a to-do


@pytest.mark.parametrize(("done", "status"), [(True, TaskStatus.DONE), (False, TaskStatus.OPEN)])
def test_status_tells_state_executors_by_name_and_time_of_change(done, status, vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, done=done, executorIds=[ANN], modifiedTime=CHANGED_MS)
    knows(there, ANN, "安")

    assert connector.status(there.ref) == TaskRef(TODO_ID, "", status, "安", CHANGED_AT)
    connector.status(there.ref)
    assert len(there.sent(USER)) == 1  # a name is asked once


def test_an_executor_the_app_may_not_see_is_shown_by_id(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, executorIds=["94437034"])
    there.answers(BY_UNION_ID, {"errcode": 60121, "errmsg": "找不到该用户"})

    assert connector.status(there.ref).assignee == "94437034"


def test_a_todo_that_is_deleted_is_gone(vendor):
    there = vendor("dingtalk", around=False)
    there.answers(TOKEN, CASE.around[TOKEN])
    there.answers(READ, NOT_THERE, 400)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


@pytest.mark.parametrize(
    ("done", "wanted", "sent"),
    [
        (False, TaskStatus.DONE, [{"done": True}]),
        (False, TaskStatus.CANCELLED, [{"done": True}]),
        (False, TaskStatus.OPEN, []),
        (True, TaskStatus.CANCELLED, []),
        (True, TaskStatus.OPEN, [{"done": False}]),
    ],
)
def test_a_transition_is_made_only_when_it_must(done, wanted, sent, vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, done=done)

    connector.transition(there.ref, wanted)

    assert there.sent(CHANGE) == sent


def test_an_update_leaves_people_priority_and_key_alone(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there)

    connector.update(there.ref, TASK)

    assert set(there.sent(CHANGE)[0]) == {"subject", "description", "contentFieldList", "dueTime"}


def test_a_comment_is_added_to_the_text_and_shown_on_the_card(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, description="It broke")

    connector.comment(there.ref, "Once more 😀", KEY)

    (sent,) = there.sent(CHANGE)
    assert sent["description"] == "It broke\n\n— Updates —\nOnce more 😀"
    assert sent["contentFieldList"][0]["fieldValue"] == sent["description"]


def test_a_comment_that_stands_there_already_is_not_added_again(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, description="It broke\n\n— Updates —\nFirst\nSecond")

    connector.comment(there.ref, "Second", KEY)

    assert there.sent(CHANGE)[0]["description"] == "It broke\n\n— Updates —\nFirst\nSecond"


def test_an_update_keeps_what_was_added_later(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, description="It broke\n\n— Updates —\nFirst")

    connector.update(there.ref, replace(TASK, body="It broke badly", attachments=(), link=""))

    assert there.sent(CHANGE)[0]["description"] == "It broke badly\n\n— Updates —\nFirst"


def test_updates_without_end_keep_the_newest_and_the_bodys_begin_and_end(vendor):
    there = vendor("dingtalk", around=False)
    connector = described(there, description="It broke" + "x" * 1_900 + "Category: bug\n\n— Updates —\n" + "y" * 900)

    connector.comment(there.ref, "Newest", KEY)

    text = there.sent(CHANGE)[0]["description"]
    assert text.startswith("It broke") and "[…]" in text and text.endswith("y\nNewest")
    assert "Category: bug\n\n— Updates —" in text and len(text) <= 2_000


def test_what_dingtalk_cannot_do_is_not_promised():
    assert not dingtalk.Connector.CAN & {Capability.COMMENTS, Capability.CHANGES, Capability.SETS_HOOK}


# ---- people, places, permission


def organisation(there, httpserver):
    below = {1: [2, 3], 2: [], 3: [1]}  # a loop must not be walked for ever
    pages = {
        (1, 0): ([{"unionid": OWNER, "name": "Olga", "userid": "o"}, {"userid": "not-joined", "name": "N"}], 1),
        (1, 1): ([{"unionid": BEN, "name": "Ben", "userid": "b", "email": "ben@example.com"}], None),
        (2, 0): ([{"unionid": ANN, "name": "Ann", "userid": "a"}], None),
        (3, 0): ([{"unionid": ANN, "name": "Ann", "userid": "a"}], None),
    }

    def departments(request):
        return Response(orjson.dumps(good(dept_id_list=below[request.get_json()["dept_id"]])))

    def members(request):
        asked = request.get_json()
        found, following = pages[(asked["dept_id"], asked["cursor"])]
        more = {} if following is None else {"next_cursor": following}
        return Response(orjson.dumps(good(list=found, has_more=following is not None, **more)))

    httpserver.expect_request(DEPARTMENTS[1], method="POST").respond_with_handler(departments)
    httpserver.expect_request(MEMBERS[1], method="POST").respond_with_handler(members)


def test_people_are_the_members_of_all_departments_each_once(vendor, httpserver):
    there = vendor("dingtalk")
    organisation(there, httpserver)

    assert there.connector().people() == [
        Person(ANN, "Ann"), Person(BEN, "Ben", "ben@example.com"), Person(OWNER, "Olga"),
    ]  # fmt: skip


def test_people_can_be_those_of_one_department(vendor, httpserver):
    there = vendor("dingtalk")
    organisation(there, httpserver)

    assert there.connector(department=2).people() == [Person(ANN, "Ann")]


def test_an_organisation_too_large_to_walk_through_is_shown_in_part(vendor, httpserver, monkeypatch):
    monkeypatch.setattr(dingtalk_people, "MOST_DEPARTMENTS", 2)
    there = vendor("dingtalk")
    organisation(there, httpserver)

    there.connector().people()

    assert {sent["dept_id"] for sent in there.sent(MEMBERS)} == {1, 2}


def test_targets_are_the_lists_of_people(vendor, httpserver):
    there = vendor("dingtalk")
    organisation(there, httpserver)

    assert there.connector().targets()[0] == Target("Ann", {"owner": ANN})


def test_a_list_of_members_that_leads_nowhere_is_not_followed_for_ever(vendor):
    there = vendor("dingtalk")
    there.answers(DEPARTMENTS, good(dept_id_list=[]))
    there.answers(MEMBERS, good(list=[], has_more=True, next_cursor=0))

    with pytest.raises(TransientError, match="nowhere"):
        there.connector().people()


def test_check_names_the_owner_and_changes_no_todo(vendor):
    there = vendor("dingtalk")
    there.answers(QUERY, {"todoCards": []})
    there.answers(PROBE, {"code": "todo.taskUpdate.paramError", "message": "task not exist"}, 400)
    knows(there, OWNER, "Olga")

    assert there.connector().check() == "Olga"


def test_check_refuses_an_app_that_may_read_but_not_write(vendor):
    there = vendor("dingtalk")
    there.answers(QUERY, {"todoCards": []})
    denied = {
        "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied", "message": "没有调用该接口的权限",
        "accessdenieddetail": {"requiredScopes": ["Todo.Todo.Write"]},
    }  # fmt: skip
    there.answers(PROBE, denied, 403)

    with pytest.raises(Refused, match=r"Todo\.Todo\.Write"):
        there.connector().check()


# ---- events


APP = "dingtest"
AES_KEY, HOOK_TOKEN = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij", "123456"
UPDATED = {
    "EventType": "todo_task_update", "EventTime": 1663143335567, "CorpId": "ding9f50b15bccd16741", "BizId": "1",
    "eventId": "e1", "taskId": TODO_ID, "UnionIdList": [ANN],
}  # fmt: skip


def pushed(event, key=AES_KEY, app=APP, token=HOOK_TOKEN, signature=None, name="msg_signature"):
    """As DingTalk sends it, by the vendor's published examples."""
    encrypted = _sealed(orjson.dumps(event), key, app.encode(), b"0123456789abcdef")
    signed = "".join(sorted([token, "1445827045067", "nEXhMP4r", encrypted]))
    query = {name: signature if signature is not None else hashlib.sha1(signed.encode()).hexdigest()}
    query |= {"timestamp": "1445827045067", "nonce": "nEXhMP4r"}
    return RawRequest("POST", {}, orjson.dumps({"encrypt": encrypted}), query=urlencode(query))


@pytest.fixture
def hooked(vendor):
    return vendor("dingtalk").connector(hook_secret=AES_KEY, hook_token=HOOK_TOKEN)


def test_the_vendors_own_example_is_proved_and_read():
    """Source: https://github.com/open-dingtalk/DingTalk-Callback-Crypto, dingtalk_callback_crypto.rs."""
    query = {
        "signature": "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0", "timestamp": "1445827045067", "nonce": "nEXhMP4r",
    }  # fmt: skip
    encrypted = (
        "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9V"
        "rYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ=="
    )
    request = RawRequest("POST", {}, orjson.dumps({"encrypt": encrypted}), query=urlencode(query))

    assert opened("DingTalk", request, "123456", AES_KEY, "suite4xxxxxxxxxxxxxxx") == {
        "EventType": "check_create_suite_url", "Random": "LPIdSnlF", "TestSuiteKey": "suite4xxxxxxxxxxxxxxx",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["todo_task_update", "todo_task_delete"])
@pytest.mark.parametrize("name", ["signature", "msg_signature"])
def test_a_signed_event_names_its_todo(kind, name, hooked):
    request = pushed(UPDATED | {"EventType": kind}, name=name)

    hooked.verify_hook(request, 0.0)

    assert hooked.changed(request) == (TODO_ID,)
    assert hooked.answer_hook(request).store


def test_another_event_of_the_app_names_no_todo(hooked):
    assert hooked.changed(pushed({"EventType": "user_add_org", "UserId": ["a"]})) == ()
    with pytest.raises(Malformed):
        hooked.changed(pushed({"EventType": "todo_task_update"}))


def test_the_answer_is_an_encrypted_success_dingtalk_can_prove(hooked):
    answer = hooked.answer_hook(pushed({"EventType": "check_url"}))

    sent = orjson.loads(answer.body)
    signed = "".join(sorted([HOOK_TOKEN, sent["timeStamp"], sent["nonce"], sent["encrypt"]]))
    assert sent["msg_signature"] == hashlib.sha1(signed.encode()).hexdigest()
    assert _opened_with_the_vendors_steps(sent["encrypt"]) == (b"success", APP.encode())
    assert not answer.store


def _opened_with_the_vendors_steps(encrypted):
    """Written from the vendor's DingCallbackCrypto3.py, not from ours."""
    key = b64decode(AES_KEY + "=")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    content = decryptor.update(b64decode(encrypted)) + decryptor.finalize()
    assert 1 <= content[-1] <= 32
    content = content[: -content[-1]]
    length = int.from_bytes(content[16:20], "big")
    return content[20 : 20 + length], content[20 + length :]


@pytest.mark.parametrize(
    "request_",
    [
        pushed(UPDATED, signature="0" * 40),
        pushed(UPDATED, signature=""),
        pushed(UPDATED, token="another"),
        pushed(UPDATED, key="5uw707f8em7k3idgmp54coavy7phj3vuvitk099m45y"),
        pushed(UPDATED, app="dinganother"),
        RawRequest("POST", {}, orjson.dumps(UPDATED)),
        RawRequest("POST", {}, b"not JSON"),
        RawRequest("POST", {}, b'{"encrypt": ["x"]}'),
    ],
)
def test_what_does_not_prove_itself_is_refused(request_, hooked):
    with pytest.raises(BadSignature):
        hooked.verify_hook(request_, 0.0)


@pytest.mark.parametrize("missing", [{"hook_secret": AES_KEY}, {"hook_token": HOOK_TOKEN}, {}])
def test_without_token_or_key_nothing_passes(missing, vendor):
    with pytest.raises(BadSignature):
        vendor("dingtalk").connector(**missing).verify_hook(pushed(UPDATED, token=missing.get("hook_token", "")), 0.0)


# ---- the vendor's contract


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
def test_what_is_sent_is_as_described(vendor):
    """The contract does not hold looking a person up by unionId, nor departments: these follow the vendor's pages."""
    there = vendor("dingtalk", around=False)
    connector = described(there, executorIds=[])
    there.answers(BY_KEY, TODO)
    there.answers(QUERY, {"todoCards": []})
    there.answers(PROBE, NOT_THERE, 400)
    there.answers(BY_MOBILE, good(userid="a"))
    there.answers(USER, good(userid="a", unionid=ANN, name="Ann"))
    there.answers(BY_UNION_ID, good(userid="a"))
    created(there, replace(TASK, assignee="13800000000", fields={"participantIds": BEN}))

    connector.find(KEY)
    connector.status(there.ref)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Once more", KEY)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.check()

    of_the_owners_name = 2  # the last ones of a check
    assert _assert_described(there, len(there.server.log) - of_the_owners_name) == 13  # and the signing in


def test_no_secret_shows_up_in_what_is_kept_of_the_old_apis_calls(vendor):
    there = vendor("dingtalk")
    there.answers(DEPARTMENTS, good(dept_id_list=[]))
    there.answers(MEMBERS, good(list=[], has_more=False))

    with recording() as exchanges:
        there.connector().people()

    shown = orjson.dumps(exchanges.as_dicts()).decode()
    assert "access_token" in shown
    assert SECRET not in shown and "accesstoken000001" not in shown

"""What is true of WeCom only, besides the rules in test_contract."""

import hashlib
import logging
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from werkzeug import Response

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
from app.domain.tasks import Capability, Target, TaskRef, TaskStatus
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.wecom import ADD, CASE, CHANGE, COLUMNS, LINK, ROW, ROWS, SHEETS, TOKEN, column, good, listed, row, text
from .test_vendor_contracts import CONTRACTS, _assert_described

GET_SHEET, CREATE_DOC = ("POST", f"{SHEETS}/get_sheet"), ("POST", "/cgi-bin/wedoc/create_doc")
ADD_FIELDS, BY_EMAIL = ("POST", f"{SHEETS}/add_fields"), ("POST", "/cgi-bin/user/get_userid_by_email")
SHEET = {"sheet_id": "123Abc", "title": "任务", "is_visible": True, "type": "smartsheet"}
CHANGED_MS, CHANGED_AT = "1796117400000", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def described(there, *columns):
    """A smart sheet with these columns only."""
    there.answers(TOKEN, CASE.around[TOKEN])
    there.answers(COLUMNS, good(fields=[*columns]))


def written(there, call):
    return there.sent(call)[-1]["records"][0]["values"]


def created(there, task):
    there.answers(ADD, CASE.created)
    there.connector().create(task)
    return written(there, ADD)


# ---- the token


def test_a_token_that_ended_is_renewed_once_for_eight_parallel_calls(vendor, httpserver):
    there = vendor("wecom", around=False)
    tokens = iter(("first-token", "second-token", "third-token"))
    asked, refused = [], {"errcode": 42001, "errmsg": "access_token expired, hint: [1763880000]"}

    def token(request):
        asked.append(request.args["corpsecret"])
        return Response(orjson.dumps(good(access_token=next(tokens), expires_in=7200)))

    def found(request):
        is_good = request.args["access_token"] == "second-token"
        return Response(orjson.dumps(listed(row()) if is_good else refused))

    there.server.expect_request(TOKEN[1]).respond_with_handler(token)
    there.server.expect_request(ROWS[1]).respond_with_handler(found)
    there.answers(COLUMNS, CASE.around[COLUMNS])
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.find(KEY), range(8)))

    assert refs == [there.ref] * 8
    assert asked == [SECRET, SECRET]


@pytest.mark.parametrize("code", [40001, 40013])
def test_a_wrong_corp_id_or_secret_is_asked_once_and_parks_the_destination(code, vendor):
    there = vendor("wecom", around=False)
    there.answers(TOKEN, {"errcode": code, "errmsg": "invalid credential, hint: [1763880000]"})

    with pytest.raises(Unauthorized, match="Corp ID or Secret"):
        there.connector().check()

    assert len(there.server.log) == 1


def test_no_token_and_no_secret_is_written_to_errors_logs_or_attempts(vendor, caplog):
    there = vendor("wecom")
    there.answers(ADD, {"errcode": 2022004, "errmsg": f"rejected accesstoken000001 of {SECRET}"})
    caplog.set_level(logging.DEBUG)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the vendor's side of this test

    with recording() as exchanges, pytest.raises(Rejected) as caught:
        there.connector().create(TASK)

    shown = str(caught.value) + orjson.dumps(exchanges.as_dicts()).decode() + caplog.text
    assert "access_token=" in shown  # with its value masked
    assert "accesstoken000001" not in shown and SECRET not in shown
    assert [exchange.url.split("?")[0].rpartition("/")[2] for exchange in exchanges.kept] == [
        "get_fields", "add_records",
    ]  # fmt: skip


def test_a_token_answer_without_a_token_is_asked_again_later(vendor):
    there = vendor("wecom", around=False)
    there.answers(TOKEN, good())

    with pytest.raises(TransientError, match="no access token"):
        there.connector().find(KEY)


# ---- refusals inside a 200


@pytest.mark.parametrize(
    ("code", "said", "error"),
    [
        (40014, "invalid access_token", Unauthorized),
        (45033, "api concurrent out of limit", TransientError),
        (-1, "system busy", Ambiguous),
        (48002, "api forbidden", Refused),
        (60011, "no privilege to access/modify contact/party/agent", Refused),
        (851003, "no authority", Refused),
        (2022034, "Smartsheet invalid date time value", Rejected),
        (2022004, "field not exists, hint: [1763880000]", Rejected),
        (2022005, "record not exists", TargetGone),
        (301099, "invalid docid", TargetGone),
    ],
)
def test_what_an_errcode_means(code, said, error, vendor):
    there = vendor("wecom")
    there.answers(ADD, {"errcode": code, "errmsg": said})

    with pytest.raises(error) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error
    assert getattr(caught.value, "field", "") == ""


def test_an_address_wecom_does_not_trust_is_named(vendor):
    there = vendor("wecom")
    there.answers(ADD, {"errcode": 60020, "errmsg": "not allow to access from your ip, from ip: 203.0.113.9"})

    with pytest.raises(Refused, match=r"203\.0\.113\.9.*Trusted IPs"):
        there.connector().create(TASK)


# ---- the row


def test_a_task_fills_the_columns_the_sheet_has(vendor):
    cells = created(vendor("wecom"), replace(TASK, assignee="zhangsan"))

    assert cells.pop("Details")[0]["text"].endswith(f"In Octopus: {TASK.link}")
    assert cells == {
        "Octopus key": text(KEY),
        "标题": text(TASK.title),
        "Status": [{"text": "Open"}],
        "截止日期": CHANGED_MS,  # as text: a number would be dropped without a word
        "优先级": [{"text": "高"}],
        "标签": [{"text": "bug"}],
        "负责人": [{"user_id": "zhangsan"}],
    }


def test_a_sheet_with_the_key_and_the_text_alone_takes_tasks(vendor):
    there = vendor("wecom", around=False)
    described(there, column("Octopus key", "TEXT"), column("Details", "TEXT"))

    cells = created(there, replace(TASK, assignee="zhangsan"))

    assert set(cells) == {"Octopus key", "Details"}
    assert cells["Details"][0]["text"].startswith(f"{TASK.title}\n")


def test_mapped_fields_are_typed_by_their_columns_and_none_that_is_mapped_to_nothing(vendor):
    fields = {
        "Size": "3", "Seen": "yes", "Page": "https://a.example", "Phone": " 138 ", "截止日期": "2026-12-01",
        "标签": "bug，vip", "负责人": "lisi, wangwu", "优先级": "", "Details": "Short",
    }  # fmt: skip

    cells = created(vendor("wecom"), replace(TASK, fields=fields))

    assert {name: cells.get(name) for name in fields} == {
        "Size": 3, "Seen": True, "Page": [{"type": "url", "text": "https://a.example", "link": "https://a.example"}],
        "Phone": "138", "截止日期": "1796083200000", "标签": [{"text": "bug"}, {"text": "vip"}],
        "负责人": [{"user_id": "lisi"}, {"user_id": "wangwu"}], "优先级": None, "Details": text("Short"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [("Size", "big"), ("截止日期", "soon"), ("Changed", "2026-12-01"), ("nope", "x")]
)
def test_nothing_is_sent_when_a_mapped_field_cannot_take_its_value(name, value, vendor):
    there = vendor("wecom")

    with pytest.raises(Rejected) as caught:
        there.connector().create(replace(TASK, fields={name: value}))

    assert caught.value.field == name
    assert there.sent(ADD) == []


def test_fields_offered_for_mapping_are_those_that_can_be_filled(vendor):
    offered = {field.key: field for field in vendor("wecom").connector().fields()}

    assert offered["优先级"].options == ("紧急", "高", "中", "低")
    assert offered["标签"].type == "select"
    assert not {"Octopus key", "Updates", "Changed"} & set(offered)


def test_an_assignee_may_be_named_by_email_address(vendor):
    there = vendor("wecom")
    there.answers(BY_EMAIL, good(userid="zhangsan"))

    cells = created(there, replace(TASK, assignee="zhang@example.com"))

    assert cells["负责人"] == [{"user_id": "zhangsan"}]
    assert there.sent(BY_EMAIL) == [{"email": "zhang@example.com"}]


def test_an_assignee_wecom_does_not_know_is_named_and_no_row_is_added(vendor):
    there = vendor("wecom")
    there.answers(BY_EMAIL, {"errcode": 46004, "errmsg": "user not exist"})

    with pytest.raises(Rejected) as caught:
        there.connector().create(replace(TASK, assignee="nobody@example.com"))

    assert caught.value.field == "assignee"
    assert there.sent(ADD) == []


def test_an_update_leaves_status_assignee_and_key_to_people(vendor):
    there = vendor("wecom")
    there.answers(CHANGE, good(records=[row()]))

    there.connector().update(there.ref, replace(TASK, assignee="zhangsan"))

    assert there.sent(CHANGE)[0]["records"][0]["record_id"] == ROW
    assert set(written(there, CHANGE)) == {"标题", "Details", "截止日期", "优先级", "标签"}


# ---- looking for a row


def page_of(request, of_all):
    asked = request.get_json()
    start = asked["offset"]
    found = of_all[start : start + 2]
    end = start + len(found)
    return Response(orjson.dumps(listed(*found, has_more=end < len(of_all), next=end)))


def test_the_key_is_looked_for_on_every_page(vendor):
    there = vendor("wecom")
    others = [row(**{"Octopus key": text(f"key-{at}")}) | {"record_id": f"r{at}"} for at in range(4)]
    there.server.expect_request(ROWS[1]).respond_with_handler(lambda request: page_of(request, [*others, row()]))

    assert there.connector().find(KEY) == there.ref
    assert [asked["offset"] for asked in there.sent(ROWS)] == [0, 2, 4]


def test_pages_that_lead_nowhere_are_not_followed_for_ever(vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed(has_more=True, next=0))

    assert there.connector().find(KEY) is None
    assert len(there.sent(ROWS)) == 1


def test_a_row_that_is_deleted_is_gone(vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed())

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


# ---- what became of it


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ([{"id": "o0", "text": "Open"}], TaskStatus.OPEN),
        ([{"id": "o1", "text": "In progress"}], TaskStatus.IN_PROGRESS),
        ([{"id": "o2", "text": "Done"}], TaskStatus.DONE),
        ([{"id": "o3", "text": "Cancelled"}], TaskStatus.CANCELLED),
        ([], TaskStatus.OPEN),
        (True, TaskStatus.DONE),
        (False, TaskStatus.OPEN),
    ],
)
def test_status_tells_state_assignees_and_time_of_change(cell, status, vendor):
    there = vendor("wecom")
    people = [{"user_id": "zhangsan"}, {"user_id": "lisi"}]
    there.answers(ROWS, listed(row(Status=cell, 负责人=people) | {"update_time": CHANGED_MS}))

    assert there.connector().status(there.ref) == TaskRef(ROW, LINK, status, "zhangsan, lisi", CHANGED_AT)
    assert there.sent(ROWS)[0]["record_ids"] == [ROW]


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        ("Open", TaskStatus.DONE, "Done"),
        ("Open", TaskStatus.CANCELLED, "Cancelled"),
        ("Done", TaskStatus.OPEN, "Open"),
        ("Done", TaskStatus.DONE, None),
        ("In progress", TaskStatus.OPEN, None),
    ],
)
def test_a_transition_chooses_the_option_and_only_when_it_must(now, wanted, sent, vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed(row(Status=[{"id": "o", "text": now}])))
    there.answers(CHANGE, good(records=[row()]))

    there.connector().transition(there.ref, wanted)

    cells = [one["records"][0]["values"] for one in there.sent(CHANGE)]
    assert cells == ([{"Status": [{"text": sent}]}] if sent else [])


def test_a_checkbox_is_a_status_as_well(vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed(row(Seen=False)))
    there.answers(CHANGE, good(records=[row()]))

    there.connector(status_field="Seen").transition(there.ref, TaskStatus.CANCELLED)

    assert written(there, CHANGE) == {"Seen": True}


def test_an_option_the_column_lacks_is_named_with_those_it_has(vendor):
    there = vendor("wecom")

    with pytest.raises(Rejected, match="Open, In progress, Done, Cancelled") as caught:
        there.connector(done_value="完成").transition(there.ref, TaskStatus.DONE)

    assert caught.value.field == "Status"
    assert there.sent(CHANGE) == []


def test_without_a_column_for_it_nothing_is_promised(vendor):
    connector = vendor("wecom").connector(status_field="", updates_field="")

    assert not {Capability.TRANSITION, Capability.COMMENT} & connector.CAN


def test_a_comment_is_added_to_what_people_wrote(vendor):
    there = vendor("wecom")
    before = [*text("Called her. "), {"type": "url", "text": "Notes", "link": "https://a.example"}]
    there.answers(ROWS, listed(row(Updates=before)))
    there.answers(CHANGE, good(records=[row()]))

    there.connector().comment(there.ref, "Still broken 😀", KEY)

    assert written(there, CHANGE) == {"Updates": [*before, *text("\n\nStill broken 😀")]}


def test_a_comment_that_stands_there_already_is_not_added_again(vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed(row(Updates=text("Called her.\n\nStill broken"))))

    there.connector().comment(there.ref, "Still broken", KEY)

    assert there.sent(CHANGE) == []


def test_comments_without_end_are_cut_in_the_middle(vendor):
    there = vendor("wecom")
    there.answers(ROWS, listed(row(Updates=text("old " * 2_500))))
    there.answers(CHANGE, good(records=[row()]))

    there.connector().comment(there.ref, "Still broken", KEY)

    cell = written(there, CHANGE)["Updates"][0]["text"]
    assert len(cell) == 10_000 and "[…]" in cell and cell.endswith("\n\nStill broken")


def test_changes_are_octopus_own_rows_since_the_moment(vendor):
    there = vendor("wecom")
    before = str(int(CHANGED_MS) - 1)
    there.answers(
        ROWS,
        listed(
            row() | {"record_id": "r1", "update_time": CHANGED_MS},
            row() | {"record_id": "r2", "update_time": before},
            row(**{"Octopus key": []}) | {"record_id": "r3", "update_time": CHANGED_MS},
        ),
    )

    changed = list(there.connector().changes(CHANGED_AT))

    assert [(ref.id, ref.changed_at) for ref in changed] == [("r1", CHANGED_AT)]


# ---- the smart sheet


def test_targets_are_the_sub_sheets_that_hold_rows(vendor):
    there = vendor("wecom")
    there.answers(GET_SHEET, good(sheet_list=[SHEET, {"sheet_id": "d1", "title": "Board", "type": "dashboard"}]))

    assert there.connector().targets() == [Target("任务", {"document": "DOCID", "sheet": "123Abc"})]


def test_a_smart_sheet_is_made_where_none_is_named(vendor):
    there = vendor("wecom")
    there.answers(CREATE_DOC, good(url=LINK, docid="NEW"))
    there.answers(GET_SHEET, good(sheet_list=[SHEET]))
    there.answers(ADD_FIELDS, good(fields=[]))

    (target,) = there.connector(document="", sheet="-", link="", members="zhangsan, lisi").targets()

    assert target == Target("Octopus: 任务", {"document": "NEW", "sheet": "123Abc", "link": LINK})
    assert there.sent(CREATE_DOC) == [{"doc_type": 10, "doc_name": "Octopus", "admin_users": ["zhangsan", "lisi"]}]
    made = there.sent(ADD_FIELDS)[0]
    assert (made["docid"], made["sheet_id"]) == ("NEW", "123Abc")
    titles = [field["field_title"] for field in made["fields"]]
    assert titles == ["Octopus key", "Details", "Updates", "Status", "Due", "Priority", "Labels", "Assignee"]


def test_a_smart_sheet_octopus_made_passes_the_check_and_takes_tasks(vendor):
    there = vendor("wecom", around=False)
    columns = there.connector().layout.new_columns()
    described(there, column("智能表列", "TEXT"), *columns)
    there.answers(GET_SHEET, good(sheet_list=[SHEET]))

    assert there.connector().check() == "ww5823bf96d3bd56: 任务"
    cells = created(there, TASK)
    assert cells["智能表列"] == text(TASK.title)
    assert (cells["Status"], cells["Priority"]) == ([{"text": "Open"}], [{"text": "High"}])


def test_none_is_made_that_nobody_would_find(vendor):
    there = vendor("wecom")

    with pytest.raises(Rejected) as caught:
        there.connector(document="", sheet="-").targets()

    assert caught.value.field == "members"
    assert there.sent(CREATE_DOC) == []


@pytest.mark.parametrize(
    ("config", "missing"),
    [({"key_field": "Key"}, "Key"), ({"updates_field": "Size"}, "Size"), ({"status_field": "标题"}, "标题")],
)
def test_check_names_the_column_that_is_missing(config, missing, vendor):
    there = vendor("wecom")
    there.answers(GET_SHEET, good(sheet_list=[SHEET]))

    with pytest.raises(Rejected) as caught:
        there.connector(**config).check()

    assert caught.value.field == missing


def test_check_says_when_the_sub_sheet_is_gone(vendor):
    there = vendor("wecom")
    there.answers(GET_SHEET, good(sheet_list=[]))

    with pytest.raises(TargetGone):
        there.connector().check()


# ---- callbacks: key, token and company of the vendor's own example (document/path/90968)

HOOK_TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
COMPANY = "wx5823bf96d3bd56c7"
HOOK = {"hook_token": HOOK_TOKEN, "hook_secret": AES_KEY, "corp_id": COMPANY}
ECHO = {
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "timestamp": "1409659589", "nonce": "263014780",
    "echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
}  # fmt: skip


def encrypted(message, aes_key=AES_KEY, company=COMPANY):
    key, padder = b64decode(aes_key + "="), PKCS7(256).padder()
    content = b"0123456789abcdef" + len(message.encode()).to_bytes(4, "big") + message.encode() + company.encode()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    return b64encode(encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()).decode()


def pushed(message, signature=None, **how):
    """As WeCom sends it: encrypted, in XML, and signed in the query."""
    content = encrypted(message, **how)
    signed = hashlib.sha1("".join(sorted([HOOK_TOKEN, "1409659590", "7", content])).encode()).hexdigest()
    query = {
        "msg_signature": signed if signature is None else signature, "timestamp": "1409659590", "nonce": "7",
    }  # fmt: skip
    body = f"<xml><ToUserName><![CDATA[{COMPANY}]]></ToUserName><Encrypt><![CDATA[{content}]]></Encrypt></xml>"
    return RawRequest("POST", {}, body.encode(), urlencode(query))


def changed(kind="update_record", event="smart_sheet_change", rows=("r1", "r2", "r1")):
    ids = "".join(f"<RecordId><![CDATA[{one}]]></RecordId>" for one in rows)
    return (
        f"<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event><ChangeType><![CDATA[{kind}]]>"
        f"</ChangeType><DocId><![CDATA[DOCID]]></DocId><SheetId><![CDATA[123Abc]]></SheetId>{ids}</xml>"
    )


def test_the_vendors_own_example_is_proved_and_read_back(vendor):
    connector = vendor("wecom").connector(**HOOK)
    request = RawRequest("GET", {}, b"", urlencode(ECHO))

    connector.verify_hook(request, 0.0)
    answer = connector.answer_hook(request)

    assert (answer.body, answer.store) == (b"1616140317555161061", False)


@pytest.mark.parametrize("kind", ["add_record", "update_record", "delete_record"])
def test_an_event_of_the_smart_sheet_names_its_rows(kind, vendor):
    connector = vendor("wecom").connector(**HOOK)
    request = pushed(changed(kind))

    connector.verify_hook(request, 0.0)

    assert connector.changed(request) == ("r1", "r2")
    assert connector.answer_hook(request).store


def test_another_event_of_the_app_names_no_rows(vendor):
    connector = vendor("wecom").connector(**HOOK)

    assert connector.changed(pushed(changed(event="doc_change"))) == ()
    assert connector.changed(pushed(changed("add_filed", rows=()))) == ()
    with pytest.raises(Malformed):
        connector.changed(pushed("not XML"))


OTHER_KEY = "a" * 42 + "A"


@pytest.mark.parametrize(
    "request_",
    [
        pushed(changed(), signature="0" * 40),
        pushed(changed(), signature=""),
        pushed(changed(), aes_key=OTHER_KEY),
        pushed(changed(), company="ww-somebody-else"),
        RawRequest("POST", {}, changed().encode(), urlencode(ECHO)),
        RawRequest("GET", {}, b"", urlencode(ECHO | {"nonce": "1"})),
        RawRequest("GET", {}, b"", ""),
        RawRequest("POST", {}, b"", ""),
    ],
)
def test_what_does_not_prove_itself_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("wecom").connector(**HOOK).verify_hook(request_, 0.0)


@pytest.mark.parametrize("missing", ["hook_token", "hook_secret"])
def test_without_token_or_key_nothing_passes(missing, vendor):
    connector = vendor("wecom").connector(**(HOOK | {missing: ""}))

    with pytest.raises(BadSignature):
        connector.verify_hook(RawRequest("GET", {}, b"", urlencode(ECHO)), 0.0)


# ---- the vendor's contract


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
def test_what_is_sent_is_as_described(vendor):
    there = vendor("wecom")
    there.answers(GET_SHEET, good(sheet_list=[SHEET]))
    there.answers(BY_EMAIL, good(userid="zhangsan"))
    there.answers(ADD, CASE.created)
    there.answers(ROWS, listed(row()))
    there.answers(CHANGE, good(records=[row()]))
    connector = there.connector()

    connector.check()
    ref = connector.create(replace(TASK, assignee="zhang@example.com"))
    connector.find(KEY)
    connector.update(ref, TASK)
    connector.comment(ref, "Still broken", KEY)
    connector.transition(ref, TaskStatus.DONE)

    assert _assert_described(there) == 11  # the token, the sheet, its columns and the member among them


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")
def test_a_new_smart_sheet_is_asked_for_as_described(vendor):
    there = vendor("wecom")
    there.answers(CREATE_DOC, good(url=LINK, docid="NEW"))
    there.answers(GET_SHEET, good(sheet_list=[SHEET]))
    there.answers(ADD_FIELDS, good(fields=[]))

    there.connector(document="", sheet="-", members="zhangsan").targets()

    assert _assert_described(there, most=3) == 3  # the columns are added by a call the contract leaves out

"""What is true of Trello only."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from werkzeug import Request, Response
from werkzeug.test import EnvironBuilder

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
from app.domain.tasks import Person, RemoteComment, RemoteField, Target, TaskRef, TaskStatus
from connectors.http import recording

from .case import KEY, SECRET, TASK
from .cases.trello import BOARD, CARD, DONE_LIST, LIST

CONTRACT = Path(__file__).parents[3] / "../shared/contracts/trello/openapi.yaml"
CREATE, CARDS = ("POST", "/1/cards"), ("GET", f"/1/boards/{BOARD}/cards")
THE_CARD, LABELS = f"/1/cards/{CARD['id']}", f"/1/boards/{BOARD}/labels"
CUSTOM = ("GET", f"/1/boards/{BOARD}/customFields")
CUSTOM_FIELDS = [
    {"id": "5f00000000000000000000d1", "name": "Score", "type": "number"},
    {"id": "5f00000000000000000000d2", "name": "Seen", "type": "checkbox"},
    {
        "id": "5f00000000000000000000d3", "name": "Tier", "type": "list",
        "options": [{"id": "5f00000000000000000000e1", "value": {"text": "Gold"}}],
    },
    {"id": "5f00000000000000000000d4", "name": "Note", "type": "text"},
]  # fmt: skip
SCORE, SEEN, TIER, NOTE = (field["id"] for field in CUSTOM_FIELDS)
NOW = 1_796_000_000.0


def mapped(**fields: str):
    return replace(TASK, fields=fields)


def requests_of(there):
    return [request for request, _ in there.server.log]


def created(there, task=TASK, **config):
    there.answers(CREATE, CARD)
    there.connector(**config).create(task)
    return there.sent(CREATE)[-1]


# ---- creating


def test_key_and_token_travel_in_a_header_and_not_in_an_address(vendor):
    there = vendor("trello")

    created(there)

    for request in requests_of(there):
        assert request.headers["Authorization"] == f'OAuth oauth_consumer_key="k3y-of-the-app", oauth_token="{SECRET}"'
        assert SECRET not in request.url and "k3y-of-the-app" not in request.url


def test_a_card_gets_due_date_members_link_and_key(vendor):
    card = created(vendor("trello"), replace(TASK, assignee="5f00000000000000000000a1"))

    assert card["idList"] == LIST
    assert card["name"] == TASK.title
    assert card["due"] == "2026-12-01T09:30:00+00:00"
    assert card["idMembers"] == "5f00000000000000000000a1"
    assert "screen.png: https://files.example/screen.png" in card["desc"]
    assert card["desc"].endswith(f"\n\noctopus-{KEY}")


def test_a_label_the_board_has_is_used_and_one_it_lacks_is_made_once(vendor):
    there = vendor("trello")
    there.answers(("POST", LABELS), {"id": "5f00000000000000000000b2"})
    there.answers(CREATE, CARD)
    connector = there.connector()

    for _ in range(2):
        connector.create(replace(TASK, labels=("BUG", "vip")))

    assert [card["idLabels"] for card in there.sent(CREATE)] == [
        "5f00000000000000000000b1,5f00000000000000000000b2"
    ] * 2
    assert [label["name"] for label in there.sent(("POST", LABELS))] == ["vip"]


def test_a_field_mapped_to_nothing_is_left_out(vendor):
    card = created(vendor("trello"), mapped(due="", idLabels="", desc="Short", start="2026-11-30"))

    assert "due" not in card and "idLabels" not in card
    assert card["desc"] == f"Short\n\noctopus-{KEY}"
    assert card["start"] == "2026-11-30"


def test_a_text_of_emoji_keeps_trellos_limit(vendor):
    card = created(vendor("trello"), replace(TASK, body="😀" * 50_000))

    assert len(card["desc"].encode("utf-16-le")) // 2 <= 16_384
    assert card["desc"].endswith(KEY)


def test_custom_fields_are_set_in_their_own_shapes(vendor):
    there = vendor("trello")
    there.answers(CUSTOM, CUSTOM_FIELDS)
    for field in CUSTOM_FIELDS:
        there.answers(("PUT", f"{THE_CARD}/customField/{field['id']}/item"), {})

    created(there, mapped(**{SCORE: "3.5", SEEN: "Yes", TIER: "gold", NOTE: "Hi"}))

    sent = [there.sent(("PUT", f"{THE_CARD}/customField/{field['id']}/item")) for field in CUSTOM_FIELDS]
    assert sent == [
        [{"value": {"number": "3.5"}}], [{"value": {"checked": "true"}}],
        [{"idValue": "5f00000000000000000000e1"}], [{"value": {"text": "Hi"}}],
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [("nope", "x"), (SCORE, "many"), (SEEN, "perhaps"), (TIER, "Silver")])
def test_no_card_is_made_when_a_custom_field_cannot_take_its_value(name, text, vendor):
    there = vendor("trello")
    there.answers(CUSTOM, CUSTOM_FIELDS)
    there.answers(CREATE, CARD)

    with pytest.raises(Rejected) as caught:
        there.connector().create(mapped(**{name: text}))

    assert caught.value.field == name
    assert there.sent(CREATE) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_card_whose_custom_field_was_refused_is_looked_for_and_not_made_again(status, vendor):
    there = vendor("trello")
    there.answers(CUSTOM, CUSTOM_FIELDS)
    there.answers(CREATE, CARD)
    there.answers(("PUT", f"{THE_CARD}/customField/{NOTE}/item"), {"message": "no"}, status)

    with pytest.raises(Ambiguous, match="did not take all custom fields"):
        there.connector().create(mapped(**{NOTE: "Hi"}))


def test_an_update_keeps_the_key_and_leaves_the_labels_to_people(vendor):
    there = vendor("trello")
    there.answers(("PUT", THE_CARD), CARD)

    there.connector().update(there.ref, replace(TASK, title="New title"))

    (sent,) = there.sent(("PUT", THE_CARD))
    assert sent["name"] == "New title" and KEY in sent["desc"]
    assert "idLabels" not in sent and "idList" not in sent


# ---- looking


def test_find_reads_page_after_page_of_the_last_30_days_archived_cards_too(vendor, httpserver):
    there = vendor("trello")
    newest = [{"id": f"{number:024x}", "desc": "another"} for number in range(2_000, 3_000)]
    ours = CARD | {"desc": f"octopus-{KEY}"}
    httpserver.expect_request(CARDS[1], query_string=None).respond_with_handler(
        lambda request: Response(orjson.dumps([ours] if "before" in request.args else newest))
    )

    assert there.connector().find(KEY) == there.ref

    first, second = (request.args for request in requests_of(there) if request.path == CARDS[1])
    assert first["filter"] == "all" and first["limit"] == "1000"
    assert 29 <= (datetime.now(UTC) - datetime.fromisoformat(first["since"])).days <= 30
    assert second["before"] == f"{2_000:024x}"


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ({"idList": LIST}, TaskStatus.OPEN),
        ({"idList": "5f0000000000000000000009"}, TaskStatus.IN_PROGRESS),
        ({"idList": DONE_LIST}, TaskStatus.DONE),
        ({"idList": LIST, "dueComplete": True}, TaskStatus.DONE),
        ({"idList": LIST, "dueComplete": True, "closed": True}, TaskStatus.DONE),
        ({"idList": LIST, "closed": True}, TaskStatus.CANCELLED),
    ],
)
def test_status_follows_check_mark_list_and_archive(card, status, vendor):
    there = vendor("trello")
    there.answers(("GET", THE_CARD), CARD | card)

    assert there.connector(done_list=DONE_LIST).status(there.ref).status is status


def test_status_names_the_members_and_the_time_of_change(vendor):
    there = vendor("trello")
    members = [{"id": "m1", "fullName": "Ann"}, {"id": "m2", "fullName": "Bo"}]
    there.answers(("GET", THE_CARD), CARD | {"members": members, "dateLastActivity": "2026-11-20T08:00:00.500Z"})

    ref = there.connector().status(there.ref)

    assert ref.assignee == "Ann, Bo"
    assert ref.changed_at == datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("card", "wanted", "sent"),
    [
        ({}, TaskStatus.DONE, {"dueComplete": True, "closed": False, "idList": DONE_LIST}),
        ({}, TaskStatus.CANCELLED, {"dueComplete": False, "closed": True}),
        ({"closed": True}, TaskStatus.OPEN, {"dueComplete": False, "closed": False}),
        ({"idList": DONE_LIST}, TaskStatus.OPEN, {"dueComplete": False, "closed": False, "idList": LIST}),
        ({}, TaskStatus.OPEN, None),
        ({"idList": "5f0000000000000000000009"}, TaskStatus.OPEN, None),
        ({"dueComplete": True}, TaskStatus.DONE, None),
        ({"closed": True}, TaskStatus.CANCELLED, None),
    ],
)
def test_transition_moves_the_card_only_when_it_is_not_there_already(card, wanted, sent, vendor):
    there = vendor("trello")
    there.answers(("GET", THE_CARD), CARD | card)
    there.answers(("PUT", THE_CARD), CARD)

    there.connector(done_list=DONE_LIST).transition(there.ref, wanted)

    assert there.sent(("PUT", THE_CARD)) == ([sent] if sent else [])


def test_without_a_list_of_finished_cards_a_done_card_stays_in_its_list(vendor):
    there = vendor("trello")
    there.answers(("GET", THE_CARD), CARD)
    there.answers(("PUT", THE_CARD), CARD)

    there.connector().transition(there.ref, TaskStatus.DONE)

    assert there.sent(("PUT", THE_CARD)) == [{"dueComplete": True, "closed": False}]


def test_comments_are_told_oldest_first(vendor):
    there = vendor("trello")
    actions = [
        {"id": f"a{n}", "date": f"2026-11-2{n}T08:00:00.000Z", "data": {"text": f"No. {n}"},
         "memberCreator": {"fullName": "Ann"}}
        for n in (2, 1)
    ]  # fmt: skip
    there.answers(("GET", f"{THE_CARD}/actions"), actions)

    first, second = there.connector().comments(there.ref)

    assert first == RemoteComment("a1", "No. 1", "Ann", datetime(2026, 11, 21, 8, tzinfo=UTC))
    assert second.text == "No. 2"


def answers_actions(there, ids):
    actions = [{"id": f"a{n}", "data": {"card": {"id": one}}} for n, one in enumerate(ids)]
    there.answers(("GET", f"/1/boards/{BOARD}/actions"), [*actions, {"id": "b", "data": {"list": {"id": LIST}}}])


def test_changes_reads_each_changed_card_once_and_leaves_out_deleted_ones(vendor):
    there = vendor("trello")
    answers_actions(there, [CARD["id"], CARD["id"], "5f00000000000000000000c9"])
    there.answers(("GET", THE_CARD), CARD | {"dueComplete": True})
    there.answers(("GET", "/1/cards/5f00000000000000000000c9"), {"message": "not found"}, 404)

    changed = list(there.connector().changes(datetime(2026, 11, 23, 8, tzinfo=UTC)))

    assert [(ref.id, ref.status) for ref in changed] == [(CARD["id"], TaskStatus.DONE)]
    assert [request.path for request in requests_of(there)].count(THE_CARD) == 1
    (asked,) = (request.args for request in requests_of(there) if request.path.endswith("/actions"))
    assert asked["since"] == "2026-11-23T07:59:59+00:00"  # whether the moment itself counts, Trello does not say


def test_many_changes_are_read_with_the_whole_board(vendor):
    there = vendor("trello")
    ids = [f"{number:024x}" for number in range(60)]
    answers_actions(there, ids)
    there.answers(CARDS, [CARD | {"id": one} for one in [*ids, "f" * 24]])

    changed = list(there.connector().changes(datetime(2026, 11, 23, 8, tzinfo=UTC)))

    assert sorted(ref.id for ref in changed) == ids
    assert len(requests_of(there)) == 3  # the list's board, what happened, the cards


# ---- connecting


TOKEN = ("GET", f"/1/tokens/{SECRET}")


def answers_check(there, write=True):
    there.answers(("GET", "/1/members/me"), {"id": "m1", "fullName": "Ann"})
    there.answers(TOKEN, {"permissions": [{"idModel": "*", "modelType": "Board", "read": True, "write": write}]})


def test_check_names_the_member_and_the_list(vendor):
    there = vendor("trello")
    answers_check(there)

    with recording() as exchanges:
        assert there.connector().check() == "Ann in Inbox"

    assert SECRET not in orjson.dumps(exchanges.as_dicts()).decode()


def test_check_names_the_permission_a_read_only_token_lacks(vendor):
    there = vendor("trello")
    answers_check(there, write=False)

    with pytest.raises(Refused, match="may only read"):
        there.connector().check()


def test_check_tells_of_an_archived_list(vendor):
    there = vendor("trello", around=False)
    answers_check(there)
    there.answers(("GET", f"/1/lists/{LIST}"), {"name": "Inbox", "closed": True})

    with pytest.raises(TargetGone, match="archived"):
        there.connector().check()


def test_targets_fields_and_people_are_offered(vendor):
    there = vendor("trello")
    boards = [{"id": BOARD, "name": "Support", "lists": [{"id": LIST, "name": "Inbox"}]}]
    there.answers(("GET", "/1/members/me/boards"), boards)
    there.answers(CUSTOM, CUSTOM_FIELDS)
    there.answers(("GET", f"/1/boards/{BOARD}/members"), [{"id": "m1", "fullName": "Ann", "username": "ann"}])
    connector = there.connector()

    assert connector.targets() == [Target("Support: Inbox", {"list": LIST})]
    assert RemoteField(TIER, "Tier", "list", options=("Gold",)) in connector.fields()
    assert connector.people() == [Person("m1", "Ann")]


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (401, "invalid token", Unauthorized),
        (401, "expired token", Unauthorized),
        (401, "invalid key", Unauthorized),
        (401, "unauthorized permission requested", Refused),
        (401, "unauthorized card permission requested", Refused),
        (400, "invalid value for idList", TargetGone),
        (400, "invalid id", TargetGone),
        (400, "invalid value for idMembers", Rejected),
        (400, "something new", Rejected),
        (404, "The requested resource was not found.", TargetGone),
        (429, "Rate limit exceeded", TransientError),
    ],
)
def test_trellos_plain_sentences_are_understood(status, said, error, vendor):
    there = vendor("trello")
    there.server.expect_request(CREATE[1], method="POST").respond_with_data(said, status, content_type="text/plain")

    with pytest.raises(error) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error
    assert "replay" in str(caught.value) or "again" in str(caught.value)


# ---- webhooks

HOOK = "https://octopus.example/crm-hooks/trello/d1"
BODY = '{"action":{"type":"updateCard","data":{"card":{"id":"5f00000000000000000000c1","name":"Zoë 😀"}}}}'.encode()
SIGNATURE = (
    "ndIoYeAeU77nqdxK/ryo9I/8ExE="  # openssl dgst -sha1 -hmac the-apps-secret -binary | base64, of BODY and HOOK
)


def hook(signature=SIGNATURE, body=BODY, method="POST", url=HOOK):
    return RawRequest(method, {"x-trello-webhook": signature} if signature else {}, body, url=url)


def test_a_webhook_is_set_on_the_lists_board(vendor):
    there = vendor("trello")
    there.answers(("POST", "/1/webhooks/"), {"id": "w1"})

    assert there.connector(hook_secret="the-apps-secret").set_hook(HOOK) == {}

    (sent,) = there.sent(("POST", "/1/webhooks/"))
    assert (sent["callbackURL"], sent["idModel"]) == (HOOK, BOARD)


def test_a_webhook_that_is_set_already_is_fine(vendor):
    there = vendor("trello")
    said = "A webhook with that callback, model, and token already exists"
    there.server.expect_request("/1/webhooks/").respond_with_data(said, 400, content_type="text/plain")

    assert there.connector(hook_secret="the-apps-secret").set_hook(HOOK) == {}


def test_no_webhook_is_set_that_could_not_be_proven(vendor):
    with pytest.raises(Rejected) as caught:
        vendor("trello").connector().set_hook(HOOK)

    assert caught.value.field == "hook_secret"


def test_a_signed_request_names_its_card(vendor):
    connector = vendor("trello").connector(hook_secret="the-apps-secret")

    connector.verify_hook(hook(), NOW)

    assert connector.changed(hook()) == (CARD["id"],)
    assert connector.answer_hook(hook()).store


@pytest.mark.parametrize(
    "request_",
    [hook(""), hook("wrong"), hook(body=BODY + b" "), hook(url=HOOK + "2"), hook(method="PUT", signature="")],
)
def test_a_request_without_trellos_signature_is_refused(request_, vendor):
    with pytest.raises(BadSignature):
        vendor("trello").connector(hook_secret="the-apps-secret").verify_hook(request_, NOW)


def test_nothing_is_believed_while_the_secret_is_missing(vendor):
    with pytest.raises(BadSignature):
        vendor("trello").connector().verify_hook(hook(), NOW)


def test_trellos_look_at_the_address_is_answered_and_not_kept(vendor):
    connector, look = vendor("trello").connector(), hook("", b"", "HEAD")

    connector.verify_hook(look, NOW)

    answer = connector.answer_hook(look)
    assert (answer.status, answer.store) == (200, False)


def test_what_happens_to_a_list_names_no_card(vendor):
    body = orjson.dumps({"action": {"type": "updateList", "data": {"list": {"id": LIST}}}})

    assert vendor("trello").connector().changed(hook(body=body)) == ()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"action": []}', b'{"action": {"data": {"card": {"id": null}}}}']
)
def test_a_body_of_another_shape_is_malformed(body, vendor):
    with pytest.raises(Malformed):
        vendor("trello").connector().changed(hook(body=body))


# ---- the vendor's document


@cache
def _document() -> dict:
    """Corrected where Trello's own document contradicts Trello's pages and examples."""
    document = yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)
    paths, schemas = document["paths"], document["components"]["schemas"]
    del schemas["MemberFields"]["enum"]  # it knows `id` only
    paths["/members/{id}/boards"]["get"]["parameters"][0]["schema"] = {"type": "string"}  # `me` is allowed as well
    for parameter in paths["/cards"]["post"]["parameters"] + paths["/cards/{id}"]["put"]["parameters"]:
        if parameter["name"] == "due":
            parameter["schema"]["format"] = "date-time"  # a card's due date has a time in every example
    item = paths["/cards/{idCard}/customField/{idCustomField}/item"]["put"]["requestBody"]["content"]
    values = item["application/json"]["schema"]
    values["anyOf"] = values.pop("oneOf")  # each shape allows for what the others hold
    return document


def _as_described(request: Request) -> WerkzeugOpenAPIRequest:
    """The document knows parameters in the query only; Trello's pages allow a JSON body and a header instead."""
    args, body = dict(request.args) | {"key": "k", "token": "t"}, request.get_json(silent=True)
    if body is not None and "/customField/" not in request.path:
        args, body = args | {name: str(value) for name, value in body.items()}, None
    args = {name: value.lower() if value in ("True", "False") else value for name, value in args.items()}
    builder = EnvironBuilder(request.path, request.host_url.rstrip("/"), args, request.method, json=body)
    return WerkzeugOpenAPIRequest(Request(builder.get_environ()))


@pytest.mark.skipif(not CONTRACT.exists(), reason="the vendor's contract is not beside this checkout")
def test_every_request_is_as_described(vendor):
    there = vendor("trello")
    answers_check(there)
    there.answers(("GET", "/1/members/me/boards"), [])
    there.answers(("GET", f"/1/boards/{BOARD}/members"), [])
    there.answers(CUSTOM, CUSTOM_FIELDS)
    there.answers(("POST", LABELS), {"id": "5f00000000000000000000b2"})
    there.answers(("PUT", f"{THE_CARD}/customField/{NOTE}/item"), {})
    there.answers(CREATE, CARD)
    there.answers(CARDS, [])
    there.answers(("GET", THE_CARD), CARD)
    there.answers(("PUT", THE_CARD), CARD)
    there.answers(("POST", f"{THE_CARD}/actions/comments"), {})
    there.answers(("GET", f"{THE_CARD}/actions"), [])
    there.answers(("POST", "/1/webhooks/"), {})
    connector = there.connector(hook_secret="the-apps-secret", done_list=DONE_LIST)
    connector.check()
    connector.targets()
    connector.fields()
    connector.people()
    connector.create(replace(mapped(**{NOTE: "Hi"}), labels=("new",), assignee="5f00000000000000000000a1"))
    connector.find(KEY)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Once more", KEY)
    connector.comments(there.ref)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.status(TaskRef(CARD["id"]))
    connector.set_hook(HOOK)

    contract = OpenAPI.from_dict(_document() | {"servers": [{"url": f"{there.address}/1"}]})
    requests = requests_of(there)
    for request in requests:
        contract.validate_request(_as_described(request))
    assert len(requests) >= 16

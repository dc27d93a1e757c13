"""What is true of monday.com only, besides the rules in test_contract."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import graphql
import jwt
import orjson
import pytest
from pydantic import ValidationError
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
from app.domain.tasks import Capability, Person, RemoteComment, Target, TaskStatus
from connectors import monday_queries
from connectors.crm import monday
from connectors.http import recording
from connectors.monday_board import EVENTS
from connectors.monday_columns import WRITABLE
from connectors.monday_items import PRIORITY

from .case import KEY, SECRET, TASK
from .cases.monday import BOARD, CASE, ITEM, found, refused

SCHEMA = Path(__file__).parents[3] / "../shared/contracts/monday/schema.graphql"
API = CASE.create
URL = "https://octopus.example/crm-hooks/1"
SIGNING_SECRET = "signing-secret-of-32-characters!"
NOW = 1_796_000_000.0
APP = {"token": "", "client_id": "app-1", "client_secret": SECRET, "refresh_token": "first-refresh"}
CHOSEN = {"status_column": "status", "people_column": "person", "due_column": "date4"}


def labels(*names, done=""):
    return {"labels": [{"id": n, "label": name, "index": n, "is_done": name == done} for n, name in enumerate(names)]}


def column(column_id, title, kind, settings=None):
    return {"id": column_id, "title": title, "type": kind, "archived": False, "settings": settings or {}}


COLUMNS = [
    column("name", "Name", "name"),
    column("person", "Owner", "people"),
    column("status", "Status", "status", labels("Working on it", "Done", "Stuck", done="Done")),
    column("date4", "Date", "date"),
    column("color_mk1", "Priority", "status", labels("High", "Low")),
    column("dropdown_mk1", "Labels", "dropdown", labels("bug", "wish")),
    column("octopus_key", "Octopus key", "text"),
    column("octopus_text", "Customer message", "long_text"),
    column("numbers", "Size", "numbers"),
    column("check", "Seen", "checkbox"),
    column("phone", "Phone", "phone"),
    column("auto", "Number", "auto_number"),
    column("timeline", "When", "timeline"),
]
A_BOARD = {
    "id": BOARD, "name": "Support", "type": "board", "state": "active", "access_level": "edit", "columns": COLUMNS,
}  # fmt: skip


def answers(there, **data):
    """Answer each document by the operation's name in it; several answers, in a list, one after the other.

    An answer that holds `errors` is the whole body, another one the data.
    """
    waiting = {name: iter(given) if isinstance(given, list) else None for name, given in data.items()}

    def answer(request):
        document = request.get_json()["query"]
        name = next(name for name in data if f" {name}(" in document)
        body = next(waiting[name]) if waiting[name] else data[name]
        return Response(orjson.dumps(body if "errors" in body else {"data": body}))

    there.server.expect_request("/v2").respond_with_handler(answer)


def sent_with(there, name):
    """The variables of the requests with this operation."""
    return [sent["variables"] for sent in there.sent(API) if f" {name}(" in sent["query"]]


def values_sent(there, name="Create"):
    return orjson.loads(sent_with(there, name)[-1]["values"])


def item(status="", is_done=False, person="", **more):
    cells = [{"id": "status", "text": status, "label": status, "is_done": is_done}, {"id": "person", "text": person}]
    return ITEM | {"column_values": cells} | more


def created(there, task=TASK, **config):
    answers(there, Create=CASE.created["data"], Columns={"boards": [A_BOARD]}, Comment={"create_update": {"id": "1"}})
    there.connector(**config).create(task)
    return values_sent(there)


def mapped(**fields):
    return replace(TASK, fields=fields)


# ---- what an item is made of


def test_an_item_gets_its_values_as_json_inside_a_text_by_the_type_of_the_column(vendor):
    there = vendor("monday")

    values = created(
        there, replace(TASK, assignee="4616627"), **CHOSEN, open_label="Stuck", priority_column="color_mk1",
        labels_column="dropdown_mk1",
    )  # fmt: skip

    sent = sent_with(there, "Create")[0]
    assert (sent["board"], sent["name"], sent["labels"]) == (BOARD, TASK.title, True)
    text = values.pop("octopus_text")
    assert text.startswith(TASK.body) and "screen.png: https://files.example/screen.png" in text
    assert values == {
        "octopus_key": KEY,
        "date4": {"date": "2026-12-01", "time": "09:30:00"},
        "person": {"personsAndTeams": [{"id": 4616627, "kind": "person"}]},
        "status": {"label": "Stuck"},
        "color_mk1": {"label": "High"},
        "dropdown_mk1": {"labels": ["bug"]},
    }


def test_without_chosen_columns_only_text_and_key_are_written_and_no_label_is_added(vendor):
    there = vendor("monday")

    values = created(there)

    assert set(values) == {"octopus_key", "octopus_text"}
    assert sent_with(there, "Create")[0]["labels"] is False


def test_every_call_names_the_version_and_carries_the_bare_token(vendor):
    there = vendor("monday")
    created(there)

    ((request, _),) = there.server.log
    assert (request.headers["API-Version"], request.headers["Authorization"]) == ("2026-10", SECRET)


def test_mapped_columns_get_values_of_their_types_and_none_that_is_mapped_to_nothing(vendor):
    there = vendor("monday")
    task = mapped(
        name="Short", status="working on it", dropdown_mk1="bug, Wish", numbers="3.5", check="yes",
        phone="+49 301234567 de", timeline="2026-11-30, 2026-12-02", date4="", person="1, 2",
    )  # fmt: skip

    values = created(there, task, **CHOSEN)

    assert sent_with(there, "Create")[0]["name"] == "Short"
    assert {name: value for name, value in values.items() if not name.startswith("octopus")} == {
        "status": {"label": "Working on it"},
        "dropdown_mk1": {"labels": ["bug", "wish"]},
        "numbers": "3.5",
        "check": {"checked": "true"},
        "phone": {"phone": "+49301234567", "countryShortName": "DE"},
        "timeline": {"from": "2026-11-30", "to": "2026-12-02"},
        "person": {"personsAndTeams": [{"id": 1, "kind": "person"}, {"id": 2, "kind": "person"}]},
    }


def test_a_tick_is_taken_away_by_null(vendor):
    assert created(vendor("monday"), mapped(check="false"))["check"] is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-30", {"date": "2026-11-30"}),
        ("2026-11-30T09:30:00+01:00", {"date": "2026-11-30", "time": "08:30:00"}),
    ],
)
def test_a_mapped_date_keeps_its_day_and_a_time_is_given_in_utc(text, value, vendor):
    assert created(vendor("monday"), mapped(date4=text))["date4"] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope", "x"), ("numbers", "many"), ("status", "Shipped"), ("date4", "soon"), ("auto", "7"), ("check", "maybe"),
        ("person", "Ann"), ("phone", "+49301234567"), ("timeline", "2026-11-30"), ("octopus_key", "mine"),
    ],
)  # fmt: skip
def test_nothing_is_sent_when_a_mapped_column_cannot_be_written(name, text, vendor):
    there = vendor("monday")

    with pytest.raises(Rejected) as caught:
        created(there, mapped(**{name: text}))

    assert caught.value.field == name
    assert sent_with(there, "Create") == []


def test_a_refused_label_names_those_there_are(vendor):
    with pytest.raises(Rejected, match="it has: Working on it, Done, Stuck"):
        created(vendor("monday"), mapped(status="Shipped"))


def test_a_long_text_stands_in_the_first_update_as_well_as_the_column_would_cut_it_silently(vendor):
    there = vendor("monday")
    task = replace(TASK, body="<b>Fehler</b>\n" * 200 + TASK.body)

    values = created(there, task)

    assert len(values["octopus_text"]) == 2_000 and TASK.link in values["octopus_text"]
    (update,) = sent_with(there, "Comment")
    assert update["item"] == ITEM["id"]
    assert update["body"].startswith("&lt;b&gt;Fehler&lt;/b&gt;<br>" * 200)


def test_an_item_whose_update_was_refused_is_looked_for_and_not_made_again(vendor):
    there = vendor("monday")
    no = refused("InvalidArgumentException", "no", status_code=200)
    answers(there, Create=CASE.created["data"], Comment=no)

    with pytest.raises(Ambiguous):
        there.connector().create(replace(TASK, body="long " * 1_000))


def test_an_update_leaves_status_and_labels_to_the_people(vendor):
    there = vendor("monday")
    answers(there, Change={"change_multiple_column_values": {"id": ITEM["id"]}})

    there.connector(**CHOSEN, open_label="Stuck", labels_column="dropdown_mk1").update(there.ref, TASK)

    assert set(values_sent(there, "Change")) == {"name", "octopus_text", "date4"}
    assert sent_with(there, "Change")[0]["item"] == ITEM["id"]


def test_the_columns_of_our_own_are_added_when_the_board_lacks_them(vendor):
    there = vendor("monday")
    unknown = refused("InvalidColumnIdException", "no", error_data={"column_id": "octopus_key"})
    bare = {"boards": [A_BOARD | {"columns": COLUMNS[:3]}]}
    answers(
        there, Create=[unknown, CASE.created["data"]], Columns=bare,
        AddColumn=[{"create_column": {"id": "octopus_key"}}, refused("InvalidArgumentException", "taken")],
    )  # fmt: skip

    assert there.connector().create(TASK) == there.ref
    assert [(sent["id"], sent["type"]) for sent in sent_with(there, "AddColumn")] == [
        ("octopus_key", "text"), ("octopus_text", "long_text"),
    ]  # fmt: skip


def test_a_column_the_manager_chose_is_never_added(vendor):
    there = vendor("monday")
    unknown = refused("InvalidColumnIdException", "no", error_data={"column_id": "text_mk1"})
    answers(there, Create=unknown, Columns={"boards": [A_BOARD]})

    with pytest.raises(Rejected, match="no column 'text_mk1'"):
        there.connector(key_column="text_mk1").create(TASK)
    assert sent_with(there, "AddColumn") == []


def test_the_key_is_searched_in_its_column(vendor):
    there = vendor("monday")
    answers(there, Find=found(item("Done", is_done=True))["data"])

    ref = there.connector(**CHOSEN, key_column="text_mk1").find(KEY)

    (sent,) = sent_with(there, "Find")
    assert (sent["board"], sent["column"], sent["key"]) == (BOARD, "text_mk1", KEY)
    assert (ref.id, ref.status) == (ITEM["id"], TaskStatus.DONE)


# ---- connecting


def test_check_names_the_user_and_the_board(vendor):
    there = vendor("monday")
    answers(there, Check={"me": {"name": "Ann"}, "boards": [A_BOARD]})

    assert there.connector(**CHOSEN).check() == "Ann in Support"


@pytest.mark.parametrize(
    ("board", "config", "error", "words"),
    [
        ([], {}, TargetGone, "no access"),
        ([A_BOARD | {"state": "archived"}], {}, TargetGone, "archived"),
        ([A_BOARD | {"access_level": "view"}], {}, Refused, "right to edit"),
        ([A_BOARD], {"due_column": "date9"}, Rejected, "no column 'date9' of the type date"),
        ([A_BOARD], {"key_column": "status"}, Rejected, "no column 'status' of the type text"),
        ([A_BOARD], {"status_column": "status", "done_label": "Fertig"}, Rejected, "no label 'Fertig'.*Working on it"),
    ],
)
def test_check_names_what_is_missing(board, config, error, words, vendor):
    there = vendor("monday")
    answers(there, Check={"me": {"name": "Ann"}, "boards": board})

    with pytest.raises(error, match=words):
        there.connector(**config).check()


def test_check_lets_a_board_pass_whose_own_columns_are_still_to_be_added(vendor):
    there = vendor("monday")
    answers(there, Check={"me": {"name": "Ann"}, "boards": [A_BOARD | {"columns": COLUMNS[:3]}]})

    assert there.connector().check() == "Ann in Support"


def test_check_names_a_scope_the_app_lacks(vendor):
    there = vendor("monday")
    answers(there, Check=refused("missingRequiredPermissions", "missing scope me:read", status_code=200))

    with pytest.raises(Refused, match="me:read"):
        there.connector().check()


def test_choosing_a_board_chooses_its_columns(vendor):
    there = vendor("monday")
    others = [A_BOARD | {"type": "document"}, A_BOARD | {"access_level": "view"}]
    answers(there, Boards={"boards": [*others, A_BOARD]})

    (target,) = there.connector().targets()

    assert target == Target(
        "Support",
        {
            "board": BOARD, "key_column": "octopus_key", "text_column": "octopus_text", "status_column": "status",
            "done_label": "Done", "due_column": "date4", "people_column": "person", "priority_column": "color_mk1",
            "labels_column": "dropdown_mk1",
        },
    )  # fmt: skip
    assert there.connector(**target.config).config.status_column == "status"


def test_boards_are_listed_over_all_pages(vendor):
    there = vendor("monday")
    answers(there, Boards=[{"boards": [A_BOARD | {"columns": []}] * 25}, {"boards": [A_BOARD]}])

    assert len(there.connector().targets()) == 26
    assert [sent["page"] for sent in sent_with(there, "Boards")] == [1, 2]


def test_fields_are_the_columns_that_can_be_written_with_their_labels(vendor):
    there = vendor("monday")
    answers(there, Columns={"boards": [A_BOARD]})

    fields = {field.key: field for field in there.connector().fields()}

    assert "octopus_key" not in fields and "auto" not in fields
    assert fields["name"].required
    assert fields["status"].options == ("Working on it", "Done", "Stuck")
    assert (fields["date4"].name, fields["date4"].type) == ("Date", "date")


@pytest.mark.parametrize(("kind", "names"), [("public", ["Ann", "Bob"]), ("private", ["Ann"])])
def test_people_are_all_members_of_a_public_board_and_the_subscribers_of_another(kind, names, vendor):
    there = vendor("monday")
    ann = {"id": "1", "name": "Ann", "email": "ann@example.com", "status": "ACTIVE"}
    gone = {"id": "3", "name": "Gone", "email": "", "status": "INACTIVE"}
    answers(
        there, Subscribers={"boards": [{"board_kind": kind, "subscribers": [ann, gone]}]},
        Users={"users": [ann, {"id": "2", "name": "Bob", "email": "", "status": "PENDING"}]},
    )  # fmt: skip

    people = there.connector().people()

    assert people[0] == Person("1", "Ann", "ann@example.com")
    assert [person.name for person in people] == names


@pytest.mark.parametrize("given", [{"token": ""}, {"client_id": "app-1", "client_secret": "x"}])
def test_credentials_are_either_a_token_or_an_app(given):
    with pytest.raises(ValidationError, match="either an API token"):
        monday.Config(**(CASE.config | given))


# ---- what became of an item


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (item(), TaskStatus.OPEN),
        (item("Stuck"), TaskStatus.IN_PROGRESS),
        (item("Done"), TaskStatus.DONE),
        (item("Shipped", is_done=True), TaskStatus.DONE),
        (item("Dropped", is_done=True), TaskStatus.CANCELLED),
        (item("Done", state="archived"), TaskStatus.CANCELLED),
    ],
)
def test_status_is_told_in_our_words(theirs, ours, vendor):
    there = vendor("monday")
    answers(there, Status={"items": [theirs]})

    assert there.connector(**CHOSEN, cancelled_label="Dropped").status(there.ref).status is ours


def test_status_tells_assignee_and_time_of_change(vendor):
    there = vendor("monday")
    answers(there, Status={"items": [item(person="Ann Lee, Bob")]})

    ref = there.connector(**CHOSEN).status(there.ref)

    assert (ref.assignee, ref.changed_at) == ("Ann Lee, Bob", datetime(2026, 11, 20, 10, 0, tzinfo=UTC))
    assert sent_with(there, "Status")[0]["columns"] == ["octopus_key", "status", "person"]


@pytest.mark.parametrize("items", [[], [item(state="deleted")]])
def test_a_deleted_item_is_gone(items, vendor):
    there = vendor("monday")
    answers(there, Status={"items": items})

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        (item(), TaskStatus.DONE, [{"label": "Done"}]),
        (item("Stuck"), TaskStatus.CANCELLED, [{"label": "Done"}]),
        (item("Done"), TaskStatus.CANCELLED, []),
        (item("Done"), TaskStatus.OPEN, [{}]),
        (item("Stuck"), TaskStatus.OPEN, []),
        (item("Stuck", state="archived"), TaskStatus.CANCELLED, []),
    ],
)
def test_a_transition_sets_the_label_on_the_board_the_item_is_on_and_only_when_it_must(now, wanted, sent, vendor):
    there = vendor("monday")
    moved = now | {"board": {"id": "77", "columns": [COLUMNS[2]]}}
    answers(there, Labels={"items": [moved]}, Change={"change_multiple_column_values": {"id": ITEM["id"]}})

    there.connector(**CHOSEN).transition(there.ref, wanted)

    changes = sent_with(there, "Change")
    assert [orjson.loads(one["values"])["status"] for one in changes] == sent
    assert {one["board"] for one in changes} <= {"77"}


def test_a_transition_to_a_label_the_board_lacks_is_rejected_and_names_those_it_has(vendor):
    there = vendor("monday")
    answers(there, Labels={"items": [item() | {"board": {"id": "77", "columns": [COLUMNS[2]]}}]})

    with pytest.raises(Rejected, match="no label 'Fertig'.*Working on it, Done, Stuck"):
        there.connector(**CHOSEN, done_label="Fertig").transition(there.ref, TaskStatus.DONE)
    assert sent_with(there, "Change") == []


def test_without_a_status_column_no_transition_is_offered(vendor):
    there = vendor("monday")

    assert Capability.TRANSITION not in there.connector().CAN
    assert Capability.TRANSITION in there.connector(**CHOSEN).CAN


def test_comments_are_updates_and_replies_oldest_first_without_markup(vendor):
    there = vendor("monday")
    reply = {"id": "3", "text_body": "Later", "created_at": "2026-11-21T10:00:00Z", "creator": {"name": "Bob"}}
    first = {"id": "1", "text_body": "First", "created_at": "2026-11-19T10:00:00Z", "creator": None}
    old = {"id": "2", "body": "<p>Old &amp; bold</p>", "text_body": None, "created_at": "2026-11-20T10:00:00Z"}
    answers(there, Comments={"items": [{"updates": [old | {"replies": [reply]}, first]}]})

    assert there.connector().comments(there.ref) == [
        RemoteComment("1", "First", "", datetime(2026, 11, 19, 10, tzinfo=UTC)),
        RemoteComment("2", "Old & bold", "", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        RemoteComment("3", "Later", "Bob", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ]


def test_changes_are_read_newest_first_over_pages_until_one_is_too_old(vendor):
    there = vendor("monday")
    newer = [item(id="1", updated_at="2026-11-20T10:00:05Z"), item(id="2", updated_at="2026-11-20T10:00:00Z")]
    older = [item(id="3", updated_at="2026-11-20T09:59:59Z"), item(id="4", updated_at="2026-11-20T10:00:09Z")]
    answers(
        there, Changes={"boards": [{"items_page": {"cursor": "next", "items": newer}}]},
        MoreChanges={"next_items_page": {"cursor": "last", "items": older}},
    )  # fmt: skip

    since = datetime(2026, 11, 20, 10, 0, 0, 900_000, tzinfo=UTC)
    assert [ref.id for ref in there.connector().changes(since)] == ["1", "2"]
    assert [sent["cursor"] for sent in sent_with(there, "MoreChanges")] == ["next"]


# ---- refusals


@pytest.mark.parametrize(
    ("errors", "error"),
    [
        (refused("UserUnauthorizedException", "no", status_code=403), Refused),
        (refused("USER_ACCESS_DENIED", "no"), Refused),
        (refused("IpRestricted", "Your IP is restricted", status_code=401), Refused),
        (refused("Unauthorized", "no", status_code=401), Unauthorized),
        ({"errors": ["Not Authenticated"]}, Unauthorized),
        (refused("InvalidBoardIdException", "no"), TargetGone),
        (refused("ResourceNotFoundException", "no", status_code=404), TargetGone),
        (refused("INTERNAL_SERVER_ERROR", "no", status_code=500), Ambiguous),
        ({"errors": [{"message": "who knows"}]}, Ambiguous),
        (refused("ItemsLimitationException", "the board is full"), Rejected),
        (refused("ResourceLocked", "locked", status_code=423), TransientError),
    ],
)
def test_failures_inside_a_200_are_failures(errors, error, vendor):
    there = vendor("monday")
    there.answers(API, errors)

    with pytest.raises(error) as caught:
        there.connector().create(TASK)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("errors", "headers", "wait_s"),
    [
        (refused("COMPLEXITY_BUDGET_EXHAUSTED", "Complexity budget exhausted", retry_in_seconds=47), {}, 47.0),
        (refused("ComplexityException", "Complexity budget exhausted, reset in 3 seconds"), {}, 3.0),
        (refused("maxConcurrencyExceeded", "Concurrency limit exceeded"), {"Retry-After": "9"}, 9.0),
        (refused("maxConcurrencyExceeded", "Concurrency limit exceeded"), {}, None),
    ],
)
def test_a_spent_budget_keeps_the_wait_monday_names(errors, headers, wait_s, vendor):
    there = vendor("monday")
    there.answers(API, errors, headers=headers)

    with pytest.raises(TransientError) as caught:
        there.connector().create(TASK)
    assert (type(caught.value), caught.value.retry_after_s) == (TransientError, wait_s)


def test_a_spent_day_waits_until_midnight_utc(vendor, monkeypatch):
    there = vendor("monday")
    there.answers(API, refused("DAILY_LIMIT_EXCEEDED", "Daily limit exceeded"), 429)
    monkeypatch.setattr("connectors.monday_errors.time.time", lambda: 86_400.0 * 20_000 + 80_000)

    with pytest.raises(TransientError, match="this day") as caught:
        there.connector().create(TASK)
    assert caught.value.retry_after_s == 6_400.0


def test_an_item_that_was_made_counts_even_when_a_part_of_the_answer_is_missing(vendor):
    there = vendor("monday")
    partly = CASE.created | {"errors": [{"message": "no url", "path": ["create_item", "url"]}]}
    there.answers(API, partly)

    assert there.connector().create(TASK) == there.ref


def test_a_refused_value_is_not_repeated_as_it_may_be_the_customers_words(vendor):
    there = vendor("monday")
    message = "invalid value - {column_value: 'my private words'}"
    there.answers(API, refused("ColumnValueException", message, error_data={"column_id": "email"}))

    with pytest.raises(Rejected) as caught:
        there.connector().create(TASK)
    assert "private" not in str(caught.value) and caught.value.field == "email"


# ---- tokens


def test_a_token_that_ended_is_renewed_once_for_eight_calls_and_the_new_refresh_token_is_used(vendor, httpserver):
    there = vendor("monday")
    given = iter([1, 2, 3])

    def token(_):
        number = next(given)
        answer = {"access_token": f"token-{number}", "refresh_token": f"refresh-{number}", "token_type": "Bearer"}
        return Response(orjson.dumps(answer))

    def create(request):
        is_good = request.headers["Authorization"] == "token-2"
        answer = CASE.created if is_good else {"errors": ["Not Authenticated"]}
        return Response(orjson.dumps(answer), status=200 if is_good else 401)

    httpserver.expect_request("/oauth_ms/oauth/token").respond_with_handler(token)
    httpserver.expect_request("/v2").respond_with_handler(create)
    connector = there.connector(**APP)

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    forms = [request.form for request, _ in httpserver.log if request.path == "/oauth_ms/oauth/token"]
    assert [form["refresh_token"] for form in forms] == ["first-refresh", "refresh-1"]
    assert (forms[0]["grant_type"], forms[0]["client_secret"]) == ("refresh_token", SECRET)


def test_a_connection_ended_at_monday_asks_to_connect_again(vendor):
    there = vendor("monday")
    there.answers(("POST", "/oauth_ms/oauth/token"), {"error": "invalid_grant"}, 400)

    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP).create(TASK)
    with pytest.raises(Unauthorized, match="Press Connect"):
        there.connector(**APP | {"refresh_token": ""}).create(TASK)


# ---- webhooks


def hook(body, secret=SECRET, authorization=""):
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"authorization": authorization} if authorization else {}
    return RawRequest("POST", headers, sent, query=f"secret={secret}", url=URL)


def event(**more):
    return {"event": {"type": "update_column_value", "boardId": int(BOARD), "pulseId": 9876543210} | more}


def token(secret=SIGNING_SECRET, **claims):
    return jwt.encode({"accountId": 1, "userId": 2, "aud": URL, "exp": int(NOW) + 300} | claims, secret, "HS256")


def test_webhooks_are_set_for_each_event_with_a_secret_in_their_address(vendor):
    there = vendor("monday")
    answers(there, AddHook=[{"create_webhook": {"id": str(number)}} for number in range(5)])

    kept = there.connector().set_hook(URL)

    sent = sent_with(there, "AddHook")
    assert [one["event"] for one in sent] == list(EVENTS)
    assert {one["url"] for one in sent} == {f"{URL}?secret={kept['hook_secret']}"}
    assert len(kept["hook_secret"]) > 30 and kept["hooks"] == "0 1 2 3 4"
    assert there.connector(**kept).config.hooks == "0 1 2 3 4"


def test_webhooks_set_again_take_the_place_of_the_earlier_ones(vendor):
    there = vendor("monday")
    busy = refused("maxConcurrencyExceeded", "Concurrency limit exceeded")
    gone = refused("ResourceNotFoundException", "no")
    answers(
        there, AddHook=[{"create_webhook": {"id": str(number)}} for number in range(5)],
        RemoveHook=[{"delete_webhook": {"id": "a"}}, gone, busy],
    )  # fmt: skip

    kept = there.connector(hooks="a b c").set_hook(URL)

    assert [sent["id"] for sent in sent_with(there, "RemoveHook")] == ["a", "b", "c"]
    assert kept["hooks"] == "0 1 2 3 4 c"  # to be removed the next time


def test_webhooks_set_in_part_are_taken_back(vendor):
    there = vendor("monday")
    no = refused("UserUnauthorizedException", "no", status_code=403)
    answers(there, AddHook=[{"create_webhook": {"id": "0"}}, no], RemoveHook={"delete_webhook": {"id": "0"}})

    with pytest.raises(Refused):
        there.connector(hooks="earlier").set_hook(URL)
    assert [sent["id"] for sent in sent_with(there, "RemoveHook")] == ["0"]


def test_the_secret_of_a_webhook_is_hidden_when_monday_quotes_its_address(vendor):
    there = vendor("monday")

    def quote(request):
        address = request.get_json()["variables"]["url"]
        return Response(orjson.dumps(refused("InvalidArgumentException", f"no answer from {address}")))

    there.server.expect_request("/v2").respond_with_handler(quote)

    with recording() as exchanges, pytest.raises(Rejected, match="no answer from") as caught:
        there.connector().set_hook(URL)

    secret = sent_with(there, "AddHook")[0]["url"].partition("secret=")[2]
    assert secret and secret not in str(caught.value) + orjson.dumps(exchanges.as_dicts()).decode()


def test_the_challenge_is_echoed_before_there_is_a_secret_and_stores_nothing(vendor):
    connector = vendor("monday").connector()
    request = hook({"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}, secret="")

    connector.verify_hook(request, NOW)
    answer = connector.answer_hook(request)

    assert orjson.loads(answer.body) == orjson.loads(request.body)
    assert (answer.content_type, answer.store) == ("application/json", False)


def test_an_event_does_not_pass_as_a_challenge(vendor):
    connector = vendor("monday").connector(hook_secret=SECRET)
    request = hook({"challenge": "x"} | event(), secret="wrong")

    with pytest.raises(BadSignature):
        connector.verify_hook(request, NOW)
    assert connector.answer_hook(request).store


def test_a_webhook_proves_itself_by_the_secret_in_its_address(vendor):
    connector = vendor("monday").connector(hook_secret=SECRET)

    connector.verify_hook(hook(event()), NOW)

    for request in (hook(event(), "wrong"), hook(event(), "")):
        with pytest.raises(BadSignature):
            connector.verify_hook(request, NOW)


def test_without_a_secret_no_webhook_passes(vendor):
    with pytest.raises(BadSignature):
        vendor("monday").connector().verify_hook(hook(event(), ""), NOW)


def test_an_apps_webhook_proves_itself_by_its_token_as_well(vendor):
    connector = vendor("monday").connector(**APP, hook_secret=SECRET, signing_secret=SIGNING_SECRET)

    connector.verify_hook(hook(event(), authorization=token()), NOW)
    connector.verify_hook(hook(event(), authorization=f"Bearer {token()}"), NOW + 330)

    for authorization in (
        "",
        "no token",
        token("another-secret-of-32-characters!"),
        token(exp=int(NOW) - 90),
        token(exp="soon"),
        jwt.encode({"exp": int(NOW) + 300}, None, "none"),
        jwt.encode({"userId": 2}, SIGNING_SECRET, "HS256"),
    ):
        with pytest.raises(BadSignature):
            connector.verify_hook(hook(event(), authorization=authorization), NOW)
    with pytest.raises(BadSignature):
        connector.verify_hook(hook(event(), "wrong", token()), NOW)


def test_a_token_made_by_another_tool_passes(vendor):
    """Signed with: openssl dgst -sha256 -hmac signing-secret-of-32-characters! -binary, then base64url."""
    header, claims = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJhY2NvdW50SWQiOjE4MjU1MjksInVzZXJJZCI6NDAxMjY4OSwiZXhwIjoxNzk2MDAwMzAwfQ",
    )
    connector = vendor("monday").connector(**APP, hook_secret=SECRET, signing_secret=SIGNING_SECRET)

    connector.verify_hook(
        hook(event(), authorization=f"{header}.{claims}.tFUGVP8dUEUkBi5Hz1unOst46CUyvzoCcrPywB8O5is"), NOW
    )


def test_a_webhook_names_the_item_it_speaks_of(vendor):
    connector = vendor("monday").connector()

    assert connector.changed(hook(event())) == ("9876543210",)
    assert connector.changed(hook({"event": {"type": "delete_pulse", "itemId": 7}})) == ("7",)
    for body in ({"event": {"type": "x"}}, {"event": None}, {}, b"[]", b"<html>"):
        with pytest.raises(Malformed):
            connector.changed(hook(body))


# ---- the vendor's contract

QUERIES = [
    name for name, text in vars(monday_queries).items() if name.isupper() and text.startswith(("query", "mutation"))
]


@cache
def schema():
    return graphql.build_schema(SCHEMA.read_text("utf-8"))


with_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason="the vendor's schema is not beside this checkout")


@with_schema
@pytest.mark.parametrize("name", QUERIES)
def test_mondays_schema_knows_every_document(name):
    assert graphql.validate(schema(), graphql.parse(getattr(monday_queries, name))) == []


@with_schema
def test_mondays_schema_takes_the_variables_we_send(vendor):
    there = vendor("monday")
    kept = {"create_webhook": {"id": "1"}}
    moved = item() | {"board": {"id": "77", "columns": [COLUMNS[2]]}}
    page = {"cursor": "next", "items": []}
    answers(
        there, Create=CASE.created["data"], Change={}, Comment={}, AddHook=kept, RemoveHook={}, AddColumn={},
        Columns={"boards": [A_BOARD | {"columns": []}]}, Labels={"items": [moved]}, Status={"items": [ITEM]},
        Find=CASE.found["data"], Comments={"items": [{"updates": []}]}, Boards={"boards": []},
        Changes={"boards": [{"items_page": page}]}, MoreChanges={"next_items_page": page | {"cursor": None}},
        Subscribers={"boards": [{"board_kind": "public", "subscribers": []}]}, Users={"users": []},
        Check={"me": {"name": "Ann"}, "boards": [A_BOARD]},
    )  # fmt: skip
    connector = there.connector(**CHOSEN, hooks="1")

    connector.create(TASK)
    connector.update(there.ref, TASK)
    connector.comment(there.ref, "Hi", KEY)
    connector.find(KEY)
    connector.transition(there.ref, TaskStatus.DONE)
    connector.status(there.ref)
    connector.comments(there.ref)
    list(connector.changes(datetime(2026, 11, 20, tzinfo=UTC)))
    connector.check()
    connector.targets()
    connector.people()
    connector.board.add_own_columns(connector.columns)
    connector.set_hook(URL)

    documents = {sent["query"]: sent["variables"] for sent in there.sent(API)}
    assert len(documents) == len(QUERIES) == 17  # each of them once
    for query, variables in documents.items():
        (operation,) = graphql.parse(query).definitions
        assert set(variables) == {one.variable.name.value for one in operation.variable_definitions}
        coerced = graphql.get_variable_values(schema(), operation.variable_definitions, variables)
        assert not isinstance(coerced, list), coerced


@with_schema
def test_mondays_schema_knows_our_events_and_types_of_columns():
    assert set(EVENTS) <= set(schema().type_map["WebhookEventType"].values)
    assert set(WRITABLE) <= set(schema().type_map["ColumnType"].values)


def test_every_priority_has_a_label(vendor):
    there = vendor("monday")

    for priority, label in PRIORITY.items():
        values = created(there, replace(TASK, priority=priority), priority_column="color_mk1")
        assert values["color_mk1"] == {"label": label}

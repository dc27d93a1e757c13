"""What every connector promises, over real HTTP, whatever the vendor."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from urllib.parse import urlsplit

import orjson
import pytest
from werkzeug import Response

from app.domain.errors import (
    Ambiguous,
    Refused,
    Rejected,
    RemoteError,
    TargetGone,
    TransientError,
    Unauthorized,
)
from app.domain.tasks import Capability, Task
from connectors import registry
from connectors.http import NotSent, only_showing, recording

from .case import KEY, TASK
from .cases import CASES

every_connector = pytest.mark.parametrize("key", registry.crm_keys())
LONG = Task(
    key=KEY, title="😀" * 5_000, body="😀 Bug\n" * 20_000 + "Category: bug (Bug)", category="bug", labels=("bug",)
)


def test_every_connector_has_a_case():
    assert set(CASES) == set(registry.crm_keys())


@every_connector
def test_it_says_what_it_can_and_how_a_second_task_is_prevented(key, vendor):
    connector = vendor(key).connector()

    assert connector.CAN & {Capability.IDEMPOTENT_CREATE, Capability.FIND}
    assert "https://" in connector.EXACTLY_ONCE
    assert connector.docs.startswith("https://")
    assert connector.label


@every_connector
def test_every_value_a_manager_types_says_where_to_find_it(key):
    for field in registry.crm(key).Config.model_fields.values():
        assert field.title and field.description


@every_connector
def test_create_sends_text_category_and_key_and_returns_the_ref(key, vendor):
    there = vendor(key)
    there.answers(there.case.create, there.case.created)

    ref = there.connector().create(TASK)

    sent = orjson.dumps(there.sent(there.case.create)[0]).decode()
    assert ref == there.ref
    assert "一打开就崩溃 😀" in sent and "Category: bug" in sent and TASK.link in sent
    assert any(form in sent for form in (KEY, KEY.replace("-", ""), "da6d6fe2-138f-4f35-99a3-01d9b2aa6e5c"))


@every_connector
def test_a_task_whose_answer_was_lost_is_found_or_made_once_more_without_a_second(key, vendor):
    there = vendor(key)
    connector = there.connector()
    there.answers_once(there.case.create, {there.case.spoken: "Internal error"}, 500)
    with pytest.raises(Ambiguous):
        connector.create(TASK)

    if Capability.IDEMPOTENT_CREATE in connector.CAN and there.case.lookup is None:
        there.answers(there.case.create, there.case.created)
        assert connector.create(TASK) == there.ref
        first, second = there.sent(there.case.create)
        assert first == second
    else:
        there.answers(there.case.lookup, there.case.found)
        assert connector.find(KEY) == there.ref


@every_connector
def test_a_task_that_is_not_there_is_not_found(key, vendor):
    there = vendor(key)
    if there.case.lookup is None:
        pytest.skip("this vendor cannot search and needs not")
    there.answers(there.case.lookup, there.case.nothing)

    assert there.connector().find(KEY) is None


@every_connector
@pytest.mark.parametrize("answer", [{}, [], {"code": 0}, {"data": None}])
def test_a_search_answered_in_another_shape_is_not_taken_for_nothing_found(key, answer, vendor):
    there = vendor(key)
    if there.case.lookup is None:
        pytest.skip("this vendor cannot search and needs not")
    if answer == there.case.nothing:
        pytest.skip("this is how the vendor says that it found nothing")
    there.answers(there.case.lookup, answer)

    with pytest.raises(TransientError):
        there.connector().find(KEY)


@every_connector
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Unauthorized), (403, Refused), (404, TargetGone), (410, TargetGone), (422, Rejected),
        (500, Ambiguous), (502, Ambiguous), (503, Ambiguous), (504, Ambiguous),
    ],
)  # fmt: skip
def test_what_a_status_means(key, status, error, vendor):
    there = vendor(key)
    there.answers(there.case.create, {there.case.spoken: "no"}, status)

    with pytest.raises(RemoteError) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is error


@every_connector
def test_a_refused_field_is_named(key, vendor):
    there = vendor(key)
    reply = there.case.names_a_field
    there.answers(there.case.create, reply.body, reply.status)

    with pytest.raises(reply.error) as caught:
        there.connector().create(TASK)

    assert caught.value.field == reply.field
    assert f"'{reply.field}'" in str(caught.value) and "replay" in str(caught.value)


@every_connector
def test_a_conflict_is_told_from_success(key, vendor):
    there = vendor(key)
    reply = there.case.conflict
    there.answers(there.case.create, reply.body, reply.status)

    with pytest.raises(reply.error):
        there.connector().create(TASK)


@every_connector
def test_a_rate_limit_is_transient_and_keeps_the_wait(key, vendor):
    there = vendor(key)
    reply = there.case.asked_too_often
    there.answers(there.case.create, reply.body, reply.status, reply.headers)

    with pytest.raises(TransientError) as caught:
        there.connector().create(TASK)

    assert type(caught.value) is TransientError
    assert caught.value.retry_after_s == reply.wait_s


@every_connector
def test_a_create_that_is_not_answered_in_time_may_have_happened(key, vendor, impatient):
    impatient(key)
    there = vendor(key)
    method, path = there.case.create
    client_left = Event()

    def answer(_):
        client_left.wait(5)
        return Response("{}")

    there.server.expect_request(path, method=method).respond_with_handler(answer)

    with pytest.raises(Ambiguous):
        there.connector().create(TASK)
    client_left.set()


@every_connector
@pytest.mark.parametrize("garbage", [b"<html>upstream connect error", b'{"id": "1', b"{}", b"[]", b""])
def test_a_create_answered_with_garbage_may_have_happened(key, garbage, vendor):
    there = vendor(key)
    method, path = there.case.create
    there.server.expect_request(path, method=method).respond_with_data(garbage, 200)

    with pytest.raises(Ambiguous):
        there.connector().create(TASK)


@every_connector
def test_the_exact_request_is_shown_without_being_sent(key, vendor):
    there = vendor(key)

    with pytest.raises(NotSent) as shown, only_showing():
        there.connector().create(TASK)

    said = shown.value.exchange.as_dict()
    assert (said["method"], urlsplit(said["url"]).path) == there.case.create
    assert "Saving shows error 5" in said["request"]
    assert not [secret for secret in there.case.secrets if secret in str(said)]
    assert there.sent(there.case.create) == []


def renamed(body):
    """The same answer after the vendor gave every field another name."""
    if isinstance(body, dict):
        return {f"new_{name}": renamed(value) for name, value in body.items()}
    return [renamed(value) for value in body] if isinstance(body, list) else body


@every_connector
def test_a_create_answered_under_other_names_may_have_happened(key, vendor):
    there = vendor(key)
    there.answers(there.case.create, renamed(there.case.created))

    with pytest.raises(Ambiguous):
        there.connector().create(TASK)


@every_connector
def test_an_answer_that_drips_is_given_up_and_may_have_happened(key, vendor, impatient):
    impatient(key)
    there = vendor(key)
    method, path = there.case.create
    client_left = Event()

    def drip():
        for byte in orjson.dumps(there.case.created):
            if client_left.wait(0.1):
                return
            yield bytes([byte])

    there.server.expect_request(path, method=method).respond_with_handler(lambda _: Response(drip()))
    started = time.monotonic()

    with pytest.raises(Ambiguous):
        there.connector().create(TASK)

    client_left.set()
    assert time.monotonic() - started < 3


@every_connector
def test_eight_calls_at_once_ask_for_one_token(key, vendor):
    there = vendor(key)
    tokens = [call for call in there.case.around if "token" in call[1].lower()]
    if not tokens:
        pytest.skip("its case signs in with a key that does not end; the renewal of its consent has tests of its own")
    there.answers(there.case.create, there.case.created)
    connector = there.connector()

    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: connector.create(TASK), range(8)))

    assert refs == [there.ref] * 8
    assert sum((r.method, r.path) in tokens for r, _ in there.server.log) == 1


@every_connector
def test_nothing_is_sent_when_the_vendor_cannot_be_reached(key):
    module = registry.crm(key)
    nobody = module.Connector(module.Config(base_url="http://127.0.0.1:9", **CASES[key].config))

    with pytest.raises(TransientError) as caught:
        nobody.create(TASK)

    assert type(caught.value) is TransientError


@every_connector
def test_a_text_far_too_long_is_cut_and_keeps_its_end(key, vendor):
    there = vendor(key)
    there.answers(there.case.create, there.case.created)

    assert there.connector().create(LONG) == there.ref

    sent = orjson.dumps(there.sent(there.case.create)[0]).decode()
    assert "Category: bug (Bug)" in sent and "[…]" in sent
    assert len(sent) < 400_000  # Jira's markup takes most of it


@every_connector
def test_no_secret_in_errors_or_in_what_is_kept_of_the_exchange(key, vendor):
    there = vendor(key)
    words = " and ".join(there.case.secrets)
    echo = {there.case.spoken: f"{words} are wrong", "code": 7, "errors": {"summary": words}}
    there.answers(there.case.create, echo, 400)

    with recording() as exchanges, pytest.raises(RemoteError) as caught:
        there.connector().create(TASK)

    shown = str(caught.value) + orjson.dumps(exchanges.as_dicts()).decode()
    assert exchanges.kept
    assert not [secret for secret in there.case.secrets if secret in shown]


@every_connector
def test_update_and_comment_reach_the_task(key, vendor, httpserver):
    there = vendor(key)
    done = {"code": 0, "id": "1", "data": {"issueUpdate": {"success": True}, "commentCreate": {"success": True}}}
    done["records"] = [{"record_id": there.ref.id}]
    seen = []

    def answer(request):
        seen.append((request.path, request.get_data(as_text=True)))
        return Response(orjson.dumps(done), content_type="application/json")

    for method in ("PUT", "PATCH", "POST"):
        httpserver.expect_request(re.compile(".*"), method=method).respond_with_handler(answer)

    there.connector().update(there.ref, TASK)
    ((update_path, update),) = seen
    there.connector().comment(there.ref, "Once more 😀", KEY)

    comment_path, comment = seen[-1]
    assert there.ref.id in update_path + update and "Saving shows error 5" in update
    assert there.ref.id in comment_path + comment and "Once more 😀" in comment

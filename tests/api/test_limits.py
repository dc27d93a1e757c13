"""What the API does with too much, with the same twice, and while its services are away."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Away

from app.services import api_limits, review, sliding_window
from app.services.api_limits import A_SECOND
from tests.api.test_keys import is_problem

LIMITS = api_limits.LIMITS  # as they are before a test changes them


@pytest.fixture
def undecided(api):
    """The address of the decision on a waiting message."""
    api.kit.vendor("jira")
    api.kit.route("jira")
    api.kit.say("it does not work")
    [line] = api.client("read").get("/messages").json()["items"]
    return f"/messages/{line['id']}/decision"


# ---- too many


def test_a_key_that_asks_too_fast_is_told_when_to_come_back_and_others_are_not_held_up(api, monkeypatch):
    monkeypatch.setattr(api_limits, "LIMITS", LIMITS)
    fast, other = api.client("read"), api.client("read")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fast.get("/categories"), range(2 * A_SECOND)))

    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused and all(is_problem(answer, 429) for answer in refused)
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert other.get("/categories").status_code == 200


def test_the_limit_holds_after_redis_has_forgotten_its_scripts(api, services):
    client = api.client("read")
    assert client.get("/categories").status_code == 200

    with Redis.from_url(services.redis_url) as connection:
        connection.script_flush()

    assert client.get("/categories").status_code == 200


# ---- too much


def test_a_body_over_the_limit_is_refused_with_or_without_its_length(api):
    client = api.client()
    too_much = b'{"name": "' + b"x" * 256_000 + b'"}'

    assert is_problem(client.put("/categories/wish", content=too_much), 413)
    assert is_problem(client.put("/categories/wish", content=iter([too_much[:200_000], too_much[200_000:]])), 413)
    assert api.kit.sql("select key from category where key = 'wish'") == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b"[" * 20_000, b'"\xff"', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}',
     b'{"name": "x", "surprise": 1}', b'{"name": 1e999}'],
)  # fmt: skip
def test_a_body_nobody_can_use_is_a_problem_of_its_sender(api, body):
    answer = api.client().put("/categories/wish", content=body, headers={"Content-Type": "application/json"})

    assert is_problem(answer, 422) or is_problem(answer, 400)
    assert api.kit.sql("select key from category where key = 'wish'") == []


def test_an_address_that_does_not_exist_is_a_problem_too(api):
    assert is_problem(api.client().get("/nothing"), 404)
    assert is_problem(api.client().patch("/bots"), 405)


# ---- the same twice


def test_the_same_request_under_one_key_is_done_once_and_answered_alike(api, undecided, monkeypatch):
    done = []
    decide = review.decide
    monkeypatch.setattr(review, "decide", lambda *given: done.append(given) or decide(*given))
    client, same = api.client(), {"Idempotency-Key": "order-1"}

    answers = [client.post(undecided, json={"category": "bug"}, headers=same) for _ in range(3)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"status": "routed"})] * 3
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    assert len(done) == 1


def test_at_once_only_one_of_them_is_carried_out(api, undecided):
    client, same = api.client(), {"Idempotency-Key": "order-1"}
    with ThreadPoolExecutor(8) as pool:
        posted = list(pool.map(lambda _: client.post(undecided, json={"category": "bug"}, headers=same), range(8)))

    assert {answer.status_code for answer in posted} <= {200, 409}
    assert len(api.kit.sql("select 1 from classification where source = 'person'")) == 1


def test_another_request_under_a_used_key_is_refused(api, undecided):
    client, same = api.client(), {"Idempotency-Key": "order-1"}
    client.post(undecided, json={"category": "bug"}, headers=same)

    answer = client.post(undecided, json={"category": "billing"}, headers=same)

    assert is_problem(answer, 422) and answer.json()["field"] == "Idempotency-Key"
    assert api.kit.messages() == [("it does not work", "routed")]


def test_two_programs_may_choose_the_same_key(api, undecided):
    same = {"Idempotency-Key": "order-1"}
    api.client().post(undecided, json={"category": "bug"}, headers=same)

    answer = api.client().post(undecided, json={"category": "billing"}, headers=same)

    assert "idempotent-replayed" not in answer.headers and answer.status_code == 200


def test_what_was_refused_may_be_tried_again_under_its_key(api, undecided):
    client, same = api.client("decide", "configure"), {"Idempotency-Key": "order-1"}
    assert is_problem(client.post(undecided, json={"category": "wish"}, headers=same), 422)
    client.put("/categories/wish", json={"name": "Wish"})

    assert client.post(undecided, json={"category": "wish"}, headers=same).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_must_be_one(api, undecided, key):
    answer = api.client().post(undecided, json={"category": "bug"}, headers={"Idempotency-Key": key})

    assert is_problem(answer, 422)


# ---- away


def test_while_redis_is_away_nothing_is_done_and_the_caller_is_asked_to_come_again(api, undecided, monkeypatch):
    def away():
        raise Away("refused")

    monkeypatch.setattr(sliding_window, "redis", away)
    answer = api.client().post(undecided, json={"category": "bug"})

    assert is_problem(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert api.kit.messages() == [("it does not work", "needs_review")]


def test_what_breaks_inside_is_told_with_a_number_and_without_its_cause(api, monkeypatch):
    def broken(*_):
        raise RuntimeError("inner detail")

    monkeypatch.setattr(review, "decide", broken)
    answer = api.client().post("/messages/00000000-0000-7000-8000-000000000000/decision", json={"category": None})

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "number" in answer.json()["detail"] and "inner detail" not in answer.text

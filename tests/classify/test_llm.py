import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from werkzeug import Response

from app.classify import llm
from app.classify.prompt import Prompt
from app.domain.classification import Priority, Sentiment
from app.domain.errors import PermanentError, Refused, Rejected, TransientError, Unauthorized
from tests.classify.vendors import ANTHROPIC, CATEGORIES, CHAT, COST_USD, HONEST, OPENAI, VENDORS, Vendor, sent

PROMPT = Prompt(CATEGORIES)
TEXT = "The export is broken mid-0a1b2c-0000001"
every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.key)


@pytest.fixture(autouse=True)
def _fresh_clients():
    llm._shared_client.cache_clear()
    yield
    llm._shared_client.cache_clear()


def ask(vendor: Vendor, server, **more):
    return llm.ask(vendor.account(server, **more), PROMPT, TEXT)


def raised(vendor: Vendor, server, expected, **more):
    with pytest.raises(expected) as caught:
        ask(vendor, server, **more)
    assert type(caught.value) is expected
    assert "secret-key" not in str(caught.value)
    assert TEXT not in str(caught.value)
    return caught.value


# ---- a good answer


@every_vendor
def test_an_answer_is_read_with_all_its_fields(vendor, httpserver):
    vendor.serves(httpserver, HONEST)

    answer = ask(vendor, httpserver)

    assert (answer.category, answer.priority, answer.sentiment) == ("bug", Priority.NORMAL, Sentiment.NEGATIVE)
    assert (answer.language, answer.title, answer.reason) == ("en", "Export is broken", "The export fails.")
    assert (answer.confidence, answer.problem) == (0.9, "")
    assert answer.took_ms > 0


@every_vendor
def test_cost_counts_fresh_cached_and_written_tokens_at_their_prices(vendor, httpserver):
    vendor.serves(httpserver, HONEST)

    answer = ask(vendor, httpserver)

    assert (answer.input_tokens, answer.cached_tokens, answer.output_tokens) == (1000, 100, 50)
    assert answer.cost_usd == pytest.approx(COST_USD)


def test_without_a_price_for_cached_input_it_costs_like_other_input(httpserver):
    ANTHROPIC.serves(httpserver, HONEST)

    assert ask(ANTHROPIC, httpserver, price_cached_in=None).cost_usd == pytest.approx((1000 * 1.0 + 50 * 5.0) / 1e6)


@every_vendor
def test_the_key_goes_out_as_bearer_and_one_client_serves_all_calls(vendor, httpserver):
    vendor.serves(httpserver, HONEST)

    for _ in range(3):
        ask(vendor, httpserver)

    assert httpserver.log[-1][0].headers["Authorization"] == "Bearer secret-key"
    assert llm._shared_client.cache_info().currsize == 1


@every_vendor
def test_servers_that_report_no_usage_cost_nothing(vendor, httpserver):
    reply = vendor.reply(json.dumps(HONEST), "done")
    del reply["usage"]
    httpserver.expect_request(vendor.path).respond_with_json(reply)

    answer = ask(vendor, httpserver)

    assert (answer.category, answer.cost_usd) == ("bug", 0.0)


def test_a_server_that_only_knows_json_objects_gets_the_schema_in_words(httpserver):
    CHAT.serves(httpserver, f"<think>easy</think>```json\n{json.dumps(HONEST)}\n```")

    answer = ask(CHAT, httpserver, structured="json_object")

    assert answer.category == "bug"
    assert sent(httpserver)["response_format"] == {"type": "json_object"}
    assert json.dumps(PROMPT.schema) in CHAT.system_of(sent(httpserver))["content"]


# ---- the vendors' contracts


def contract(vendor: Vendor):
    name = "anthropic" if vendor is ANTHROPIC else "openai"
    path = Path(__file__).parents[2] / f"../shared/contracts/{name}/openapi.yaml"
    if not path.exists():
        pytest.skip(f"the contract of {name} is not at hand")
    return yaml.load(path.read_text(), yaml.CSafeLoader)


@every_vendor
def test_requests_and_the_answers_of_these_tests_fit_the_vendors_contract(vendor, httpserver):
    document = contract(vendor)
    path = vendor.path if vendor is ANTHROPIC else vendor.path.removeprefix("/v1")
    call = document["paths"][path]["post"]
    asked = call["requestBody"]["content"]["application/json"]["schema"]
    answered = call["responses"]["200"]["content"]["application/json"]["schema"]
    vendor.serves(httpserver, HONEST)
    ask(vendor, httpserver)

    def faults(schema, value):
        validator = Draft202012Validator({**schema, "components": document["components"]})
        return [f"{e.json_path}: {e.message}"[:200] for e in validator.iter_errors(value)]

    assert faults(asked, sent(httpserver)) == []
    for ended in ("done", "cut_off", "refused"):
        assert faults(answered, vendor.reply(json.dumps(HONEST), ended)) == []


# ---- answers that cannot be used: a person decides, and the cost is kept


@every_vendor
@pytest.mark.parametrize(
    ("said", "ended", "problem"),
    [
        (HONEST, "refused", "refused"),
        ('{"category": "bu', "cut_off", "cut off"),
        ('{"category": "bu', "done", "not the JSON"),
        ("I think it is a bug.", "done", "not the JSON"),
        ('["bug"]', "done", "not the JSON"),
        ("", "done", "not the JSON"),
        ({**HONEST, "category": "banana"}, "done", "outside the categories: 'banana'"),
        ({**HONEST, "category": None}, "done", "named no category"),
        ({**HONEST, "category": "none_of_these"}, "done", "none of the categories fits"),
        ({**HONEST, "confidence": "very"}, "done", "how sure"),
        ({**HONEST, "confidence": 97}, "done", "how sure"),
        ({**HONEST, "confidence": True}, "done", "how sure"),
    ],
)
def test_an_unusable_answer_names_its_problem_and_keeps_its_cost(vendor, httpserver, said, ended, problem):
    vendor.serves(httpserver, said, ended)

    answer = ask(vendor, httpserver)

    assert answer.category is None
    assert problem in answer.problem
    assert answer.cost_usd == pytest.approx(COST_USD)


def test_a_label_outside_the_categories_is_clipped_in_the_problem(httpserver):
    OPENAI.serves(httpserver, {**HONEST, "category": "visit <http://evil.example>\n" * 50})

    problem = ask(OPENAI, httpserver).problem

    assert len(problem) < 100
    assert "\n" not in problem
    assert "<" not in problem


@pytest.mark.parametrize(
    ("field", "said", "expected"),
    [
        ("priority", "gigantic", None),
        ("sentiment", 5, None),
        ("language", "zh-CN", "zh"),
        ("language", "Klingon", None),
        ("title", None, ""),
        ("title", "  two\nlines\x07\u202e ", "two lines"),
        ("reason", "x" * 5000, "x" * 299 + "…"),
    ],
)
def test_secondary_fields_are_checked_without_losing_the_category(httpserver, field, said, expected):
    CHAT.serves(httpserver, {**HONEST, field: said})

    answer = ask(CHAT, httpserver)

    assert getattr(answer, field) == expected
    assert answer.category == "bug"


# ---- errors


def failure(vendor: Vendor, kind: str, message: str, code: str | None = None, param: str | None = None) -> dict:
    if vendor is ANTHROPIC:
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@every_vendor
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Unauthorized), (402, Unauthorized), (403, Refused), (400, Rejected), (404, Rejected), (413, Rejected),
        (422, Rejected), (302, Rejected), (408, TransientError), (409, TransientError), (429, TransientError),
        (500, TransientError), (503, TransientError), (529, TransientError),
    ],
)  # fmt: skip
def test_each_status_becomes_the_error_that_says_what_may_be_done_next(vendor, httpserver, status, expected):
    vendor.fails(httpserver, status, failure(vendor, "some_error", f"about {TEXT}"))

    error = raised(vendor, httpserver, expected)

    assert "LLM account 'main'" in str(error)
    assert len(httpserver.log) == 1  # the SDK tried once


@every_vendor
@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_keeps_the_vendors_wait(vendor, httpserver, headers, expected_s):
    vendor.fails(httpserver, 429, failure(vendor, "rate_limit_error", "slow down"), headers)

    assert raised(vendor, httpserver, TransientError).retry_after_s == expected_s


@pytest.mark.parametrize(
    ("vendor", "status", "error"),
    [
        (OPENAI, 429, failure(OPENAI, "insufficient_quota", "You exceeded your quota", "insufficient_quota")),
        (CHAT, 429, failure(CHAT, "insufficient_quota", "You exceeded your quota", "insufficient_quota")),
        (ANTHROPIC, 400, failure(ANTHROPIC, "invalid_request_error", "Your credit balance is too low")),
        (ANTHROPIC, 402, failure(ANTHROPIC, "billing_error", "There is an issue with your payment")),
    ],
)
def test_an_account_without_money_is_parked_and_not_retried(httpserver, vendor, status, error):
    vendor.fails(httpserver, status, error)

    assert "credit" in str(raised(vendor, httpserver, Unauthorized))


@pytest.mark.parametrize(
    ("vendor", "status", "error", "field"),
    [
        (ANTHROPIC, 404, failure(ANTHROPIC, "not_found_error", "model: model-1"), "model"),
        (ANTHROPIC, 400, failure(ANTHROPIC, "invalid_request_error", "max_tokens: Field required"), "max_tokens"),
        (OPENAI, 400, failure(OPENAI, "invalid_request_error", "no", "model_not_found", "model"), "model"),
        (OPENAI, 400, failure(OPENAI, "invalid_request_error", "no", None, "text.format.schema"), "text.format.schema"),
        (CHAT, 404, failure(CHAT, "api_error", "model 'x' not found"), "model"),
        (CHAT, 400, {"detail": "what?"}, ""),
    ],
)
def test_a_refused_request_names_the_field_at_fault(httpserver, vendor, status, error, field):
    vendor.fails(httpserver, status, error)

    assert raised(vendor, httpserver, Rejected).field == field


@every_vendor
@pytest.mark.parametrize("body", ["<html>upstream connect error", "{}", "[]", "null", '{"choices": []}', '"text"'])
def test_a_success_that_is_no_answer_of_this_vendor_is_transient(vendor, httpserver, body):
    httpserver.expect_request(vendor.path).respond_with_data(body, content_type="application/json")

    assert "base_url" in str(raised(vendor, httpserver, TransientError))


def test_a_response_that_failed_after_it_was_accepted_is_transient(httpserver):
    reply = {**OPENAI.reply("", "done"), "status": "failed", "error": {"code": "server_error", "message": "x"}}
    httpserver.expect_request(OPENAI.path).respond_with_json(reply)

    raised(OPENAI, httpserver, TransientError)


@every_vendor
def test_a_slow_vendor_is_given_up_after_the_accounts_timeout(vendor, httpserver):
    def slow(_request):
        time.sleep(0.6)
        return Response("{}")

    httpserver.expect_request(vendor.path).respond_with_handler(slow)

    assert "0.2 s" in str(raised(vendor, httpserver, TransientError, timeout_s=0.2))


@every_vendor
def test_a_vendor_nobody_reaches_is_transient(vendor, httpserver):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

    assert "could not be reached" in str(raised(vendor, httpserver, TransientError, base_url=address))


def test_a_redirect_is_not_followed_with_the_key(httpserver):
    httpserver.expect_request(ANTHROPIC.path).respond_with_data("", 307, {"Location": httpserver.url_for("/elsewhere")})

    raised(ANTHROPIC, httpserver, Rejected)

    assert "/elsewhere" not in [request.path for request, _ in httpserver.log]


# ---- the guard's hook, and the account


@every_vendor
def test_a_guard_in_the_http_client_refuses_with_its_own_words(vendor, httpserver, monkeypatch):
    class Guard(httpx2.BaseTransport):
        def handle_request(self, request):
            raise PermanentError("The address is not public.")

    monkeypatch.setattr(llm, "http_client_factory", lambda: httpx2.Client(transport=Guard()))

    assert str(raised(vendor, httpserver, PermanentError)) == "The address is not public."
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"provider": "skynet"}, "provider"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": "clé"}, "api_key"),
        ({"api_key": "a\nb"}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"price_in": -1}, "price_in"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"modle": "x"}, "modle"),
    ],
)
def test_an_account_that_cannot_work_is_refused_naming_the_field(wrong, field):
    good = {"key": "main", "provider": "anthropic", "model": "m", "api_key": "k"}

    with pytest.raises(ValidationError) as caught:
        llm.Account.model_validate({**good, **wrong})

    assert caught.value.errors()[0]["loc"] == (field,)


def test_an_account_shows_no_key():
    account = llm.Account(key="main", provider="openai", model="m", api_key="secret-key")

    assert "secret-key" not in f"{account!r} {account}"


def test_the_sdks_are_not_imported_before_the_first_call():
    code = "import sys, app.classify.cascade; print({'anthropic', 'openai', 'httpx2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "set()"

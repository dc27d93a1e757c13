"""What connectors send, held against the vendors' published contracts, where these are at hand."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import graphql
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest

from connectors.crm import linear

from .case import KEY, TASK
from .conftest import Vendor

CONTRACTS = Path(__file__).parents[3] / "../shared/contracts"
# Not Trello: its document knows every value in the address only. It has a test of its own.
WITH_SCHEMA = ("linear", "monday")
DESCRIBED = (
    "airtable", "clickup", "dingtalk", "dynamics", "hubspot", "lark", "notion", "salesforce", "wecom", "zoho",
    *WITH_SCHEMA,
)  # fmt: skip

pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' contracts are not beside this checkout")


@cache
def _document(key: str) -> dict:
    return yaml.load((CONTRACTS / key / "openapi.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)


def _without_servers(call):
    return {name: part for name, part in call.items() if name != "servers"} if isinstance(call, dict) else call


def _assert_described(there: Vendor, most: int = 50) -> int:
    """Every request the vendor got is one its document describes; returns how many there were. Signing in is left out.

    All hosts of a vendor are one here.
    """
    document = _document(there.key)
    paths = {
        path: {method: _without_servers(call) for method, call in calls.items() if method != "servers"}
        for path, calls in document["paths"].items()
    }
    base = urlsplit(document.get("servers", [{"url": ""}])[0]["url"]).path.rstrip("/")
    contract = OpenAPI.from_dict(document | {"paths": paths, "servers": [{"url": there.address + base}]})
    requests = [request for request, _ in there.server.log[:most] if "/oauth" not in request.path.lower()]
    for request in requests:
        contract.validate_request(WerkzeugOpenAPIRequest(request))
    return len(requests)


def _assert_known(there: Vendor) -> int:
    """The same for a vendor that publishes a GraphQL schema."""
    schema = _schema(there.key)
    sent = [request.get_json() for request, _ in there.server.log]
    for asked in sent:
        document = graphql.parse(asked["query"])
        assert graphql.validate(schema, document) == []
        [operation] = [part for part in document.definitions if isinstance(part, graphql.OperationDefinitionNode)]
        values = graphql.get_variable_values(schema, operation.variable_definitions, asked.get("variables") or {})
        assert not isinstance(values, list), values
    return len(sent)


@pytest.mark.parametrize("key", DESCRIBED)
def test_create_and_search_are_as_described(key, vendor):
    there = vendor(key)
    there.answers_once(there.case.create, there.case.created)
    # Zoho describes tags only as it answers them, with ids and authors.
    there.connector().create(replace(TASK, labels=()) if key == "zoho" else TASK)
    if there.case.lookup:
        there.answers(there.case.lookup, there.case.found)
        there.connector().find(KEY)

    assert (_assert_known(there) if key in WITH_SCHEMA else _assert_described(there)) >= 1 + bool(there.case.lookup)


@pytest.mark.parametrize(
    ("key", "update", "comment"),
    [
        ("notion", ("PATCH", "/v1/pages/59833787-2cf9-4fdf-8782-e53db20768a5"), ("POST", "/v1/comments")),
        ("hubspot", ("PATCH", "/crm/v3/objects/tickets/512"), ("POST", "/crm/v3/objects/notes")),
        (
            "lark",
            ("PATCH", "/open-apis/task/v2/tasks/83912691-2e43-47fc-94a4-d512e03984fa"),
            ("POST", "/open-apis/task/v2/comments"),
        ),
    ],
)
def test_update_and_comment_are_as_described(key, update, comment, vendor):
    there = vendor(key)
    there.answers(update, {"code": 0})
    there.answers(comment, {"code": 0})

    there.connector().update(there.ref, TASK)
    there.connector().comment(there.ref, "Once more", KEY)

    assert _assert_described(there) >= 2


def test_hubspots_upsert_is_as_described(vendor):
    there = vendor("hubspot")
    there.answers(("POST", "/crm/v3/objects/tickets/batch/upsert"), {"status": "COMPLETE", "results": [{"id": "512"}]})

    there.connector(unique_property="octopus_key").create(TASK)

    assert _assert_described(there) == 1


@cache
def _schema(key: str) -> graphql.GraphQLSchema:
    return graphql.build_schema((CONTRACTS / key / "schema.graphql").read_text("utf-8"))


@pytest.mark.parametrize("name", ["VIEWER", "TEAMS", "CREATE", "UPDATE", "COMMENT", "FIND"])
def test_linears_schema_knows_our_queries(name):
    assert graphql.validate(_schema("linear"), graphql.parse(getattr(linear, name))) == []


def test_linears_schema_takes_the_issue_and_the_fields_offered_for_mapping(vendor):
    there = vendor("linear")
    there.answers(there.case.create, there.case.created)
    there.connector().create(TASK)
    wanted = _schema("linear").type_map["IssueCreateInput"]

    sent = there.sent(there.case.create)[0]["variables"]["input"]

    assert graphql.coerce_input_value(sent, wanted) == sent
    assert {field.key for field in linear.FIELDS} <= set(wanted.fields)

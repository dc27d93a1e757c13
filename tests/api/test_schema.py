"""The schema the API publishes, and the API held to it by requests that a machine makes up."""

import re
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from app.api.main import app
from app.domain.errors import Rejected
from app.domain.events import EventType
from app.services import api_keys, connections, sending_in, webhooks
from app.services.members import Actor, Role
from tests.api.conftest import EVERY_SCOPE

EXAMPLES = 15  # per operation: enough to find what breaks, few enough for every run
HELD_TO = [
    checks.not_a_server_error, openapi.status_code_conformance, openapi.content_type_conformance,
    openapi.response_schema_conformance, openapi.response_headers_conformance, openapi.ignored_auth,
]  # fmt: skip
schema = schemathesis.openapi.from_dict(app.openapi())


@pytest.fixture
def key(api):
    owner = Actor(None, "mia@acme.test", Role.MANAGER, api.kit.workspace_id)
    return api_keys.create(owner, "a machine", EVERY_SCOPE)[1]


@pytest.fixture
def there(api):
    """What made-up addresses would never hit: a message with a failed delivery, its task, and a webhook."""
    api.kit.vendor("jira", script=[Rejected("no such field", "summary")])
    api.kit.route("jira")
    api.kit.say("#bug it broke")
    [row] = api.kit.sql("select message_id, id, task_id from delivery")
    owner = Actor(None, "mia@acme.test", Role.MANAGER, api.kit.workspace_id)
    webhook, _secret = webhooks.add(owner, "http://127.0.0.1:9/told", list(EventType))
    test = webhooks.send_test(owner, webhook.id)
    connections.save_bot(owner, "shop", "api", {})
    received = sending_in.send_in(owner, "shop", {"id": "1", "sender_id": "1", "text": "Hi"})
    return {
        "message_id": str(row.message_id), "delivery_id": str(row.id), "task_id": str(row.task_id),
        "webhook_id": str(webhook.id), "event_id": str(received.event_id), "ids": [str(row.id), str(test.id)],
    }  # fmt: skip


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_whatever_is_asked_the_answer_is_one_the_schema_knows(case, api_address, key, there):
    for name in {*there} & {*(case.path_parameters or {})}:
        with suppress(ValueError):
            UUID(str(case.path_parameters[name]))
            case.path_parameters[name] = there[name]
    if isinstance(case.body, dict) and isinstance(case.body.get("bot"), str):
        case.body["bot"] = "shop"
    if isinstance(case.body, dict) and isinstance(case.body.get("ids"), list):
        case.body["ids"] = [*there["ids"], *case.body["ids"]]

    case.call_and_validate(base_url=api_address, headers={"Authorization": f"Bearer {key}"}, checks=HELD_TO, timeout=20)


def test_the_documentation_needs_no_key_and_no_other_server(api_address):
    page = httpx.get(f"{api_address}/api/docs")

    assert page.status_code == 200 and "/api/openapi.json" in page.text
    assert "https://" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert httpx.get(f"{api_address}/api/docs-assets/{asset}").status_code == 200


def test_each_operation_says_which_scope_it_needs_and_how_it_fails(api_address):
    paths = httpx.get(f"{api_address}/api/openapi.json").json()["paths"]

    for operation in (operation for path in paths.values() for operation in path.values()):
        assert operation["security"][0]["key"][0] in EVERY_SCOPE
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]


def test_every_address_in_the_guide_exists(api_address):
    guide = (Path(__file__).parents[2] / "docs" / "API.md").read_text()
    named = {f"/api/v1/{path}" for path in re.findall(r"\$OCTOPUS/([a-z/$A-Z-]+)", guide)}
    known = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) for path in app.openapi()["paths"]]

    assert named and [path for path in named if not any(re.fullmatch(one, path) for one in known)] == []

"""Who comes in with which key, and how far."""

import re
from uuid import uuid4

import httpx
import pytest

from app.db.engine import in_system
from app.db.tables import Scope
from app.domain.errors import Forbidden, InvalidInput
from app.services import api_keys
from app.services.members import Actor, Role

NOBODY = str(uuid4())
NEEDS = [
    ("GET", "/messages", Scope.READ),
    ("POST", "/messages", Scope.WRITE),
    ("GET", f"/events/{NOBODY}", Scope.READ),
    ("GET", f"/messages/{NOBODY}", Scope.READ),
    ("POST", f"/messages/{NOBODY}/decision", Scope.DECIDE),
    ("DELETE", f"/messages/{NOBODY}/decision", Scope.DECIDE),
    ("GET", "/deliveries", Scope.READ),
    ("GET", "/deliveries/counts", Scope.READ),
    ("POST", "/deliveries/replay", Scope.DELIVER),
    ("POST", "/deliveries/cancel", Scope.DELIVER),
    *(("GET", f"/{noun}", Scope.READ) for noun in ("categories", "rules", "routes")),
    *(("GET", f"/{noun}/bug", Scope.READ) for noun in ("categories", "rules", "routes")),
    *(("PUT", f"/{noun}/bug", Scope.CONFIGURE) for noun in ("categories", "rules", "routes")),
    *(("PUT", f"/{noun}/bug/position", Scope.CONFIGURE) for noun in ("categories", "rules", "routes")),
    *(("DELETE", f"/{noun}/bug", Scope.CONFIGURE) for noun in ("categories", "rules", "routes")),
    ("GET", "/bots", Scope.READ),
    ("GET", "/destinations", Scope.READ),
    ("GET", "/configuration", Scope.READ),
    ("GET", "/figures", Scope.READ),
    ("GET", "/metrics", Scope.READ),
    ("GET", f"/deliveries/{NOBODY}", Scope.READ),
    ("GET", "/tasks", Scope.READ),
    ("GET", f"/tasks/{NOBODY}", Scope.READ),
    ("GET", "/classifications", Scope.READ),
    ("GET", "/webhooks", Scope.READ),
    ("POST", "/webhooks", Scope.CONFIGURE),
    ("GET", f"/webhooks/{NOBODY}", Scope.READ),
    ("PUT", f"/webhooks/{NOBODY}", Scope.CONFIGURE),
    ("DELETE", f"/webhooks/{NOBODY}", Scope.CONFIGURE),
    ("POST", f"/webhooks/{NOBODY}/secret", Scope.CONFIGURE),
    ("POST", f"/webhooks/{NOBODY}/test", Scope.CONFIGURE),
    ("GET", f"/webhooks/{NOBODY}/events", Scope.READ),
    ("POST", f"/webhooks/{NOBODY}/replay", Scope.DELIVER),
    ("POST", "/webhook-events/replay", Scope.DELIVER),
]
TOLD = {"url": "https://example.com/told", "events": ["task.created"]}
BODIES = {
    "messages": {"bot": "shop", "sender_id": "1", "text": "Hi"},
    "webhooks": TOLD, NOBODY: TOLD, "webhooks/replay": {"since": "2026-01-01T00:00:00Z"},
    "decision": {"category": "bug"}, "replay": {"ids": [NOBODY]}, "cancel": {"ids": [NOBODY]},
    "position": {"position": 0},
    "categories": {"name": "Bug"}, "rules": {"when": {"text_contains": "x"}, "then": {"category": "bug"}},
    "routes": {"destinations": ["jira"]},
}  # fmt: skip


def body(path: str) -> dict | None:
    parts = path.strip("/").split("/")
    return BODIES.get(f"{parts[0]}/{parts[-1]}") or BODIES.get(parts[-1]) or BODIES.get(parts[0])


def is_problem(answer: httpx.Response, status: int) -> bool:
    told = answer.json()
    return (
        (answer.status_code, told["status"]) == (status, status)
        and answer.headers["content-type"] == "application/problem+json"
        and told["detail"].endswith(".")
    )


@pytest.fixture
def manager(workspace):
    return Actor(None, "mia@acme.test", Role.MANAGER, workspace)


# ---- at the door


def test_every_endpoint_is_in_the_list_of_scopes(api):
    schema = httpx.get(f"{api.address}/api/openapi.json").json()
    there = {(method.upper(), path.removeprefix("/api/v1")) for path, of in schema["paths"].items() for method in of}

    there = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in there}

    assert {(m, p.replace(NOBODY, "{}").replace("/bug", "/{}")) for m, p, _ in NEEDS} == there


@pytest.mark.parametrize(("method", "path", "scope"), NEEDS, ids=lambda part: str(part).replace(NOBODY, "id"))
def test_a_scope_that_is_lacking_is_refused_and_changes_nothing(api, method, path, scope):
    lacking = [each for each in Scope if each != scope]
    before = api.kit.sql("select config_version from workspace")

    answer = api.client(*lacking).request(method, path, json=body(path) if method in ("POST", "PUT") else None)

    assert is_problem(answer, 403)
    assert f"the scope {scope}" in answer.json()["detail"]
    assert api.kit.sql("select config_version from workspace") == before


@pytest.mark.parametrize(("method", "path", "scope"), NEEDS, ids=lambda part: str(part).replace(NOBODY, "id"))
def test_without_a_key_nothing_is_answered(api, method, path, scope):
    for headers in ({}, {"Authorization": "Bearer oct_guess"}, {"Authorization": "Basic bWlhOng="}):
        answer = httpx.request(method, f"{api.address}/api/v1{path}", headers=headers)

        assert is_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_one_scope_alone_opens_what_needs_it(api):
    assert api.client(Scope.READ).get("/messages").status_code == 200
    assert api.client(Scope.DECIDE).post(f"/messages/{NOBODY}/decision", json={"category": None}).status_code == 404
    assert api.client(Scope.DELIVER).post("/deliveries/cancel", json={"ids": [NOBODY]}).status_code == 200
    assert api.client(Scope.CONFIGURE).put("/categories/wish", json={"name": "Wish"}).status_code == 200


def test_a_revoked_key_opens_nothing_from_the_next_request_on(api, manager):
    row, key = api_keys.create(manager, "a program", [Scope.READ])
    client = api.with_key(key)
    assert client.get("/messages").status_code == 200

    api_keys.revoke(manager, row.id)

    assert is_problem(client.get("/messages"), 401)


def test_a_key_of_one_workspace_gets_nothing_of_another(api, neighbour):
    kit = api.kit
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug zebra-crossing")
    kit.say("what about the zebra-crossing", chat=2)
    ours, theirs = api.client(), api.client(workspace_id=neighbour)
    messages = [line["id"] for line in ours.get("/messages").json()["items"]]
    [delivery] = kit.sql("select id, status from delivery")
    before = kit.sql("select id, status from message order by id")
    assert len(messages) == 2 and ours.get(f"/messages/{messages[0]}").status_code == 200

    for _method, path, _scope in (need for need in NEEDS if need[0] == "GET" and not need[1].endswith("bug")):
        for id_ in messages:
            assert "zebra" not in theirs.get(path.replace(NOBODY, id_)).text, path
    assert theirs.get("/messages", params={"text": "zebra-crossing"}).json() == {"items": [], "next": None}
    for id_ in messages:
        assert theirs.get(f"/messages/{id_}").status_code == 404
        assert theirs.post(f"/messages/{id_}/decision", json={"category": None}).status_code == 404
        assert theirs.delete(f"/messages/{id_}/decision").status_code == 404
    for noun in ("categories", "rules", "routes"):
        assert theirs.get(f"/{noun}").json() == []
        assert theirs.delete(f"/{noun}/bug").status_code == 404
        assert theirs.put(f"/{noun}/bug/position", json={"position": 0}).status_code == 404
    for step in ("replay", "cancel"):
        answer = theirs.post(f"/deliveries/{step}", json={"ids": [str(delivery.id)]}).json()
        assert answer["changed"] == 0

    assert kit.sql("select id, status from message order by id") == before
    assert kit.sql("select id, status from delivery") == [delivery]


# ---- what is kept of a key


def test_only_the_hash_of_a_key_is_kept(manager):
    row, key = api_keys.create(manager, "a program", [Scope.READ])

    with in_system() as session:
        kept = session.connection().exec_driver_sql(
            "select k::text || a::text from api_key k, audit_entry a where k.id = %(id)s and a.key = k.prefix",
            {"id": row.id},
        ).scalar_one()  # fmt: skip
    assert key.startswith(f"oct_{row.prefix}_") and len(key) == 60
    assert row.prefix in kept and key.split("_", 2)[2] not in kept


def test_making_and_revoking_a_key_is_in_the_audit_log_once(manager, kit):
    row, _key = api_keys.create(manager, "a program", [Scope.DECIDE, Scope.READ])
    api_keys.revoke(manager, row.id)
    api_keys.revoke(manager, row.id)

    entries = kit.sql("select actor, action, noun, key from audit_entry order by id")
    assert [tuple(entry) for entry in entries] == [
        ("mia@acme.test", "add", "api_key", row.prefix), ("mia@acme.test", "revoke", "api_key", row.prefix),
    ]  # fmt: skip


def test_when_a_key_was_last_used_is_noted(api, manager):
    row, key = api_keys.create(manager, "a program", [Scope.READ])
    assert api_keys.listed(manager.workspace_id)[0].last_used_at is None

    api.with_key(key).get("/messages")

    [used] = api_keys.listed(manager.workspace_id)
    assert used.last_used_at >= row.created_at


def test_an_agent_makes_no_keys(workspace):
    with pytest.raises(Forbidden):
        api_keys.create(Actor(None, "noa@acme.test", Role.AGENT, workspace), "mine", [Scope.READ])


@pytest.mark.parametrize(
    ("name", "scopes", "field"), [("", ["read"], "name"), ("x", [], "scopes"), ("x", ["all"], "scopes")]
)
def test_a_key_needs_a_name_and_known_scopes(manager, name, scopes, field):
    with pytest.raises(InvalidInput) as refused:
        api_keys.create(manager, name, scopes)
    assert refused.value.field == field


def test_a_change_made_with_a_key_is_audited_under_its_prefix(api, manager):
    row, key = api_keys.create(manager, "a program", [Scope.CONFIGURE])

    api.with_key(key).put("/categories/wish", json={"name": "Wish"})

    assert ("category", "wish", f"key:{row.prefix}") in [
        tuple(entry) for entry in api.kit.sql("select noun, key, actor from audit_entry")
    ]

"""The configuration through the API: what is written is what is read, and secrets stay inside."""

import yaml

from app.services import connections, releases, taxonomy
from app.services.members import Actor, Role
from tests.api.test_keys import is_problem

RULE = {
    "when": {"text_contains": "refund", "not": {"language": ["de"]}},
    "then": {"category": "billing", "priority": "high"},
}


def test_a_category_is_added_changed_moved_archived_and_taken_into_use_again(api):
    client = api.client("read", "configure")
    wish = {"name": "Wish", "description": "They want something", "priority": "low", "sla_min": 60}

    added = client.put("/categories/wish", json=wish)
    assert added.json() == wish | {"key": "wish", "archived_at": None}
    assert client.put("/categories/wish", json={"name": "Wishes"}).json()["priority"] == "normal"
    assert client.put("/categories/wish/position", json={"position": 0}).status_code == 204
    assert [each["key"] for each in client.get("/categories").json()] == ["wish", "bug", "billing"]
    assert client.delete("/categories/wish").status_code == 204
    assert [each["key"] for each in client.get("/categories").json()] == ["bug", "billing"]
    assert client.get("/categories/wish").json()["archived_at"] is not None
    assert client.put("/categories/wish", json={"name": "Wish"}).json()["archived_at"] is None


def test_a_category_in_use_is_not_archived_and_says_by_whom(api):
    answer = api.client("configure").delete("/categories/bug")

    assert is_problem(answer, 422) and "rule 'bug'" in answer.json()["detail"]


def test_a_rule_comes_back_as_it_was_written_and_decides(api):
    client = api.client("read", "configure")

    written = client.put("/rules/refund", json=RULE | {"continue": True}).json()
    assert written == RULE | {"key": "refund", "continue": True, "enabled": True}
    assert client.get("/rules/refund").json() == written
    client.put("/rules/refund/position", json={"position": 0})
    assert [each["key"] for each in client.get("/rules").json()] == ["refund", "bug", "billing"]

    api.kit.say("I want a refund")
    [message] = client.get("/messages").json()["items"]
    assert (message["category"], message["priority"]) == ("billing", "high")
    assert client.delete("/rules/refund").status_code == 204
    assert is_problem(client.get("/rules/refund"), 404)


def test_a_rule_that_cannot_work_is_refused_and_says_where(api):
    client = api.client("configure")

    for rule, field in (
        ({"when": {"text_matches": "("}, "then": {"category": "bug"}}, "when.text_matches"),
        ({"when": {"bot": ["nobody"]}, "then": {"category": "bug"}}, "when.bot"),
        ({"when": {}, "then": {}}, "then"),
        ({"when": {}, "then": {"category": "gone"}}, "then.category"),
    ):
        answer = client.put("/rules/new", json=rule)
        assert is_problem(answer, 422)
        assert answer.json()["field"] == field
    assert is_problem(client.put("/rules/Not A Key", json=RULE), 422)
    assert [row.key for row in api.kit.sql("select key from rule order by position")] == ["bug", "billing"]


def test_a_route_comes_back_as_it_was_written(api):
    api.kit.vendor("jira")
    client = api.client("read", "configure")
    route = {
        "when": {"category": ["bug"]}, "strategy": "parallel", "destinations": ["jira"], "continue": False,
        "default": False, "when_wrong": "comment", "reply": {"": "It is done."}, "enabled": True,
    }  # fmt: skip

    assert client.put("/routes/bugs", json=route).json() == route | {"key": "bugs"}
    assert client.get("/routes").json() == [route | {"key": "bugs"}]
    assert is_problem(client.put("/routes/bugs", json=route | {"destinations": ["gone"]}), 422)
    assert client.delete("/routes/bugs").status_code == 204


def test_bots_and_destinations_are_shown_with_their_secrets_masked(api):
    owner = Actor(None, "mia@acme.test", Role.OWNER, api.kit.workspace_id)
    connections.save_destination(owner, "linear", "linear", {"api_key": "lin_secret", "team": "SUP"})
    client = api.client("read")

    [bot] = client.get("/bots").json()
    [destination] = client.get("/destinations").json()

    assert (bot["key"], bot["channel"], bot["config"]["token"]) == ("tg", "telegram", "••••••••")
    assert (destination["connector"], destination["config"]["api_key"]) == ("linear", "••••••••")
    assert destination["config"]["team"] == "SUP"
    everything = client.get("/bots").text + client.get("/destinations").text + client.get("/configuration").text
    assert "lin_secret" not in everything and "1:a" not in everything and "hook_key" not in everything


def test_the_configuration_is_the_file_that_can_be_applied(api):
    answer = api.client("read").get("/configuration")

    assert answer.headers["content-type"] == "application/yaml"
    written = yaml.safe_load(answer.text)
    assert [part["key"] for part in written["categories"]] == ["bug", "billing"]
    assert written["bots"][0]["config"]["token"].startswith("${OCTOPUS_")


def test_the_figures_are_those_of_the_overview(api):
    api.kit.vendor("jira")
    api.kit.route("jira")
    api.kit.say("#bug it broke")
    api.kit.say("hello", chat=2)

    figures = api.client("read").get("/figures", params={"hours": 1}).json()

    assert (figures["received"]["count"], figures["delivered"]["count"], figures["review"]["waiting"]) == (2, 1, 1)
    assert [each["key"] for each in figures["bots"]] == ["tg"]
    assert [each["key"] for each in figures["destinations"]] == ["jira"]


def test_what_a_program_writes_is_live_at_once_a_release_and_not_what_people_draft(api):
    workspace_id = api.kit.workspace_id
    mia = Actor(None, "mia@acme.test", Role.MANAGER, workspace_id)
    taxonomy.save_category(mia, "draft", "Draft")
    client = api.client("read", "configure")

    client.put("/categories/wish", json={"name": "Wish"})

    assert [each["key"] for each in client.get("/categories").json()] == ["bug", "billing", "wish"]
    newest = releases.list_releases(workspace_id)[0]
    assert newest.actor.startswith("key:") and [change.key for change in newest.changes] == ["wish"]
    assert [row.key for row in taxonomy.categories(workspace_id)] == ["bug", "billing", "wish", "draft"]

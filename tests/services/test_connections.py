"""Bots, destinations and LLM accounts: saved with their secrets hidden, asked without holding the database."""

import json
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from werkzeug import Response

from app.classify import llm
from app.db.engine import engine
from app.db.tables import Bot, Destination, LlmAccount
from app.domain.errors import BadSignature, Forbidden, InvalidInput, Unauthorized
from app.domain.messages import RawRequest
from app.domain.tasks import Target
from app.services import audit, circuits, connections, crm_hooks, releases, secrets, sync, taxonomy
from app.services.members import Actor, Role
from connectors import registry
from tests.services.test_audit import write

TELEGRAM = {"token": "123:first-token", "webhook_secret": "first-secret"}
JIRA = {"site": "acme", "email": "a@acme.test", "token": "jira-token", "project": "SUP"}
ACCOUNT = {"provider": "openai_chat", "model": "small", "api_key": "llm-key"}


def config_of(row):
    """The stored config, decrypted."""
    return secrets.opened(row.config, row.workspace_id, f"{row.__tablename__}/{row.id}")


def acting(actor: Actor, role: Role) -> Actor:
    return Actor(None, actor.email, role, actor.workspace_id)


# ---- saving


def test_a_new_bot_is_kept_with_its_secrets_encrypted_and_an_address_of_its_own(actor):
    bot = connections.save_bot(actor, "tg", "telegram", TELEGRAM, "Support")

    [kept] = connections.bots(actor.workspace_id)
    assert "first-token" not in json.dumps(kept.config) and config_of(kept) == TELEGRAM
    assert connections.hook_url(kept).endswith(f"/hooks/telegram/{bot.hook_key}")
    assert len(bot.hook_key) >= 32


def test_a_secret_left_empty_or_masked_stays_and_the_address_too(actor):
    whole = TELEGRAM | {"base_url": "https://proxy.acme.test"}
    first = connections.save_bot(actor, "tg", "telegram", whole)

    again = connections.save_bot(
        actor, "tg", "telegram", {"token": "", "webhook_secret": secrets.MASK, "base_url": "https://proxy.acme.test/"}
    )

    assert config_of(again) == whole
    assert again.hook_key == first.hook_key


@pytest.mark.parametrize(("old", "new"), [("", "https://mine.test"), ("https://proxy.acme.test", "")])
def test_a_stored_secret_is_never_sent_to_another_address(actor, old, new):
    bot = connections.save_bot(actor, "tg", "telegram", TELEGRAM | {"base_url": old})

    for use in (connections.save_bot, lambda actor, key, channel, values: connections.check(bot, values)):
        with pytest.raises(InvalidInput, match="typed again") as refused:
            use(actor, "tg", "telegram", {"token": "", "webhook_secret": "typed", "base_url": new})
        assert refused.value.field == "base_url"

    assert config_of(connections.save_bot(actor, "tg", "telegram", TELEGRAM | {"base_url": new})).get("base_url") == (
        new or None
    )


def test_a_plain_value_left_empty_is_gone(actor):
    connections.save_destination(actor, "jira", "jira", JIRA | {"issue_type": "Bug"})

    again = connections.save_destination(actor, "jira", "jira", {**JIRA, "token": "", "issue_type": ""})

    assert config_of(again)["issue_type"] == "Task"


def test_wrong_input_names_the_field_and_changes_nothing(actor, audited):
    with pytest.raises(InvalidInput) as wrong:
        connections.save_bot(actor, "tg", "telegram", TELEGRAM | {"token": "no token at all"})

    assert wrong.value.field == "token"
    assert "no token at all" not in str(wrong.value)
    assert connections.bots(actor.workspace_id) == [] and audited() == []


@pytest.mark.parametrize("key", ["", "Tg", "-tg", "t g", "é", "a" * 64, "tg\n"])
def test_a_key_outside_the_alphabet_is_refused(actor, key):
    with pytest.raises(InvalidInput) as wrong:
        connections.save_bot(actor, key, "telegram", TELEGRAM)

    assert wrong.value.field == "key"


def test_a_key_does_not_change_its_channel_or_connector(actor):
    connections.save_bot(actor, "main", "telegram", TELEGRAM)
    connections.save_destination(actor, "main", "jira", JIRA)

    for change in (
        lambda: connections.save_bot(actor, "main", "slack", {"bot_token": "x", "signing_secret": "y"}),
        lambda: connections.save_destination(actor, "main", "linear", {"api_key": "k", "team": "t"}),
    ):
        with pytest.raises(InvalidInput) as wrong:
            change()
        assert wrong.value.field == "key"


def test_an_unknown_channel_or_placeholder_is_refused(actor):
    with pytest.raises(InvalidInput) as channel:
        connections.save_bot(actor, "tg", "carrier-pigeon", TELEGRAM)
    with pytest.raises(InvalidInput) as template:
        connections.save_destination(actor, "jira", "jira", JIRA, fields={"summary": "{message.titel}"})

    assert (channel.value.field, template.value.field) == ("channel", "fields.summary")


def test_the_field_mapping_stays_when_it_is_not_given(actor):
    connections.save_destination(actor, "jira", "jira", JIRA, fields={"summary": "{message.title}"})

    again = connections.save_destination(actor, "jira", "jira", JIRA)

    assert again.fields == {"summary": "{message.title}"}


def test_new_llm_accounts_stand_at_the_end_and_are_read_back_by_the_workers_model(actor):
    for key in ("main", "spare"):
        connections.save_llm_account(actor, key, ACCOUNT)

    rows = connections.llm_accounts(actor.workspace_id)
    assert [(row.key, row.position) for row in rows] == [("main", 0), ("spare", 1)]
    assert llm.Account.model_validate({"key": "main", **config_of(rows[0])}).api_key.get_secret_value() == "llm-key"


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
def test_agents_and_viewers_change_nothing(actor, sql, audited, role):
    connections.save_bot(actor, "tg", "telegram", TELEGRAM)
    connections.save_destination(actor, "jira", "jira", JIRA)
    connections.save_llm_account(actor, "main", ACCOUNT)
    before, somebody = audited(), acting(actor, role)

    for attempt in (
        lambda: connections.save_bot(somebody, "tg2", "telegram", TELEGRAM),
        lambda: connections.save_destination(somebody, "jira2", "jira", JIRA),
        lambda: connections.save_llm_account(somebody, "main2", ACCOUNT),
        lambda: connections.delete_bot(somebody, "tg"),
        lambda: connections.delete_destination(somebody, "jira"),
        lambda: connections.delete_llm_account(somebody, "main"),
        lambda: connections.set_webhook(somebody, "tg"),
        lambda: connections.restore(somebody, connections.Removed(Bot(key="x"), kept=True)),
    ):
        with pytest.raises(Forbidden, match=role):
            attempt()

    assert audited() == before


def test_a_viewer_does_not_learn_which_routes_use_a_destination(actor):
    connections.save_destination(actor, "jira", "jira", JIRA)
    taxonomy.save_route(actor, "bugs", {}, "failover", ["jira"])

    with pytest.raises(Forbidden):
        connections.delete_destination(acting(actor, Role.VIEWER), "jira")


# ---- the record


def test_the_record_shows_before_and_after_without_a_secret(actor, sql):
    connections.save_destination(actor, "jira", "jira", JIRA)
    connections.save_destination(actor, "jira", "jira", JIRA | {"project": "OPS"})

    changed, added = audit.entries(actor.workspace_id, audit.Wanted(noun="destination"))
    assert (added.actor, added.action, added.before) == (actor.email, "add", None)
    assert (changed.before["config"]["project"], changed.after["config"]["project"]) == ("SUP", "OPS")
    assert changed.after["config"]["token"] == secrets.MASK
    assert "jira-token" not in str(sql("select before, after from audit_entry"))


@pytest.mark.parametrize("save", ["bot", "destination", "llm_account"])
def test_changing_nothing_but_a_secret_is_recorded_with_the_secrets_name(actor, sql, save):
    def again(secret: str) -> None:
        if save == "bot":
            connections.save_bot(actor, "x", "telegram", TELEGRAM | {"token": f"1:{secret}"})
        elif save == "destination":
            connections.save_destination(actor, "x", "jira", JIRA | {"token": secret})
        else:
            connections.save_llm_account(actor, "x", ACCOUNT | {"api_key": secret})

    again("old-secret")
    again("new-secret")
    again("new-secret")  # nothing changed, nothing to record

    changed, _added = audit.entries(actor.workspace_id, audit.Wanted(noun=save))
    name = "api_key" if save == "llm_account" else "token"
    assert (changed.action, changed.after["new_secrets"]) == ("change", [name])
    assert "-secret'" not in str(sql("select before, after from audit_entry"))


# ---- removing and putting back


def test_a_deleted_bot_comes_back_as_it_was(actor, audited):
    first = connections.save_bot(actor, "tg", "telegram", TELEGRAM, "Support")

    removed = connections.delete_bot(actor, "tg")
    gone = connections.bots(actor.workspace_id)
    connections.restore(actor, removed)

    [back] = connections.bots(actor.workspace_id)
    assert gone == []
    assert (back.hook_key, back.name, config_of(back)) == (first.hook_key, "Support", TELEGRAM)
    assert [action for _actor, action, _noun, _key in audited()] == ["add", "delete", "restore"]


def test_what_took_the_key_meanwhile_is_not_overwritten_by_an_undo(actor):
    connections.save_bot(actor, "tg", "telegram", TELEGRAM, "Old")
    removed = connections.delete_bot(actor, "tg")
    connections.save_bot(actor, "tg", "telegram", TELEGRAM, "New")

    with pytest.raises(InvalidInput, match="tg"):
        connections.restore(actor, removed)

    assert [row.name for row in connections.bots(actor.workspace_id)] == ["New"]


def test_a_bot_that_received_messages_is_switched_off_and_back_on(kit, actor):
    kit.say("#bug hello")

    removed = connections.delete_bot(actor, "tg")
    off = [row.enabled for row in connections.bots(actor.workspace_id)]
    connections.restore(actor, removed)

    assert (removed.kept, off) == (True, [False])
    assert [row.enabled for row in connections.bots(actor.workspace_id)] == [True]


def test_a_destination_with_deliveries_is_switched_off_and_keeps_them(kit, actor):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("#bug hello")
    taxonomy.delete(actor, taxonomy.Route, "bugs")
    with pytest.raises(InvalidInput, match="route 'bugs'"):  # it is live until that is published
        connections.delete_destination(actor, "jira")
    releases.publish(actor)

    removed = connections.delete_destination(actor, "jira")

    assert removed.kept and kit.states() == [("jira", "delivered")]
    assert [row.enabled for row in connections.destinations(actor.workspace_id)] == [False]


def test_a_destination_in_use_is_not_deleted_and_the_routes_are_named(actor):
    connections.save_destination(actor, "jira", "jira", JIRA)
    for key in ("bugs", "rest"):
        taxonomy.save_route(actor, key, {}, "failover", ["jira"])

    with pytest.raises(InvalidInput, match="route 'bugs', route 'rest'"):
        connections.delete_destination(actor, "jira")


def test_a_bot_a_rule_asks_for_is_not_deleted_and_the_rule_is_named(actor):
    connections.save_bot(actor, "tg", "telegram", TELEGRAM)
    taxonomy.save_rule(actor, "support", {"any": [{"bot": ["tg"]}]}, {"tag": "support"})

    with pytest.raises(InvalidInput, match="rule 'support'"):
        connections.delete_bot(actor, "tg")

    assert [row.key for row in connections.bots(actor.workspace_id)] == ["tg"]


def test_a_bot_with_messages_is_switched_off_although_a_rule_asks_for_it(kit, actor):
    kit.say("#bug hello")
    taxonomy.save_rule(actor, "support", {"bot": ["tg"]}, {"tag": "support"})

    assert connections.delete_bot(actor, "tg").kept


def test_switching_off_and_back_on_is_recorded_with_before_and_after(kit, actor, sql):
    kit.say("#bug hello")
    connections.restore(actor, connections.delete_bot(actor, "tg"))

    rows = sql("select action, before, after from audit_entry where noun = 'bot' order by id desc limit 2")

    enabled = {row.action: (row.before["enabled"], row.after["enabled"]) for row in rows}
    assert enabled == {"switch off": (True, False), "restore": (False, True)}


def test_deleting_twice_says_that_it_is_gone(actor):
    connections.save_llm_account(actor, "main", ACCOUNT)
    connections.delete_llm_account(actor, "main")

    with pytest.raises(InvalidInput, match="main"):
        connections.delete_llm_account(actor, "main")


# ---- parked connections


def test_a_destination_saved_again_sends_what_waited_for_it(kit, actor):
    jira = kit.vendor("jira", script=[Unauthorized("The token was revoked.")])
    kit.route("jira")
    kit.say("#bug hello")
    parked = kit.states(), kit.sql("select parked_reason from destination_health")[0].parked_reason
    [row] = connections.destinations(actor.workspace_id)

    connections.save_destination(actor, "jira", "scripted", row.config)
    circuits.forget()
    kit.deliver()

    assert parked == ([("jira", "retrying")], "The token was revoked.")
    assert kit.states() == [("jira", "delivered")]
    assert len(jira.tasks) == 1


def test_an_llm_account_saved_again_is_asked_again(actor, sql):
    row = connections.save_llm_account(actor, "main", ACCOUNT)
    sql(
        "insert into llm_account_health (llm_account_id, workspace_id, failures, pauses, last_error, parked_reason) "
        "values (%(id)s, %(workspace)s, 3, 2, 'no', 'The key is dead.')",
        id=row.id, workspace=actor.workspace_id,
    )  # fmt: skip

    connections.save_llm_account(actor, "main", ACCOUNT)

    [health] = sql("select parked_reason, failures, pauses, open_until from llm_account_health")
    assert tuple(health) == ("", 0, 0, None)


# ---- asking the vendors


@pytest.fixture
def asked(httpserver):
    """Requests the vendor got, each with the number of database connections in use meanwhile."""
    seen = []

    def serve(path: str, reply: dict) -> list:
        def answer(request):
            seen.append((request, engine().pool.checkedout()))
            return Response(json.dumps(reply), content_type="application/json")

        httpserver.expect_request(path).respond_with_handler(answer)
        return seen

    return serve


def test_a_bot_is_checked_with_the_typed_values_and_the_stored_secret_and_no_transaction_open(actor, httpserver, asked):
    address = httpserver.url_for("").rstrip("/")
    bot = connections.save_bot(actor, "tg", "telegram", TELEGRAM | {"base_url": address})
    seen = asked("/bot123:first-token/getMe", {"ok": True, "result": {"id": 1, "username": "acme_bot"}})

    name = connections.check(bot, {"token": "", "base_url": address})

    assert name == "@acme_bot"
    assert [in_use for _request, in_use in seen] == [0]


def test_an_unsaved_bot_can_be_checked(actor, httpserver, asked):
    asked("/bot9:new/getMe", {"ok": True, "result": {"id": 1, "username": "new_bot"}})
    unsaved = Bot(workspace_id=actor.workspace_id, key="new", channel="telegram", hook_key=uuid4().hex)

    name = connections.check(unsaved, {"token": "9:new", "webhook_secret": "s", "base_url": httpserver.url_for("")})

    assert name == "@new_bot"
    assert connections.bots(actor.workspace_id) == []


def test_the_webhook_is_set_to_the_bots_address_and_recorded(actor, httpserver, asked, audited):
    bot = connections.save_bot(actor, "tg", "telegram", TELEGRAM | {"base_url": httpserver.url_for("")})
    seen = asked("/bot123:first-token/setWebhook", {"ok": True, "result": True})

    url = connections.set_webhook(actor, "tg")

    [(request, in_use)] = seen
    assert url == connections.hook_url(bot) == request.json["url"]
    assert (request.json["secret_token"], in_use) == ("first-secret", 0)
    assert audited()[-1] == (actor.email, "set webhook", "bot", "tg")


def test_the_webhook_of_a_bot_that_is_gone_is_a_clear_error(actor):
    with pytest.raises(InvalidInput, match="tg"):
        connections.set_webhook(actor, "tg")


def test_targets_are_asked_with_the_stored_token(actor, httpserver, asked):
    jira = connections.save_destination(actor, "jira", "jira", JIRA | {"base_url": httpserver.url_for("")})
    page = {"values": [{"name": "Support", "key": "SUP"}], "isLast": True}
    seen = asked("/rest/api/3/project/search", page)

    found = connections.targets(jira)

    assert found == [Target("Support (SUP)", {"project": "SUP"})]
    assert seen[0][0].authorization.password == "jira-token"


def test_an_llm_account_is_checked_with_what_the_form_holds_not_with_what_is_stored(actor, httpserver, asked):
    address = httpserver.url_for("/v1")
    saved = connections.save_llm_account(actor, "main", ACCOUNT | {"base_url": address, "price_in": 1.0})
    seen = asked("/v1/chat/completions", {
        "choices": [{"message": {"content": '{"category": "greeting"}'}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    })  # fmt: skip

    typed = {"provider": "openai_chat", "model": "larger", "api_key": "", "base_url": address}
    said = connections.check(saved, typed)

    [(request, in_use)] = seen
    assert said.startswith("larger: ") and request.json["model"] == "larger"
    assert (request.headers["Authorization"], in_use) == ("Bearer llm-key", 0)


# ---- between workspaces


def test_another_workspace_sees_and_changes_nothing(actor, neighbour):
    connections.save_bot(actor, "tg", "telegram", TELEGRAM)
    connections.save_destination(actor, "jira", "jira", JIRA)
    connections.save_llm_account(actor, "main", ACCOUNT)
    write(actor.workspace_id, "bugs")

    for seen in (connections.bots, connections.destinations, connections.llm_accounts):
        assert seen(neighbour.workspace_id) == []
    for delete, key in (
        (connections.delete_bot, "tg"), (connections.delete_destination, "jira"),
        (connections.delete_llm_account, "main"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=key):
            delete(neighbour, key)
    assert len(connections.bots(actor.workspace_id)) == 1


def test_the_same_key_in_another_workspace_is_another_bot(actor, neighbour):
    mine = connections.save_bot(actor, "tg", "telegram", TELEGRAM)
    theirs = connections.save_bot(neighbour, "tg", "telegram", TELEGRAM)

    assert mine.id != theirs.id and mine.hook_key != theirs.hook_key


@pytest.mark.parametrize(
    ("row", "module"),
    [
        (Bot(key="k", channel="slack", hook_key="h"), registry.channel("slack").Config),
        (Destination(key="k", connector="jira"), registry.crm("jira").Config), (LlmAccount(key="k"), llm.Account),
    ],
)  # fmt: skip
def test_the_form_is_drawn_from_the_adapters_own_config(row, module):
    assert connections.config_model(row) is module


def test_one_click_sets_the_crms_webhook_and_keeps_its_secret_sealed(actor, httpserver, audited):
    """Against Linear's own answers; the secret is one that Octopus chooses."""
    asked = []

    def answer(request):
        asked.append(request.get_json())
        data = {"webhooks": {"nodes": []}, "webhookCreate": {"success": True, "webhook": {"id": "w1"}}}
        return Response(json.dumps({"data": data}), content_type="application/json")

    httpserver.expect_request("/graphql", method="POST").respond_with_handler(answer)
    values = {"api_key": "k", "team": "t1", "base_url": httpserver.url_for("").rstrip("/")}
    connections.save_destination(actor, "linear", "linear", values)

    url = crm_hooks.set_webhook(actor, "linear")

    [row] = connections.destinations(actor.workspace_id)
    secret = config_of(row)["hook_secret"]
    assert url.endswith(f"/crm-hooks/{row.hook_key}")
    assert any(url in json.dumps(query) and secret in json.dumps(query) for query in asked)
    assert secret and secret not in json.dumps(row.config)
    with pytest.raises(Forbidden):
        crm_hooks.set_webhook(acting(actor, Role.AGENT), "linear")


def test_the_token_a_vendor_sends_first_is_kept_sealed_and_given_back_to_a_manager_only(actor):
    """Notion's: without it, nothing it sends later could be proved, and no subscription begins."""
    row = connections.save_destination(actor, "notion", "notion", {"token": "t", "data_source": "d1"})

    def arrives(token):
        sync.notice(row.hook_key, RawRequest("POST", {}, json.dumps({"verification_token": token}).encode()), 0.0)

    assert crm_hooks.kept_secret(actor, "notion") == ""
    arrives("secret_first")
    with pytest.raises(BadSignature):
        arrives("secret_planted")

    [row] = connections.destinations(actor.workspace_id)
    assert crm_hooks.kept_secret(actor, "notion") == "secret_first"
    assert "secret_first" not in json.dumps(row.config)
    with pytest.raises(Forbidden):
        crm_hooks.kept_secret(acting(actor, Role.AGENT), "notion")
    with pytest.raises(InvalidInput):
        crm_hooks.kept_secret(actor, "gone")


def test_a_webhook_its_vendor_ends_is_set_again_in_time(actor, monkeypatch, sql):
    asked = []

    class Connector:
        HOOK_LASTS = timedelta(days=6)

        def __init__(self, config, transport=None, tokens=None): ...

        def set_hook(self, url):
            asked.append(url)
            return {"hook_secret": f"secret-{len(asked)}"}

    module = SimpleNamespace(Config=registry.crm("linear").Config, Connector=Connector)
    monkeypatch.setattr(registry, "crm", lambda key: module)
    row = connections.save_destination(actor, "linear", "linear", {"api_key": "k", "team": "t1"})
    crm_hooks.set_webhook(actor, "linear")

    early = crm_hooks.renew()
    sql("update destination_sync set hook_set_at = now() - interval '3 days'")

    assert (early, crm_hooks.renew(), crm_hooks.renew()) == (0, 1, 0)
    assert asked == [crm_hooks.url(row)] * 2
    assert config_of(connections.destinations(actor.workspace_id)[0])["hook_secret"] == "secret-2"

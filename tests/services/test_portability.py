"""The configuration as a file: what it says is what there is, a mistake changes nothing, no secret is ever shown."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from sqlmodel import select

from app.db.engine import in_system, in_workspace
from app.db.tables import Category, Delivery, Membership, Person, RawEvent, Workspace
from app.domain.conditions import Condition
from app.domain.errors import InvalidInput, Unauthorized
from app.domain.rules import Actions
from app.services import circuits, configuration, connections, portability, releases, secrets, taxonomy, workspace_file
from app.services.members import Actor, Role
from app.services.workspace_file import LlmPart

ROOT = Path(__file__).parents[2]
FILES = {"bench": ROOT / "bench/workspace.yaml", "acceptance": ROOT / "../shared/acceptance/acme.yaml"}
WORLD = "http://127.0.0.1:9100"
SECRETS = ("123:hidden-a", "hidden-b", "hidden-c", "hidden-d")
FILE = """\
workspace: {key: KEY, name: Acme, locale: en, timezone: Europe/Berlin, join_window_min: 15}
bots:
  - {key: tg, channel: telegram, config: {token: "123:hidden-a", webhook_secret: hidden-b}}
categories:
  - {key: bug, name: Bug, priority: high, sla_min: 240}
  - {key: billing, name: Billing}
rules:
  - {key: outage, when: {text_matches: "(?i)down|outage"}, then: {category: bug, priority: urgent}}
  - {key: night, when: {hours: {from: "22:00", to: "06:00"}}, then: {tag: night}, continue: true}
classify:
  llm: [{key: main, provider: anthropic, model: m, api_key: hidden-c, price_in: 1.0, price_out: 5.0}]
  local: {enabled: true, target_accuracy: 0.9}
destinations:
  - {key: jira, connector: jira, fields: {summary: "{message.title}"}, config: {JIRA}}
routes:
  - {key: bugs, when: {category: [bug]}, destinations: [jira]}
  - {key: rest, default: true, strategy: parallel, destinations: [jira]}
""".replace("{JIRA}", "{site: acme, email: a@b.test, token: hidden-d, project: SUP}")


@pytest.fixture
def file(database, tmp_path):
    """A file of a workspace of its own; call it with (old, new) replacements to write it again."""
    key = f"f{uuid4().hex[:8]}"

    class File:
        path, workspace_key = tmp_path / "acme.yaml", key

        def write(self, *replacements: tuple[str, str], text: str = FILE) -> Path:
            text = text.replace("key: KEY", f"key: {key}")
            for old, new in replacements:
                assert old in text
                text = text.replace(old, new, 1)
            self.path.write_text(text)
            return self.path

        def apply(self, *replacements: tuple[str, str], **options) -> list[str]:
            return portability.apply_file(self.write(*replacements), **options)

        @property
        def workspace_id(self):
            with in_system() as session:
                return session.exec(select(Workspace.id).where(Workspace.key == key)).one()

        def sql(self, statement: str, **values) -> list:
            with in_system() as session:
                result = session.connection().exec_driver_sql(statement, {"w": self.workspace_id} | values)
                return result.all() if result.returns_rows else []

    return File()


# ---- apply


@pytest.mark.parametrize("source", FILES)
def test_a_whole_workspace_applies_as_it_stands_and_a_second_time_changes_nothing(database, monkeypatch, source):
    if not FILES[source].exists():
        pytest.skip("the acceptance file is not part of this project and not beside it")
    monkeypatch.setenv("WORLD", WORLD)
    with in_system() as session:
        session.connection().exec_driver_sql("delete from workspace where key = 'acme'")

    first = portability.apply_file(FILES[source])
    hooks = portability.hooks("acme")

    assert first[:2] == ["+ workspace acme", "+ bot tg"]
    assert len(first) == 1 + 4 + 6 + 5 + 2 + 5 + 3 and all(line.startswith("+ ") for line in first)
    assert portability.apply_file(FILES[source]) == []
    assert portability.hooks("acme") == hooks
    assert sorted(key for key, _url in hooks) == ["dc", "sl", "tg", "wa"]
    assert all(re.fullmatch(r"http://[^/]+/hooks/(telegram|slack|whatsapp|discord)/[\w-]{32}", url) for _, url in hooks)


def test_a_connectors_own_field_named_key_is_kept(file):
    trello = "{base_url: null, key: hidden-c, token: hidden-d, list: l1}"
    file.apply(("connector: jira, fields: {summary: \"{message.title}\"}, config: {site: acme, email: a@b.test, token: "
                "hidden-d, project: SUP}", f"connector: trello, config: {trello}"))  # fmt: skip

    [row] = connections.destinations(file.workspace_id)
    adapter = configuration.current(file.workspace_id).destinations["jira"].adapter
    assert adapter.config.key.get_secret_value() == "hidden-c"
    assert connections.shown(row)["key"] != "hidden-c"
    assert portability.apply_file(file.path) == []


def test_what_the_file_says_is_what_workers_read(file):
    file.apply()

    config = configuration.current(file.workspace_id)

    assert [category.key for category in config.categories] == ["bug", "billing"]
    assert [rule.key for rule in config.rules] == ["outage", "night"]
    assert [route.key for route in config.routes] == ["bugs", "rest"]
    assert config.llm_accounts[0].api_key.get_secret_value() == "hidden-c"
    assert config.destinations["jira"].fields == {"summary": "{message.title}"}
    assert (config.workspace.timezone, config.workspace.join_window_min) == ("Europe/Berlin", 15)
    assert config.workspace.settings["classify"]["local"]["target_accuracy"] == 0.9
    assert config.problems == []


def test_each_change_is_a_line_with_before_and_after(file):
    file.apply()

    lines = file.apply(
        ("category: bug, priority: urgent", "category: billing, priority: urgent"), ("project: SUP", "project: OPS"),
        ("destinations: [jira]}\n", "destinations: [jira], continue: true}\n"),
    )  # fmt: skip

    assert lines == [
        "~ rule outage: then.category bug -> billing",
        "~ destination jira: config.project SUP -> OPS",
        "~ route bugs: continue False -> True",
    ]


def test_the_order_in_the_file_is_the_order_in_the_workspace(file):
    file.apply()
    bug, billing = FILE.splitlines()[4:6]

    lines = file.apply((f"{bug}\n{billing}", f"{billing}\n{bug}"))

    assert lines == ["~ category billing: position 1 -> 0", "~ category bug: position 0 -> 1"]
    assert [row.key for row in taxonomy.categories(file.workspace_id)] == ["billing", "bug"]


def test_a_change_of_the_workspace_alone_reaches_the_workers(file):
    file.apply()
    assert configuration.current(file.workspace_id).workspace.join_window_min == 15

    lines = file.apply(("join_window_min: 15", "join_window_min: 45"))

    assert lines == [f"~ workspace {file.workspace_key}: join_window_min 15 -> 45"]
    assert configuration.current(file.workspace_id).workspace.join_window_min == 45


def test_a_dry_run_says_what_it_would_do_and_does_nothing(file):
    would = file.apply(dry_run=True)

    with pytest.raises(InvalidInput, match=file.workspace_key):
        portability.hooks(file.workspace_key)
    assert file.apply() == would


def test_two_at_once_make_one_workspace(file):
    path = file.write()

    with ThreadPoolExecutor(2) as pool:
        lines = list(pool.map(lambda _: portability.apply_file(path), range(2)))

    assert sorted(map(bool, lines)) == [False, True]


def test_a_neighbour_is_left_alone(file, neighbour):
    taxonomy.save_category(neighbour, "theirs", "Theirs")
    connections.save_bot(neighbour, "tg", "telegram", {"token": "1:x", "webhook_secret": "s"})

    file.apply()
    file.apply((FILE[FILE.index("bots:") : FILE.index("categories:")], ""))

    assert [row.key for row in taxonomy.categories(neighbour.workspace_id)] == ["theirs"]
    assert [row.enabled for row in connections.bots(neighbour.workspace_id)] == [True]


def test_the_first_owner_becomes_owner_of_a_new_workspace(file):
    with in_system() as session:
        session.add(Person(email=f"a-{uuid4().hex[:8]}@b.test", password_hash="-"))
        session.flush()
        first = session.connection().exec_driver_sql("select id from person order by created_at limit 1").scalar_one()

    file.apply()

    with in_system() as session:
        assert session.get(Membership, (first, file.workspace_id)).role == Role.OWNER


def test_the_example_of_the_documentation_applies(file, monkeypatch):
    for name in ("TG_SECRET", "ANTHROPIC_API_KEY", "JIRA_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("TG_TOKEN", "1:x")
    page = (ROOT / "docs/configuration.md").read_text()
    [example] = re.findall(r"```yaml\n(.*?)```", page, re.S)

    lines = portability.apply_file(file.write(("key: acme", f"key: {file.workspace_key}"), text=example))

    assert len(lines) == 1 + 6
    assert portability.apply_file(file.path) == []


def test_every_part_of_the_file_is_documented():
    page = (ROOT / "docs/configuration.md").read_text()
    names = {
        field.alias or name
        for part in (*workspace_file._Part.__subclasses__(), Condition, Actions, LlmPart)
        for name, field in part.model_fields.items()
    }

    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)] == []


# ---- removing


def test_what_is_not_in_the_file_goes(file):
    file.apply()

    lines = portability.apply_file(file.write(text="workspace: {key: KEY, name: Acme}\n"))

    assert [line for line in lines if line.startswith("- ")] == [
        "- route bugs", "- route rest", "- rule night", "- rule outage", "- llm_account main", "- destination jira",
        "- category billing", "- category bug", "- bot tg",
    ]  # fmt: skip
    assert portability.hooks(file.workspace_key) == []
    assert connections.destinations(file.workspace_id) == []
    assert portability.apply_file(file.path) == []


def test_a_rule_or_account_that_is_switched_off_goes_as_well(file):
    file.apply()
    file.sql("update rule set enabled = false where workspace_id = %(w)s and key = 'night'")
    file.sql("update llm_account set enabled = false where workspace_id = %(w)s")
    night = FILE[FILE.index("  - {key: night") : FILE.index("classify:")]
    account = FILE[FILE.index("  llm:") : FILE.index("  local:")]

    assert file.apply((night, ""), (account, "")) == ["- rule night", "- llm_account main"]


def test_what_history_refers_to_is_switched_off_and_its_history_stays(file):
    file.apply()
    [bot], [jira] = connections.bots(file.workspace_id), connections.destinations(file.workspace_id)
    with in_workspace(file.workspace_id) as session:
        session.add(RawEvent(workspace_id=bot.workspace_id, bot_id=bot.id, event_key="1", body=b""))
        session.add(
            Delivery(workspace_id=bot.workspace_id, task_id=uuid4(), message_id=uuid4(), destination_id=jira.id)
        )

    portability.apply_file(file.write(text="workspace: {key: KEY, name: Acme}\n"))
    off = [*connections.bots(file.workspace_id), *connections.destinations(file.workspace_id)]
    again = portability.apply_file(file.path)
    back = file.apply()

    assert [(row.key, row.enabled) for row in off] == [("tg", False), ("jira", False)]
    assert again == []
    assert {"~ bot tg: enabled False -> True", "~ destination jira: enabled False -> True"} <= set(back)
    assert [row.key for row in taxonomy.categories(file.workspace_id)] == ["bug", "billing"]


# ---- secrets


def everything_said(file, lines: list[str]) -> str:
    kept = file.sql("select before, after from audit_entry where workspace_id = %(w)s")
    config = file.sql("select config from bot where workspace_id = %(w)s")
    return (
        "\n".join(lines) + json.dumps([list(row) for row in (*kept, *config)]) + portability.export(file.workspace_key)
    )


def test_no_secret_is_printed_recorded_or_exported(file):
    lines = file.apply()
    lines += file.apply(("hidden-b", "hidden-x"), ("hidden-c", "hidden-y"), ("hidden-d", "hidden-z"))

    assert lines[-3:] == [
        "~ bot tg: config.webhook_secret is new", "~ llm_account main: config.api_key is new",
        "~ destination jira: config.token is new",
    ]  # fmt: skip
    assert "hidden" not in everything_said(file, lines)


def test_no_secret_shows_when_a_key_changes_its_channel_or_connector(file):
    lines = file.apply()
    lines += file.apply(
        ('channel: telegram, config: {token: "123:hidden-a", webhook_secret: hidden-b}',
         "channel: slack, config: {bot_token: xoxb-hidden, signing_secret: hidden}"),
        ("connector: jira", "connector: linear"),
        ("{site: acme, email: a@b.test, token: hidden-d, project: SUP}", "{api_key: hidden, team: t1}"),
    )  # fmt: skip

    assert "~ destination jira: connector jira -> linear" in lines
    assert "hidden" not in everything_said(file, lines)


def test_a_new_secret_is_stored_and_what_waited_for_it_is_tried_at_once(file):
    file.apply()
    [jira] = connections.destinations(file.workspace_id)
    circuits.failed(circuits.DestinationHealth, file.workspace_id, jira.id, Unauthorized("The token was revoked."))

    file.apply(("hidden-d", "fresh-token"))

    [row] = connections.destinations(file.workspace_id)
    assert secrets.opened(row.config, row.workspace_id, f"destination/{row.id}")["token"] == "fresh-token"
    assert [tuple(row) for row in file.sql(
        "select parked_reason, failures from destination_health where workspace_id = %(w)s"
    )] == [("", 0)]  # fmt: skip


def test_what_apply_changes_is_recorded_as_the_operators(file):
    file.apply()

    rows = file.sql("select distinct actor from audit_entry where workspace_id = %(w)s")

    assert [row.actor for row in rows] == ["cli"]


def test_what_apply_removes_is_recorded_as_it_was_without_a_secret(file):
    file.apply()
    file.apply(('  - {key: tg, channel: telegram, config: {token: "123:hidden-a", webhook_secret: hidden-b}}\n', ""),
               ("bots:\n", "bots: []\n"), ("  - {key: billing, name: Billing}\n", ""))  # fmt: skip

    rows = file.sql(
        "select noun, before, after from audit_entry where action = 'remove' and workspace_id = %(w)s order by noun"
    )

    bot, category = rows
    assert (bot.before["channel"], bot.before["config"]["token"], bot.after) == ("telegram", secrets.MASK, None)
    assert category.before["archived_at"] is None
    assert category.after["archived_at"] is not None


# ---- export


def variables(file, **values: str) -> dict[str, str]:
    start = f"OCTOPUS_{file.workspace_key.upper()}_"
    named = {
        "TG_TOKEN": SECRETS[0], "TG_WEBHOOK_SECRET": SECRETS[1], "MAIN_API_KEY": SECRETS[2], "JIRA_TOKEN": SECRETS[3]
    }  # fmt: skip
    return {start + name: value for name, value in (named | values).items()}


def apply_export(file, monkeypatch, values: dict[str, str]) -> list[str]:
    text = portability.export(file.workspace_key)
    for name in re.findall(r"(?<!\$)\$\{(\w+)\}", text):
        monkeypatch.setenv(name, values[name])
    file.path.write_text(text)
    return portability.apply_file(file.path)


def test_an_export_applies_without_a_change(file, monkeypatch):
    file.apply()

    assert apply_export(file, monkeypatch, variables(file)) == []


@pytest.mark.parametrize("source", FILES)
def test_the_export_of_a_whole_workspace_applies_without_a_change(database, monkeypatch, tmp_path, source):
    if not FILES[source].exists():
        pytest.skip("the acceptance file is not part of this project and not beside it")
    monkeypatch.setenv("WORLD", WORLD)
    portability.apply_file(FILES[source])
    content = yaml.safe_load(FILES[source].read_text())
    for noun in ("bots", "destinations"):
        for part in content[noun]:
            for name, value in part["config"].items():
                monkeypatch.setenv(f"OCTOPUS_ACME_{part['key']}_{name}".upper(), value)
    for account in content["classify"]["llm"]:
        monkeypatch.setenv(f"OCTOPUS_ACME_{account['key']}_API_KEY".upper(), account["api_key"])

    path = tmp_path / "export.yaml"
    path.write_text(portability.export("acme"))

    assert portability.apply_file(path) == []
    assert WORLD in path.read_text()


def test_what_people_set_up_on_screens_is_exported_and_applies_without_a_change(file, monkeypatch):
    file.apply()
    actor = Actor(None, "mia@acme.test", Role.MANAGER, file.workspace_id)
    taxonomy.save_rule(actor, "day", {"hours": {"from": "09:00", "to": "17:00"}}, {"tag": "day"}, enabled=False)
    taxonomy.save_category(actor, "odd", "Odd", "Writes ${HOME} and $${HOME} into the chat")
    taxonomy.move(actor, Category, "odd", 0)
    taxonomy.delete(actor, Category, "billing")
    account = {"provider": "openai", "model": "m", "api_key": "hidden-e"}
    connections.save_llm_account(actor, "spare", account, enabled=False)
    jira = {"site": "acme", "email": "a@b.test", "project": "SUP"}
    connections.save_destination(actor, "jira", "jira", jira, rate_per_s=2.5, enabled=False)
    connections.save_bot(actor, "tg", "telegram", {}, "Support", enabled=False)
    releases.publish(actor)

    before = portability.export(file.workspace_key)
    apply_export(file, monkeypatch, variables(file, SPARE_API_KEY="hidden-e"))

    assert portability.export(file.workspace_key) == before
    assert apply_export(file, monkeypatch, variables(file, SPARE_API_KEY="hidden-e")) == []


def test_two_secrets_never_share_a_variable(file, monkeypatch):
    file.apply((
        "destinations:\n",
        "destinations:\n  - {key: main, connector: linear, config: {api_key: hidden-1, team: t}}\n"
        "  - {key: a-b, connector: linear, config: {api_key: hidden-2, team: t}}\n"
        "  - {key: a_b, connector: linear, config: {api_key: hidden-3, team: t}}\n",
    ))  # fmt: skip

    named = re.findall(r"\$\{(\w+)\}", portability.export(file.workspace_key))

    assert len(named) == len(set(named)) == 7
    values = variables(
        file, LLM_ACCOUNT_MAIN_API_KEY="hidden-c", DESTINATION_MAIN_API_KEY="hidden-1",
        DESTINATION_A_B_API_KEY="hidden-2", DESTINATION_A_B_API_KEY_2="hidden-3",
    )  # fmt: skip
    assert apply_export(file, monkeypatch, values) == []


def test_each_part_of_an_export_begins_with_its_key(file):
    file.apply()

    content = yaml.safe_load(portability.export(file.workspace_key))

    parts = [content["workspace"], *content["bots"], *content["categories"], *content["rules"], *content["routes"]]
    assert {next(iter(part)) for part in parts} == {"key"}


def test_nobody_exports_a_workspace_that_does_not_exist(database):
    with pytest.raises(InvalidInput, match="nowhere"):
        portability.export("nowhere")


# ---- mistakes


@pytest.mark.parametrize(
    ("old", "new", "line", "place", "said"),
    [
        ("name: Bug,", "nmae: Bug,", 5, "categories.0.name", "required"),
        ("sla_min: 240", "sla_min: soon", 5, "categories.0.sla_min", "integer"),
        ("sla_min: 240", "sla: 240", 5, "categories.0.sla", "not permitted"),
        ("sla_min: 240", "sla_min: 240, name: Twice", 5, "categories.0.name", "twice"),
        ("key: billing", "key: bug", 6, "categories.1.key", "twice"),
        ("key: billing", "key: B!", 6, "categories.1.key", "match"),
        ("(?i)down|outage", "(down", 8, "rules.0.when.text_matches", "regular expression"),
        ("category: bug, p", "category: bugs, p", 8, "rules.0.then.category", "'bugs'"),
        ('text_matches: "(?i)down|outage"', "bot: [sl]", 8, "rules.0.when.bot", "'sl'"),
        ('text_matches: "(?i)down|outage"', "channel: [fax]", 8, "rules.0.when.channel", "'fax'"),
        ('text_matches: "(?i)down|outage"', "not: {language: [eng]}", 8, "rules.0.when.not.language", "'eng'"),
        ("key: outage", "key: Out Age", 8, "rules.0.key", "small letters"),
        ("provider: anthropic", "provider: oracle", 11, "classify.llm.0.provider", "anthropic"),
        ("key: main", "key: Main!", 11, "classify.llm.0.key", "small letters"),
        ("target_accuracy: 0.9", "target_accuracy: 9", 12, "classify.local.target_accuracy", "less than 1"),
        ("channel: telegram", "channel: pigeon", 3, "bots.0.channel", "'pigeon'"),
        ("token: \"123:hidden-a\"", "token: 123", 3, "bots.0.config.token", "string"),
        ("token: \"123:hidden-a\", ", "", 3, "bots.0.config.token", "required"),
        ("project: SUP", "projekt: SUP", 14, "destinations.0.config.project", "required"),
        ("{message.title}", "{message.titel}", 14, "destinations.0.fields.summary", "message.titel"),
        ("when: {category: [bug]}", "when: {any: [{category: [gone]}]}", 16, "routes.0.when.any.0.category", "'gone'"),
        ("destinations: [jira]}", "destinations: [jura]}", 16, "routes.0.destinations.0", "'jura'"),
        ("destinations: [jira]}", "destinations: [jira, jira]}", 16, "routes.0.destinations.1", "twice"),
        ("destinations: [jira]}", "default: true, destinations: [jira]}", 17, "routes.1.default", "default"),
        ("strategy: parallel", "strategy: both", 17, "routes.1.strategy", "parallel"),
        ("Europe/Berlin", "Europe/Atlantis", 1, "workspace.timezone", "time zone"),
        ("hidden-d", '"${OCTOPUS_NOT_SET}"', 14, "destinations.0.config.token", "OCTOPUS_NOT_SET"),
        ("bots:", "robots:", 2, "robots", "not permitted"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_changes_nothing(file, old, new, line, place, said):
    file.apply(("name: Acme", "name: Before"))

    with pytest.raises(InvalidInput) as wrong:
        file.apply((old, new))

    text = str(wrong.value)
    assert text.startswith(f"{file.path}:{line}: {place}: ") and wrong.value.field == place
    assert said in text and not any(secret in text for secret in SECRETS)
    assert file.sql("select name from workspace where id = %(w)s")[0].name == "Before"


@pytest.mark.parametrize(
    ("text", "line"),
    [("workspace: {key: a\nbots: ]", 2), ("", None), ("- a list", None), ("\nworkspace: {key: ${UNQUOTED}}", 2)],
)
def test_a_file_that_is_no_mapping_says_so(file, text, line):
    file.path.write_text(text)

    with pytest.raises(InvalidInput) as wrong:
        portability.apply_file(file.path)

    assert str(wrong.value).startswith(f"{file.path}:{line}:" if line else f"{file.path}:")


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(InvalidInput, match="none.yaml"):
        portability.apply_file(tmp_path / "none.yaml")


def test_a_failure_half_way_through_leaves_everything_as_it_was(file, monkeypatch):
    file.apply()

    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr(portability, "_remove_others", broken)
    with pytest.raises(RuntimeError):
        file.apply(("name: Bug,", "name: Defect,"))

    assert [row.name for row in taxonomy.categories(file.workspace_id)] == ["Bug", "Billing"]


# ---- asking the vendors


def test_apply_calls_nobody_and_check_asks_each_vendor(file, httpserver):
    httpserver.expect_request("/bot123:hidden-a/getMe").respond_with_json(
        {"ok": True, "result": {"id": 1, "username": "acme_bot"}}
    )
    httpserver.expect_request("/v1/messages").respond_with_json({"error": {"message": "no"}}, status=401)
    httpserver.expect_request("/rest/api/3/myself").respond_with_json({}, status=401)
    here = httpserver.url_for("").rstrip("/")
    changes = (
        ("webhook_secret: hidden-b", f"webhook_secret: hidden-b, base_url: {here}"),
        ("api_key: hidden-c", f"api_key: hidden-c, base_url: {here}"), ("site: acme", f"base_url: {here}"),
    )  # fmt: skip

    file.apply(*changes)
    silent = len(httpserver.log)
    lines = file.apply(*changes, check=True)

    assert silent == 0
    assert lines[0] == "ok bot tg: @acme_bot"
    assert [line.split(":")[0] for line in lines[1:]] == ["! destination jira", "! llm_account main"]
    assert not any(secret in "\n".join(lines) for secret in SECRETS)


# ---- releases


def test_an_applied_file_is_live_at_once_and_a_release(file):
    file.apply()
    portability.apply_file(file.path)  # it says the same: no release
    file.apply(("name: Bug", "name: Bugs"))

    told = [(one.number, one.actor, one.note) for one in releases.list_releases(file.workspace_id)]
    assert told == [(2, "cli", "Applied from a file"), (1, "cli", "Applied from a file")]
    assert [change.key for change in releases.list_releases(file.workspace_id)[0].changes] == ["bug"]


def test_a_dry_run_leaves_no_release(file):
    file.apply()

    portability.apply_file(file.write(("name: Bug", "name: Bugs")), dry_run=True)

    assert len(releases.list_releases(file.workspace_id)) == 1


def test_a_file_goes_live_beside_an_open_draft(file):
    file.apply()
    actor = Actor(None, "mia@acme.test", Role.MANAGER, file.workspace_id)
    taxonomy.save_category(actor, "billing", "Money")

    file.apply(("name: Bug", "name: Bugs"))

    assert [row.name for row in taxonomy.categories(file.workspace_id)] == ["Bugs", "Money"]
    releases.publish(actor)
    assert [row.name for row in taxonomy.categories(file.workspace_id, live=True)] == ["Bugs", "Money"]


def test_the_file_and_the_draft_changing_the_same_is_refused_at_publishing(file):
    file.apply()
    actor = Actor(None, "mia@acme.test", Role.MANAGER, file.workspace_id)
    taxonomy.save_category(actor, "bug", "Mine")
    file.apply(("name: Bug", "name: Theirs"))

    with pytest.raises(InvalidInput, match="The category 'bug' was changed live"):
        releases.publish(actor)


def test_the_house_rules_travel_in_the_file(file):
    file.apply(("classify:\n", "classify:\n  instructions: Refunds are billing.\n"))

    assert yaml.safe_load(portability.export(file.workspace_key))["classify"]["instructions"] == "Refunds are billing."
    assert configuration.current(file.workspace_id).workspace.settings["classify"]["instructions"].endswith("billing.")

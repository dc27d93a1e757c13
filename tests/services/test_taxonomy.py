"""Categories, rules and routes: only what can work is saved, and every change can be taken back."""

import pytest

from app.db.tables import Category, Route, Rule
from app.domain.errors import Forbidden, InvalidInput
from app.services import audit, connections, planning, taxonomy
from app.services.members import Actor, Role

BUG = {"category": "bug"}


@pytest.fixture
def taxonomist(actor):
    """The manager, whose workspace has categories, a bot and a destination."""
    for key in ("bug", "billing", "chatter"):
        taxonomy.save_category(actor, key, key.title())
    connections.save_bot(actor, "tg", "telegram", {"token": "1:a", "webhook_secret": "s"})
    jira = {"site": "a", "email": "a@b.test", "token": "t", "project": "P"}
    connections.save_destination(actor, "jira", "jira", jira)
    return actor


def keys(rows) -> list[str]:
    return [row.key for row in rows]


# ---- categories


def test_new_categories_stand_at_the_end_and_changes_stay_in_place(taxonomist):
    taxonomy.save_category(taxonomist, "billing", "Money", "Invoices", "high", 60)

    rows = taxonomy.categories(taxonomist.workspace_id)
    assert keys(rows) == ["bug", "billing", "chatter"]
    assert (rows[1].name, rows[1].priority, rows[1].sla_min) == ("Money", "high", 60)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"key": "B!", "name": "Bug"}, "key"), ({"key": "b", "name": "  "}, "name"),
        ({"key": "b", "name": "B", "priority": "top"}, "priority"),
        ({"key": "b", "name": "B", "sla_min": 0}, "sla_min"),
    ],
)  # fmt: skip
def test_a_category_that_cannot_be_saved_names_the_field(actor, values, field):
    with pytest.raises(InvalidInput) as wrong:
        taxonomy.save_category(actor, **values)

    assert wrong.value.field == field
    assert taxonomy.categories(actor.workspace_id) == []


def test_an_archived_category_is_hidden_and_comes_back_with_what_it_was(taxonomist):
    archived = taxonomy.delete(taxonomist, Category, "billing")
    hidden = keys(taxonomy.categories(taxonomist.workspace_id))
    taxonomy.restore(taxonomist, archived)

    assert hidden == ["bug", "chatter"]
    assert keys(taxonomy.categories(taxonomist.workspace_id)) == ["bug", "billing", "chatter"]


@pytest.mark.parametrize(
    "when",
    [{"category": ["bug"]}, {"any": [{"all": [{"category": ["chatter", "bug"]}]}]}, {"not": {"category": ["bug"]}}],
)  # fmt: skip
def test_a_category_a_route_names_is_not_archived_however_deep_it_stands(taxonomist, when):
    taxonomy.save_route(taxonomist, "bugs", when, "failover", ["jira"])

    with pytest.raises(InvalidInput, match="route 'bugs'"):
        taxonomy.delete(taxonomist, Category, "bug")


def test_a_category_a_rule_sets_is_not_archived(taxonomist):
    taxonomy.save_rule(taxonomist, "outage", {"text_contains": "down"}, BUG)

    with pytest.raises(InvalidInput, match="rule 'outage'"):
        taxonomy.delete(taxonomist, Category, "bug")


@pytest.mark.parametrize("table", ["rule", "route"])
def test_a_category_a_condition_asks_for_is_not_archived(taxonomist, table):
    if table == "rule":
        taxonomy.save_rule(taxonomist, "asks", {"not": {"category": ["bug"]}}, {"tag": "other"})
    else:
        taxonomy.save_route(taxonomist, "asks", {"category": ["bug"]}, "failover", ["jira"])

    with pytest.raises(InvalidInput, match=f"{table} 'asks'"):
        taxonomy.delete(taxonomist, Category, "bug")

    assert "bug" in keys(taxonomy.categories(taxonomist.workspace_id))


def test_archiving_and_taking_it_back_are_recorded_with_before_and_after(taxonomist, sql):
    taxonomy.restore(taxonomist, taxonomy.delete(taxonomist, Category, "bug"))

    rows = sql("select action, before, after from audit_entry order by id desc limit 2")

    archived = {row.action: (row.before["archived_at"] is None, row.after["archived_at"] is None) for row in rows}
    assert archived == {"archive in draft": (True, False), "restore in draft": (False, True)}


# ---- rules and routes


def test_a_rule_is_kept_as_the_file_writes_it(taxonomist):
    when = {"hours": {"from": "09:00", "to": "17:30"}, "not": {"text_matches": "(?i)spam"}}

    row = taxonomy.save_rule(taxonomist, "day", when, BUG | {"priority": "high"}, go_on=True)

    assert row.conditions == {
        "hours": {"from": "09:00:00", "to": "17:30:00", "days": [1, 2, 3, 4, 5, 6, 7]},
        "not": {"text_matches": "(?i)spam"},
    }
    assert (row.actions, row.go_on) == ({"category": "bug", "priority": "high"}, True)


@pytest.mark.parametrize(
    ("when", "then", "field"),
    [
        ({"text_matches": "("}, BUG, "when.text_matches"),
        ({"text_contians": "x"}, BUG, "when.text_contians"),
        ({"text_contains": "x"}, {"category": "gone"}, "then.category"),
        ({"text_contains": "x"}, {}, "then"),
        ({"bot": ["slack-1"]}, BUG, "when.bot"),
        ({"channel": ["pigeon"]}, BUG, "when.channel"),
        ({"language": ["en", "english"]}, BUG, "when.language"),
        ({"any": [{"text_contains": "x"}, {"not": {"language": ["EN"]}}]}, BUG, "when.any.1.not.language"),
    ],
)
def test_a_rule_that_could_not_work_names_the_field(taxonomist, when, then, field):
    with pytest.raises(InvalidInput) as wrong:
        taxonomy.save_rule(taxonomist, "r", when, then)

    assert wrong.value.field == field
    assert taxonomy.list_rules(taxonomist.workspace_id) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"when": {"category": ["gone"]}}, "when.category"),
        ({"when": {"all": [{"category": ["bug", "gone"]}]}}, "when.all.0.category"),
        ({"when": {"sentiment": ["angry"]}}, "when.sentiment.0"),
        ({"strategy": "both"}, "strategy"),
        ({"destinations": []}, "destinations"),
        ({"destinations": ["jira", "jira"]}, "destinations"),
        ({"destinations": ["jira", "notion"]}, "destinations"),
    ],
)
def test_a_route_that_could_not_work_names_the_field(taxonomist, changes, field):
    route = {"when": {}, "strategy": "failover", "destinations": ["jira"]} | changes

    with pytest.raises(InvalidInput) as wrong:
        taxonomy.save_route(taxonomist, "r", **route)

    assert wrong.value.field == field
    assert taxonomy.routes(taxonomist.workspace_id) == []


def test_nothing_new_may_name_an_archived_category(taxonomist):
    taxonomy.delete(taxonomist, Category, "bug")

    with pytest.raises(InvalidInput, match="bug"):
        taxonomy.save_rule(taxonomist, "r", {"text_contains": "x"}, BUG)
    with pytest.raises(InvalidInput, match="bug"):
        taxonomy.save_route(taxonomist, "r", {"category": ["bug"]}, "failover", ["jira"])


def test_there_is_one_default_route(taxonomist):
    taxonomy.save_route(taxonomist, "rest", {}, "failover", ["jira"], is_default=True)
    taxonomy.save_route(taxonomist, "rest", {}, "parallel", ["jira"], is_default=True)  # the same one may be changed

    with pytest.raises(InvalidInput) as wrong:
        taxonomy.save_route(taxonomist, "other", {}, "failover", ["jira"], is_default=True)

    assert (wrong.value.field, "'rest'" in str(wrong.value)) == ("is_default", True)


def test_a_deleted_rule_comes_back_at_its_place(taxonomist, audited):
    for key in ("a", "b", "c"):
        taxonomy.save_rule(taxonomist, key, {"text_contains": key}, BUG)

    removed = taxonomy.delete(taxonomist, Rule, "b")
    without = keys(taxonomy.list_rules(taxonomist.workspace_id))
    taxonomy.restore(taxonomist, removed)

    assert without == ["a", "c"]
    assert keys(taxonomy.list_rules(taxonomist.workspace_id)) == ["a", "b", "c"]
    assert [entry[1] for entry in audited()[-2:]] == ["delete in draft", "restore in draft"]


def test_a_rule_is_not_restored_over_a_newer_one_of_its_key(taxonomist):
    taxonomy.save_rule(taxonomist, "a", {"text_contains": "old"}, BUG)
    removed = taxonomy.delete(taxonomist, Rule, "a")
    taxonomy.save_rule(taxonomist, "a", {"text_contains": "new"}, BUG)

    with pytest.raises(InvalidInput, match="'a'"):
        taxonomy.restore(taxonomist, removed)

    assert [row.conditions for row in taxonomy.list_rules(taxonomist.workspace_id)] == [{"text_contains": "new"}]


# ---- order


def test_a_default_route_does_not_come_back_beside_another(taxonomist):
    taxonomy.save_route(taxonomist, "old", {}, "failover", ["jira"], is_default=True)
    removed = taxonomy.delete(taxonomist, Route, "old")
    taxonomy.save_route(taxonomist, "new", {}, "failover", ["jira"], is_default=True)

    with pytest.raises(InvalidInput, match="'new'") as wrong:
        taxonomy.restore(taxonomist, removed)

    assert wrong.value.field == "is_default"
    assert keys(taxonomy.routes(taxonomist.workspace_id)) == ["new"]


def test_a_route_does_not_come_back_to_a_destination_that_is_gone(taxonomist):
    taxonomy.save_route(taxonomist, "bugs", {}, "failover", ["jira"])
    removed = taxonomy.delete(taxonomist, Route, "bugs")
    connections.delete_destination(taxonomist, "jira")

    with pytest.raises(InvalidInput, match="'jira'") as wrong:
        taxonomy.restore(taxonomist, removed)

    assert wrong.value.field == "destinations"
    assert taxonomy.routes(taxonomist.workspace_id) == []


def test_a_rule_does_not_come_back_to_a_category_that_is_archived(taxonomist):
    taxonomy.save_rule(taxonomist, "r", {"text_contains": "x"}, BUG)
    removed = taxonomy.delete(taxonomist, Rule, "r")
    taxonomy.delete(taxonomist, Category, "bug")

    with pytest.raises(InvalidInput, match="'bug'") as wrong:
        taxonomy.restore(taxonomist, removed)

    assert wrong.value.field == "then.category"
    assert taxonomy.list_rules(taxonomist.workspace_id) == []


def test_moving_changes_the_order_and_records_both(taxonomist):
    taxonomy.move(taxonomist, Category, "chatter", 0)

    assert keys(taxonomy.categories(taxonomist.workspace_id)) == ["chatter", "bug", "billing"]
    [entry, *_] = audit.entries(taxonomist.workspace_id, audit.Wanted(noun="category"))
    assert entry.before == {"order": ["bug", "billing", "chatter"]}
    assert entry.after == {"order": ["chatter", "bug", "billing"]}


def test_moving_counts_only_the_categories_that_are_shown(taxonomist):
    taxonomy.delete(taxonomist, Category, "bug")

    taxonomy.move(taxonomist, Category, "chatter", 0)

    assert keys(taxonomy.categories(taxonomist.workspace_id)) == ["chatter", "billing"]


def test_moving_what_is_gone_says_so(taxonomist):
    with pytest.raises(InvalidInput, match="nothing"):
        taxonomy.move(taxonomist, Rule, "nothing", 0)


# ---- who may


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
def test_agents_and_viewers_change_nothing(taxonomist, audited, role):
    before, somebody = audited(), Actor(None, "a@b.test", role, taxonomist.workspace_id)

    for attempt in (
        lambda: taxonomy.save_category(somebody, "new", "New"),
        lambda: taxonomy.save_rule(somebody, "r", {"text_contains": "x"}, BUG),
        lambda: taxonomy.save_route(somebody, "r", {}, "failover", ["jira"]),
        lambda: taxonomy.move(somebody, Category, "bug", 1),
        lambda: taxonomy.delete(somebody, Category, "bug"),
        lambda: taxonomy.restore(somebody, Category(key="bug", name="Bug")),
    ):
        with pytest.raises(Forbidden, match=role):
            attempt()

    assert audited() == before


def test_another_workspace_sees_and_changes_nothing(taxonomist, neighbour):
    taxonomy.save_rule(taxonomist, "r", {"text_contains": "x"}, BUG)
    taxonomy.save_route(taxonomist, "r", {}, "failover", ["jira"])

    for seen in (taxonomy.categories, taxonomy.list_rules, taxonomy.routes):
        assert seen(neighbour.workspace_id) == []
    for table, key in ((Category, "bug"), (Rule, "r"), (Route, "r")):
        with pytest.raises(InvalidInput, match=key):
            taxonomy.delete(neighbour, table, key)
    with pytest.raises(InvalidInput, match="jira"):
        taxonomy.save_route(neighbour, "r", {}, "failover", ["jira"])


# ---- trying out


def test_a_condition_is_tried_on_past_messages_without_changing_any(kit, neighbour):
    for text in ("#bug the export hangs", "#billing refund please", "#bug the export is slow"):
        kit.say(text)
    before = kit.messages()

    found = taxonomy.would_match(kit.workspace_id, {"text_contains": "export"})

    assert (found.count, found.total) == (2, 3)
    assert [text for _id, text in found.sample] == ["#bug the export is slow", "#bug the export hangs"]
    assert kit.messages() == before
    assert taxonomy.would_match(neighbour.workspace_id, {}).total == 0


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ({"category": ["bug"]}, 1), ({"bot": ["tg"]}, 2), ({"channel": ["slack"]}, 0), ({"has_attachment": False}, 2),
        ({"not": {"category": ["bug"]}}, 1), ({}, 2),
    ],
)  # fmt: skip
def test_a_trial_knows_what_a_route_knows(kit, when, count):
    kit.say("#bug one")
    kit.say("#billing two")

    assert taxonomy.would_match(kit.workspace_id, when).count == count


def test_the_sample_is_short_and_the_count_is_whole(kit):
    kit.process(*[kit.receive(f"#bug number {number}") for number in range(taxonomy.SAMPLE + 2)])

    found = taxonomy.would_match(kit.workspace_id, {"text_contains": "number"})

    assert (found.count, len(found.sample)) == (taxonomy.SAMPLE + 2, taxonomy.SAMPLE)


def test_messages_before_the_period_are_not_counted(kit):
    kit.say("#bug one")

    assert taxonomy.would_match(kit.workspace_id, {}, days=0).total == 0


def test_routes_are_tried_on_a_past_message_and_send_nothing(kit):
    jira, notion = kit.vendor("jira"), kit.vendor("notion")
    kit.route("jira")
    kit.route("notion", key="money", when={"category": ["billing"]})
    kit.say("#bug one")
    [message] = kit.sql("select id from message")

    as_it_is = taxonomy.try_routes(kit.workspace_id, message.id)
    otherwise = taxonomy.try_routes(kit.workspace_id, message.id, "billing")

    assert isinstance(as_it_is, planning.Decision)
    assert [len(jira.tasks), len(notion.tasks)] == [1, 0]
    assert [[route.key for route in tried.plan.create] for tried in (as_it_is, otherwise)] == [["bugs"], ["money"]]

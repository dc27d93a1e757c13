"""Managers edit a draft; what they publish is one numbered release, and each can be gone back to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from app.db.engine import in_draft, in_workspace
from app.db.tables import Category, Route, Rule, Workspace
from app.domain.errors import Forbidden, InvalidInput
from app.domain.releases import ChangeKind
from app.services import configuration, connections, learning, planning, releases, taxonomy
from app.services.learning import LlmSettings, LocalSettings
from app.services.members import Actor, Role

JIRA = {"site": "acme", "email": "mia@acme.test", "token": "secret", "project": "SUP"}
BUG = {"category": "bug"}


@pytest.fixture
def manager(actor):
    """A workspace with two categories, a rule and a route that are live."""
    connections.save_destination(actor, "jira", "jira", JIRA)
    for key in ("bug", "billing"):
        taxonomy.save_category(actor, key, key.title())
    taxonomy.save_rule(actor, "outage", {"text_contains": "down"}, BUG)
    taxonomy.save_route(actor, "bugs", {"category": ["bug"]}, "failover", ["jira"])
    releases.publish(actor, "The beginning")
    return actor


def live(actor) -> dict[str, list[str]]:
    lists = (taxonomy.categories, taxonomy.list_rules, taxonomy.routes)
    return {each.__name__: [row.key for row in each(actor.workspace_id, live=True)] for each in lists}


def changed(actor) -> list[tuple[str, str, str]]:
    return [(change.noun, change.key, str(change.kind)) for change in releases.changes(actor.workspace_id)]


def content_of(sql, number: int) -> dict:
    return sql("select content from release where number = %(number)s", number=number)[0].content


def config(actor) -> configuration.Configuration:
    return configuration.current(actor.workspace_id)


# ---- the draft


def test_an_edit_is_in_the_draft_and_not_live(manager):
    taxonomy.save_category(manager, "wish", "Wish")

    assert [row.key for row in taxonomy.categories(manager.workspace_id)] == ["bug", "billing", "wish"]
    assert live(manager)["categories"] == ["bug", "billing"]
    assert changed(manager) == [("category", "wish", "added")]


def test_a_draft_says_who_began_it_and_who_changed_it_last(manager):
    taxonomy.save_category(manager, "wish", "Wish")
    taxonomy.delete(Actor(None, "tom@acme.test", Role.MANAGER, manager.workspace_id), Rule, "outage")

    draft = releases.draft(manager.workspace_id)

    assert (draft.opened_by, draft.changed_by, len(draft.changes)) == ("mia@acme.test", "tom@acme.test", 2)
    assert draft.opened_at < draft.changed_at


def test_what_is_changed_back_is_no_change(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    taxonomy.save_category(manager, "bug", "Bug")

    assert releases.draft(manager.workspace_id) is None
    with pytest.raises(InvalidInput, match="nothing to publish"):
        releases.publish(manager)


def test_an_edit_that_is_refused_begins_no_draft(manager, sql):
    with pytest.raises(InvalidInput):
        taxonomy.save_rule(manager, "r", {"text_contains": "x"}, {"category": "unknown"})

    assert sql("select count(*) from open_draft")[0].count == 0


def test_the_dial_and_the_house_rules_wait_in_the_draft(manager):
    learning.save_settings(manager, LocalSettings(target_accuracy=0.9, audit_share=0, golden_share=0))
    learning.save_llm_settings(manager, LlmSettings(bar=0.8, instructions="Refunds are billing."))

    before = config(manager).workspace.settings
    assert learning.settings(manager.workspace_id).target_accuracy == 0.9
    assert learning.settings(manager.workspace_id, live=True).target_accuracy == 0.95
    assert learning.llm_settings_of(before).bar == 0.6
    assert [change[1] for change in changed(manager)] == ["bar", "instructions", "local.target_accuracy"]

    releases.publish(manager)

    after = config(manager).workspace.settings
    assert learning.settings_of(after).target_accuracy == 0.9
    assert learning.llm_settings_of(after) == LlmSettings(bar=0.8, instructions="Refunds are billing.")


def test_an_edit_does_not_make_workers_reload_and_a_release_does(manager):
    before = config(manager)
    taxonomy.save_rule(manager, "asks", {"text_contains": "?"}, {"tag": "asks"})
    learning.save_settings(manager, LocalSettings(enabled=False))
    while_editing = config(manager)

    releases.publish(manager)

    assert while_editing is before
    assert [rule.key for rule in config(manager).rules] == ["outage", "asks"]


def test_the_draft_can_be_read_as_the_configuration_it_would_be(manager):
    taxonomy.save_category(manager, "wish", "Wish")
    taxonomy.save_rule(manager, "wishes", {"text_contains": "wish"}, {"category": "wish"})
    taxonomy.delete(manager, Route, "bugs")
    learning.save_llm_settings(manager, LlmSettings(bar=0.9))

    with in_draft(manager.workspace_id) as session:
        drafted = configuration.read(manager.workspace_id, session)
        also = configuration.current(manager.workspace_id, session)

    for read in (drafted, also):
        assert [rule.key for rule in read.rules] == ["outage", "wishes"]
        assert (list(read.categories_by_key), read.routes) == (["bug", "billing", "wish"], [])
        assert read.workspace.settings["classify"]["bar"] == 0.9
        assert list(read.destinations) == ["jira"]
    assert [rule.key for rule in config(manager).rules] == ["outage"]


def test_two_managers_edit_one_draft_at_once(manager, sql):
    start = threading.Barrier(6)

    def edit(number: int) -> None:
        start.wait()
        taxonomy.save_rule(manager, f"r{number}", {"text_contains": str(number)}, BUG)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(edit, range(6)))

    assert sorted(change[1] for change in changed(manager)) == [f"r{number}" for number in range(6)]
    positions = [row.position for row in taxonomy.list_rules(manager.workspace_id)]
    assert positions == list(range(7))
    assert sql("select count(*) from open_draft")[0].count == 1


# ---- publishing


def test_a_release_has_a_number_an_author_a_note_and_its_changes(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    number = releases.publish(manager, " Plural ")

    newest = releases.list_releases(manager.workspace_id)[0]

    assert (newest.number, newest.actor, newest.note) == (number, "mia@acme.test", "Plural")
    assert newest.changes == [
        releases.Change("category", "bug", ChangeKind.CHANGED, (("name", "Bug", "Bugs"),))
    ]  # fmt: skip
    assert releases.draft(manager.workspace_id) is None


def test_the_first_release_of_an_empty_workspace_has_number_1(manager):
    assert [release.number for release in releases.list_releases(manager.workspace_id)] == [1]


def test_what_was_live_before_the_first_release_is_one_that_can_be_gone_back_to(kit, actor):
    taxonomy.save_category(actor, "bug", "Bugs")

    assert releases.publish(actor) == 2
    first = releases.list_releases(actor.workspace_id)[-1]
    releases.roll_back(actor, first.number)

    assert (first.note, first.actor) == (releases.BEFORE_THE_FIRST, "Octopus")
    assert [row.name for row in taxonomy.categories(actor.workspace_id, live=True)] == ["Bug", "Billing"]


def test_publishing_takes_over_additions_changes_removals_and_the_order(manager):
    taxonomy.save_rule(manager, "night", {"hours": {"from": "22:00", "to": "06:00"}}, {"tag": "night"}, go_on=True)
    taxonomy.move(manager, Rule, "night", 0)
    taxonomy.delete(manager, Route, "bugs")
    taxonomy.delete(manager, Category, "billing")
    taxonomy.save_category(manager, "bug", "Bug", priority="high")
    drafted = taxonomy.categories(manager.workspace_id), taxonomy.list_rules(manager.workspace_id)

    releases.publish(manager)

    assert live(manager) == {"categories": ["bug"], "list_rules": ["night", "outage"], "routes": []}
    went_live = (
        taxonomy.categories(manager.workspace_id, live=True), taxonomy.list_rules(manager.workspace_id, live=True)
    )  # fmt: skip
    assert [[row.model_dump() for row in rows] for rows in went_live] == [
        [row.model_dump() for row in rows] for rows in drafted
    ]
    archived = taxonomy.categories(manager.workspace_id, archived=True, live=True)
    assert [row.key for row in archived if row.archived_at] == ["billing"]


def test_a_category_keeps_its_id_through_a_release(manager):
    before = {row.key: row.id for row in taxonomy.categories(manager.workspace_id, live=True)}
    new = taxonomy.save_category(manager, "wish", "Wish").id
    taxonomy.save_category(manager, "bug", "Bugs")

    releases.publish(manager)

    assert {row.key: row.id for row in taxonomy.categories(manager.workspace_id, live=True)} == before | {"wish": new}


def test_publishing_changes_everything_or_nothing(manager, sql, monkeypatch):
    taxonomy.save_category(manager, "wish", "Wish")
    taxonomy.save_rule(manager, "wishes", {"text_contains": "wish"}, {"category": "wish"})
    before = live(manager)
    with monkeypatch.context() as patch:
        patch.setattr(releases.audit, "record", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
        with pytest.raises(OSError, match="full"):
            releases.publish(manager)

    assert live(manager) == before
    assert (len(changed(manager)), sql("select count(*) from release")[0].count) == (2, 1)
    releases.publish(manager)
    assert live(manager)["list_rules"] == ["outage", "wishes"]


def test_a_worker_goes_by_the_old_rules_until_the_release(kit, actor):
    kit.vendor("jira")
    kit.route("jira")
    taxonomy.delete(actor, Rule, "bug")
    kit.say("#bug It crashed")

    releases.publish(actor)
    kit.say("#bug It crashed again", chat=2)

    assert kit.messages() == [("#bug It crashed", "routed"), ("#bug It crashed again", "needs_review")]


def test_publishing_is_audited_with_its_changes(manager, sql):
    taxonomy.save_category(manager, "bug", "Bugs")
    number = releases.publish(manager, "Plural")

    edited, published = sql("select actor, action, noun, key, after from audit_entry order by id desc limit 2")[::-1]

    assert tuple(edited)[:4] == ("mia@acme.test", "change in draft", "category", "bug")
    assert tuple(published)[:4] == ("mia@acme.test", "publish", "release", str(number))
    assert published.after["note"] == "Plural"
    assert published.after["changes"][0]["fields"] == [["name", "Bug", "Bugs"]]


def test_what_names_something_gone_is_not_published(manager, sql):
    connections.save_destination(manager, "spare", "jira", JIRA)
    taxonomy.save_route(manager, "rest", {}, "failover", ["spare"], is_default=True)
    with pytest.raises(InvalidInput, match="used by route 'rest'"):
        connections.delete_destination(manager, "spare")
    sql("delete from destination where key = 'spare'")  # as an applied file that does not name it

    with pytest.raises(InvalidInput, match="The route 'rest' names the destination 'spare', which is not there"):
        releases.publish(manager)

    assert live(manager)["routes"] == ["bugs"]


def test_only_managers_edit_publish_discard_and_go_back(manager):
    agent = Actor(None, "a@acme.test", Role.AGENT, manager.workspace_id)
    taxonomy.save_category(manager, "bug", "Bugs")
    kept = releases.discard(manager)
    releases.restore(manager, kept)

    for act in (
        lambda: taxonomy.save_category(agent, "wish", "Wish"),
        lambda: learning.save_llm_settings(agent, LlmSettings()),
        lambda: releases.publish(agent),
        lambda: releases.discard(agent),
        lambda: releases.take_back(agent, "category", "bug"),
        lambda: releases.restore(agent, kept),
        lambda: releases.roll_back(agent, 1),
    ):
        with pytest.raises(Forbidden):
            act()

    assert changed(manager) == [("category", "bug", "changed")]


# ---- what goes live beside the draft


def test_what_went_live_meanwhile_stands_in_the_draft_and_stays_after_publishing(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    taxonomy.save_category(manager, "wish", "Wish", live=True)
    taxonomy.save_rule(manager, "wishes", {"text_contains": "wish"}, {"category": "wish"})

    releases.publish(manager)

    names = {row.key: row.name for row in taxonomy.categories(manager.workspace_id, live=True)}
    assert names == {"bug": "Bugs", "billing": "Billing", "wish": "Wish"}
    told = [(release.note, len(release.changes)) for release in releases.list_releases(manager.workspace_id)]
    assert told[:2] == [("", 2), (releases.AT_ONCE, 1)]


def test_a_category_made_live_has_the_same_id_in_the_draft(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    made = taxonomy.save_category(manager, "wish", "Wish", live=True)

    assert taxonomy.categories(manager.workspace_id)[-1].id == made.id


def test_the_same_entity_changed_live_and_in_the_draft_is_refused_and_named(manager):
    taxonomy.save_category(manager, "bug", "Mine")
    taxonomy.save_rule(manager, "more", {"text_contains": "more"}, BUG)
    taxonomy.save_category(manager, "bug", "Theirs", live=True)

    with pytest.raises(InvalidInput, match="The category 'bug' was changed live after the draft was begun"):
        releases.publish(manager)

    assert taxonomy.categories(manager.workspace_id, live=True)[0].name == "Theirs"
    assert taxonomy.categories(manager.workspace_id)[0].name == "Mine"

    taxonomy.save_category(manager, "bug", "Theirs")
    releases.publish(manager)
    assert live(manager)["list_rules"] == ["outage", "more"]


def test_taking_the_drafts_side_of_a_conflict_back_lets_the_rest_be_published(manager):
    taxonomy.save_category(manager, "bug", "Mine")
    taxonomy.save_rule(manager, "more", {"text_contains": "more"}, BUG)
    taxonomy.save_category(manager, "bug", "Theirs", live=True)

    releases.take_back(manager, "category", "bug")

    assert changed(manager) == [("rule", "more", "added")]
    releases.publish(manager)
    assert [row.name for row in taxonomy.categories(manager.workspace_id, live=True)] == ["Theirs", "Billing"]


def test_what_is_taken_back_is_as_it_is_live_and_the_rest_waits_on(manager):
    before = [row.model_dump() for row in taxonomy.list_rules(manager.workspace_id, live=True)]
    taxonomy.delete(manager, Rule, "outage")
    taxonomy.delete(manager, Category, "billing")
    learning.save_llm_settings(manager, LlmSettings(bar=0.9))

    for noun, key in (("rule", "outage"), ("setting", "bar")):
        releases.take_back(manager, noun, key)

    assert changed(manager) == [("category", "billing", "removed")]
    assert [row.model_dump() for row in taxonomy.list_rules(manager.workspace_id)] == before


# ---- discarding


def test_a_discarded_draft_is_gone_and_can_be_had_back(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    learning.save_llm_settings(manager, LlmSettings(bar=0.9))
    before = changed(manager)

    kept = releases.discard(manager)
    without = releases.draft(manager.workspace_id)
    releases.restore(manager, kept)

    assert without is None
    assert changed(manager) == before
    assert live(manager)["categories"] == ["bug", "billing"]


def test_a_discarded_draft_does_not_replace_a_newer_one(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    kept = releases.discard(manager)
    taxonomy.save_category(manager, "bug", "Newer")

    with pytest.raises(InvalidInput, match="Another draft was begun"):
        releases.restore(manager, kept)

    assert taxonomy.categories(manager.workspace_id)[0].name == "Newer"


def test_a_draft_that_was_published_meanwhile_can_neither_be_published_nor_discarded(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    releases.publish(manager)

    for act in (releases.publish, releases.discard):
        with pytest.raises(InvalidInput, match="no draft any more"):
            act(manager)


# ---- going back


def test_going_back_brings_the_content_of_that_release_as_a_new_one(manager, sql):
    taxonomy.save_rule(manager, "more", {"text_contains": "more"}, BUG | {"priority": "high"})
    taxonomy.move(manager, Rule, "more", 0)
    taxonomy.save_category(manager, "wish", "Wish", "What they would like", "low", 60)
    learning.save_llm_settings(manager, LlmSettings(bar=0.9, instructions="Be strict."))
    second = releases.publish(manager)
    taxonomy.delete(manager, Route, "bugs")
    taxonomy.delete(manager, Rule, "more")
    taxonomy.delete(manager, Category, "wish")
    learning.save_llm_settings(manager, LlmSettings())
    releases.publish(manager)

    number = releases.roll_back(manager, second)

    assert number == second + 2
    assert content_of(sql, number) == content_of(sql, second)
    assert live(manager) == {
        "categories": ["bug", "billing", "wish"], "list_rules": ["more", "outage"], "routes": ["bugs"]
    }  # fmt: skip
    assert releases.list_releases(manager.workspace_id)[0].note == f"Back to release {second}"
    assert learning.llm_settings_of(config(manager).workspace.settings).instructions == "Be strict."


def test_going_back_to_what_is_live_changes_nothing(manager):
    with pytest.raises(InvalidInput, match="Release 1 is what is live already"):
        releases.roll_back(manager, 1)
    with pytest.raises(InvalidInput, match="There is no release 7"):
        releases.roll_back(manager, 7)

    assert len(releases.list_releases(manager.workspace_id)) == 1


def test_going_back_to_a_destination_that_is_gone_is_refused_and_names_it(manager):
    taxonomy.delete(manager, Route, "bugs")
    second = releases.publish(manager)
    connections.delete_destination(manager, "jira")

    with pytest.raises(InvalidInput, match="The route 'bugs' names the destination 'jira', which is not there"):
        releases.roll_back(manager, 1)

    assert releases.list_releases(manager.workspace_id)[0].number == second


def test_an_open_draft_outlasts_going_back(manager):
    taxonomy.save_category(manager, "bug", "Bugs")
    releases.publish(manager)
    taxonomy.save_rule(manager, "mine", {"text_contains": "mine"}, BUG)

    releases.roll_back(manager, 1)

    assert changed(manager) == [("rule", "mine", "added")]
    assert taxonomy.categories(manager.workspace_id)[0].name == "Bug"


# ---- nobody else's


def test_a_neighbour_has_a_draft_and_numbers_of_their_own(manager, neighbour):
    taxonomy.save_category(manager, "bug", "Ours")
    taxonomy.save_category(neighbour, "bug", "Theirs")

    assert changed(neighbour) == [("category", "bug", "added")]
    assert releases.publish(neighbour) == 1
    assert changed(manager) == [("category", "bug", "changed")]
    assert {row["name"] for row in releases.discard(manager).rows["category"]} == {"Ours", "Billing"}


def test_a_discarded_draft_cannot_be_carried_into_another_workspace(manager, neighbour):
    taxonomy.save_category(manager, "bug", "Ours")
    kept = releases.discard(manager)

    with pytest.raises(InvalidInput):
        releases.restore(neighbour, kept)

    assert releases.draft(neighbour.workspace_id) is None


def test_a_session_in_the_draft_leaves_the_connection_as_it_was(manager):
    taxonomy.save_category(manager, "wish", "Wish")
    for _ in range(12):  # often enough for the driver to prepare the statement
        with in_draft(manager.workspace_id) as session:
            drafted = len(session.exec(select(Category)).all())
        with in_workspace(manager.workspace_id) as session:
            lived = len(session.exec(select(Category)).all())
        assert (drafted, lived) == (3, 2)
    with in_workspace(manager.workspace_id) as session:
        assert session.exec(select(Workspace.name)).one() == "Acme Support"


def test_the_language_model_reads_the_house_rules_from_the_release_on(manager):
    learning.save_llm_settings(manager, LlmSettings(bar=0.8, instructions="Refunds are billing."))
    before = planning.cascade_config(config(manager))
    releases.publish(manager)
    after = planning.cascade_config(config(manager))

    assert (before.bar, "Refunds" in before.prompt.system) == (0.6, False)
    assert (after.bar, after.prompt.system.endswith("Refunds are billing.")) == (0.8, True)

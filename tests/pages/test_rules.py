"""The Rules page: conditions by clicking, and what they would have matched."""

import json

from app.db.tables.people import Role
from app.services import taxonomy
from tests.pages.test_shell import words


def rule(kit, key: str):
    return next((row for row in taxonomy.list_rules(kit.workspace_id) if row.key == key), None)


def add(page, text: str):
    """A line of the condition that asks for a text."""
    page.button(key="rules-add-all").click().run()
    line = max(int(box.key.split("-")[2]) for box in page.selectbox if (box.key or "").startswith("rules-line-"))
    page.text_input(key=f"rules-line-{line}-text_contains").input(text).run()
    return line


def test_without_rules_it_says_what_they_are_for(visit, person):
    page = visit(person(), "rules")

    assert not page.exception
    assert "No rule yet" in words(page)


def test_rules_are_listed_in_words(visit, person, kit):
    said = words(visit(person(), "rules"))

    assert "Text contains **“\\#bug”**" in said
    assert "Category **Bug**" in said


def test_a_manager_adds_a_rule_and_sees_what_it_would_have_matched(visit, person, kit):
    for text in ("refund please", "hello", "where is my refund"):
        kit.say(text)
    page = visit(person(Role.MANAGER), "rules")
    page.button(key="rules-add").click().run()
    page.text_input(key="rules-key").input("refunds")
    add(page, "refund")

    assert not page.exception
    assert "Would have matched 2 of the last 3 messages" in words(page)
    assert "“where is my refund”" in words(page)

    page.selectbox(key="rules-new-category").select("billing")
    page.button(key="rules-save").click().run()

    assert "Rule refunds is saved" in page.success[0].value
    saved = rule(kit, "refunds")
    assert (saved.conditions, saved.actions) == ({"text_contains": "refund"}, {"category": "billing"})
    kit.say("a refund, please")
    assert kit.sql("select category_id from message order by id desc limit 1")[0].category_id is None
    page.button(key="draft-publish").click().run()
    kit.say("a refund, soon")
    assert kit.sql("select c.key from message m join category c on c.id = m.category_id")[0].key == "billing"


def test_one_of_several_and_exceptions_are_nested_in_the_condition(visit, person, kit):
    page = visit(person(), "rules")
    page.button(key="rules-add").click().run()
    page.text_input(key="rules-key").input("nested")
    for section, text in (("any", "down"), ("any", "outage"), ("none", "test")):
        page.button(key=f"rules-add-{section}").click().run()
        number = len([box for box in page.selectbox if (box.key or "").startswith("rules-line-")]) - 1
        page.text_input(key=f"rules-line-{number}-text_contains").input(text).run()
    page.selectbox(key="rules-new-category").select("bug")
    page.button(key="rules-save").click().run()

    assert rule(kit, "nested").conditions == {
        "any": [{"text_contains": "down"}, {"text_contains": "outage"}], "not": {"any": [{"text_contains": "test"}]},
    }  # fmt: skip


def test_an_empty_line_is_refused_because_it_would_match_everything(visit, person, kit):
    page = visit(person(), "rules")
    page.button(key="rules-add").click().run()
    page.button(key="rules-add-all").click().run()
    page.selectbox(key="rules-new-category").select("bug")
    page.button(key="rules-save").click().run()

    assert "A line of the condition is empty" in words(page)
    assert len(taxonomy.list_rules(kit.workspace_id)) == 2


def test_a_pattern_that_cannot_run_is_told_beside_its_line(visit, person, kit):
    page = visit(person(), "rules")
    page.button(key="rules-edit-bug").click().run()
    page.selectbox(key="rules-line-0-what").select("text_matches").run()
    page.text_input(key="rules-line-0-text_matches").input("(").run()

    assert not page.exception
    assert "is not a regular expression RE2 can run" in words(page)


def test_a_nested_condition_is_edited_as_json(visit, person, kit):
    deep = {"any": [{"all": [{"text_contains": "a"}, {"not": {"text_contains": "b"}}]}]}
    kit.sql("update rule set conditions = %(deep)s::jsonb where key = 'bug'", deep=json.dumps(deep))
    page = visit(person(), "rules")
    page.button(key="rules-edit-bug").click().run()
    area = next(each for each in page.text_area if each.key.startswith("rules-written"))
    area.input('{"all": [}').run()

    assert "not valid JSON" in words(page)

    area.input(area.value.replace('{"all": [}', '{"not": {"not": {"text_contains": "z"}}}')).run()
    page.button(key="rules-save").click().run()
    assert rule(kit, "bug").conditions == {"not": {"not": {"text_contains": "z"}}}


def test_a_rule_is_moved_switched_off_deleted_and_put_back(visit, person, kit):
    page = visit(person(), "rules")
    page.button(key="rules-down-bug").click().run()
    assert [row.key for row in taxonomy.list_rules(kit.workspace_id)] == ["billing", "bug"]

    page.toggle(key="rules-on-bug").set_value(False).run()
    assert not rule(kit, "bug").enabled

    page.button(key="rules-edit-bug").click().run()
    page.button(key="rules-delete").click().run()
    assert rule(kit, "bug") is None
    assert "Rule bug is deleted" in words(page)

    page.button(key="undo-button").click().run()
    assert rule(kit, "bug") is not None


def test_an_agent_reads_rules_and_changes_none(visit, person, kit):
    page = visit(person(Role.AGENT), "rules", **{"rules-editing": "bug"})

    assert "Changes need the role manager" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("rules-")]

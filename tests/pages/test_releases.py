"""The draft's bar above the lists, and the Releases page: what waits, what went live, and the way back."""

import pytest

from app.db.tables import Rule
from app.db.tables.people import Role
from app.services import learning, releases, taxonomy
from app.services.learning import LlmSettings
from app.services.members import Actor
from tests.pages.test_shell import words


@pytest.fixture
def mia(kit):
    return Actor(None, "mia@acme.test", Role.MANAGER, kit.workspace_id)


def keys(page) -> list[str]:
    return [button.key for button in page.button if button.key]


def live_names(kit) -> list[str]:
    return [row.name for row in taxonomy.categories(kit.workspace_id, live=True)]


# ---- the bar


@pytest.mark.parametrize("screen", ["categories", "rules", "learning"])
def test_without_a_change_there_is_no_bar(visit, person, kit, screen):
    page = visit(person(), screen)

    assert not page.exception
    assert "draft-publish" not in keys(page)


def test_a_saved_change_is_marked_and_published_with_one_click(visit, person, kit):
    page = visit(person(Role.MANAGER), "categories")
    page.button(key="categories-edit-bug").click().run()
    page.text_input(key="categories-bug-name").input("Fault")
    page.button(key="categories-save").click().run()

    assert "saved in the draft" in page.success[0].value
    said = words(page)
    assert "1 change is not live yet" in said and said.count("not live yet]") == 1
    assert live_names(kit) == ["Bug", "Billing"]

    page.button(key="draft-publish").click().run()

    assert not page.exception
    assert live_names(kit) == ["Fault", "Billing"]
    assert "Release 2 is live" in page.success[0].value
    assert "not live yet" not in words(page)


@pytest.mark.parametrize("screen", ["categories", "rules", "routes", "learning", "releases"])
def test_what_waits_is_said_on_every_page_it_concerns(visit, person, kit, mia, screen):
    kit.vendor("jira")
    taxonomy.save_category(mia, "wish", "Wish")
    taxonomy.delete(mia, Rule, "bug")

    page = visit(person(), screen)

    assert not page.exception
    assert "2 changes are not live yet" in words(page)


def test_a_discarded_draft_comes_back_with_one_click(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")
    page = visit(person(Role.MANAGER), "rules")

    page.button(key="draft-discard").click().run()
    assert releases.draft(kit.workspace_id) is None
    page.button(key="undo-button").click().run()

    assert not page.exception
    assert [change.key for change in releases.changes(kit.workspace_id)] == ["bug"]


def test_a_viewer_sees_what_waits_and_can_neither_publish_nor_discard(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")

    for screen in ("categories", "releases"):
        page = visit(person(Role.VIEWER), screen)
        assert "1 change is not live yet" in words(page)
        assert not {"draft-publish", "draft-discard"} & set(keys(page))


def test_a_conflict_is_told_in_a_sentence_and_nothing_goes_live(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Mine")
    taxonomy.save_category(mia, "bug", "Theirs", live=True)
    page = visit(person(Role.MANAGER), "categories")

    page.button(key="draft-publish").click().run()

    assert "The category 'bug' was changed live after the draft was begun" in words(page)
    assert live_names(kit) == ["Theirs", "Billing"]


# ---- the dials


def test_house_rules_and_the_bar_of_the_language_model_are_saved_in_the_draft(visit, person, kit):
    page = visit(person(Role.MANAGER), "learning")
    page.text_area(key="learning-instructions").input("A refund is billing.").run()
    page.slider(key="learning-bar").set_value(75.0).run()
    page.button(key="learning-llm-save").click().run()

    assert not page.exception
    assert learning.llm_settings(kit.workspace_id) == LlmSettings(bar=0.75, instructions="A refund is billing.")
    assert "in the draft" in page.success[0].value

    page.button(key="draft-discard").click().run()

    assert page.text_area(key="learning-instructions").value == ""
    assert page.slider(key="learning-bar").value == 60.0


# ---- the Releases page


def test_before_the_first_release_it_says_what_comes(visit, person, workspace):
    page = visit(person(), "releases")

    assert not page.exception
    assert "No release yet" in words(page)


def test_the_open_draft_shows_what_changes_from_what_to_what(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault", "Something *broke*", "high", 60)
    taxonomy.save_rule(mia, "wishes", {"text_contains": "wish"}, {"category": "billing", "priority": "low"})
    taxonomy.move(mia, Rule, "wishes", 0)
    learning.save_llm_settings(mia, LlmSettings(bar=0.75))

    said = words(visit(person(), "releases"))

    for line in (
        "**Category Bug**", "Name: Bug :material/arrow_right_alt: Fault", r"Something \*broke\*",
        "Priority: Normal :material/arrow_right_alt: High", "Answer within: – :material/arrow_right_alt: 60 minutes",
        "**Rule wishes**", "Condition: Text contains **“wish”**", "Then: Category **Billing** · Priority **Low**",
        "**Order of the rules**", "60.0% :material/arrow_right_alt: 75.0%",
    ):  # fmt: skip
        assert line in said


def test_one_change_is_taken_back_and_the_others_wait_on(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")
    taxonomy.save_category(mia, "wish", "Wish")
    page = visit(person(Role.MANAGER), "releases")

    page.button(key="releases-take-back-category-bug").click().run()

    assert not page.exception
    assert [change.key for change in releases.changes(kit.workspace_id)] == ["wish"]
    assert "1 change is not live yet" in words(page)


def test_a_note_goes_with_the_release(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")
    page = visit(person(Role.MANAGER), "releases")

    page.text_input(key="releases-note").input("Clearer").run()
    page.button(key="draft-publish").click().run()

    assert not page.exception
    assert releases.list_releases(kit.workspace_id)[0].note == "Clearer"
    assert "Clearer" in words(page)


def test_going_back_is_asked_for_once_more_and_makes_a_new_release(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")
    releases.publish(mia)
    page = visit(person(Role.MANAGER), "releases")
    assert "releases-back-2" not in keys(page)  # it is the one that is live

    page.button(key="releases-back-1").click().run()
    asked = live_names(kit)
    page.button(key="releases-sure").click().run()

    assert not page.exception
    assert (asked, live_names(kit)) == (["Fault", "Billing"], ["Bug", "Billing"])
    assert "Release 3 is live" in page.success[0].value
    assert "Back to release 1" in words(page)


def test_a_viewer_reads_releases_and_goes_back_to_none(visit, person, kit, mia):
    taxonomy.save_category(mia, "bug", "Fault")
    releases.publish(mia)

    page = visit(person(Role.VIEWER), "releases")

    assert "**Release 2**" in words(page)
    assert not [key for key in keys(page) if key.startswith("releases-back")]


def test_older_releases_are_shown_on_demand(visit, person, kit, mia):
    for number in range(releases.PAGE + 1):
        taxonomy.save_category(mia, "bug", f"Fault {number}", live=True)
    page = visit(person(), "releases")
    assert "**Release 1**" not in words(page)

    page.button(key="releases-older").click().run()

    assert "**Release 1**" in words(page)

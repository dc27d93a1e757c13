"""The Categories page: what there is, in order, and nothing is lost by a click."""

from app.db.tables.people import Role
from app.services import taxonomy
from tests.pages.test_shell import words


def keys(kit) -> list[str]:
    return [row.key for row in taxonomy.categories(kit.workspace_id)]


def test_without_categories_it_says_what_to_add(visit, person):
    page = visit(person(), "categories")

    assert not page.exception
    assert "No category yet" in words(page)


def test_a_manager_adds_a_category(visit, person, kit):
    page = visit(person(Role.MANAGER), "categories")
    page.button(key="categories-add").click().run()
    page.text_input(key="categories-new-name").input("Feature wish")
    page.text_area(key="categories-new-description").input("They want something new")
    page.segmented_control(key="categories-new-priority").set_value("low")
    page.number_input(key="categories-new-sla").set_value(60)
    page.button(key="categories-save").click().run()

    assert not page.exception
    saved = taxonomy.categories(kit.workspace_id)[-1]
    assert (saved.key, saved.name, saved.description, saved.priority, saved.sla_min) == (
        "feature-wish", "Feature wish", "They want something new", "low", 60,
    )  # fmt: skip
    assert "Answer within 60 minutes" in words(page)


def test_a_name_in_another_script_gets_a_key_of_its_own(visit, person, kit):
    page = visit(person(), "categories")
    page.button(key="categories-add").click().run()
    page.text_input(key="categories-new-name").input("退款")
    page.button(key="categories-save").click().run()

    assert keys(kit) == ["bug", "billing", "category"]


def test_a_category_without_a_name_is_refused_in_a_sentence(visit, person, kit):
    page = visit(person(), "categories")
    page.button(key="categories-edit-bug").click().run()
    page.text_input(key="categories-bug-name").input(" ")
    page.button(key="categories-save").click().run()

    assert "Give the category a name." in words(page)
    assert taxonomy.categories(kit.workspace_id)[0].name == "Bug"


def test_a_category_in_use_is_not_archived_and_says_by_whom(visit, person, kit):
    page = visit(person(), "categories")
    page.button(key="categories-edit-bug").click().run()
    page.button(key="categories-delete").click().run()

    assert "used by rule 'bug'" in words(page)
    assert keys(kit) == ["bug", "billing"]


def test_an_archived_category_can_be_put_back_at_once_and_later(visit, person, kit):
    kit.sql("delete from rule")
    page = visit(person(), "categories")
    for again in ("undo-button", "categories-restore-bug"):
        page.button(key="categories-edit-bug").click().run()
        page.button(key="categories-delete").click().run()
        assert keys(kit) == ["billing"]

        page.button(key=again).click().run()
        assert not page.exception
        assert keys(kit) == ["bug", "billing"]


def test_an_arrow_changes_the_order(visit, person, kit):
    page = visit(person(), "categories")
    page.button(key="categories-up-billing").click().run()

    assert keys(kit) == ["billing", "bug"]
    assert page.button(key="categories-up-billing").disabled


def test_a_viewer_reads_categories_and_changes_none(visit, person, kit):
    page = visit(person(Role.VIEWER), "categories")

    assert "Bug" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("categories-")]

"""Importing old tickets by hand: seen before it is saved, mapped, brought in, learnt, and taken out again."""

import pytest

from app.db.tables.people import Role
from app.services import examples, learning, taxonomy
from app.ui import nav
from tests.pages.test_shell import words
from tests.services.test_examples import bring_in, csv_of, old_tickets

SCREEN = "import_tickets"
EVIL = "![x](http://evil.test/a.png) <b>bold</b> :smile: [link](http://evil.test)"


@pytest.fixture
def page(visit, person, kit):
    return visit(person(Role.MANAGER), SCREEN)


def upload(page, content: bytes, name: str = "old.csv"):
    page.file_uploader(key="import-file-0").set_value((name, content, "text/csv"))
    return page.run()


def shown(page) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_learning_leads_a_manager_to_the_import_and_nobody_else(visit, person, kit):
    def links(role: Role) -> list[str]:
        return [link.proto.label for link in visit(person(role), "learning").get("page_link")]

    assert "Import old tickets that are sorted already" in links(Role.MANAGER)
    assert "Import old tickets that are sorted already" not in links(Role.AGENT)


def test_an_agent_has_no_such_page():
    assert SCREEN not in [screen.name for screen in nav.allowed(Role.AGENT)]


def test_a_file_is_shown_as_it_would_come_in_before_anything_is_saved(page, kit):
    upload(page, csv_of("It crashed;Bugs;;", "it  crashed;Bugs;;", ";Bugs;;", "Refund me;Billing;;"))

    assert not page.exception
    assert shown(page) == {
        "Rows read": "4", "New tickets": "2", "Said twice": "1", "Known already": "0", "Refused": "1",
    }  # fmt: skip
    assert "Line 4: The column 'text' is empty." in words(page)
    assert page.selectbox(key="import-column-text").value == "text"
    assert page.selectbox(key="import-column-category").value == "label"
    assert page.selectbox(key="import-meaning-Bugs").value == "bug"
    assert page.selectbox(key="import-meaning-Billing").value == "billing"
    assert kit.sql("select count(*) from labelled_example")[0][0] == 0


def test_a_manager_maps_imports_watches_it_being_learnt_and_takes_it_out_again(page, kit):
    more = [f"thanks {n * 'a'};Praise;;" for n in range(5)] + ["x;Odd;;"]
    upload(page, old_tickets(60) + "\n".join(["", *more]).encode())
    assert page.selectbox(key="import-meaning-Praise").value == "+"
    assert page.selectbox(key="import-meaning-Odd").value == "-"
    page.selectbox(key="import-meaning-Invoices").select("billing").run()

    page.button(key="import-start").click().run()

    assert not page.exception
    assert "65 tickets are imported" in page.success[0].value
    assert "being fitted anew" in words(page)
    assert [row.key for row in taxonomy.categories(kit.workspace_id)] == ["bug", "billing", "praise"]
    learning.learn(kit.workspace_id)
    assert "The model has learnt these tickets." in words(page.run())

    [row] = examples.standing(kit.workspace_id).imports
    page.button(key=f"import-remove-{row.id}").click().run()

    assert not page.exception
    assert "taken out again" in page.success[0].value
    assert kit.sql("select count(*) from labelled_example")[0][0] == 0


def test_other_columns_are_chosen_by_hand(page, kit):
    upload(page, b"a,b,c\nIt crashed,Bug,x\nRefund,Billing,y\n")
    assert not page.metric
    page.selectbox(key="import-column-text").select("a").run()
    page.selectbox(key="import-column-category").select("b").run()

    assert shown(page)["New tickets"] == "2"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"text,label\nok,bug\ncaf\xe9,bug\n", "Line 3 is not UTF-8"), (b"text,label\n", "no ticket in the file"),
     (csv_of(*(f"text {n}{chr(0x4E00 + n)};{n};;" for n in range(300))), "300 different values")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why_and_where(page, content, said):
    upload(page, content)

    assert not page.exception
    assert said in words(page)
    assert not page.metric


def test_the_same_file_again_says_that_nothing_is_new(page, kit):
    bring_in(kit)

    upload(page, old_tickets())

    assert "nothing new" in page.info[0].value
    assert shown(page)["Known already"] == "120"


def test_names_and_files_of_strangers_are_words_and_no_markup(page, kit):
    rows = csv_of(*[f"text {n * 'a'};{EVIL[:60]};;" for n in range(6)])
    upload(page, rows, f"{EVIL}.csv".replace("/", ""))
    page.button(key="import-start").click().run()

    assert not page.exception
    written = [markdown.value for markdown in page.markdown if "evil" in markdown.value]
    assert written
    assert all("](http" not in value and "<b>" not in value and ":smile:" not in value for value in written)

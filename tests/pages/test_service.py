"""The Service page: each number with its meaning and its rows, and files that say the same."""

import csv
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook
from streamlit.testing.v1 import AppTest

from app.db.tables.people import Role
from app.services import service_report, spreadsheet
from app.services.service_report import Filter
from app.services.spreadsheet import Sheet
from app.ui import service_tables
from tests.pages.test_shell import words


@pytest.fixture
def three(kit):
    """Three messages, two of them with a task, from two customers."""
    kit.vendor("jira")
    kit.route("jira")
    for chat, text in ((1, "it broke #bug"), (1, "again #bug"), (2, "hello there")):
        kit.say(text, chat=chat)
    return kit


def tiles(page: AppTest) -> dict[str, tuple[str, str]]:
    """What each link of the Inbox is called -> (where it leads, what it means)."""
    return {link.proto.label: (link.proto.query_string, link.proto.help) for link in page.get("page_link")}


def test_every_number_has_its_meaning_and_leads_to_its_rows(three, visit, person):
    page = visit(person(Role.VIEWER), "service")

    assert not page.exception
    shown = [element.value for element in page.markdown]
    assert [value for value in shown if value in ("**3**", "**2**", "**0**")] == ["**3**", "**2**", "**0**"]
    for name in ("Received", "Tasks", "Done", "Reopened", "Came back within 7 days", "Median", "90th percentile",
                 "Median, business hours", "90th percentile, business hours"):  # fmt: skip
        address, meaning = tiles(page)[name]
        assert "from=" in address
        assert "to=" in address
        assert len(meaning) > 20
    assert "counted=task" in tiles(page)["Tasks"][0]


def test_the_inbox_lists_what_a_number_counts(three, visit, person):
    somebody = person()
    address, _meaning = tiles(visit(somebody, "service"))["Tasks"]
    page = visit(somebody)
    for pair in address.split("&"):
        name, _, value = pair.partition("=")
        page.query_params[name] = value
    page.switch_page("../pages/inbox.py").run()

    assert not page.exception
    assert "with a task" in words(page)
    assert sorted(page.dataframe[0].value["Message"]) == ["again #bug", "it broke #bug"]


def test_the_filters_narrow_every_number_and_stand_in_the_address(three, visit, person):
    page = visit(person(), "service")
    page.multiselect(key="category").select("bug").run()

    assert page.query_params["category"] == "bug"
    assert "category=bug" in tiles(page)["Received"][0]
    assert [element.value for element in page.markdown if element.value == "**3**"] == []


def test_without_a_message_it_says_what_to_do(visit, person):
    assert "No message in this period" in words(visit(person(), "service"))


@pytest.mark.parametrize("dimension", service_tables.DIMENSIONS)
def test_the_files_say_what_the_screen_says(three, dimension):
    found = service_report.report(three.workspace_id, Filter(days=7), dimension)
    sheets = service_tables.sheets(found, dimension)
    book = load_workbook(BytesIO(spreadsheet.as_xlsx(sheets)))
    rows = list(csv.reader(StringIO(spreadsheet.as_csv(sheets).decode("utf-8-sig"))))

    assert book.sheetnames == [sheet.title for sheet in sheets]
    for sheet in sheets:
        read = [list(row) for row in book[sheet.title].iter_rows(values_only=True)]
        assert read == [sheet.header, *([cell if cell != "" else None for cell in row] for row in sheet.rows)]
        assert [sheet.title] in rows
        for row in sheet.rows:
            assert ["" if cell is None else str(cell) for cell in row] in rows
    assert ["Received", "3"] in [row[:2] for row in rows]
    days = next(sheet for sheet in sheets if sheet.title == "Days")
    assert sum(sum(row[1:]) for row in days.rows) == 3


def test_a_name_that_looks_like_a_formula_stays_text_in_both_files():
    sheets = [Sheet("Category", ["Category"], [["=1+1"]])]

    cell = load_workbook(BytesIO(spreadsheet.as_xlsx(sheets)))["Category"]["A2"]

    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert "'=1+1" in spreadsheet.as_csv(sheets).decode("utf-8-sig")

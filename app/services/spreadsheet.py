"""Tables as files: CSV for programs, XLSX for people. The cells are those of the screen."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
LONGEST_TITLE = 31  # of a sheet
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    header: list[str]
    rows: list[list[Cell]]


def as_csv(sheets: Sequence[Sheet]) -> bytes:
    """One table after the other, each below its title. Starts with the mark by which Excel knows UTF-8."""
    file = StringIO()
    table = csv.writer(file)
    for number, sheet in enumerate(sheets):
        table.writerows([[]] if number else [])
        table.writerows([[_harmless(sheet.title)], [_harmless(name) for name in sheet.header]])
        table.writerows([_harmless(cell) for cell in row] for row in sheet.rows)
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.title[:LONGEST_TITLE])
        page.freeze_panes = "B2"
        page.column_dimensions["A"].width = 28
        page.append([_cell(page, name, bold=True) for name in sheet.header])
        for row in sheet.rows:
            page.append([_cell(page, value) for value in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(page, value: Cell, bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, value)
    if isinstance(value, str):
        cell.data_type = "s"  # text stays text, whatever it begins with
    if bold:
        cell.font = Font(bold=True)
    return cell


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell

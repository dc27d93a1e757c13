"""A file of old tickets: CSV or JSON Lines (one object a line), in UTF-8. Pure: reads and refuses, decides nothing.

Sources: RFC 4180 (CSV; other separators than the comma are common), https://jsonlines.org
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.classification import Priority
from app.domain.errors import InvalidInput

MOST_BYTES = 20 * 2**20
MOST_ROWS, MOST_COLUMNS = 50_000, 100
LONGEST_TEXT = 20_000  # characters
LONGEST_NAME = 60  # of a category
SEPARATORS = ",;\t|"
PRIORITIES = {
    Priority.URGENT: "urgent critical blocker highest p0 p1 紧急 特急 dringend urgente",
    Priority.HIGH: "high p2 major hoch alta haute 高 重要",
    Priority.NORMAL: "normal medium moderate p3 mittel media moyenne 中 普通 一般",
    Priority.LOW: "low lowest minor trivial p4 p5 niedrig baja basse 低",
}
PRIORITY_OF = {word: priority for priority, words in PRIORITIES.items() for word in words.split()}
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is left out. line: of the file, counted from 1."""

    line: int
    reason: str


@dataclass(slots=True)
class Table:
    """What stands in a file. rows: (line it begins on, cells in the order of the columns; the last may be missing).

    refused: what cannot be read as a row.
    """

    columns: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def of(self, cells: list[str], column: str | None) -> str:
        at = self.columns.index(column) if column else len(cells)
        return cells[at] if at < len(cells) else ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what."""

    text: str
    category: str
    priority: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    line: int
    text: str
    category: str  # the name in the file
    priority: Priority | None = None
    language: str | None = None


def read(name: str, content: bytes) -> Table:
    """name: of the file; its ending tells the format. Raises InvalidInput when nothing of the file can be used."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"The file has {len(content) / 2**20:.1f} MB; up to 20 MB can be read. Split it and import the parts."
        )
    text = _decoded(content)
    if not text.strip():
        raise InvalidInput("The file is empty. Nothing was read; choose another one.")
    is_json = name.lower().rsplit(".", 1)[-1] in ("jsonl", "ndjson", "json")
    table = _json_lines(text) if is_json else _csv(text)
    if not table.rows and not table.refused:
        raise InvalidInput("There is no ticket in the file: it has no row after the first line.")
    return table


def tickets(table: Table, columns: Columns) -> tuple[list[Ticket], list[Refused]]:
    """The rows that can be learnt from, and those that cannot, each in order of the file."""
    found: list[Ticket] = []
    refused = list(table.refused)
    for line, cells in table.rows:
        text, category = table.of(cells, columns.text).strip(), " ".join(table.of(cells, columns.category).split())
        if why := _why_not(text, category, columns):
            refused.append(Refused(line, why))
            continue
        priority = PRIORITY_OF.get(table.of(cells, columns.priority).strip().lower())
        found.append(Ticket(line, text, category, priority, _language(table.of(cells, columns.language))))
    return found, sorted(refused, key=lambda one: one.line)


def _why_not(text: str, category: str, columns: Columns) -> str:
    if not text:
        return f"The column '{columns.text}' is empty."
    if not category:
        return f"The column '{columns.category}' is empty."
    if len(text) > LONGEST_TEXT:
        return f"The text has {len(text)} characters; up to {LONGEST_TEXT} can be learnt from."
    if len(category) > LONGEST_NAME:
        return f"The category has {len(category)} characters; up to {LONGEST_NAME} make a name."
    return ""


def _language(said: str) -> str | None:
    code = said.strip().lower().replace("_", "-")
    return code if LANGUAGE.fullmatch(code) else None


# ---- reading


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInput(
            f"Line {line} is not UTF-8. Save the file as 'CSV UTF-8' in your spreadsheet, then choose it again."
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InvalidInput(f"Line {line} holds a zero byte: this is no text file. Nothing was read.")
    return text


def _csv(text: str) -> Table:
    """Line breaks inside quotes are part of the cell. A row that does not fit the heading is refused alone."""
    separator, columns = _heading(text)
    table = Table(columns)
    csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    next(reader)
    for line, cells in _rows(reader, table.refused):
        if len(cells) != len(columns):
            found = f"It has {len(cells)} columns where the first line has {len(columns)}."
            table.refused.append(Refused(line, found))
        else:
            table.rows.append((line, cells))
        _not_too_many(table, line)
    return table


def _rows(reader, refused: list[Refused]) -> Iterator[tuple[int, list[str]]]:
    """(line it begins on, cells) of each row that is not blank."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "A quotation mark is opened and never closed." if "end of data" in str(error) else (
                "A quotation mark stands where none can be.")  # fmt: skip
            refused.append(Refused(line, what))
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _heading(text: str) -> tuple[str, list[str]]:
    """The separator under which the first line falls into the most columns, and these."""
    headings = {}
    for separator in SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        try:
            headings[separator] = [name.strip() for name in next(reader, [])]
        except csv.Error:
            headings[separator] = []  # an unclosed quotation mark: no column under any separator
    separator, columns = max(headings.items(), key=lambda pair: len(pair[1]))
    if len(columns) < 2:
        raise InvalidInput("Line 1 does not name two columns or more: a text and its category are needed.")
    _not_too_wide(1, len(columns))
    named = [name or f"({at})" for at, name in enumerate(columns, 1)]
    double = next((name for name in named if named.count(name) > 1), None)
    if double:
        raise InvalidInput(f"Line 1 names the column '{double[:60]}' twice. Rename one of the two.")
    return separator, named


def _json_lines(text: str) -> Table:
    table = Table([])
    places: dict[str, int] = {}
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            values = {_cell(key): _cell(value) for key, value in found.items() if not isinstance(value, dict | list)}
            for column in values:
                places.setdefault(column, len(places))
            _not_too_wide(line, len(places))
            table.rows.append((line, [values.get(column, "") for column in places]))
        else:
            table.refused.append(Refused(line, "It is not one JSON object."))
        _not_too_many(table, line)
    if not table.rows:
        first = table.refused[0].line if table.refused else 1
        raise InvalidInput(f"Line {first} is not one JSON object, nor is any other. Write each ticket on its own line.")
    table.columns = list(places)
    return table


def _cell(value: str | float | bool | None) -> str:
    """Without what no database takes: half of a surrogate pair, a zero."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode().replace("\0", "")


def _not_too_many(table: Table, line: int) -> None:
    if len(table.rows) + len(table.refused) > MOST_ROWS:
        raise InvalidInput(
            f"Line {line} is beyond the {MOST_ROWS} rows that can be read. Split the file and import the parts."
        )


def _not_too_wide(line: int, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise InvalidInput(
            f"Line {line} brings the file to {columns} columns; up to {MOST_COLUMNS} can be read. "
            "Keep the text, the category, the priority and the language."
        )

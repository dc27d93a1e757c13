"""Files of old tickets as spreadsheets and help desks write them; what cannot be used is named by its line."""

import json

import pytest

from app.domain import tickets_file
from app.domain.category_names import proposed
from app.domain.classification import Priority
from app.domain.errors import InvalidInput
from app.domain.tickets_file import Columns, read, tickets

COLUMNS = Columns("text", "label")
BOM = b"\xef\xbb\xbf"


def found(name: str, content: bytes, columns: Columns = COLUMNS):
    kept, refused = tickets(read(name, content), columns)
    return [(one.line, one.text, one.category) for one in kept], [(one.line, one.reason) for one in refused]


# ---- formats


@pytest.mark.parametrize("start", [b"", BOM], ids=["plain", "BOM"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_csv_file_is_read_whatever_it_is_separated_with(start, separator, ending):
    lines = ["text" + separator + "label", '"a, b; c"' + separator + "bug", "", "发票" + separator + "账单"]

    kept, refused = found("tickets.CSV", start + ending.join(lines).encode())

    assert kept == [(2, "a, b; c", "bug"), (4, "发票", "账单")]
    assert refused == []


def test_line_breaks_inside_quotes_belong_to_the_cell_and_lines_are_counted_on():
    content = b'text,label\n"one\ntwo ""quoted""",bug\nthree,\n'

    assert found("t.csv", content) == (
        [(2, 'one\ntwo "quoted"', "bug")],
        [(4, "The column 'label' is empty.")],
    )


@pytest.mark.parametrize("start", [b"", BOM], ids=["plain", "BOM"])
def test_json_lines_are_read_with_columns_that_come_later(start):
    rows = [{"text": "a", "label": "bug"}, {"id": 7, "label": "wish", "text": "b", "tags": ["x"]}, {"text": None}]
    content = start + "\r\n".join(json.dumps(row) for row in rows).encode()

    assert read("t.jsonl", content).columns == ["text", "label", "id"]
    assert found("t.jsonl", content) == ([(1, "a", "bug"), (2, "b", "wish")], [(3, "The column 'text' is empty.")])


def test_numbers_and_odd_characters_in_json_are_text():
    content = b'{"text": "\\ud800 half \\u0000", "label": 7}'

    assert found("t.json", content)[0] == [(1, "? half", "7")]


# ---- priorities and languages


@pytest.mark.parametrize(
    ("said", "priority"),
    [("urgent", "urgent"), ("P1", "urgent"), (" High ", "high"), ("Medium", "normal"), ("高", "high"), ("", None),
     ("7", None), ("niedrig", "low")],
)  # fmt: skip
def test_priorities_are_understood_as_help_desks_call_them(said, priority):
    content = f"text,label,prio\na,bug,{said}\n".encode()

    [ticket], _ = tickets(read("t.csv", content), Columns("text", "label", "prio"))

    assert ticket.priority == (Priority(priority) if priority else None)


@pytest.mark.parametrize(("said", "code"), [("en", "en"), ("zh_CN", "zh-cn"), ("English", None), ("", None)])
def test_a_language_is_a_code_or_not_kept(said, code):
    [ticket], _ = tickets(
        read("t.csv", f"text,label,lang\na,bug,{said}\n".encode()), Columns("text", "label", language="lang")
    )

    assert ticket.language == code


# ---- refusals


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "empty"), ("t.csv", BOM + b" \n", "empty"), ("t.csv", b"text,label\n", "no ticket"),
        ("t.csv", b"just words\nmore words\n", "Line 1 does not name two columns"),
        ("t.csv", b'"text,label\na,b\n', "Line 1 does not name two columns"),
        ("t.csv", b"text,text\na,b\n", "Line 1 names the column 'text' twice"),
        ("t.csv", b"text,label\nok,bug\ncaf\xe9,bug\n", "Line 3 is not UTF-8"),
        ("t.csv", b"text,label\nok,bug\n\x00,bug\n", "Line 3 holds a zero byte"),
        ("t.csv", "text,label\na,b".encode("utf-16"), "Line 1 is not UTF-8"),
        ("t.csv", ("a," * 100 + "a\n").encode(), "101 columns"),
        ("t.jsonl", b'[{"text": "a"}]', "Line 1 is not one JSON object"),
        ("t.jsonl", b"[" * 100_000, "Line 1 is not one JSON object"),
        ("t.jsonl", b'\n{"text": \n}', "Line 2 is not one JSON object"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_line_and_reason(name, content, said):
    with pytest.raises(InvalidInput, match=said):
        read(name, content)


def test_a_file_over_20_mb_is_refused_before_it_is_read():
    with pytest.raises(InvalidInput, match=r"has 20\.1 MB; up to 20 MB"):
        read("t.csv", b"x" * int(20.1 * 2**20))


def test_a_file_over_50000_rows_is_refused_naming_the_line():
    with pytest.raises(InvalidInput, match="Line 50002 is beyond the 50000 rows"):
        read("t.csv", b"text,label\n" + b"a,b\n" * (tickets_file.MOST_ROWS + 1))

    assert len(read("t.csv", b"text,label\n" + b"a,b\n" * tickets_file.MOST_ROWS).rows) == tickets_file.MOST_ROWS


def test_rows_that_cannot_be_used_are_refused_alone():
    content = ("text,label\n"
               "good,bug\n"
               "too,many,cells\n"
               ' "stray" quote",bug\n'
               '"x"y,bug\n'
               f"{'x' * 20_001},bug\n"
               f"long name,{'y' * 61}\n"
               'good too,bug\n'
               '"never closed,bug\n').encode()  # fmt: skip

    kept, refused = found("t.csv", content)

    assert [line for line, _, _ in kept] == [2, 4, 8]
    assert refused == [
        (3, "It has 3 columns where the first line has 2."), (5, "A quotation mark stands where none can be."),
        (6, "The text has 20001 characters; up to 20000 can be learnt from."),
        (7, "The category has 61 characters; up to 60 make a name."),
        (9, "A quotation mark is opened and never closed."),
    ]  # fmt: skip


def test_refusals_never_repeat_what_customers_wrote():
    secret = "4111-1111-1111-1111"
    content = f'text,label\n{secret},\n{secret},a,b\n"{secret}"x,y\n{secret * 2000},bug\n'.encode()

    _, refused = found("t.csv", content)

    assert len(refused) == 4 and not any(secret in reason for _, reason in refused)


# ---- names of categories


@pytest.mark.parametrize(
    ("foreign", "key"),
    [
        ("Bug", "bug"), ("BUG", "bug"), ("report: bug", "bug"), ("Bug reports", "bug"), ("Refunds", "money"),
        ("账单问题。", "bills"), ("money", "money"), ("Return", None), ("", None), ("?!", None), ("Praise", None),
    ],
)  # fmt: skip
def test_a_foreign_name_is_mapped_to_the_same_or_a_similar_one_and_else_to_none(foreign, key):
    assert proposed(foreign, {"bug": "Bug report", "money": "Refund", "bills": "账单问题"}) == key

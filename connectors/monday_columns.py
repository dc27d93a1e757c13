"""A board's columns, and the values they take. Pure.
Source: https://developer.monday.com/api-reference/reference/column-types-reference (read 2026-11).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import RemoteField
from connectors.answers import clipped, inside
from connectors.waits import number

LONGEST_TEXT, LONGEST_LONG_TEXT = 10_000, 2_000  # the first is ours; the second monday.com's, which cuts silently
KEY_COLUMN, TEXT_COLUMN = "octopus_key", "octopus_text"
OWN_COLUMNS = ((KEY_COLUMN, "Octopus key", "text"), (TEXT_COLUMN, "Customer message", "long_text"))
TEXTS = ("text", "long_text")
WRITABLE = (
    "name", *TEXTS, "numbers", "status", "dropdown", "date", "timeline", "people", "checkbox", "email", "phone",
    "link", "rating", "tags", "board_relation", "dependency",
)  # fmt: skip
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")
LABEL_TITLES = ("label", "labels", "tag", "tags")


@dataclass(frozen=True, slots=True)
class Columns:
    """The ids of the columns tasks are written to; all but the first two may be empty."""

    key: str
    text: str
    status: str
    due: str
    people: str
    priority: str
    labels: str

    def read(self) -> list[str]:
        """Those a TaskRef is made of. Never empty: monday.com then gives all columns."""
        return [column for column in (self.key, self.status, self.people) if column]


def visible(columns: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(column.get("id")): column for column in columns if not column.get("archived")}


def options(column: dict[str, Any]) -> tuple[str, ...]:
    """The labels of a status or dropdown column."""
    return tuple(_named(one) for one in _labels(column) if _named(one))


def remote_fields(columns: Iterable[dict[str, Any]], key_column: str) -> list[RemoteField]:
    return [
        RemoteField(key, str(one.get("title")), str(one.get("type")), required=key == "name", options=options(one))
        for key, one in visible(columns).items()
        if one.get("type") in WRITABLE and key != key_column
    ]


def chosen_for(columns: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What of the config can be told from a board's columns."""
    board = list(visible(columns).values())
    own = {title: key for key, title, _ in OWN_COLUMNS}
    for one in board:
        if one.get("title") in own and one.get("type") in TEXTS:
            own[one["title"]] = one["id"]
    status = next((one for one in board if one.get("type") == "status" and _done_label(one)), {})
    return {
        "key_column": own["Octopus key"],
        "text_column": own["Customer message"],
        "status_column": status.get("id", ""),
        "done_label": _done_label(status) or "Done",
        "due_column": _first(board, "date"),
        "people_column": _first(board, "people"),
        "priority_column": _first(board, "status", ("priority",)),
        "labels_column": _first(board, "dropdown", LABEL_TITLES),
    }


def moment_value(moment: datetime) -> dict[str, str]:
    """monday.com takes times in UTC and shows them in the reader's zone."""
    moment = moment.astimezone(UTC)
    return {"date": moment.date().isoformat(), "time": moment.strftime("%H:%M:%S")}


def people_value(name: str, text: str) -> dict[str, Any]:
    """text: ids, separated by commas."""
    return {"personsAndTeams": [{"id": person, "kind": "person"} for person in _ids(name, text)]}


def typed(column: dict[str, Any], text: str) -> Any:
    """A mapped text as the value of this column. Raises Rejected before anything is sent."""
    name, kind, text = str(column.get("id")), column.get("type"), text.strip()
    make = MAKERS.get(kind)
    if make is not None:
        return make(name, text)
    if kind == "text":
        return clipped(text, LONGEST_TEXT)
    if kind == "long_text":
        return clipped(text, LONGEST_LONG_TEXT)
    if kind == "status":
        return {"label": _option(column, text)}
    if kind == "dropdown":
        return {"labels": [_option(column, part) for part in _parts(text)]}
    raise refusal(name, "cannot be written")


def refusal(name: str, what: str) -> Rejected:
    return Rejected(
        f"monday.com's column '{name}' {what}. Nothing was sent. Correct the field mapping and replay.", name
    )


def _numeral(name: str, text: str) -> str:
    if number(text) is None:
        raise refusal(name, "takes a number")
    return text


def _date(name: str, text: str) -> dict[str, str]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refusal(name, "takes a date such as 2026-11-30 or 2026-11-30T09:30:00+01:00") from error
    if len(text) <= len("2026-11-30"):
        return {"date": moment.date().isoformat()}
    return moment_value(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _timeline(name: str, text: str) -> dict[str, str]:
    days = [_date(name, part)["date"] for part in _parts(text)]
    if len(days) != 2:
        raise refusal(name, "takes two dates separated by a comma")
    return {"from": days[0], "to": days[1]}


def _checkbox(name: str, text: str) -> dict[str, str] | None:
    """Cleared by null: monday.com takes the text "false" for a tick."""
    if text.casefold() not in TRUE + FALSE:
        raise refusal(name, "takes true or false")
    return {"checked": "true"} if text.casefold() in TRUE else None


def _phone(name: str, text: str) -> dict[str, str]:
    """monday.com checks the number against its country, written behind it as in '+49301234567 DE'."""
    digits, _, country = text.rpartition(" ")
    if not (digits and len(country) == 2 and country.isalpha()):
        raise refusal(name, "takes a number with its country behind it, such as +49301234567 DE")
    return {"phone": digits.replace(" ", ""), "countryShortName": country.upper()}


def _rating(name: str, text: str) -> dict[str, int]:
    if not (text.isascii() and text.isdigit()):
        raise refusal(name, "takes a whole number")
    return {"rating": int(text)}


MAKERS = {
    "numbers": _numeral,
    "date": _date,
    "timeline": _timeline,
    "people": people_value,
    "checkbox": _checkbox,
    "email": lambda name, text: {"email": text, "text": text},
    "phone": _phone,
    "link": lambda name, text: {"url": text, "text": text},
    "rating": _rating,
    "tags": lambda name, text: {"tag_ids": _ids(name, text)},
    "board_relation": lambda name, text: {"item_ids": _ids(name, text)},
    "dependency": lambda name, text: {"item_ids": _ids(name, text)},
}


def _ids(name: str, text: str) -> list[int]:
    ids = _parts(text)
    if not all(one.isascii() and one.isdigit() for one in ids):
        raise refusal(name, "takes ids, which are numbers")
    return [int(one) for one in ids]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _option(column: dict[str, Any], text: str) -> str:
    for option in options(column):
        if option.casefold() == text.casefold():
            return option
    raise refusal(str(column.get("id")), f"has no such label; it has: {', '.join(options(column))}")


def _done_label(column: dict[str, Any]) -> str:
    marked = [_named(one) for one in _labels(column) if one.get("is_done") and _named(one)]
    return next(iter(marked), "Done" if "Done" in options(column) else "")


def _labels(column: dict[str, Any]) -> list[dict[str, Any]]:
    found = inside(column, "settings", "labels")
    labels = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [one for one in labels if not one.get("is_deactivated")]


def _named(label: dict[str, Any]) -> str:
    """A status column labels its labels, a dropdown column may name them."""
    return str(label.get("label") or label.get("name") or "")


def _first(columns: list[dict[str, Any]], kind: str, titles: tuple[str, ...] = ()) -> str:
    for one in columns:
        if one.get("type") == kind and (not titles or str(one.get("title")).casefold() in titles):
            return one["id"]
    return ""

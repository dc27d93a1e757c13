"""The smart sheet tasks go to: its columns, its rows, and how a new one is made.

Source: https://developer.work.weixin.qq.com/document/path/97460 (documents) and
https://developer.work.weixin.qq.com/document/path/99915 (rows).
"""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import Rejected, TargetGone
from connectors.answers import Kept, inside, rows
from connectors.oauth import TokenClient
from connectors.payloads import answered
from connectors.wecom_cells import Columns

LABEL = "WeCom"
COLUMNS_GOOD_FOR_S = 300.0
PAGE = 1_000  # rows, the most WeCom gives at once
SMART_SHEET = 10  # a doc_type
BY_TITLE = {"key_type": "CELL_VALUE_KEY_TYPE_FIELD_TITLE"}


class Sheet:
    def __init__(self, api: TokenClient, document: str, sheet: str):
        self._api = api
        self._place = {"docid": document, "sheet_id": sheet}
        self._columns: Kept[Columns] = Kept()

    def columns(self) -> Columns:
        return self._columns.get(self._ask_columns)

    def title(self) -> str:
        """Raises TargetGone when the smart sheet has no such sub-sheet."""
        for one in self.all_in(self._place["docid"]):
            if one.get("sheet_id") == self._place["sheet_id"]:
                return str(one.get("title") or one["sheet_id"])
        raise TargetGone("WeCom's smart sheet has no such sub-sheet any more; nothing was done. Choose another one.")

    def check_column(self, title: str, kinds: tuple[str, ...], in_words: str) -> None:
        if self.columns().kind(title) not in kinds:
            raise Rejected(
                f"WeCom's smart sheet has no column '{title}' that is {in_words}; nothing was changed. Add it to the "
                "sheet, or name another one on Destinations.",
                title,
            )

    def all_in(self, document: str) -> list[dict[str, Any]]:
        """The sub-sheets that hold rows; a smart sheet may hold dashboards as well."""
        found = rows(LABEL, self._ask("get_sheet", {"docid": document}), "sheet_list")
        return [one for one in found if one.get("type", "smartsheet") == "smartsheet"]

    def made(self, name: str, members: list[str], columns: list[dict[str, Any]]) -> tuple[str, str, dict[str, Any]]:
        """A new smart sheet that belongs to the app; returns its id, its address and its first sub-sheet."""
        if not members:
            raise Rejected(
                "A smart sheet Octopus makes needs a manager, or nobody would find it in WeCom; nothing was made. Name "
                "at least one member's account on Destinations.",
                "members",
            )
        wanted = {"doc_type": SMART_SHEET, "doc_name": name, "admin_users": members}
        answer = self._api.call("POST", "/wedoc/create_doc", json=wanted)
        document = answered(LABEL, answer, "docid")
        first = self.all_in(document)[0]
        place = {"docid": document, "sheet_id": first["sheet_id"]}
        self._api.call("POST", "/wedoc/smartsheet/add_fields", json=place | {"fields": columns})
        return document, inside(answer, "url") or "", first

    def add(self, cells: dict[str, Any]) -> str:
        """Returns the row's id."""
        answer = self._write("add_records", {"values": cells})
        return answered(LABEL, answer, "records", 0, "record_id")

    def change(self, row_id: str, cells: dict[str, Any]) -> None:
        self._write("update_records", {"record_id": row_id, "values": cells})

    def row(self, row_id: str, titles: list[str]) -> dict[str, Any]:
        asked = self._place | BY_TITLE | {"record_ids": [row_id], "field_titles": titles}
        for one in rows(LABEL, self._ask("get_records", asked), "records"):
            if one.get("record_id") == row_id:
                return one
        raise TargetGone("The row is not in WeCom's smart sheet any more; nothing was done. Replay makes a new one.")

    def all_rows(self, titles: list[str]) -> Iterator[dict[str, Any]]:
        """All there are: WeCom documents no search. titles: the columns wanted."""
        asked = self._place | BY_TITLE | {"field_titles": titles, "offset": 0, "limit": PAGE}
        while True:
            answer = self._ask("get_records", asked)
            yield from rows(LABEL, answer, "records")
            following = inside(answer, "next")
            if not inside(answer, "has_more") or not isinstance(following, int) or following <= asked["offset"]:
                return
            asked["offset"] = following

    def _ask(self, what: str, asked: dict[str, Any]) -> Any:
        return self._api.call("POST", f"/wedoc/smartsheet/{what}", json=asked, changes_nothing=True)

    def _write(self, what: str, record: dict[str, Any]) -> Any:
        wanted = self._place | BY_TITLE | {"records": [record]}
        return self._api.call("POST", f"/wedoc/smartsheet/{what}", json=wanted)

    def _ask_columns(self) -> tuple[Columns, float]:
        found = rows(LABEL, self._ask("get_fields", self._place), "fields")
        return Columns({str(one.get("field_title")): one for one in found}), COLUMNS_GOOD_FOR_S

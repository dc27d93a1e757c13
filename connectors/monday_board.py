"""The monday.com board tasks go to: asking, changing, its columns, people and webhooks.
Source: https://developer.monday.com/api-reference/reference/boards and
https://developer.monday.com/api-reference/reference/webhooks (read 2026-11).
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from app.domain.errors import PermanentError, Refused, Rejected, RemoteError, TargetGone, TransientError
from connectors.answers import Kept, inside, rows
from connectors.http import ApiClient
from connectors.monday_columns import OWN_COLUMNS, Columns, options, visible
from connectors.monday_queries import (
    ADD_COLUMN,
    ADD_HOOK,
    BOARDS,
    CHANGES,
    CHECK,
    COLUMNS,
    MORE_CHANGES,
    REMOVE_HOOK,
    SUBSCRIBERS,
    USERS,
)
from connectors.oauth import TokenClient
from connectors.payloads import answered

LABEL = "monday.com"
COLUMNS_KEPT_FOR_S = 300.0
PAGE, PAGE_OF_BOARDS = 100, 25  # a query of 5 million points of complexity is refused
EVENTS = ("change_column_value", "create_update", "item_archived", "item_deleted", "item_restored")


class Board:
    def __init__(self, api: ApiClient | TokenClient, board_id: str):
        self._api = api
        self._id = board_id
        self._columns: Kept[dict[str, dict[str, Any]]] = Kept()

    def ask(self, query: str, **variables: Any) -> Any:
        wanted = {"query": query, "variables": variables}
        return inside(self._api.call("POST", "/v2", json=wanted, changes_nothing=True), "data")

    def change(self, mutation: str, **variables: Any) -> Any:
        return inside(self._api.call("POST", "/v2", json={"query": mutation, "variables": variables}), "data")

    def columns(self) -> dict[str, dict[str, Any]]:
        return self._columns.get(lambda: (self._ask_columns(), COLUMNS_KEPT_FOR_S))

    def check(self, columns: Columns, labels: tuple[str, ...]) -> str:
        """Who we are and where; raises Refused, Rejected or TargetGone naming what is missing.

        labels: of the status column. The columns of our own are added with the first item, where they are missing.
        """
        answer = self.ask(CHECK, board=self._id)
        board = self._only(answer)
        if board.get("state") != "active":
            raise TargetGone("The monday.com board is archived or deleted; nothing was changed. Choose another one.")
        if board.get("access_level") != "edit":
            raise Refused(
                "This monday.com user may only view the board; nothing was changed. Let its owner give the user the "
                "right to edit it, and connect again."
            )
        there = visible(rows(LABEL, board, "columns"))
        self._check_columns(columns, there)
        missing = [label for label in labels if label and label not in options(there.get(columns.status, {}))]
        if columns.status and missing:
            raise Rejected(
                f"The monday.com column '{columns.status}' has no label '{missing[0]}'; nothing was changed. Name one "
                f"it has on Destinations: {', '.join(options(there[columns.status]))}.",
                columns.status,
            )
        return f"{answered(LABEL, answer, 'me', 'name')} in {board.get('name')}"

    def all_that_can_be_written(self) -> Iterator[dict[str, Any]]:
        """The boards of items; documents and the hidden boards of subitems are boards as well."""
        for board in self.pages(BOARDS, "boards", limit=PAGE_OF_BOARDS):
            if board.get("type") == "board" and board.get("access_level") == "edit":
                yield board

    def people(self) -> Iterator[dict[str, Any]]:
        """Everybody sees a public board; of another, monday.com assigns items to its subscribers only."""
        board = self._only(self.ask(SUBSCRIBERS, board=self._id))
        found = rows(LABEL, board, "subscribers")
        if board.get("board_kind") == "public":
            found = self.pages(USERS, "users", limit=PAGE)
        return (one for one in found if one.get("status") != "INACTIVE")

    def add_own_columns(self, columns: Columns) -> None:
        """Those the manager left to us and the board lacks."""
        there = self._ask_columns()
        for column_id, title, kind in OWN_COLUMNS:
            if column_id in (columns.key, columns.text) and column_id not in there:
                with suppress(Rejected):  # another worker has just added it, else the next create says what is missing
                    self.change(ADD_COLUMN, board=self._id, id=column_id, title=title, type=kind)

    def newest_changes(self, columns: Columns) -> Iterator[dict[str, Any]]:
        """Items with a key, the last changed first."""
        asked = {"limit": PAGE, "columns": columns.read()}
        page = inside(self._only(self.ask(CHANGES, board=self._id, key=columns.key, **asked)), "items_page")
        while True:
            yield from rows(LABEL, page, "items")
            cursor = inside(page, "cursor")
            if not cursor:
                return
            page = inside(self.ask(MORE_CHANGES, cursor=cursor, **asked), "next_items_page")

    def pages(self, query: str, *path: str | int, limit: int, **variables: Any) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = rows(LABEL, self.ask(query, page=page, limit=limit, **variables), *path)
            yield from found
            if len(found) < limit:
                return
            page += 1

    def set_hooks(self, url: str, earlier: list[str]) -> list[str]:
        """One webhook an event, instead of the `earlier` ones; returns the ids of those there are now.

        monday.com does not tell where its webhooks point, so their ids are kept.
        """
        made: list[str] = []
        try:
            for event in EVENTS:
                answer = self.change(ADD_HOOK, board=self._id, url=url, event=event)
                made.append(answered(LABEL, answer, "create_webhook", "id"))
        except RemoteError:
            self._remove_hooks(made)
            raise
        return made + self._remove_hooks(earlier)

    def _remove_hooks(self, ids: list[str]) -> list[str]:
        """Returns those that may still be there. What they send is refused, as its secret is not the kept one."""
        left = []
        for hook_id in ids:
            try:
                self.change(REMOVE_HOOK, id=hook_id)
            except TransientError:
                left.append(hook_id)
            except PermanentError:
                continue  # somebody removed it, or it is another user's by now
        return left

    def _ask_columns(self) -> dict[str, dict[str, Any]]:
        return visible(rows(LABEL, self._only(self.ask(COLUMNS, board=self._id)), "columns"))

    def _check_columns(self, columns: Columns, there: dict[str, dict[str, Any]]) -> None:
        ours = [column_id for column_id, _, _ in OWN_COLUMNS]
        for column_id, kinds in (
            (columns.key, ("text",)), (columns.text, ("text", "long_text")), (columns.status, ("status",)),
            (columns.due, ("date",)), (columns.people, ("people",)), (columns.priority, ("status",)),
            (columns.labels, ("dropdown",)),
        ):  # fmt: skip
            is_added_later = column_id in ours and column_id not in there
            if column_id and not is_added_later and there.get(column_id, {}).get("type") not in kinds:
                raise Rejected(
                    f"The monday.com board has no column '{column_id}' of the type {' or '.join(kinds)}; nothing was "
                    "changed. Add it to the board, or name another one on Destinations.",
                    column_id,
                )

    def _only(self, answer: Any) -> dict[str, Any]:
        found = rows(LABEL, answer, "boards")
        if not found:
            raise TargetGone(
                "monday.com does not show this user the board: it was deleted, or the user has no access. Nothing was "
                "changed. Share the board with the user, or choose another one."
            )
        return found[0]

"""Group commit for a process's threads: results that arrive together are saved in one transaction.

A commit costs a disk flush and several round trips, so saving each of 250 results a second alone would cost more
than everything else. While one group is being saved the next gathers; an idle process saves at once.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.db.engine import enter_workspace, in_workspace
from app.logs import log

GATHER_S = 0.15  # under load; one sleep is cheaper than the many small commits it replaces
MOST_IN_GROUP = 200

Save = Callable[[Session, list[Any]], list[Any]]  # saves all items of one workspace, returns one result for each


class Writer:
    """`save` blocks the calling thread until its item is committed and returns what was made of it."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def save(self, workspace_id: UUID, how: Save, item: Any) -> Any:
        future: Future = Future()
        self._waiting.put((workspace_id, how, item, future))
        return future.result()

    def _run(self) -> None:
        busy = False
        while True:
            group = [self._waiting.get()]
            if busy:
                time.sleep(GATHER_S)
            while not self._waiting.empty() and len(group) < MOST_IN_GROUP:
                group.append(self._waiting.get())
            busy = len(group) > 1
            self._commit(group)

    def _commit(self, group: list) -> None:
        try:
            results = _saved(group)
        except Exception as error:  # noqa: BLE001  handed to the callers below, one by one
            if len(group) == 1:
                group[0][3].set_exception(error)
                return
            log.warning("group_commit_failed", size=len(group), error=str(error))
            for one in group:  # one bad item must not fail its neighbours
                self._commit([one])
            return
        for (_, _, _, future), result in zip(group, results, strict=True):
            future.set_result(result)


def _saved(group: list) -> list[Any]:
    """Save a group in one transaction: a statement set per workspace and kind, in a fixed order against deadlocks."""
    parts: dict[tuple[UUID, str], list[int]] = {}
    for position, (workspace_id, how, _, _) in enumerate(group):
        parts.setdefault((workspace_id, f"{how.__module__}.{how.__qualname__}"), []).append(position)
    results: list[Any] = [None] * len(group)
    ordered = sorted(parts.items(), key=lambda part: (part[0][0].bytes, part[0][1]))
    with in_workspace(ordered[0][0][0]) as session:
        for (workspace_id, _), positions in ordered:
            enter_workspace(session, workspace_id)
            how = group[positions[0]][1]
            for position, result in zip(positions, how(session, [group[p][2] for p in positions]), strict=True):
                results[position] = result
    return results

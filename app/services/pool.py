"""This process's threads, and the leases of what they work on.

A job hands its rows over and ends; the threads finish them. `submit` waits for a free thread, so a worker takes the
next job only while it has room. A row under work is leased: every few seconds the lease is renewed, and when the
process dies it runs out and the sweeper gives the row to another.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from app.db import bulk
from app.db.engine import in_workspace
from app.db.tables.base import now
from app.db.writer import Writer
from app.logs import log
from app.settings import settings

LEASE = timedelta(seconds=30)
RENEW_EVERY_S = 10.0


class Pool:
    def __init__(self, threads: int):
        self.threads = threads
        self.writer = Writer()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._free = threading.BoundedSemaphore(threads)
        self._leases: dict[tuple[str, UUID], tuple[UUID, UUID]] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._renew_leases, name="leases", daemon=True).start()

    def submit(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run on a thread; blocks while all are busy. Never call it from one of them."""
        self._free.acquire()
        self._executor.submit(self._run, function, arguments)

    def _run(self, function: Callable[..., None], arguments: tuple) -> None:
        try:
            function(*arguments)
        except Exception:  # noqa: BLE001  the lease runs out and the row is tried again; the log keeps why
            log.exception("work_failed", work=function.__qualname__)
        finally:
            self._free.release()

    def lease(self, table: type[SQLModel], workspace_id: UUID, token: UUID, ids: Iterable[UUID]) -> None:
        with self._changed:
            for id_ in ids:
                self._leases[str(table.__tablename__), id_] = (workspace_id, token)

    def release(self, table: type[SQLModel], id_: UUID) -> None:
        with self._changed:
            self._leases.pop((str(table.__tablename__), id_), None)
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is under work; False when the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._leases, timeout_s)

    def _renew_leases(self) -> None:
        while True:
            time.sleep(RENEW_EVERY_S)
            with self._changed:
                held = list(self._leases.items())
            by_scope: dict[tuple[str, UUID], list[dict]] = {}
            for (table, id_), (workspace_id, token) in held:
                by_scope.setdefault((table, workspace_id), []).append({"id": id_, "token": token})
            for (table, workspace_id), rows in by_scope.items():
                try:
                    with in_workspace(workspace_id) as session:
                        bulk.update(session, _RENEW[table], [{**row, "until": now() + LEASE} for row in rows])
                except Exception:  # noqa: BLE001  the database is away; the next round tries again
                    log.exception("lease_renewal_failed", table=table, rows=len(rows))


_RENEW = {
    table: f"""
        update {table} t set next_try_at = v.until
        from json_to_recordset(%(rows)s) as v(id uuid, token uuid, until timestamptz)
        where t.id = v.id and t.lease_token = v.token returning t.id"""  # noqa: S608  fixed table names
    for table in ("message", "delivery", "webhook_event")
}


@cache
def pool() -> Pool:
    return Pool(settings().threads)

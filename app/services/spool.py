"""A local shelter for events of channels that do not resend, while the database is away.

One file per event, written to disk before the sender hears 200; it drains by itself. Bounded: when it is full the
sender hears 503 and the loss is counted.
"""

import asyncio
import base64
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from app.db.accept import NewEvent
from app.domain.errors import OctopusError

MOST_EVENTS = 10_000
BATCH = 200


class SpoolFull(OctopusError):
    pass


class Spool:
    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for unfinished in folder.glob("*.part"):  # its sender never heard 200
            unfinished.unlink()
        self.count = sum(1 for _ in folder.glob("*.json"))

    async def put(self, event: NewEvent) -> None:
        """Returns when the event is on disk. Raises SpoolFull or OSError."""
        if self.count >= MOST_EVENTS:
            raise SpoolFull(f"The local spool holds {MOST_EVENTS} events; this one was refused.")
        await asyncio.to_thread(self._write, event)
        self.count += 1

    def _write(self, event: NewEvent) -> None:
        part = self.folder / f"{event.id}.part"
        with part.open("wb") as file:
            file.write(orjson.dumps(asdict(event) | {"body": base64.b64encode(event.body).decode()}))
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / f"{event.id}.json")
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name must survive a power cut as well as the content
        finally:
            os.close(folder)

    def oldest(self) -> list[tuple[Path, NewEvent]]:
        """Ids sort by time, so names do."""
        return [(path, _event(path.read_bytes())) for path in sorted(self.folder.glob("*.json"))[:BATCH]]

    def remove(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        self.count = sum(1 for _ in self.folder.glob("*.json"))


def _event(raw: bytes) -> NewEvent:
    kept = orjson.loads(raw)
    ids = {name: UUID(kept[name]) for name in ("id", "workspace_id", "bot_id")}
    times = {"received_at": datetime.fromisoformat(kept["received_at"])}
    return NewEvent(**(kept | ids | times | {"body": base64.b64decode(kept["body"])}))

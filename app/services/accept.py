"""The receiver's work between the socket and the 200: find the bot, prove the origin, commit, wake a worker.

Requests that arrive while a commit is under way share the next one. The answer goes out after the commit, and after
the answer one job per group wakes a worker.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from redis import RedisError

from app import enqueue
from app.db import accept
from app.db.accept import BotRow, NewEvent
from app.db.tables.base import new_id
from app.domain.errors import BadSignature, Malformed, OctopusError
from app.domain.messages import Answer, RawRequest
from app.logs import log
from app.metrics import QUEUED, SPOOLED
from app.services import secrets
from app.services.spool import Spool, SpoolFull
from connectors import registry
from connectors.base import Channel

BOT_FRESH_S = 2.0
FLUSHERS = 3
MOST_QUEUED = 10_000
MOST_IN_GROUP = 500
GATHER_S, CLOSE_S, FEW = 0.01, 0.02, 8
COALESCE_S = 0.1  # under load: a job costs about 60 Redis commands
LONGEST_EVENT_KEY = 200
KEPT_HEADERS = ("content-type", "user-agent", "x-slack-retry-num", "x-slack-retry-reason")


class Unavailable(OctopusError):
    """Nothing was stored; the sender should try again."""


class UnknownBot(OctopusError):
    pass


@dataclass(slots=True)
class KnownBot:
    row: BotRow
    adapter: Channel
    read_at: float


class Receiver:
    """One per process. `start` and `stop` frame it; `accept` serves one request."""

    def __init__(self, database_url: str, spool: Spool):
        self.pool = accept.open_pool(database_url)
        self.spool = spool
        self._bots: dict[str, KnownBot] = {}
        self._queue: asyncio.Queue[tuple[NewEvent, asyncio.Future]] = asyncio.Queue(MOST_QUEUED)
        self._gathering = asyncio.Lock()  # one flusher gathers while the others commit
        self._gathered_at = 0.0
        self._waiting = 0  # requests whose commit is to come
        self._to_wake: dict[UUID, list[UUID]] = defaultdict(list)
        self._woken = asyncio.Event()
        self._health: dict[tuple[UUID, UUID], tuple[datetime | None, int, str]] = {}
        self._tasks: list[asyncio.Task] = []

    async def start(self) -> None:
        await self.pool.open(wait=False)
        loops = [*[self._flush] * FLUSHERS, self._wake_workers, self._note_health, self._drain_spool]
        self._tasks = [asyncio.create_task(loop()) for loop in loops]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.close()

    async def ready(self) -> dict[str, bool]:
        return {"database": await accept.answers(self.pool), "redis": await asyncio.to_thread(enqueue.answers)}

    async def accept(self, channel: str, hook_key: str, request: RawRequest) -> Answer:
        """Store one request durably; returns what the channel wants to read.

        Raises UnknownBot, BadSignature or Unavailable; in each case nothing was stored.
        """
        bot = await self._bot(channel, hook_key)
        now = datetime.now(UTC)
        try:
            bot.adapter.verify(request, now.timestamp())
            answer, key = _read(bot.adapter, request)
        except BadSignature as error:
            self._note_refusal(bot.row, str(error))
            raise
        if answer.store:
            event = NewEvent(
                new_id(), bot.row.workspace_id, bot.row.id, key, now,
                {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
                request.query, request.body,
            )  # fmt: skip
            await self._keep(bot, event)
        return answer

    # ---- bots

    async def _bot(self, channel: str, hook_key: str) -> KnownBot:
        known = self._bots.get(hook_key)
        if known is None or time.monotonic() - known.read_at > BOT_FRESH_S:
            known = await self._read_bot(hook_key, known)
        if known is None or known.row.channel != channel or not known.row.enabled:
            raise UnknownBot("No bot has this address. Copy the webhook URL anew from the Bots page.")
        return known

    async def _read_bot(self, hook_key: str, known: KnownBot | None) -> KnownBot | None:
        try:
            row = await accept.bot(self.pool, hook_key)
        except (psycopg.Error, OSError) as error:
            if known is not None:
                return known  # what was true two seconds ago, until the database is back
            log.warning("bot_not_read", error=str(error), next_step="the sender hears 503")
            raise Unavailable("The database is away.") from error
        if row is None:
            self._bots.pop(hook_key, None)
            return None
        if known is None or known.row != row:
            module = registry.channel(row.channel)
            config = secrets.unseal(module.Config, row.config, row.workspace_id, f"bot/{row.id}")
            known = KnownBot(row, module.Channel(config), 0.0)
        self._bots[hook_key] = known
        known.read_at = time.monotonic()
        return known

    # ---- keeping

    async def _keep(self, bot: KnownBot, event: NewEvent) -> None:
        try:
            await self._commit(event)
        except Unavailable:
            if bot.adapter.RESENDS:
                raise
            try:
                await self.spool.put(event)
            except (SpoolFull, OSError) as error:
                log.error("event_refused", bot_id=str(bot.row.id), error=str(error))
                raise Unavailable("The database is away and the local spool takes no more.") from error
            SPOOLED.set(self.spool.count)
        seen = self._health.get((event.workspace_id, event.bot_id), (None, 0, ""))
        self._health[event.workspace_id, event.bot_id] = (event.received_at, *seen[1:])

    async def _commit(self, event: NewEvent) -> None:
        committed = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((event, committed))
        except asyncio.QueueFull:
            raise Unavailable(f"{MOST_QUEUED} requests wait for the database already.") from None
        self._waiting += 1
        try:
            await committed
        finally:
            self._waiting -= 1

    async def _flush(self) -> None:
        while True:
            async with self._gathering:
                group = await self._gather()
            await self._store(group)

    async def _gather(self) -> list[tuple[NewEvent, asyncio.Future]]:
        """What waits for the next commit. When requests follow closely, a few more are awaited: a commit is dear."""
        group = [await self._queue.get()]
        clock = asyncio.get_running_loop().time
        if clock() - self._gathered_at < CLOSE_S and self._waiting < FEW:
            await asyncio.sleep(GATHER_S)
        while not self._queue.empty() and len(group) < MOST_IN_GROUP:
            group.append(self._queue.get_nowait())
        self._gathered_at = clock()
        QUEUED.set(self._queue.qsize())
        return group

    async def _store(self, group: list[tuple[NewEvent, asyncio.Future]]) -> None:
        try:
            new = await accept.insert_events(self.pool, [event for event, _ in group])
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
            log.warning(
                "database_away", requests=len(group), error=str(error), next_step="senders hear 503 or are spooled"
            )
            self._fail(group, Unavailable("The database is away."))
        except psycopg.Error as error:
            if len(group) > 1:  # one row the database refuses must not fail its neighbours
                for one in group:
                    await self._store([one])
                return
            log.error("event_refused", bot_id=str(group[0][0].bot_id), error=str(error))
            self._fail(group, Unavailable("The database refused the request."))
        else:
            for event, committed in group:
                if not committed.done():
                    committed.set_result(None)
                if event.id in new:
                    self._to_wake[event.workspace_id].append(event.id)
            self._woken.set()

    @staticmethod
    def _fail(group: list[tuple[NewEvent, asyncio.Future]], error: Unavailable) -> None:
        for _, committed in group:
            if not committed.done():
                committed.set_exception(error)

    # ---- afterwards

    async def _wake_workers(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            ids, self._to_wake = self._to_wake, defaultdict(list)
            started = time.monotonic()
            try:
                await asyncio.to_thread(enqueue.wake, enqueue.PROCESS, ids)
            except RedisError as error:
                count = sum(map(len, ids.values()))
                log.warning("wake_failed", error=str(error), events=count, next_step="the sweeper queues them")
            if sum(map(len, ids.values())) > 1 or self._woken.is_set():
                await asyncio.sleep(max(0.0, COALESCE_S - (time.monotonic() - started)))

    def _note_refusal(self, row: BotRow, reason: str) -> None:
        last, refused, _ = self._health.get((row.workspace_id, row.id), (None, 0, ""))
        self._health[row.workspace_id, row.id] = (last, refused + 1, reason)

    async def _note_health(self) -> None:
        while True:
            await asyncio.sleep(BOT_FRESH_S)
            seen, self._health = self._health, {}
            if seen:
                try:
                    await accept.note_health(self.pool, seen)
                except (psycopg.Error, OSError) as error:
                    log.warning("bot_health_not_saved", error=str(error))

    async def _drain_spool(self) -> None:
        while True:
            await asyncio.sleep(1)
            if not self.spool.count:
                continue
            kept = await asyncio.to_thread(self.spool.oldest)
            try:
                for _, event in kept:
                    await self._commit(event)
            except Unavailable:
                continue
            await asyncio.to_thread(self.spool.remove, [path for path, _ in kept])
            SPOOLED.set(self.spool.count)


def _read(adapter: Channel, request: RawRequest) -> tuple[Answer, str]:
    """The answer and the event's key. A verified body nobody can read is kept all the same, under its hash."""
    try:
        answer = adapter.answer(request)
        key = adapter.event_key(request) if answer.store else ""
    except Malformed:
        return Answer(), _hash(request)
    return answer, key if _fits(key) else _hash(request)


def _hash(request: RawRequest) -> str:
    return "sha256:" + hashlib.sha256(request.body).hexdigest()


def _fits(key: str) -> bool:
    return len(key) <= LONGEST_EVENT_KEY and "\x00" not in key and key.isprintable()

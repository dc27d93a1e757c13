"""The receiver's side of the database: asynchronous, over all workspaces, a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from app.db.engine import SYSTEM_ROLE

WORKER_HEAD_START = "15 seconds"  # before the sweeper takes an event for forgotten


@dataclass(frozen=True, slots=True)
class BotRow:
    id: UUID
    workspace_id: UUID
    key: str
    channel: str
    name: str
    config: dict[str, Any]
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewEvent:
    id: UUID
    workspace_id: UUID
    bot_id: UUID
    event_key: str
    received_at: datetime
    headers: dict[str, str]
    query: str
    body: bytes


def open_pool(url: str) -> AsyncConnectionPool:
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=6,
        open=False,
        timeout=2,
        reconnect_timeout=5,
        kwargs={"options": f"-c role={SYSTEM_ROLE} -c timezone=UTC", "autocommit": True, "connect_timeout": 5},
    )


async def bot(pool: AsyncConnectionPool, hook_key: str) -> BotRow | None:
    async with pool.connection() as connection, connection.cursor(row_factory=class_row(BotRow)) as cursor:
        await cursor.execute(
            "select id, workspace_id, key, channel, name, config, enabled from bot where hook_key = %s", (hook_key,)
        )
        return await cursor.fetchone()


async def insert_events(pool: AsyncConnectionPool, events: Sequence[NewEvent]) -> set[UUID]:
    """One statement, one commit. Returns the ids that are new; the others were here already."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            f"""
            insert into raw_event
                (id, workspace_id, bot_id, event_key, received_at, headers, query, body, status, reason, next_try_at)
            select v.*, 'received', '', v.received_at + interval '{WORKER_HEAD_START}'
            from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::text[],
                        %s::bytea[])
                as v(id, workspace_id, bot_id, event_key, received_at, headers, query, body)
            on conflict (bot_id, event_key) do nothing returning id""",  # noqa: S608  a constant of this file
            (
                [e.id for e in events], [e.workspace_id for e in events], [e.bot_id for e in events],
                [e.event_key for e in events], [e.received_at for e in events],
                [orjson.dumps(e.headers).decode() for e in events], [e.query for e in events],
                [e.body for e in events],
            ),
            binary=False,
        )  # fmt: skip
        return {row[0] for row in await cursor.fetchall()}


async def note_health(
    pool: AsyncConnectionPool, seen: dict[tuple[UUID, UUID], tuple[datetime | None, int, str]]
) -> None:
    """Per (workspace, bot): time of the last event, refusals since the last note, reason of the last refusal."""
    async with pool.connection() as connection:
        await connection.execute(
            """
            insert into bot_health (workspace_id, bot_id, last_event_at, refused, last_refused_at, last_refused_reason)
            select workspace_id, bot_id, last_event_at, refused, case when refused > 0 then now() end, reason
            from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::int[], %s::text[])
                as v(workspace_id, bot_id, last_event_at, refused, reason)
            where exists (select from bot where bot.id = v.bot_id)
            on conflict (bot_id) do update set
                last_event_at = coalesce(excluded.last_event_at, bot_health.last_event_at),
                refused = bot_health.refused + excluded.refused,
                last_refused_at = coalesce(excluded.last_refused_at, bot_health.last_refused_at),
                last_refused_reason = coalesce(nullif(excluded.last_refused_reason, ''), bot_health.last_refused_reason)
            """,
            (
                [w for w, _ in seen], [b for _, b in seen], [v[0] for v in seen.values()],
                [v[1] for v in seen.values()], [v[2] for v in seen.values()],
            ),
        )  # fmt: skip


async def answers(pool: AsyncConnectionPool) -> bool:
    try:
        async with pool.connection() as connection:
            await connection.execute("select 1")
    except (psycopg.Error, OSError):
        return False
    return True

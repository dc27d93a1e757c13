"""The only module that talks to RQ. A job wakes a worker and carries ids; the truth stays in PostgreSQL.

Workspaces hash onto a fixed number of shards that workers take in turn, so one workspace's burst cannot starve
another. Several queues per worker mean RQ pops without its crash-safe move; a job lost that way is only a lost
wake-up: the sweeper finds the rows.
"""

from collections.abc import Iterable
from functools import cache
from uuid import UUID
from zlib import crc32

from redis import Redis, RedisError
from rq import Queue

from app.domain.errors import OctopusError
from app.settings import settings

SHARDS = 8
MOST_IDS = 200
PROCESS, CLASSIFY, DELIVER = "workers.jobs.process", "workers.jobs.classify", "workers.jobs.deliver"
LEARN, SYNC, POLL = "workers.jobs.learn", "workers.jobs.sync", "workers.jobs.poll"
REPLY, TOPICS = "workers.jobs.reply", "workers.jobs.watch_topics"
TELL, ROLL_UP = "workers.jobs.tell", "workers.jobs.roll_up"
SWEEP_QUEUE = "sweep"


@cache
def redis() -> Redis:
    url = settings().redis_url
    if not url:
        raise OctopusError("REDIS_URL is not set and no embedded Redis is running. Start it with ./octopus up.")
    return Redis.from_url(url)


def queue_names() -> list[str]:
    return [SWEEP_QUEUE, *(f"shard-{number}" for number in range(SHARDS))]


def wake(job: str, ids: dict[UUID, Iterable[UUID]]) -> None:
    """Queue one job per shard concerned (more when there are over 200 ids). Raises redis.RedisError."""
    by_shard: dict[str, list[tuple[str, str]]] = {}
    for workspace_id, members in ids.items():
        pairs = ((str(workspace_id), str(member)) for member in members)
        by_shard.setdefault(shard_of(workspace_id), []).extend(pairs)
    for shard, pairs in by_shard.items():
        for start in range(0, len(pairs), MOST_IDS):
            batch: dict[str, list[str]] = {}
            for workspace_id, member in pairs[start : start + MOST_IDS]:
                batch.setdefault(workspace_id, []).append(member)
            _queue(shard).enqueue(job, batch, job_timeout=300, result_ttl=0, failure_ttl=86400)


def answers() -> bool:
    try:
        return bool(redis().ping())
    except RedisError:
        return False


def shard_of(workspace_id: UUID) -> str:
    return f"shard-{crc32(workspace_id.bytes) % SHARDS}"


def backlog() -> dict[str, int]:
    """Jobs waiting per queue."""
    return {name: _queue(name).count for name in queue_names()}


@cache
def _queue(name: str) -> Queue:
    return Queue(name, connection=redis(), serializer="json")

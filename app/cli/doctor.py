"""`./octopus doctor`: one line for each part, saying whether it works and how to mend it."""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import psycopg
from redis import RedisError
from rq import Worker
from rq.cron import CronScheduler

from app import enqueue
from app.cli.main import must_answer
from app.cli.running import running_up
from app.db import crypto
from app.db.engine import APP_ROLE, SYSTEM_ROLE
from app.db.migrate import head
from app.domain.errors import OctopusError
from app.settings import settings

OK, WARNING, FAILURE = "ok", "warning", "failure"
OLDEST_PYTHON, OLDEST_POSTGRES = (3, 11), 16
LOW_DISK_MB, NO_DISK_MB = 1000, 200
LONG_BACKLOG = 1000  # jobs; each carries up to 200 ids
CONNECT_S = 5
NOT_RUNNING = "nothing runs with the data in {}. Start it with: ./octopus up"


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    state: str
    text: str


def examine() -> int:
    """Prints a line for each part. Returns 0, or 1 when something fails."""
    failed = False
    for check in (_python, _disk, _secret_key, _ports, _public_url, _postgres, _redis, _receiver):
        for finding in check():
            print(f"{finding.state:>7}  {finding.part:<12} {finding.text}")
            failed |= finding.state == FAILURE
    return int(failed)


# ---- this machine


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("Python", FAILURE, f"{version} is too old. Run Octopus with Python 3.11 or newer.")
    else:
        yield Finding("Python", OK, version)


def _disk() -> Iterator[Finding]:
    folder = settings().data_dir.resolve()
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 2**20
    state = FAILURE if free_mb < NO_DISK_MB else WARNING if free_mb < LOW_DISK_MB else OK
    mend = "" if state == OK else ". Make room, or move the data with OCTOPUS_DATA_DIR."
    yield Finding("disk", state, f"{free_mb:,} MB free at {folder}{mend}")


def _secret_key() -> Iterator[Finding]:
    path = settings().data_dir / "secret.key"
    if settings().secret_key is None and not path.exists():
        yield Finding("secret key", OK, f"none yet; it is made at first use in {path}")
        return
    try:
        crypto.derive("doctor")
    except (OctopusError, OSError) as error:
        yield Finding("secret key", FAILURE, str(error))
        return
    if settings().secret_key is not None:
        yield Finding("secret key", OK, "from OCTOPUS_SECRET_KEY")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("secret key", FAILURE, f"others may read {path}. Mend it with: chmod 600 {path}")
    else:
        yield Finding("secret key", OK, f"{path}, readable by its owner alone")


def _ports() -> Iterator[Finding]:
    parts = (
        ("receiver", "OCTOPUS_RECEIVER_PORT", settings().receiver_port, "/readyz", _is_our_receiver),
        ("app", "OCTOPUS_UI_PORT", settings().ui_port, "/_stcore/health", lambda answer: answer.text.strip() == "ok"),
        ("API", "OCTOPUS_API_PORT", settings().api_port, "/api/healthz", lambda answer: answer.text == '{"api":"ok"}'),
    )
    for name, variable, port, path, is_ours in parts:
        yield _port(f"{name} port", variable, port, path, is_ours)


def _port(part: str, variable: str, port: int, path: str, is_ours: Callable[[httpx.Response], bool]) -> Finding:
    try:
        ours = is_ours(httpx.get(f"http://127.0.0.1:{port}{path}", timeout=CONNECT_S))
    except httpx.ConnectError:
        return Finding(part, OK, f"{port} is free")
    except httpx.HTTPError:
        ours = False
    if ours:
        return Finding(part, OK, f"{port} is answered by Octopus")
    return Finding(part, FAILURE, f"{port} is taken by another program. Choose a free one with {variable}.")


def _is_our_receiver(answer: httpx.Response) -> bool:
    try:
        return "spooled" in answer.json()
    except ValueError:
        return False


def _public_url() -> Iterator[Finding]:
    url = settings().public_url
    if url is None:
        text = f"not set: chat services cannot reach {settings().hooks_url}. Set OCTOPUS_PUBLIC_URL (https)"
        yield Finding("public URL", WARNING, text)
    elif urlsplit(url).scheme != "https":
        yield Finding("public URL", FAILURE, f"{url}: chat services demand https. Mend OCTOPUS_PUBLIC_URL")
    else:
        yield Finding("public URL", OK, url)


# ---- PostgreSQL


def _postgres() -> Iterator[Finding]:
    url = settings().database_url
    if url is None:
        yield Finding("PostgreSQL", FAILURE, NOT_RUNNING.format(settings().data_dir))
        return
    try:
        must_answer(url)
        with psycopg.connect(url, connect_timeout=CONNECT_S, autocommit=True) as connection:
            yield from _database(connection)
    except OctopusError as error:
        yield Finding("PostgreSQL", FAILURE, str(error))
    except psycopg.Error as error:
        text = f"{_first_line(error)}. DATABASE_URL must log in as a member of {APP_ROLE}: deploy/postgres-init.sql"
        yield Finding("PostgreSQL", FAILURE, text)


def _database(connection: psycopg.Connection) -> Iterator[Finding]:
    major = connection.info.server_version // 10000
    if major < OLDEST_POSTGRES:
        yield Finding("PostgreSQL", FAILURE, f"{major} is too old. Octopus needs {OLDEST_POSTGRES} or newer.")
        return
    yield Finding("PostgreSQL", OK, f"{major}, as {connection.info.user}")
    revision = _revision(connection)
    if revision != head():
        text = f"the database is at {revision or 'nothing'}, Octopus at {head()}. Mend it with: ./octopus migrate"
        yield Finding("schema", FAILURE, text)
        return
    yield Finding("schema", OK, f"migrated to {revision}")
    missing = _missing_roles(connection)
    if missing:  # roles belong to the server: the dump of one database does not bring them along
        mend = "; ".join(f"create role {role} nologin" for role in missing)
        text = f"{', '.join(missing)} missing. Make them ({mend}), then restore the database's dump once more"
        yield Finding("role", FAILURE, text)
        return
    yield from _roles(connection)
    yield _isolation(connection)


def _revision(connection: psycopg.Connection) -> str | None:
    if connection.execute("select to_regclass('alembic_version')").fetchone()[0] is None:
        return None
    row = connection.execute("select version_num from alembic_version").fetchone()
    return row[0] if row else None


def _missing_roles(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("select rolname from pg_roles").fetchall()
    return sorted({APP_ROLE, SYSTEM_ROLE} - {row[0] for row in rows})


def _roles(connection: psycopg.Connection) -> Iterator[Finding]:
    for role in (APP_ROLE, SYSTEM_ROLE):
        powerful, owned, reachable = connection.execute(
            """
            select rolsuper or rolbypassrls, (select count(*) from pg_class where relowner = pg_roles.oid),
                   pg_has_role(current_user, oid, 'SET')
            from pg_roles where rolname = %s""",
            (role,),
        ).fetchone()
        if powerful:
            text = f"is above row-level security. Mend it with: alter role {role} nosuperuser nobypassrls"
        elif owned:
            text = f"owns {owned} objects. Give them to the migrating role: reassign owned by {role} to the owner"
        elif not reachable:
            text = f"cannot be taken by {connection.info.user}. Mend it with: grant {role} to {connection.info.user}"
        else:
            yield Finding("role", OK, f"{role} owns nothing and is held by row-level security")
            continue
        yield Finding("role", FAILURE, f"{role} {text}")


def _isolation(connection: psycopg.Connection) -> Finding:
    inherited = connection.execute("select pg_has_role(%s, %s, 'USAGE')", (APP_ROLE, SYSTEM_ROLE)).fetchone()[0]
    if inherited:
        mend = f"grant {SYSTEM_ROLE} to {APP_ROLE} with inherit false, set true"
        text = f"{APP_ROLE} inherits {SYSTEM_ROLE} and sees every workspace. Mend it with: {mend}"
        return Finding("isolation", FAILURE, text)
    rows = connection.execute("""
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'
            and not (relrowsecurity and relforcerowsecurity)
        order by relname""").fetchall()
    if rows:
        names = ", ".join(row[0] for row in rows)
        mend = "alter table NAME enable row level security, force row level security"
        return Finding("isolation", FAILURE, f"row-level security is not forced on: {names}. Mend each with: {mend}")
    return Finding("isolation", OK, "row-level security is forced on every table")


# ---- Redis, workers, receiver


def _redis() -> Iterator[Finding]:
    if settings().redis_url is None:
        yield Finding("Redis", FAILURE, NOT_RUNNING.format(settings().data_dir))
        return
    try:
        yield from _redis_settings()
        yield from _workers()
        yield _cron()
    except (RedisError, ValueError) as error:  # ValueError: the address cannot be read
        yield Finding("Redis", FAILURE, f"{_first_line(error)}. Is it started, and is REDIS_URL right?")


def _redis_settings() -> Iterator[Finding]:
    told = enqueue.redis().info()
    yield Finding("Redis", OK, told["redis_version"])
    policy = told.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        text = f"maxmemory-policy is {policy}: jobs may vanish. Set it to noeviction; the sweeper brings them back late"
        yield Finding("Redis", WARNING, text)
    if not told.get("aof_enabled"):
        yield Finding("Redis", WARNING, "AOF is off: after a crash waiting jobs come back late. Set appendonly yes")


def _workers() -> Iterator[Finding]:
    waiting = sum(enqueue.backlog().values())
    count = len(Worker.all(connection=enqueue.redis(), serializer="json"))
    if count:
        yield Finding("workers", OK, f"{count} registered")
    else:
        yield Finding("workers", FAILURE, f"none is registered and {waiting} jobs wait. Start: ./octopus up")
    if waiting > LONG_BACKLOG:
        yield Finding("backlog", WARNING, f"{waiting:,} jobs wait. Start more workers: OCTOPUS_WORKERS")
    else:
        yield Finding("backlog", OK, f"{waiting:,} jobs wait")


def _cron() -> Finding:
    running = CronScheduler.all(enqueue.redis())
    if not running:
        return Finding("cron", FAILURE, "not running: nothing lost is found again. Start: ./octopus up")
    if len(running) > 1:
        return Finding("cron", WARNING, f"{len(running)} run, one is enough. After a crash: look again in 2 minutes")
    return Finding("cron", OK, "running")


def _receiver() -> Iterator[Finding]:
    address = f"http://127.0.0.1:{settings().receiver_port}/readyz"
    try:
        answer = httpx.get(address, timeout=CONNECT_S)
    except httpx.HTTPError as error:
        state = FAILURE if running_up(settings().data_dir) else WARNING
        yield Finding("receiver", state, f"does not answer at {address} ({type(error).__name__}). Start: ./octopus up")
        return
    if not _is_our_receiver(answer):
        yield Finding("receiver", FAILURE, f"another program answers at {address}; see the port above")
        return
    told = answer.json()
    away = [part for part, fine in told.items() if fine is False]
    if away:
        yield Finding("receiver", FAILURE, f"runs but cannot reach: {', '.join(away)}; see above")
    else:
        yield Finding("receiver", OK, "ready")
    if told["spooled"]:
        yield Finding("spool", WARNING, f"{told['spooled']} events wait on disk; they are stored by themselves")


def _first_line(error: Exception) -> str:
    """What the driver says; its further lines are hints to programmers."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

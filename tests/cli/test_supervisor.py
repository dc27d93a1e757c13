"""The supervisor with children of a few lines: restarts, log lines, the end."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from app.cli import up
from app.cli.up import Child, Supervisor

FOREVER = "import time; time.sleep(600)"


def child(name, code):
    return Child(name, [sys.executable, "-u", "-c", code])


def until(what, timeout_s=15):
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def supervise(monkeypatch):  # so that it ends before the patches do
    """Runs a supervisor in a thread, as `up` does in its main one; stopped at the end of the test."""
    started = []

    def run(*children):
        supervisor = Supervisor(list(children))
        # The kernel ends a child with the thread that made it, so one thread starts, restarts and stops.
        thread = threading.Thread(target=lambda: (supervisor.start(), supervisor.run()))
        thread.start()
        started.append((supervisor, thread))
        until(lambda: all(one.process for one in children))
        return supervisor, thread

    yield run
    for supervisor, thread in started:
        supervisor.stopping.set()
        thread.join(40)


def test_a_child_that_dies_is_started_again_after_growing_pauses(supervise, capsys, monkeypatch):
    monkeypatch.setattr(up, "FIRST_PAUSE_S", 0.1)
    dying = child("dying", "raise SystemExit(3)")
    dying.pause_s = 0.1

    supervise(dying)

    until(lambda: dying.pause_s >= 0.8)
    said = capsys.readouterr().out
    for pause in ("0.1", "0.2", "0.4"):
        assert f"dying ended with code 3; it is started again in {pause} s" in said


def test_the_pause_has_a_limit_and_shrinks_after_a_healthy_while(monkeypatch):
    monkeypatch.setattr(up, "LONGEST_PAUSE_S", 0.3)
    dying = child("dying", "raise SystemExit(3)")
    dying.pause_s = 0.2
    supervisor = Supervisor([dying])
    supervisor.start()
    dying.process.wait()
    supervisor._revive(dying, 1)
    assert dying.pause_s == 0.3

    supervisor.start()
    dying.process.wait()
    dying.started_at -= up.HEALTHY_AFTER_S + 1
    supervisor._revive(dying, 1)

    assert dying.pause_s == min(0.3, 2 * up.FIRST_PAUSE_S)
    assert dying.start_again_at - time.monotonic() == pytest.approx(up.FIRST_PAUSE_S, abs=0.2)


def test_one_dying_child_leaves_the_others_alone(supervise):
    steady, dying = child("steady", FOREVER), child("dying", "raise SystemExit(1)")
    supervise(steady, dying)
    pid = steady.process.pid

    until(lambda: dying.pause_s > up.FIRST_PAUSE_S)

    assert steady.process.pid == pid and steady.process.poll() is None


def test_lines_are_whole_and_carry_the_name(supervise, capsys):
    chatter = "import time\nfor n in range(300): print('{0}' * 200, n)\ntime.sleep(600)"
    supervise(child("first", chatter.format("a")), child("second", chatter.format("b")))
    lines = []

    def all_there():
        lines.extend(capsys.readouterr().out.splitlines())
        return len(lines) >= 600

    until(all_there)

    expected = {
        f"{name:>10} | {letter * 200} {n}" for name, letter in (("first", "a"), ("second", "b")) for n in range(300)
    }
    assert set(lines) == expected


class Unread:
    """A standard output that takes nothing: its reader has gone (`octopus up | head`), or its disk is full."""

    def __init__(self, error):
        self.error = error

    def isatty(self):
        return False

    def write(self, _):
        raise OSError(self.error, os.strerror(self.error))


@pytest.mark.parametrize("error", [errno.EPIPE, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_log_that_cannot_be_written_holds_up_no_child(supervise, monkeypatch, tmp_path, error):
    done = tmp_path / "done"
    monkeypatch.setattr(sys, "stdout", Unread(error))

    supervise(child("loud", f"print('line\\n' * 200_000)\nopen({str(done)!r}, 'w')\n{FOREVER}"))

    until(done.exists)


def test_stopping_asks_every_child_and_waits_for_it(supervise, tmp_path):
    polite = (
        "import signal, sys, time, pathlib\n"
        "def end(*_): time.sleep(0.3); pathlib.Path({0!r}).touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); pathlib.Path({1!r}).touch(); time.sleep(600)"
    )
    files = [(str(tmp_path / f"ended-{n}"), str(tmp_path / f"ready-{n}")) for n in range(3)]
    children = [child(f"polite-{n}", polite.format(*pair)) for n, pair in enumerate(files)]
    supervisor, thread = supervise(*children)
    until(lambda: len(list(tmp_path.glob("ready-*"))) == 3)

    supervisor.stopping.set()
    thread.join(10)

    assert len(list(tmp_path.glob("ended-*"))) == 3
    assert [one.process.poll() for one in children] == [0, 0, 0]


def test_the_last_words_of_a_child_are_shown(capsys, tmp_path):
    ready = tmp_path / "ready"
    speaking = child(
        "speaking",
        "import signal, sys\n"
        "def end(*_): print('x\\n' * 20_000 + 'the last word'); sys.exit(0)\n"
        f"signal.signal(signal.SIGTERM, end); open({str(ready)!r}, 'w')\n{FOREVER}",
    )
    supervisor = Supervisor([speaking])
    supervisor.start()
    until(ready.exists)

    supervisor.stop()

    assert capsys.readouterr().out.endswith("speaking | the last word\n")


def test_a_child_that_will_not_stop_is_killed(supervise, monkeypatch, tmp_path):
    monkeypatch.setattr(up, "STOP_TIMEOUT_S", 0.5)
    ready = tmp_path / "ready"
    deaf = child(
        "deaf", f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w')\n{FOREVER}"
    )
    supervisor, thread = supervise(deaf)
    until(ready.exists)

    supervisor.stopping.set()
    thread.join(10)

    assert deaf.process.poll() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_a_killed_supervisor_leaves_no_orphan(tmp_path):
    code = (
        "import sys; from app.cli.up import Child, Supervisor\n"
        f"s = Supervisor([Child(str(n), [sys.executable, '-c', {FOREVER!r}]) for n in range(3)])\n"
        "s.start(); print(*(c.process.pid for c in s.children), flush=True); s.run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=up.ROOT, stdout=subprocess.PIPE, text=True)
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    assert len(children) == 3

    parent.kill()
    parent.wait()

    gone, alive = psutil.wait_procs(children, timeout=5)
    assert (len(gone), alive) == (3, [])

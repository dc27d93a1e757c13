"""`./octopus up`: one supervisor for everything. It restarts what dies and stops all of it cleanly."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app import embedded
from app.cli import demo
from app.cli.main import must_answer
from app.cli.running import RUNTIME_FILE, announce, hold
from app.domain.errors import OctopusError
from app.settings import settings

ROOT = Path(__file__).parents[2]
FIRST_PAUSE_S, LONGEST_PAUSE_S, HEALTHY_AFTER_S = 0.5, 30.0, 60.0
STOP_TIMEOUT_S, LAST_WORDS_S = 25.0, 2.0
READY_TIMEOUT_S = 90.0
TICK_S = 0.1
HEAD_START_S = 10.0
INTERRUPTED = 130  # the exit code shells know from Ctrl-C
WORKER_MEMORY = {"MALLOC_ARENA_MAX": "2"}  # a hundred threads would otherwise keep a heap each
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)


@dataclass
class Child:
    """One process of the table. `name` is its prefix in the log."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    first: int = 0  # a port: the children after this one wait until it answers there, at most HEAD_START_S
    process: subprocess.Popen | None = None
    relay: threading.Thread | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    start_again_at: float = 0.0


class Supervisor:
    """Starts the children in order, restarts them with a growing pause, and ends them all with itself."""

    def __init__(
        self,
        children: list[Child],
        beat: Callable[[], None] = lambda: None,
        stopping: threading.Event | None = None,
    ):
        self.children = children
        self.stopping = stopping or threading.Event()
        self._beat = beat
        self._print_lock = threading.Lock()

    def start(self) -> None:
        for number, child in enumerate(self.children):
            self._start(child, COLOURS[number % len(COLOURS)])
            if child.first:
                self._wait_for_port(child)

    def run(self) -> None:
        """Returns when `stopping` is set and every child has ended."""
        while not self.stopping.wait(TICK_S):
            self._beat()
            for number, child in enumerate(self.children):
                self._revive(child, COLOURS[number % len(COLOURS)])
        self.stop()

    def stop(self) -> None:
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_TIMEOUT_S
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in self.children:
            if child.relay is not None:
                child.relay.join(LAST_WORDS_S)

    def say(self, text: str, name: str = "octopus", colour: int = 1) -> None:
        shown = f"\x1b[{colour}m{name:>10}\x1b[0m" if sys.stdout.isatty() else f"{name:>10}"
        # Whoever read the log may have gone (`octopus up | head`), the disk it goes to may be full: the children's
        # pipes must be emptied all the same, or they would stand still at their next line.
        with self._print_lock, suppress(OSError):
            sys.stdout.write(f"{shown} | {text}\n")
            sys.stdout.flush()

    def _start(self, child: Child, colour: int) -> None:
        child.process = subprocess.Popen(
            child.command, cwd=ROOT, env=os.environ | child.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=embedded.die_with(os.getpid()),
        )  # fmt: skip
        child.started_at = time.monotonic()
        child.relay = threading.Thread(target=self._relay, args=(child, child.process, colour), daemon=True)
        child.relay.start()

    def _wait_for_port(self, child: Child) -> None:
        end = time.monotonic() + HEAD_START_S
        while time.monotonic() < end and child.process.poll() is None and not self.stopping.wait(TICK_S / 2):
            with suppress(OSError), socket.create_connection(("127.0.0.1", child.first), 0.1):
                return

    def _relay(self, child: Child, process: subprocess.Popen, colour: int) -> None:
        for line in process.stdout:
            self.say(line.decode("utf-8", "replace").rstrip("\n"), child.name, colour)

    def _revive(self, child: Child, colour: int) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            if now - child.started_at > HEALTHY_AFTER_S:
                child.pause_s = FIRST_PAUSE_S
            self.say(f"{child.name} ended with code {code}; it is started again in {child.pause_s:g} s")
            child.process, child.start_again_at = None, now + child.pause_s
            child.pause_s = min(LONGEST_PAUSE_S, child.pause_s * 2)
        elif now >= child.start_again_at:
            self._start(child, colour)


def up(with_ui: bool, workers: int, with_demo: bool = False) -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit code. with_demo: after `demo.enter`."""
    stopping = threading.Event()
    _on_signals(lambda *_: _leave(stopping))
    sys.stdout.reconfigure(errors="backslashreplace")  # a child's line in Chinese, a terminal that knows only ASCII
    data_dir = settings().data_dir.resolve()
    held = hold(data_dir)
    if held is None:
        raise OctopusError(
            f"Octopus runs already with the data in {data_dir}. Stop that one first, or set OCTOPUS_DATA_DIR."
        )
    with held:
        _check_ports(with_ui, with_demo)
        services = None if settings().database_url and settings().redis_url else embedded.start(data_dir)
        try:
            if services is not None:
                os.environ["DATABASE_URL"] = settings().database_url or services.database_url
                os.environ["REDIS_URL"] = settings().redis_url or services.redis_url
            os.environ["OCTOPUS_DATA_DIR"] = str(data_dir)
            settings.cache_clear()
            must_answer(settings().owner_url)
            return _supervised(data_dir, services, with_ui, workers, with_demo, stopping)
        finally:
            (data_dir / RUNTIME_FILE).unlink(missing_ok=True)
            if services is not None:
                services.stop()


def _supervised(
    data_dir: Path, services: embedded.Services | None, with_ui: bool, workers: int, with_demo: bool,
    stopping: threading.Event,
) -> int:  # fmt: skip
    from app.db.migrate import upgrade

    upgrade(settings().owner_url)
    lines = demo.prepare() if with_demo else []
    _on_signals(lambda *_: stopping.set())
    if stopping.is_set():
        return INTERRUPTED
    metrics = data_dir / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    os.environ.update(PROMETHEUS_MULTIPROC_DIR=str(metrics), PYTHONUNBUFFERED="1")
    table = process_table(with_ui, workers)
    if with_demo:
        world = Child("world", demo.world(), first=settings().demo_port)
        table = [world, *table, Child("customers", demo.customers())]
    supervisor = Supervisor(table, lambda: _revive_services(supervisor, services), stopping)
    _write_runtime(data_dir)
    supervisor.start()
    threading.Thread(target=_greet, args=(supervisor, with_ui, lines), daemon=True).start()
    supervisor.run()
    supervisor.say("stopped")
    return 0


def process_table(with_ui: bool, workers: int) -> list[Child]:
    """Everything that runs besides PostgreSQL and Redis; the receiver first and alone, since customers do not wait."""
    python = sys.executable
    receiver = _uvicorn("webhook_receiver:app", settings().receiver_port)
    cron = [
        python,
        "-m",
        "rq.cli",
        "cron",
        "workers/schedule.py",
        "--url",
        str(settings().redis_url),
        "--logging-level",
        "WARNING",
    ]
    table = [Child("receiver", receiver, first=settings().receiver_port)]
    table += [Child(f"worker-{number + 1}", [python, "-m", "workers.main"], WORKER_MEMORY) for number in range(workers)]
    table.append(Child("cron", cron))
    if with_ui:
        ui = [
            python,
            "-m",
            "streamlit",
            "run",
            "app/main.py",
            "--server.port",
            str(settings().ui_port),
            "--server.headless",
            "true",
        ]
        table.append(Child("ui", ui))
        table.append(Child("api", _uvicorn("app.api.main:app", settings().api_port), WORKER_MEMORY))
    return table


def _uvicorn(application: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", application, "--host", settings().receiver_host, "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


# ---- parts


def _on_signals(handler: Callable) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, handler)


def _leave(stopping: threading.Event) -> None:
    """While starting: end at once, undoing what was begun; a second signal must not break off the undoing.

    Python swallows an exception raised in a hook (after a fork, say), so `stopping` tells as well. Not
    KeyboardInterrupt: raised while a library builds its classes, Python would die by the signal though we caught it.
    """
    if not stopping.is_set():
        stopping.set()
        sys.exit(INTERRUPTED)


def _check_ports(with_ui: bool, with_demo: bool) -> None:
    wanted = {"OCTOPUS_RECEIVER_PORT": settings().receiver_port}
    if with_demo:
        wanted["OCTOPUS_DEMO_PORT"] = settings().demo_port
    if with_ui:
        wanted = {"OCTOPUS_UI_PORT": settings().ui_port, "OCTOPUS_API_PORT": settings().api_port} | wanted
    taken: dict[int, str] = {}
    for variable, port in wanted.items():
        if port in taken:
            raise OctopusError(f"{taken[port]} and {variable} are the same port. Change one of them.")
        taken[port] = variable
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except PermissionError as error:
                raise OctopusError(
                    f"You may not open port {port}. Choose one from 1024 upwards with {variable}."
                ) from error
            except OSError as error:
                raise OctopusError(
                    f"Port {port} is taken by another program. Choose a free one with {variable}."
                ) from error


def _revive_services(supervisor: Supervisor, services: embedded.Services | None) -> None:
    if services is None:
        return
    try:
        for name in services.restart_dead():
            supervisor.say(f"{name} had ended and was started again")
    except embedded.StartFailed as error:
        supervisor.say(str(error))
        time.sleep(1)


def _write_runtime(data_dir: Path) -> None:
    """For the other commands, run from another terminal."""
    announce(data_dir, {
        "pid": os.getpid(), "database_url": settings().database_url, "redis_url": settings().redis_url,
        "receiver_port": settings().receiver_port,
    })  # fmt: skip


def _greet(supervisor: Supervisor, with_ui: bool, lines: list[str]) -> None:
    """Say where things are once they answer, then these lines."""
    import httpx

    from app.services import members

    waiting = {"Webhooks": (f"http://127.0.0.1:{settings().receiver_port}", "/readyz")}
    if with_ui:
        waiting["App"] = (f"http://127.0.0.1:{settings().ui_port}", "/_stcore/health")
        waiting["API"] = (f"http://127.0.0.1:{settings().api_port}", "/api/healthz")
    end = time.monotonic() + READY_TIMEOUT_S
    for name, (address, path) in waiting.items():
        while not supervisor.stopping.is_set():
            try:
                if httpx.get(address + path, timeout=2).is_success:
                    supervisor.say(f"{name}: {address}")
                    break
            except httpx.HTTPError:
                pass
            if time.monotonic() > end:
                supervisor.say(f"{name} does not answer at {address}; ./octopus doctor tells more")
                break
            time.sleep(0.1)
    if with_ui and (first := members.ensure_first_owner()):
        supervisor.say(f"Sign in as {first[0]} with the password {first[1]} (you choose your own at once).")
        supervisor.say("Then click Bots to connect your first bot, and Destinations for where its tasks should go.")
    for line in lines:
        supervisor.say(line)

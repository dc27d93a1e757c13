"""The whole product, and the world around it, as processes of this machine for one measurement.

Everything talks over loopback; the product runs as an operator runs it: `./octopus up --no-ui` on an empty data
directory with embedded PostgreSQL and Redis.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from app import embedded

ROOT = Path(__file__).parent.parent
RIG = ROOT / "bench" / "rig"
WORKSPACE = ROOT / "bench" / "workspace.yaml"
START_TIMEOUT_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class World:
    """The stub of LLMs, CRMs and chat services."""

    url: str
    process: subprocess.Popen

    def configure(self, **config: dict) -> None:
        httpx.post(f"{self.url}/_config", json=config, timeout=10).raise_for_status()

    def faults(self) -> dict[str, int]:
        """How often each fault was dealt out since the last reset."""
        return httpx.get(f"{self.url}/_stats", timeout=10).json()["faults"]

    def reset(self, **config: dict) -> None:
        httpx.post(f"{self.url}/_reset", json=config, timeout=10).raise_for_status()


@contextmanager
def world(**config: dict) -> Iterator[World]:
    port = free_port()
    command = [sys.executable, str(RIG / "stub_world.py"), "--port", str(port), "--config", json.dumps(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/_stats", timeout=2).is_success, 15, "the stub world")
        yield World(f"http://127.0.0.1:{port}", process)
    finally:
        _end(process)


@dataclass
class Product:
    data_dir: Path
    receiver: str
    environment: dict[str, str]
    log: Path
    ui: int | None = None  # the app's port; None: it is not started
    supervisor: subprocess.Popen | None = None
    hooks: dict[str, str] = field(default_factory=dict)

    def start(self) -> float:
        """Start everything; returns the seconds until the receiver was ready."""
        started = time.monotonic()
        self.supervisor = subprocess.Popen(
            [str(ROOT / "octopus"), "up", *([] if self.ui else ["--no-ui"])],
            env=self.environment, stdout=self.log.open("ab"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        _wait_for(self.ready, START_TIMEOUT_S, f"the product (its log: {self.log})", self.supervisor)
        return time.monotonic() - started

    def ready(self) -> bool:
        return httpx.get(f"{self.receiver}/readyz", timeout=2).is_success

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(ROOT / "octopus"), *arguments], env=self.environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"octopus {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def apply(self, file: Path = WORKSPACE) -> None:
        self.command("apply", str(file))
        lines = (line.split("\t") for line in self.command("hooks", "acme").splitlines() if "\t" in line)
        self.hooks = {key: url.strip() for key, url in lines}

    def runtime(self) -> dict:
        return json.loads((self.data_dir / "runtime.json").read_text())

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.supervisor.pid).children(recursive=True)

    def named(self, part: str) -> list[psutil.Process]:
        """Children whose command line holds `part`: uvicorn, workers.main, postgres, redis-server, rq."""
        return [p for p in self.processes() if part in " ".join(_command_line(p))]

    def kill_everything(self) -> None:
        """SIGKILL to the supervisor and all it started, at once, as a power cut would."""
        for process in [psutil.Process(self.supervisor.pid), *self.processes()]:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.supervisor.wait(10)

    def stop(self) -> None:
        if self.supervisor is not None:
            _end(self.supervisor, 40)


@contextmanager
def product(world: World, workspace: Path = WORKSPACE, ui: int | None = None, **environment: str) -> Iterator[Product]:
    """A fresh installation, its workspace applied, talking to `world`. ui: the app's port, if it is wanted."""
    with tempfile.TemporaryDirectory(prefix="octopus-bench-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        data_dir, port = Path(folder) / "data", free_port()
        settings = {
            "OCTOPUS_DATA_DIR": str(data_dir), "OCTOPUS_RECEIVER_PORT": str(port),
            "OCTOPUS_ALLOW_PRIVATE_HOSTS": "true", "WORLD": world.url, "OCTOPUS_LOG_LEVEL": "WARNING",
            "OCTOPUS_UI_PORT": str(ui or 8501), "OCTOPUS_API_PORT": str(free_port()),
        }  # fmt: skip
        inherited = {
            k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "OCTOPUS_PUBLIC_URL")
        }
        running = Product(
            data_dir,
            f"http://127.0.0.1:{port}",
            inherited | settings | environment,
            Path(folder) / "up.log",
            ui,
        )
        try:
            running.start()
            running.apply(workspace)
            yield running
        except BaseException:
            sys.stderr.write(running.log.read_text()[-4000:])
            raise
        finally:
            running.stop()
            embedded.remove(data_dir)


def load(product: Product, world: World, *options: str, channels: dict[str, str] | None = None) -> dict:
    """Run the load generator to its end; returns its report."""
    bots = channels or {"telegram": "tg", "slack": "sl"}
    targets = [part for channel, key in bots.items() for part in ("--target", f"{channel}={product.hooks[key]}")]
    command = [
        sys.executable, str(RIG / "load.py"), "--world", world.url, *targets,
        "--route", "bug=jira,feature=linear,*=notion", "--compact", *options,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _wait_for(answers, seconds: float, what: str, process: subprocess.Popen | None = None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with code {process.returncode}")
        try:
            if answers():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{what} was not ready within {seconds:.0f} s")


def _end(process: subprocess.Popen, seconds: float = 10) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

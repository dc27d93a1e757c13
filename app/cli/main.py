"""The commands behind ./octopus. Each imports what it needs when it runs: none waits for libraries of another."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from app.domain.errors import OctopusError
from app.settings import settings

RUNTIME_FILE = "runtime.json"


def main() -> None:
    arguments = _parser().parse_args()
    try:
        code = arguments.run(arguments)
    except OctopusError as error:
        sys.exit(f"octopus: {error}")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="octopus", description="Customers' chat messages into tasks, exactly once.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    up = command("up", _up, "Start everything and stay until Ctrl-C")
    up.add_argument("--no-ui", action="store_true", help="without the app: receiver and workers only")
    up.add_argument("--workers", type=int, help="worker processes (OCTOPUS_WORKERS)")
    test = command("test", _test, "Run the tests; further arguments go to pytest")
    test.add_argument("pytest", nargs=argparse.REMAINDER)
    command("migrate", _migrate, "Bring the database to the newest schema")
    command("doctor", _doctor, "Check each part and say how to mend it")
    apply = command("apply", _apply, "Make a workspace match a configuration file")
    apply.add_argument("file", type=Path)
    apply.add_argument("--dry-run", action="store_true", help="only show what would change")
    apply.add_argument("--check", action="store_true", help="then ask each vendor whether the credentials work")
    command("export", _export, "Write a workspace's configuration as YAML").add_argument("workspace")
    command("hooks", _hooks, "Print each bot's key and webhook URL").add_argument("workspace")
    user = command("user", _user, "Add somebody, or give a new first password")
    user.add_argument("action", choices=("add", "reset"))
    user.add_argument("email")
    user.add_argument("--workspace", default="main")
    user.add_argument("--role", default="manager")
    bench = command("bench", _bench, "Measure this machine: figures beside a floor of the same run")
    bench.add_argument("names", nargs="*")
    return parser


def _up(arguments: argparse.Namespace) -> int:
    from app.cli.up import up

    return up(with_ui=not arguments.no_ui, workers=arguments.workers or settings().workers)


def _test(arguments: argparse.Namespace) -> int:
    import pytest

    return pytest.main(arguments.pytest)


def _migrate(_: argparse.Namespace) -> None:
    with _services(migrated=False):
        from app.db.migrate import upgrade

        reached = upgrade(settings().owner_url)
        print(f"Migrated to {reached}." if reached else "Nothing to migrate.")


def _doctor(_: argparse.Namespace) -> int:
    from app.cli.doctor import examine

    with _services(start=False):
        return examine()


def _apply(arguments: argparse.Namespace) -> None:
    with _services():
        from app.services import portability

        lines = portability.apply_file(arguments.file, arguments.dry_run, arguments.check)
    print("\n".join(lines) if lines else "Nothing to change.")


def _export(arguments: argparse.Namespace) -> None:
    with _services():
        from app.services import portability

        print(portability.export(arguments.workspace), end="")


def _hooks(arguments: argparse.Namespace) -> None:
    with _services():
        from app.services import portability

        for key, url in portability.hooks(arguments.workspace):
            print(f"{key}\t{url}")


def _user(arguments: argparse.Namespace) -> None:
    with _services():
        from app.services import members

        if arguments.action == "reset":
            print(f"{arguments.email} signs in with: {members.reset_password(arguments.email)}")
            return
        password = members.add_user(arguments.email, arguments.role, arguments.workspace)
        first = f" and signs in with: {password}" if password else ""
        print(f"{arguments.email} is {arguments.role} of {arguments.workspace}{first}")


def _bench(arguments: argparse.Namespace) -> int:
    from bench.main import main as bench

    return bench(arguments.names)


# ---- where the services are


@contextmanager
def _services(migrated: bool = True, start: bool = True) -> Iterator[None]:
    """Point the settings to the database and Redis: the configured ones, those of a running `up`, or our own."""
    own = nullcontext()
    if not settings().database_url:
        running = running_up()
        if running is not None:
            _point_to(running["database_url"], running["redis_url"])
        elif start:
            own = _started()
    with own:
        if migrated and start:
            from app.db.migrate import upgrade

            upgrade(settings().owner_url)
        yield


def running_up() -> dict | None:
    """What a running `up` of this data directory says of itself."""
    try:
        kept = json.loads((settings().data_dir / RUNTIME_FILE).read_text())
        os.kill(kept["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return kept


@contextmanager
def _started() -> Iterator[None]:
    from app import embedded

    services = embedded.start(settings().data_dir)
    try:
        _point_to(services.database_url, services.redis_url)
        yield
    finally:
        services.stop()


def _point_to(database_url: str, redis_url: str) -> None:
    os.environ.update(DATABASE_URL=database_url, REDIS_URL=redis_url)
    settings.cache_clear()

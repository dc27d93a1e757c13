"""The commands behind ./octopus. Each imports what it needs when it runs: none waits for libraries of another."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pydantic import ValidationError

from app.cli.running import hold, running_up
from app.domain.errors import OctopusError
from app.settings import Settings, settings

MOST_WORKERS = 64
PROCESSES = ("receiver", "worker", "cron", "ui", "api")


def main() -> None:
    words = sys.argv[1:]
    mine, for_pytest = (words[:1], words[1:]) if words[:1] == ["test"] else (words, [])
    arguments = _parser().parse_args(mine)
    arguments.pytest = for_pytest
    try:
        code = arguments.run(arguments)
    except OctopusError as error:
        sys.exit(f"octopus: {error}")
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        sys.exit(f"octopus: {_unusable(error)}")
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
    up.add_argument("--no-ui", action="store_true", help="without the app and the API: receiver and workers only")
    up.add_argument("--workers", type=_count, help="worker processes (OCTOPUS_WORKERS)")
    up.add_argument("--demo", action="store_true", help="with simulated customers, CRMs and model; no accounts needed")
    run = command("run", _run, "Run one process of those `up` starts: for containers and service managers")
    run.add_argument("process", choices=PROCESSES)
    command("test", _test, "Run the tests; further arguments go to pytest")
    migrate = command("migrate", _migrate, "Bring the database to the newest schema")
    migrate.add_argument("--first-owner", action="store_true", help="if nobody can sign in yet, make the owner")
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

    if arguments.demo:
        from app.cli import demo

        demo.enter()
    return up(not arguments.no_ui, arguments.workers or settings().workers, arguments.demo)


def _run(arguments: argparse.Namespace) -> None:
    from app.cli.up import process_table

    for url, variable in ((settings().database_url, "DATABASE_URL"), (settings().redis_url, "REDIS_URL")):
        if url is None:
            raise OctopusError(f"{variable} is not set, and a single process starts none. Set it, or use: octopus up")
    wanted = next(child for child in process_table(True, 1) if child.name.split("-")[0] == arguments.process)
    os.execv(wanted.command[0], wanted.command)


def _test(arguments: argparse.Namespace) -> int:
    import pytest

    return pytest.main(arguments.pytest)


def _migrate(arguments: argparse.Namespace) -> None:
    with _services(migrated=False):
        from app.db.migrate import upgrade

        reached = upgrade(settings().owner_url)
        print(f"Migrated to {reached}." if reached else "Nothing to migrate.")
        if arguments.first_owner:
            from app.services import members

            if first := members.ensure_first_owner():
                print(f"Sign in as {first[0]} with the password {first[1]} (you choose your own at once).")


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
        if running := running_up(settings().data_dir):
            _point_to(running["database_url"], running["redis_url"])
        elif start:
            own = _started()
    with own:
        if start:
            must_answer(settings().owner_url)
        if migrated and start:
            from app.db.migrate import upgrade

            upgrade(settings().owner_url)
        yield


@contextmanager
def _started() -> Iterator[None]:
    from app import embedded

    data_dir = settings().data_dir
    held = hold(data_dir)
    if held is None:  # `up` has just come up
        running = running_up(data_dir)
        if running is None:
            raise OctopusError("Octopus was just stopping, and nothing was done. Try again.")
        _point_to(running["database_url"], running["redis_url"])
        yield
        return
    with held:
        services = embedded.start(data_dir)
        try:
            _point_to(services.database_url, services.redis_url)
            yield
        finally:
            services.stop()


def _point_to(database_url: str, redis_url: str) -> None:
    os.environ.update(DATABASE_URL=database_url, REDIS_URL=redis_url)
    settings.cache_clear()


def must_answer(url: str) -> None:
    """Raises OctopusError, in one line and without the password, when the database cannot be reached."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.ProgrammingError:  # the driver's text repeats the address
        raise OctopusError("DATABASE_URL is not an address like postgresql://user:password@host/octopus.") from None
    except psycopg.OperationalError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise OctopusError(
            f"PostgreSQL cannot be reached: {reason}. Nothing was done. Is it started, and is DATABASE_URL right?"
        ) from error


def _unusable(error: ValidationError) -> str:
    """The first setting of the environment that cannot be read, without its value: it may be a secret."""
    fault = error.errors(include_input=False)[0]
    name = str(fault["loc"][0])
    variable = name if name.isupper() else f"OCTOPUS_{name.upper()}"
    return f"{variable} cannot be used: {fault['msg']}. Mend it and try again; .env.example tells what it takes."


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"a whole number between 1 and {MOST_WORKERS} is needed, not '{text}'")
    return int(text)

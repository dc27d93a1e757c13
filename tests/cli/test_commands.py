"""The commands: what they take, their one-line errors, and what the doctor finds."""

import base64
import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest

from app import embedded, enqueue
from app.cli import doctor, running, up
from app.cli.main import main
from app.db import crypto
from app.settings import settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(monkeypatch):
    """Runs a command in this process; returns its exit code, or its last words."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["octopus", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return run


@pytest.fixture
def environment(monkeypatch):
    """Sets variables for this test and makes the settings read them; None unsets."""

    def change(**variables):
        for name, value in variables.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        settings.cache_clear()
        enqueue.redis.cache_clear()
        enqueue._queue.cache_clear()
        crypto._keys.cache_clear()

    yield change
    monkeypatch.undo()
    change()


@pytest.fixture
def nothing_runs(environment, tmp_path):
    environment(DATABASE_URL=None, REDIS_URL=None, OCTOPUS_DATA_DIR=str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def keep_signals():
    """`up` in this process would leave its handlers behind."""
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- arguments


def test_without_a_command_it_tells_the_commands(command, capsys):
    assert command() == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "65", "two"])
def test_a_senseless_number_of_workers_is_refused(command, capsys, number):
    assert command("up", f"--workers={number}") == 2
    assert f"a whole number between 1 and 64 is needed, not '{number}'" in capsys.readouterr().err


def test_a_setting_that_cannot_be_read_is_named_without_its_value(command, environment):
    environment(OCTOPUS_WORKERS="s3cret")

    last_words = command("up")

    assert "OCTOPUS_WORKERS cannot be used" in last_words and "s3cret" not in last_words


def test_a_single_process_needs_the_services_addresses(command, nothing_runs):
    assert "DATABASE_URL is not set" in command("run", "worker")


def test_the_options_of_pytest_reach_pytest():
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "test", "--collect-only", "-q", "tests/domain/test_retry.py"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0 and "tests/domain/test_retry.py" in done.stdout


# ---- errors end in one line and exit code 1


def test_an_error_is_one_line_and_exit_code_1(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        variables = {"OCTOPUS_DATA_DIR": str(tmp_path / "data"), "OCTOPUS_RECEIVER_PORT": str(port)}
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "up", "--no-ui"], cwd=ROOT, capture_output=True, text=True,
            env={**os.environ, "DATABASE_URL": "", "REDIS_URL": ""} | variables,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"octopus: Port {port} is taken by another program. Choose a free one with OCTOPUS_RECEIVER_PORT."
    )


def test_the_same_port_twice_is_refused(command, nothing_runs, environment, keep_signals):
    port = str(free_port())
    environment(OCTOPUS_RECEIVER_PORT=port, OCTOPUS_UI_PORT=port)

    assert "OCTOPUS_UI_PORT and OCTOPUS_RECEIVER_PORT are the same port" in command("up")


def test_a_second_up_on_the_same_data_is_refused(command, nothing_runs, keep_signals):
    with running.hold(nothing_runs):
        running.announce(nothing_runs, {"pid": os.getpid(), "database_url": "postgresql://x", "redis_url": "redis://x"})

        last_words = command("up", "--no-ui")

    assert f"Octopus runs already with the data in {nothing_runs}" in last_words


@pytest.fixture
def interrupted_start(environment, database, tmp_path, keep_signals, monkeypatch):
    """`up` gets a SIGTERM while `embedded.start` runs the code given; returns what it stopped and how it ended."""

    def run(code):
        stopped = []
        services = SimpleNamespace(
            database_url=database, redis_url=os.environ["REDIS_URL"], stop=lambda: stopped.append(True)
        )
        port = str(free_port())
        environment(DATABASE_URL="", REDIS_URL="", OCTOPUS_DATA_DIR=str(tmp_path), OCTOPUS_RECEIVER_PORT=port)
        kill = partial(os.kill, os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(embedded, "start", lambda _: exec(code, {"kill": kill}) or services)
        monkeypatch.setattr(up.Supervisor, "start", lambda _: pytest.fail("the children were started"))
        try:
            return stopped, up.up(with_ui=False, workers=1)
        except SystemExit as ended:
            return stopped, ended.code

    return run


def test_a_signal_while_starting_ends_up_by_an_exit_code(interrupted_start):
    """After a KeyboardInterrupt inside exec() Python would die by the signal, whoever catches it."""
    assert interrupted_start("kill()") == ([], 130)


def test_a_signal_whose_exception_is_swallowed_still_ends_up(interrupted_start):
    """As in a hook that runs after a fork."""
    assert interrupted_start("try: kill()\nexcept BaseException: pass") == ([True], 130)


def test_what_a_killed_up_left_is_not_taken_for_a_running_one(nothing_runs):
    with running.hold(nothing_runs):
        running.announce(nothing_runs, {"pid": os.getpid(), "database_url": "postgresql://x", "redis_url": "redis://x"})
        assert running.running_up(nothing_runs)["pid"] == os.getpid()

    assert running.running_up(nothing_runs) is None


def test_the_addresses_are_readable_by_their_owner_alone(nothing_runs):
    with running.hold(nothing_runs):
        running.announce(nothing_runs, {})

    assert (nothing_runs / running.RUNTIME_FILE).stat().st_mode & 0o077 == 0


def test_a_command_waits_for_another_and_then_says_why_it_gave_up(command, nothing_runs, monkeypatch):
    monkeypatch.setattr(running, "LOCK_TIMEOUT_S", 0.3)
    with running.hold(nothing_runs):
        last_words = command("hooks", "main")

    assert "Another command has been working with the data" in last_words


def test_a_database_out_of_reach_is_one_line(command, environment):
    environment(DATABASE_URL=f"postgresql://octopus:s3cret@127.0.0.1:{free_port()}/octopus")

    last_words = command("user", "add", "ann@example.com")

    assert "PostgreSQL cannot be reached" in last_words and "DATABASE_URL" in last_words
    assert "\n" not in last_words and "s3cret" not in last_words


def test_an_address_that_is_none_does_not_show_its_password(command, environment):
    environment(DATABASE_URL="mysql://octopus:s3cret@127.0.0.1/octopus")

    last_words = command("migrate")

    assert "DATABASE_URL is not an address" in last_words and "s3cret" not in last_words


def test_an_unknown_workspace_is_named(command, database):
    assert "There is no workspace 'nowhere'" in command("user", "add", "ann@example.com", "--workspace", "nowhere")


# ---- people


def test_somebody_is_added_and_gets_a_new_password(command, workspace, capsys):
    from app.db.engine import in_system
    from app.db.tables import Workspace
    from app.services import members

    with in_system() as session:
        key = session.get_one(Workspace, workspace).key
    email = f"{uuid4().hex}@example.com"

    assert command("user", "add", email, "--workspace", key, "--role", "agent") == 0
    first = capsys.readouterr().out.strip()
    assert first.startswith(f"{email} is agent of {key} and signs in with: ")
    assert members.sign_in(email, first.split()[-1]).email == email

    assert command("user", "reset", email) == 0
    second = capsys.readouterr().out.split()[-1]
    assert members.sign_in(email, second).must_change_password
    with pytest.raises(members.SignInRefused):
        members.sign_in(email, first.split()[-1])


# ---- the doctor


@pytest.fixture
def findings(capsys):
    """Runs the doctor; returns its exit code and, for each part, the state and the text of its last line."""

    def run():
        code = doctor.examine()
        lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
        return code, {rest[:12].strip(): (state, rest[12:].strip()) for state, rest in lines}

    return run


def test_the_doctor_finds_a_sound_database(findings, database, environment):
    environment(OCTOPUS_RECEIVER_PORT=str(free_port()), OCTOPUS_UI_PORT=str(free_port()))

    _, found = findings()

    for part in ("Python", "disk", "secret key", "PostgreSQL", "schema", "role", "isolation", "backlog"):
        assert found[part][0] == "ok", found[part]
    assert found["Redis"][0] == "warning" and "appendonly yes" in found["Redis"][1], "the tests' Redis keeps nothing"
    assert found["receiver"][0] == "warning"
    assert found["workers"][0] == "failure" and "none is registered" in found["workers"][1]
    assert found["cron"][0] == "failure"


def test_the_doctor_tells_when_redis_is_away(findings, database, environment):
    environment(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    code, found = findings()

    assert code == 1
    assert found["Redis"][0] == "failure" and "REDIS_URL" in found["Redis"][1]
    assert found["PostgreSQL"][0] == "ok"


def test_the_doctor_tells_when_the_database_is_away(findings, database, environment):
    environment(DATABASE_URL=f"postgresql://octopus:s3cret@127.0.0.1:{free_port()}/octopus")

    code, found = findings()

    assert (code, found["PostgreSQL"][0]) == (1, "failure")
    assert "s3cret" not in str(found)


def test_the_doctor_tells_when_nothing_runs(findings, nothing_runs):
    code, found = findings()

    assert code == 1
    assert "./octopus up" in found["PostgreSQL"][1] and "./octopus up" in found["Redis"][1]
    assert not nothing_runs.exists(), "looking changes nothing"


def test_the_doctor_tells_when_the_schema_is_missing(findings, database, environment):
    name = f"empty_{uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    environment(DATABASE_URL=database.replace("/octopus?", f"/{name}?"))

    code, found = findings()

    assert code == 1 and "./octopus migrate" in found["schema"][1]


def test_the_doctor_tells_which_roles_the_server_misses(findings, database, monkeypatch):
    monkeypatch.setattr(doctor, "SYSTEM_ROLE", "octopus_elsewhere")

    code, found = findings()

    assert code == 1
    assert found["role"][0] == "failure" and "create role octopus_elsewhere nologin" in found["role"][1]


@pytest.mark.parametrize(
    ("breaking", "mending", "part", "told"),
    [
        ("alter table message no force row level security", "alter table message force row level security",
         "isolation", "not forced on: message"),
        ("alter table rule disable row level security", "alter table rule enable row level security",
         "isolation", "not forced on: rule"),
        ("grant octopus_system to octopus_app with inherit true",
         "grant octopus_system to octopus_app with inherit false", "isolation", "sees every workspace"),
        ("alter role octopus_system bypassrls", "alter role octopus_system nobypassrls",
         "role", "above row-level security"),
        ("alter table bot owner to octopus_system",
         "alter table bot owner to octopus; grant select, insert, update, delete on bot to octopus_system",
         "role", "owns"),
    ],
)  # fmt: skip
def test_the_doctor_finds_holes_in_the_isolation(findings, database, breaking, mending, part, told):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(breaking)
        try:
            code, found = findings()
        finally:
            connection.execute(mending)

    assert code == 1
    assert found[part][0] == "failure" and told in found[part][1]
    assert findings()[1][part][0] == "ok"


def test_the_doctor_tells_when_others_may_read_the_key(findings, nothing_runs, environment):
    environment(OCTOPUS_SECRET_KEY=None)
    nothing_runs.mkdir()
    key = nothing_runs / "secret.key"
    key.write_text(base64.b64encode(b"k" * 32).decode())
    key.chmod(0o644)

    assert f"chmod 600 {key}" in findings()[1]["secret key"][1]

    key.chmod(0o600)
    assert findings()[1]["secret key"][0] == "ok"


def test_the_doctor_tells_a_key_that_is_none(findings, nothing_runs, environment):
    environment(OCTOPUS_SECRET_KEY="c2hvcnQ=")

    assert findings()[1]["secret key"] == (
        "failure", "OCTOPUS_SECRET_KEY must hold 32 bytes. Make one with: openssl rand -base64 32",
    )  # fmt: skip


def test_the_doctor_finds_a_stranger_on_our_port(findings, nothing_runs, environment, httpserver):
    httpserver.expect_request("/readyz").respond_with_data("hello")
    environment(OCTOPUS_RECEIVER_PORT=str(httpserver.port))

    state, text = findings()[1]["receiver port"[:12]]

    assert state == "failure" and "OCTOPUS_RECEIVER_PORT" in text


def test_the_doctor_tells_what_the_receiver_misses(findings, nothing_runs, environment, httpserver):
    told = {"database": True, "redis": False, "spooled": 7}
    httpserver.expect_request("/readyz").respond_with_json(told, 503)
    environment(OCTOPUS_RECEIVER_PORT=str(httpserver.port))

    found = findings()[1]

    assert found["receiver"] == ("failure", "runs but cannot reach: redis; see above")
    assert found["spool"][0] == "warning" and "7 events" in found["spool"][1]


@pytest.mark.parametrize(
    ("url", "state"),
    [(None, "warning"), ("http://octopus.example.com", "failure"), ("https://octopus.example.com", "ok")],
)
def test_the_doctor_wants_the_public_address_to_be_https(findings, nothing_runs, environment, url, state):
    environment(OCTOPUS_PUBLIC_URL=url)

    assert findings()[1]["public URL"][0] == state

"""The script `octopus`: what it says, in one line, when an installation cannot work. No real .venv is touched."""

import ast
import builtins
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections import namedtuple
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

SCRIPT = Path(__file__).parents[1] / "octopus"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script as a module that lives in an empty folder."""
    loader = SourceFileLoader("octopus_script", str(SCRIPT))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = module_from_spec(spec_from_loader("octopus_script", loader))
    loader.exec_module(module)
    module.HERE = str(tmp_path)
    module.VENV = str(tmp_path / ".venv")
    module.PYTHON = str(tmp_path / ".venv/bin/python")
    for name in (module.RUNTIME, module.DEVELOPMENT):
        (tmp_path / name).write_text("")
    return module


@pytest.fixture
def stops(script, capsys):
    """Runs the script; returns its last line, after making sure that it ended with code 1 and without a traceback."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            script.main(list(arguments))
        lines = capsys.readouterr().err.splitlines()
        assert ended.value.code == 1
        assert lines[-1].startswith("octopus: ")
        return lines[-1]

    return run


@pytest.fixture
def made(script, tmp_path):
    """A virtual environment that looks finished; its python is a shell script the test writes."""
    folder = tmp_path / ".venv/bin"
    folder.mkdir(parents=True)
    (tmp_path / ".venv/lib" / "python{}.{}".format(*sys.version_info)).mkdir(parents=True)
    (tmp_path / ".venv/complete").touch()

    def python(text):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "python").write_text(f"#!/bin/sh\n{text}\n")
        (folder / "python").chmod(0o755)

    return python


def test_an_old_python_is_told_what_is_needed(script, stops, monkeypatch):
    monkeypatch.setattr(script, "sys", SimpleNamespace(version_info=(3, 9, 2), version="3.9.2", stderr=sys.stderr))

    assert "needs Python 3.11 or newer; this is 3.9" in stops("up")


def test_the_script_parses_for_an_old_python():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_a_python_without_venv_is_told_the_package(script, stops, monkeypatch):
    real = builtins.__import__

    def without_ensurepip(name, *rest):
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ensurepip)

    assert "sudo apt install python3-venv" in stops("up")


def test_a_full_disk_is_told_before_anything_is_made(script, stops, monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**10, 10**10, 300 * 2**20))

    assert "Only 300 MB are free" in stops("up")
    assert not (tmp_path / ".venv").exists()


def test_a_virtual_environment_that_cannot_be_made_leaves_nothing(script, stops, monkeypatch, tmp_path):
    def fail(folder, **_):
        Path(folder).mkdir()
        raise subprocess.CalledProcessError(1, ["ensurepip"])

    monkeypatch.setattr(venv, "create", fail)

    assert "The virtual environment could not be made" in stops("up")
    assert not (tmp_path / ".venv").exists()


def test_a_failing_pip_is_quoted_and_not_taken_for_done(script, stops, made, tmp_path):
    made("echo Collecting streamlit; echo 'ERROR: no route to host'; exit 1")

    assert "Installing requirements.txt failed. pip says:" in (line := stops("up")) and "no route to host" in line
    assert not (tmp_path / ".venv/requirements.txt.installed").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(script, stops, tmp_path):
    tmp_path.chmod(0o500)

    assert "Nothing can be written into" in stops("up")


def test_what_is_installed_is_not_installed_again(script, made, monkeypatch, tmp_path):
    made("exit 0")
    ran = []
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execv", lambda program, arguments: ran.append(arguments))

    script.main(["up"])
    made("exit 1")  # pip would fail now
    script.main(["up", "--no-ui"])

    assert ran == [[script.PYTHON, "-m", "app.cli", "up"], [script.PYTHON, "-m", "app.cli", "up", "--no-ui"]]


def test_changed_requirements_are_installed_anew(script, made, monkeypatch, tmp_path):
    made(f"echo ran >> {tmp_path}/pip.log")
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execv", lambda *_: None)

    script.main(["up"])
    (tmp_path / "requirements.txt").write_text("something==2\n")
    script.main(["up"])
    script.main(["test"])

    assert (tmp_path / "pip.log").read_text().count("ran") == 3  # runtime twice, development once
    stamp = (tmp_path / ".venv/requirements.txt.installed").read_text()
    assert stamp == hashlib.sha256(b"something==2\n" + sys.version.encode()).hexdigest()


@pytest.mark.parametrize("missing", ["complete", "bin/python"])
def test_a_broken_virtual_environment_is_made_again(script, made, monkeypatch, tmp_path, missing):
    made("exit 0")
    for name in (script.RUNTIME, script.DEVELOPMENT):
        Path(script.stamp(name)).write_text(script.digest(name) if missing == "bin/python" else "")
    created = []

    def create(folder, **_):
        created.append(folder)
        shutil.copytree(tmp_path / "spare", folder, dirs_exist_ok=True)

    shutil.copytree(tmp_path / ".venv", tmp_path / "spare")
    (tmp_path / ".venv" / missing).unlink()
    monkeypatch.setattr(venv, "create", create)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execv", lambda *_: None)

    script.main(["up"])

    assert created == [script.VENV] and (tmp_path / ".venv/complete").exists()


def test_after_pip_failed_or_was_killed_everything_is_made_again(script, stops, made, monkeypatch, tmp_path):
    """pip takes a half-copied library for an installed one."""
    made("exit 1")
    stops("up")
    created = []
    monkeypatch.setattr(venv, "create", lambda folder, **_: (created.append(folder), made("exit 0")))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execv", lambda *_: None)

    script.main(["up"])

    assert created == [script.VENV] and (tmp_path / ".venv/complete").exists()


def test_a_virtual_environment_of_another_python_is_made_again(script, made, monkeypatch, tmp_path):
    """After an upgrade of the system, the new Python sees none of the old one's libraries, nor pip."""
    made("exit 0")
    libraries = next((tmp_path / ".venv/lib").iterdir())
    libraries.rename(libraries.with_name("python3.10"))
    created = []
    monkeypatch.setattr(venv, "create", lambda folder, **_: (created.append(folder), made("exit 0")))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execv", lambda *_: None)

    script.main(["up"])

    assert created == [script.VENV]


def test_a_pip_left_behind_by_a_killed_start_keeps_the_next_one_out(script, made, tmp_path):
    made(f"touch {tmp_path}/pip-runs; exec sleep 60")
    shutil.copy(SCRIPT, tmp_path / "octopus")
    starting = subprocess.Popen([sys.executable, str(tmp_path / "octopus"), "up"], stderr=subprocess.DEVNULL)
    while not (tmp_path / "pip-runs").exists():
        assert starting.poll() is None
        time.sleep(0.02)
    pip = psutil.Process(starting.pid).children()[0]

    starting.kill()
    starting.wait()
    try:
        with (tmp_path / ".venv.lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        pip.kill()


@pytest.mark.parametrize(
    ("told", "mend"),
    [("no route to host", "Is the network there"), ("[Errno 28] No space left on device", "Make room on the disk of")],
)
def test_a_failing_pip_is_followed_by_what_to_do(stops, made, told, mend):
    made(f"echo 'ERROR: {told}'; exit 1")

    assert mend in stops("up")

"""The requirements files: what is imported is pinned, and what is pinned is what the tests ran with."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ["app/**/*.py", "connectors/**/*.py", "pages/*.py", "workers/*.py", "webhook_receiver.py"]
DEVELOPMENT = ["tests/**/*.py", "bench/**/*.py"]
ONLY_FOR_TESTS = {"pytest"}  # imported by `octopus test`, which installs it


def pins(*files):
    """Distribution name, as PyPI compares them -> version."""
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines() if line and line[0] != "#"]
    return {plain(re.split(r"[\[=]", line)[0]): line.split("==")[1] for line in lines}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(patterns):
    """Top-level names of other people's modules."""
    files = [file for pattern in patterns for file in ROOT.glob(pattern)]
    own = {path.stem for path in ROOT.iterdir()} | {file.stem for file in files}
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return {name for name in found if name in packages_distributions() or name not in own} - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("patterns", "files", "besides"),
    [
        (RUNTIME, ["requirements.txt"], ONLY_FOR_TESTS),
        (DEVELOPMENT, ["requirements.txt", "requirements-dev.txt"], set()),
    ],
    ids=["runtime", "development"],
)
def test_every_library_imported_is_pinned(patterns, files, besides):
    known, distributions = pins(*files), packages_distributions()
    names = {name for name in imported(patterns) if not {plain(d) for d in distributions.get(name, [])} & set(known)}

    assert names - besides == set()


def test_the_tests_run_with_the_pinned_versions():
    pinned = pins("requirements.txt", "requirements-dev.txt")

    assert {name: version(name) for name in pinned} == pinned

"""The direction of imports, one home for each library, and the size of pages and modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for folder in ("app", "connectors", "workers", "pages", "demo", "webhook_receiver.py")
    for path in ([ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py"))
)  # fmt: skip

# Each layer may import itself, what stands to its left, and the base (settings, logs, metrics).
LAYERS = ["app.domain", "connectors", "app.classify", "app.db", "app.enqueue", "app.services", "app.ui", "pages"]
BASE = ("app.settings", "app.logs", "app.metrics")
SIBLINGS = {
    "connectors": ("app.classify", "app.db"),
    "app.classify": ("connectors", "app.db"),
    "app.db": ("connectors", "app.classify"),
}
ENTRIES = ("app.main", "app.cli", "app.api", "app.embedded", "workers", "webhook_receiver", "demo")

HOMES = {
    "streamlit": ("app.ui", "app.main", "pages"),
    "rq": ("app.enqueue", "workers", "app.cli"),
    "sqlmodel": ("app.db", "app.services"),
    "sqlalchemy": ("app.db", "app.services.circuits", "app.services.tokens", "webhook_receiver", "app.api"),
    "httpx": ("connectors", "app.cli", "demo"),
    "anthropic": ("app.classify.llm",),
    "openai": ("app.classify.llm",),
    "alembic": ("app.db",),
    "starlette": ("webhook_receiver", "app.api", "demo"),
    "fastapi": ("app.api",),
    "plotly": ("app.ui", "pages"),
}
LONGEST_PAGE, LONGEST_MODULE, LONGEST_FUNCTION = 150, 400, 60


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def layer_of(module: str) -> str | None:
    return next((layer for layer in LAYERS if module == layer or module.startswith(layer + ".")), None)


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_point_one_way(path):
    own = layer_of(module_of(path))
    for imported in imports_of(path):
        layer = layer_of(imported)
        if own is None or layer is None or layer == own:
            continue
        assert LAYERS.index(layer) < LAYERS.index(own), f"{module_of(path)} must not import {imported}"
        assert layer not in SIBLINGS.get(own, ()), f"{module_of(path)} must not import its sibling {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_nothing_imports_an_entry_point(path):
    module = module_of(path)
    if module.startswith(ENTRIES):
        return
    for imported in imports_of(path):
        assert not imported.startswith(ENTRIES), f"{module} must not import {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_each_library_has_one_home(path):
    for imported in imports_of(path):
        homes = HOMES.get(imported.split(".")[0])
        assert homes is None or module_of(path).startswith(homes), f"{module_of(path)} must not use {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_modules_and_functions_fit_their_limits(path):
    lines = path.read_text().splitlines()
    limit = LONGEST_PAGE if module_of(path).startswith("pages") else LONGEST_MODULE
    if "migrations" not in module_of(path):
        assert len(lines) <= limit
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} does not fit a screen"


def test_the_required_files_stand_at_the_top():
    required = [
        "app", "pages", "workers", "connectors", "tests", "webhook_receiver.py", "docker-compose.yml",
        "requirements.txt", "README.md",
    ]  # fmt: skip

    assert [name for name in required if not (ROOT / name).exists()] == []

"""The guide's connector is whole: taken out of the page, it passes the contract suite."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/ADDING_A_CONNECTOR.md"


def test_the_connector_of_the_guide_passes_the_contract_suite(tmp_path):
    shutil.copytree(ROOT / "connectors", tmp_path / "connectors")
    shutil.copytree(ROOT / "tests/connectors", tmp_path / "tests/connectors")
    (tmp_path / "tests/__init__.py").touch()
    (tmp_path / "app").symlink_to(ROOT / "app")
    files = re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    for name, content in files:
        (tmp_path / name).write_text(content, "utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/connectors/crm/test_contract.py",
         "-k", "tasklet"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip

    assert len(files) == 2
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert re.search(r"3\d passed", ended.stdout), ended.stdout[-300:]


def test_every_line_of_the_guides_code_fits_the_projects_width():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)

    assert [line for block in blocks for line in block.splitlines() if len(line) > 120] == []

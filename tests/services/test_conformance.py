"""What is shown about connectors is what the contract suite said about them as they are."""

import ast
import json
from pathlib import Path

from app.services import conformance
from app.ui.conformance_names import NAMES
from connectors import registry

SUITE = Path(__file__).parents[1] / "connectors/crm/test_contract.py"


def test_every_check_of_the_suite_is_shown_under_a_name():
    tests = [part for part in ast.parse(SUITE.read_text()).body if isinstance(part, ast.FunctionDef)]
    of_every_connector = {
        test.name.removeprefix("test_")
        for test in tests
        if any(isinstance(mark, ast.Name) and mark.id == "every_connector" for mark in test.decorator_list)
    }

    assert len(of_every_connector) > 15
    assert of_every_connector <= set(conformance.CHECKS)
    assert list(NAMES) == list(conformance.CHECKS)


def test_every_connector_was_checked_and_none_failed():
    found = conformance.report()

    assert {one.key for one in found} == set(registry.crm_keys())
    assert all(one.checked_on and not one.failed and one.passed >= 15 for one in found)
    assert all(set(one.checks) == set(conformance.CHECKS) for one in found)


def test_a_connector_that_was_changed_since_says_so(monkeypatch, tmp_path):
    stored = json.loads(conformance.RESULTS.read_text())
    stored["jira"]["code"] = "of another version"
    del stored["linear"]
    changed = tmp_path / "conformance.json"
    changed.write_text(json.dumps(stored))
    monkeypatch.setattr(conformance, "RESULTS", changed)

    found = {one.key: one for one in conformance.report()}

    assert found["jira"].is_stale and found["jira"].passed
    assert found["linear"].checked_on is None and not found["linear"].checks
    assert not found["asana"].is_stale

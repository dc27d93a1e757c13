"""Runs the contract suite over every connector and writes down, check by check, what it found.

The vendors are stand-ins over real HTTP on loopback, answering as the vendors' published contracts say; where those are
silent, as their documentation says. No call leaves the machine.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.services import conformance
from connectors import registry

SUITE = Path(__file__).parents[1] / "tests/connectors/crm"
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


class _Collector:
    """A pytest plugin. states: by connector and check, the outcome of each variant, with the reason of a skip."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "call" and report.passed:
            return
        test, _, parameters = report.nodeid.rpartition("::")[2].removeprefix("test_").partition("[")
        key = next((key for key in registry.crm_keys() if key in parameters.rstrip("]").split("-")), None)
        if key and test in conformance.CHECKS:
            why = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
            self.states[key][test].append((report.outcome, why))


def report() -> dict[str, str]:
    """Prints the table; returns, for each connector, how many checks it passed."""
    import pytest

    collector = _Collector()
    files = [str(SUITE / name) for name in ("test_contract.py", "test_vendor_contracts.py")]
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *files], plugins=[collector])
    today = datetime.now(UTC).date().isoformat()
    found = {
        key: {
            "checked_on": today, "code": conformance.code_of(key),
            "checks": {check: _together(collector.states[key][check]) for check in conformance.CHECKS},
        }
        for key in registry.crm_keys()
    }  # fmt: skip
    conformance.RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    _print(found)
    return {key: f"{sum(state == 'passed' for state, _ in one['checks'].values())}" for key, one in found.items()}


def _together(variants: list[tuple[str, str]]) -> tuple[str, str]:
    """One failure fails a check; a check is skipped when all of its variants were, or there was none."""
    states = [state for state, _why in variants]
    if "failed" in states:
        return "failed", ""
    if "passed" in states:
        return "passed", ""
    return "skipped", variants[0][1] if variants else "not held against a published contract"


def _print(found: dict[str, Any]) -> None:
    keys = list(found)
    for place, key in enumerate(keys):
        print("│" * place + "┌ " + key)
    for check in conformance.CHECKS:
        marks = "".join(MARKS[found[key]["checks"][check][0]] for key in keys)
        print(f"{marks}  {check.replace('_', ' ')}")

"""What the contract suite found out about each connector, as `./octopus bench connectors` wrote it down."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from connectors import registry

CONNECTORS = Path(registry.__file__).parent
RESULTS = CONNECTORS / "conformance.json"
# The suite's tests, in the order they are shown.
CHECKS = (
    "it_says_what_it_can_and_how_a_second_task_is_prevented",
    "every_value_a_manager_types_says_where_to_find_it",
    "create_sends_text_category_and_key_and_returns_the_ref",
    "create_and_search_are_as_described",
    "a_task_whose_answer_was_lost_is_found_or_made_once_more_without_a_second",
    "a_task_that_is_not_there_is_not_found",
    "a_search_answered_in_another_shape_is_not_taken_for_nothing_found",
    "what_a_status_means",
    "a_refused_field_is_named",
    "a_conflict_is_told_from_success",
    "a_rate_limit_is_transient_and_keeps_the_wait",
    "the_exact_request_is_shown_without_being_sent",
    "nothing_is_sent_when_the_vendor_cannot_be_reached",
    "a_create_that_is_not_answered_in_time_may_have_happened",
    "an_answer_that_drips_is_given_up_and_may_have_happened",
    "a_create_answered_with_garbage_may_have_happened",
    "a_create_answered_under_other_names_may_have_happened",
    "a_text_far_too_long_is_cut_and_keeps_its_end",
    "eight_calls_at_once_ask_for_one_token",
    "no_secret_in_errors_or_in_what_is_kept_of_the_exchange",
    "update_and_comment_reach_the_task",
)


@dataclass(frozen=True, slots=True)
class Conformance:
    """checks: by name, (passed, failed or skipped; why it was skipped). checked_on: None where it never was.

    is_stale: the connector was changed after it was checked.
    """

    key: str
    label: str
    checked_on: date | None
    is_stale: bool
    checks: dict[str, tuple[str, str]]

    @property
    def passed(self) -> int:
        return sum(state == "passed" for state, _why in self.checks.values())

    @property
    def failed(self) -> int:
        return sum(state == "failed" for state, _why in self.checks.values())


def report() -> list[Conformance]:
    """Every connector there is, by name."""
    stored = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    found = [_one(key, stored.get(key)) for key in registry.crm_keys()]
    return sorted(found, key=lambda one: one.label.lower())


def _one(key: str, stored: dict[str, Any] | None) -> Conformance:
    label = registry.crm(key).Connector.label
    if stored is None:
        return Conformance(key, label, None, False, {})
    checks = {name: (state, why) for name, (state, why) in stored["checks"].items()}
    return Conformance(key, label, date.fromisoformat(stored["checked_on"]), stored["code"] != code_of(key), checks)


@cache
def code_of(key: str) -> str:
    """A fingerprint of the connector's files."""
    files = [CONNECTORS / "crm" / f"{key}.py", *sorted(CONNECTORS.glob(f"{key}_*.py"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]

"""Credentials that end are spoken of two weeks before, and not earlier."""

from datetime import date

import pytest

from app.ui import ending

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("ends_on", "said"),
    [
        (None, ""), ("2026-12-08", ""), ("2026-12-07", "end in 14 days"), ("2026-11-24", "end in 1 day:"),
        ("2026-11-23", "end in 0 days"), ("2026-11-22", "ended on"),
    ],
)  # fmt: skip
def test_a_reminder_comes_in_time_and_says_when(ends_on, said):
    reminder = ending.reminder(ends_on, TODAY)

    assert said in reminder and bool(said) == bool(reminder)

"""Business time by the wall clock of any zone, held against a clock that is read minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.business_hours import BusinessHours, bucket_minutes, day_begins_at

# With and without daylight saving, on both sides of UTC, off by half and quarter hours, with a half-hour change,
# with a change at midnight.
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo", "America/Santiago", "Pacific/Kiritimati",
]  # fmt: skip
MINUTE = timedelta(minutes=1)
minutes = st.integers(0, 3 * 366 * 1440).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + n * MINUTE)


def by_the_wall_clock(hours: BusinessHours, begin: datetime, end: datetime) -> int:
    """Seconds, counted a minute at a time."""
    seconds, zone = 0, ZoneInfo(hours.zone)
    while begin < end:
        local = begin.astimezone(zone)
        if local.weekday() in hours.weekdays and hours.opens <= local.time() < hours.closes:
            seconds += 60
        begin += MINUTE
    return seconds


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    weekdays=st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
    # Not within the hours in which clocks change: an hour that there is twice, or never, has no one place to begin.
    opens=st.integers(4, 12), open_h=st.integers(1, 11), begin=minutes, lasts=st.integers(0, 12 * 1440),
)  # fmt: skip
@example(zone="Europe/Berlin", weekdays=(6,), opens=4, open_h=8, begin=datetime(2026, 3, 28, tzinfo=UTC), lasts=4000)
@example(zone="Africa/Cairo", weekdays=(4,), opens=9, open_h=9, begin=datetime(2026, 4, 23, tzinfo=UTC), lasts=4000)
def test_business_seconds_are_those_the_wall_clock_shows(zone, weekdays, opens, open_h, begin, lasts):
    hours = BusinessHours(zone, weekdays, time(opens), time(opens + open_h))
    end = begin + lasts * MINUTE

    [counted] = hours.seconds([begin.timestamp()], [end.timestamp()])

    assert counted == by_the_wall_clock(hours, begin, end)


@given(zone=st.sampled_from(ZONES), spans=st.lists(st.tuples(minutes, st.integers(0, 90 * 86400)), max_size=20))
def test_many_spans_at_once_are_as_each_alone(zone, spans):
    hours = BusinessHours(zone)
    begins = [begin.timestamp() for begin, _ in spans]
    ends = [begin.timestamp() + seconds for begin, seconds in spans]

    alone = [hours.seconds([begin], [end])[0] for begin, end in zip(begins, ends, strict=True)]

    assert list(hours.seconds(begins, ends)) == pytest.approx(alone)


def test_a_weekend_does_not_count_and_monday_goes_on():
    friday, monday = datetime(2026, 11, 20, 16, 30, tzinfo=UTC), datetime(2026, 11, 23, 8, 10, tzinfo=UTC)

    [counted] = BusinessHours("Europe/Berlin").seconds([friday.timestamp()], [monday.timestamp()])

    assert counted == (30 + 10) * 60


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_change():
    assert day_begins_at(date(2026, 4, 24), "Africa/Cairo") == datetime(2026, 4, 23, 22, tzinfo=UTC)


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_a_local_day_begins_with_its_first_moment(zone, day):
    begins = day_begins_at(day, zone)

    assert begins.astimezone(ZoneInfo(zone)).date() == day
    assert (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day


@pytest.mark.parametrize(("zone", "wanted"), [
    ("UTC", 60), ("Europe/Berlin", 60), ("Asia/Kolkata", 15), ("Asia/Kathmandu", 15), ("Australia/Lord_Howe", 15),
])  # fmt: skip
def test_hours_are_cut_into_quarters_only_where_the_zone_needs_it(zone, wanted):
    assert bucket_minutes(zone) == wanted

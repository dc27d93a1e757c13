"""The numbers of the Service page in words: what each means, and the tables that are shown and exported alike."""

from collections.abc import Callable
from dataclasses import dataclass

from babel.dates import get_day_names
from babel.units import format_unit

from app.services.service_report import Measures, Report, Times
from app.services.spreadsheet import Sheet
from app.ui import i18n, words
from app.ui.i18n import _, later, number, percent
from connectors import registry

DIMENSIONS = {
    "channel": later("Channel"), "category": later("Category"), "priority": later("Priority"),
    "sentiment": later("Sentiment"), "language": later("Language"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """One number: where it is read from, how it is written, what it means. counted: its rows, as `drill.KINDS`."""

    name: str
    read: Callable[[Measures], float | None]
    write: Callable[[float], str]
    meaning: str
    counted: str = ""

    @property
    def is_share(self) -> bool:
        return self.write is percent


def length(seconds: float) -> str:
    """Like `1.7 sec` or `3.4 hr`: one unit, and two digits where that tells something."""
    for unit, size, most in (("second", 1, 60), ("minute", 60, 3600), ("hour", 3600, 172_800), ("day", 86_400, 1e12)):
        if seconds < most:
            amount = seconds / size
            return format_unit(round(amount, 1 if amount < 10 else 0), f"duration-{unit}", "short",
                               locale=i18n.language())  # fmt: skip
    raise ValueError(f"{seconds} s is longer than any history")


NUMBERS = (
    Number(later("Received"), lambda m: m.received, number,
           later("Messages that came in, also those that need nothing done.")),
    Number(later("Tasks"), lambda m: m.tasks, number,
           later("Messages that opened a task which is at its destination by now. A message that joined the task of an "
                 "earlier one is not counted, nor is a task that a person withdrew."), "task"),
    Number(later("Done"), lambda m: m.done, number,
           later("Of these, tasks that are done at the destination now; at one of them, where there are several."),
           "done"),
    Number(later("Reopened"), lambda m: m.reopened_share, percent,
           later("Of the tasks that were ever done: the share that was opened again after it."), "reopened"),
    Number(later("Came back within 7 days"), lambda m: m.repeat_share, percent,
           later("Of all times a customer wrote after an hour or more of silence: the share in which they had written "
                 "in the seven days before as well. Whether it was about the same thing is not known."), "repeat"),
)  # fmt: skip


def _of(field: str, part: str) -> Callable[[Measures], float | None]:
    def read(measures: Measures) -> float | None:
        times: Times | None = getattr(measures, field)
        return getattr(times, part) if times else None

    return read


_TO_TASK = later("From the receipt of a message until its task stood at the first destination.")
_TO_DONE = later("From the receipt of a message until its task was first seen done, of tasks that are done now.")
_MEDIAN = later("Half of them took no longer.")
_P90 = later("Nine in ten took no longer.")
_BUSINESS = later("Only time from Monday to Friday, 9:00 to 18:00, in the time zone of the workspace counts.")
TIMES = {
    "to_task": (later("From message to task"), _TO_TASK, "task"),
    "to_done": (later("From message to done"), _TO_DONE, "done"),
}
PARTS = {
    "median_s": (later("Median"), (_MEDIAN,)),
    "p90_s": (later("90th percentile"), (_P90,)),
    "business_median_s": (later("Median, business hours"), (_MEDIAN, _BUSINESS)),
    "business_p90_s": (later("90th percentile, business hours"), (_P90, _BUSINESS)),
}


def times(field: str) -> list[Number]:
    """The four numbers of `to_task` or of `to_done`."""
    _name, meaning, counted = TIMES[field]
    return [
        Number(name, _of(field, part), length, " ".join(map(_, (meaning, *more))), counted)
        for part, (name, more) in PARTS.items()
    ]


def shown(one: Number, measures: Measures) -> str:
    value = one.read(measures)
    return "–" if value is None else one.write(value)


def named(report: Report, dimension: str) -> Callable[[str], str]:
    """What a value of the dimension is called."""
    if dimension == "channel":
        called = {key: registry.channel(key).Channel.label for key in registry.channel_keys()}.get
    elif dimension == "category":
        called = report.names.get
    elif dimension == "language":
        return lambda value: words.language(value) if value else _("Not known")
    else:
        known = words.PRIORITIES if dimension == "priority" else words.SENTIMENTS
        called = {key: _(name) for key, name in known.items()}.get
    return lambda value: called(value, value) if value else _("Not known")


def weekdays() -> list[str]:
    return [get_day_names("abbreviated", locale=i18n.language())[day] for day in range(7)]


# ---- the tables


def _read(one: Number, measures: Measures) -> float | None:
    """To four digits after the point: what a file can hold and a person can use."""
    value = one.read(measures)
    return round(value, 4) if isinstance(value, float) else value


def sheets(report: Report, dimension: str) -> list[Sheet]:
    """Everything that is on the screen; times in seconds, shares as parts of one."""
    call = named(report, dimension)
    values = list(report.by_value)
    return [
        Sheet(_("Service"), [_("Number"), _("Value"), _("Meaning")],
              [[name, value, meaning] for name, value, meaning in _figures(report)]),
        by_value(report, dimension),
        Sheet(_("Days"), [_("Day"), *map(call, values)],
              [[day.isoformat(), *(counts.get(value, 0) for value in values)]
               for day, counts in report.volume.items()]),
        Sheet(_("Hours"), [_("Weekday"), *(f"{hour:02}:00" for hour in range(24))],
              [[day, *counts] for day, counts in zip(weekdays(), report.heat, strict=True)]),
    ]  # fmt: skip


def _figures(report: Report) -> list[tuple[str, float | str | None, str]]:
    first = [(_("From"), report.begin.isoformat(), ""), (_("To"), report.end.isoformat(), ""),
             (_("Time zone"), report.zone, "")]  # fmt: skip
    counts = [(_(one.name), _read(one, report.total), _(one.meaning)) for one in NUMBERS]
    spans = [
        (f"{_(TIMES[field][0])}: {_(one.name)} (s)", _read(one, report.total), one.meaning)
        for field in TIMES
        for one in times(field)
    ]
    return [*first, *counts, *spans]


def by_value(report: Report, dimension: str) -> Sheet:
    """Each value of the dimension with its counts and times."""
    spans = [(_(TIMES[field][0]), one) for field in TIMES for one in times(field)[:2]]
    header = [_(DIMENSIONS[dimension]), *(_(one.name) for one in NUMBERS),
              *(f"{name}: {_(one.name)} (s)" for name, one in spans)]  # fmt: skip
    call, numbers = named(report, dimension), [*NUMBERS, *(one for _name, one in spans)]
    rows = [[call(value), *(_read(one, part) for one in numbers)] for value, part in report.by_value.items()]
    return Sheet(_(DIMENSIONS[dimension]), header, rows)

"""Credentials that end by themselves are spoken of before they do."""

from datetime import UTC, date, datetime

from app.ui.i18n import _, day_label, ngettext, number

REMIND_DAYS = 14


def reminder(ends_on: str | None, today: date) -> str:
    """ends_on: ISO date. Empty while there is time."""
    if not ends_on or (days := (date.fromisoformat(ends_on) - today).days) > REMIND_DAYS:
        return ""
    if days < 0:
        return _("The credentials ended on {day}.").format(day=day_label(date.fromisoformat(ends_on)))
    said = ngettext(
        "The credentials end in {n} day: make new ones at the vendor and save them here.",
        "The credentials end in {n} days: make new ones at the vendor and save them here.", days,
    )  # fmt: skip
    return said.format(n=number(days))


def lines(ends_on: str | None) -> list[str]:
    """The reminder as Markdown, where there is one."""
    said = reminder(ends_on, datetime.now(UTC).date())
    return [f":orange[:material/timer: {said}]"] if said else []

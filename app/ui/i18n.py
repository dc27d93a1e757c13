"""Words, numbers and times in the reader's language.

`_("text")` and `ngettext` translate what is written in the code; texts of adapters (labels, field titles, set-up
steps) go through `_` as well. The catalogue is the `.po` file, compiled when first used; `python -m app.ui.catalogue`
brings it up to date with the code. Times are shown in the workspace's time zone.
"""

import re
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import streamlit as st
from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages import mofile, pofile

from app.ui.sentences import PLACE, pattern

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
LOCALES = Path(__file__).parent / "locale"


def language() -> str:
    """The chosen one, else the browser's, else English."""
    return st.session_state.get("language") or supported(st.context.locale)


def choose(wanted: str | None) -> None:
    """Speak `wanted` for the rest of the visit; None goes back to the browser's language."""
    st.session_state["language"] = supported(wanted) if wanted else None


def supported(wanted: str | None) -> str:
    """The language of ours nearest to a name like `zh-CN`, `zh_Hans_SG` or `de`."""
    try:
        asked = Locale.parse((wanted or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return "en"
    return next((name for name in LANGUAGES if name.split("_")[0] == asked.language), "en")


def _(text: str) -> str:
    """Also of a sentence with parts filled in; one that is not in the catalogue stays as it is."""
    return _said(text, language()) if text else ""


@lru_cache(maxsize=4096)
def _said(text: str, name: str) -> str:
    found = _catalogue(name).gettext(text)
    if found != text or name == "en":
        return found
    for template, sentence in _patterns(name):
        if match := sentence.fullmatch(text):
            parts = {place: _said(part, name) for place, part in match.groupdict().items()}
            return PLACE.sub(lambda place, parts=parts: parts[f"p{place[1]}"], _catalogue(name).gettext(template))
    return text


@cache
def _patterns(name: str) -> list[tuple[str, re.Pattern]]:
    """Of the catalogue's templates, the most telling first."""
    with catalogue_path(name).open("rb") as file:
        ids = [message.id for message in pofile.read_po(file, locale=name) if isinstance(message.id, str)]
    found = [(text, made) for text in ids if (made := pattern(text))]
    return sorted(found, key=lambda pair: -len(PLACE.sub("", pair[0])))


def ngettext(one: str, many: str, n: int) -> str:
    return _catalogue(language()).ngettext(one, many, n)


def later(text: str) -> str:
    """Marks a constant for the catalogue; `_` translates it where it is shown."""
    return text


@cache
def _catalogue(name: str) -> NullTranslations:
    path = catalogue_path(name)
    if name == "en":
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=name))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue_path(name: str) -> Path:
    return LOCALES / name / "LC_MESSAGES" / "octopus.po"


# ---- numbers and times


def number(value: int | float) -> str:
    return numbers.format_decimal(value, locale=language())


def percent(share: float, digits: int = 0) -> str:
    """share: 0..1."""
    return numbers.format_percent(share, format="0." + "0" * digits + "%" if digits else None, locale=language())


def money(usd: float) -> str:
    """Small sums keep four digits: a classification may cost a hundredth of a cent."""
    fine = 0 < abs(usd) < 0.1
    return numbers.format_currency(
        usd, "USD", format="¤0.0000" if fine else None, currency_digits=not fine, locale=language()
    )


def moment(at: datetime, zone: str, seconds: bool = False) -> str:
    """at: aware; zone: IANA name of the workspace's time zone."""
    local = at.astimezone(dates.get_timezone(zone))
    day = dates.format_date(local, format="medium", locale=language())
    return f"{day} {local:%H:%M:%S}" if seconds else f"{day} {local:%H:%M}"


def short_moment(at: datetime, zone: str) -> str:
    """For lists: the time of today, else the day and the time; the year only when it is another one."""
    local, today = (each.astimezone(dates.get_timezone(zone)) for each in (at, datetime.now(UTC)))
    if local.date() == today.date():
        return f"{local:%H:%M}"
    skeleton = "MMMd" if local.year == today.year else "yMMMd"
    return f"{dates.format_skeleton(skeleton, local, locale=language())} {local:%H:%M}"


def day_label(day: date) -> str:
    """Day and month, for an axis."""
    return dates.format_skeleton("MMMd", day, locale=language())


def ago(at: datetime) -> str:
    """Like `3 minutes ago`, or `in 2 hours` for a time to come."""
    return dates.format_timedelta(at - datetime.now(UTC), add_direction=True, threshold=1.2, locale=language())


def duration(seconds: float) -> str:
    """Like `5 minutes`."""
    return dates.format_timedelta(seconds, threshold=1.2, locale=language())

"""How long a vendor wishes to be left alone, read from its headers without trusting them."""

import math
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_WISH_S = 86_400.0  # a vendor that asks for a longer wait is asked again after a day


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, at most a day; given as a number or as a date (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after", "")
    wish_s = number(value)
    if wish_s is None:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        # "-0000" says UTC without a place, and is read without a zone
        wish_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time()
    return within_reason(wish_s)


def number(text: str) -> float | None:
    """A header's number; None when it is none, or none that can be calculated with."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def within_reason(wish_s: float) -> float:
    return min(max(0.0, wish_s), LONGEST_WISH_S)

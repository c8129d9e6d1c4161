"""Days on which a price was read, and how long ago that is.

A date may be a day, a month or a year, as ISO 8601 writes them. Today is the system's, or `SOURCE_DATE_EPOCH`, so that
what is printed today can be printed again.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
#: Days of a month, on average: of ages that are told in months.
_MONTH: Final = 365.25 / 12


def today() -> date:
    """The day by which ages are told."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isascii() and epoch.isdigit() and len(epoch) < 12:
        return datetime.fromtimestamp(int(epoch), UTC).date()
    return datetime.now(UTC).date()


@lru_cache(maxsize=1024)
def last_day(text: str) -> date:
    """The last day that a date can mean: of `2026`, the end of the year. Raises ValueError where it is no date."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no date; write it as 2026-09-25, 2026-09 or 2026")
    year, month, day = int(match[1]), int(match[2] or 12), match[3]
    try:
        if day is not None:
            return date(year, month, int(day))
        date(year, month, 1)
        first_after = date(year + month // 12, month % 12 + 1, 1)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no day of the calendar") from None
    return first_after - timedelta(days=1)


def age_days(text: str, now: date) -> int:
    """Days since then, at least: a month or a year is taken as its last day; 0 for one that has not ended."""
    return max(0, (now - last_day(text)).days)


def age_words(text: str, now: date) -> str:
    """How old a price is, for people: `64 days ago`, `at least 23 months ago`."""
    days, least = age_days(text, now), "" if text.count("-") == 2 else "at least "
    if days <= 0:
        return "today" if not least else "this year" if len(text) == 4 else "this month"
    if days < 100:
        return f"{least}{days} day{'s' if days != 1 else ''} ago"
    return f"{least}{round(days / _MONTH):,} months ago"

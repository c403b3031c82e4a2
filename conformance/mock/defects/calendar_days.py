"""Dates that servers get wrong on some days of the year: the years of ISO weeks, months of thirty days, no leap day, summer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.contract.order_rules import DATE_FIELDS
from conformance.mock.defects.money import SHOWN
from conformance.mock.defects.parts import if_any, per_date, rules, too_strict
from conformance.mock.quirks import Defect

_LONGEST_OF_ALL: Final = 30
"""Days of a month, as some count them."""

_SUMMER: Final = range(4, 10)
"""Whole months of daylight saving time in Europe and North America."""


def _shown(name: str, statement: str, change: Callable[[datetime], datetime]) -> Defect:
    def shows(text: str) -> str:
        instant = parse_instant(text)
        return change(instant.astimezone(UTC)).isoformat() if instant else text

    return Defect(name=f"qry-01-{name}", statement=statement, rules=rules(*SHOWN), shows=per_date(shows))


def _on(holds: Callable[[datetime], bool]) -> Callable[[Any], bool]:
    return lambda text: (instant := parse_instant(text)) is not None and holds(instant.astimezone(UTC))


def _is_leap_day(instant: datetime) -> bool:
    return (instant.month, instant.day) == (2, 29)


def _week_year(instant: datetime) -> datetime:
    """As Java's pattern YYYY has it: the year to which the week belongs."""
    return instant.replace(year=instant.isocalendar().year)


CALENDAR_DAYS: Final = (
    _shown("year-of-the-week", "Shows dates with the year to which their week belongs.", _week_year),
    _shown("thirty-days", "Shows the 31st as the 30th.",
           lambda instant: instant.replace(day=min(instant.day, _LONGEST_OF_ALL))),
    _shown("no-leap-day", "Shows 29 February as the day after.",
           lambda instant: instant + timedelta(days=1) if _is_leap_day(instant) else instant),
    _shown("hour-of-summer", "Shows an hour too much in summer: it reckons with today's offset.",
           lambda instant: instant + timedelta(hours=1) if instant.month in _SUMMER else instant),
    too_strict("ord-01-no-leap-day", "Refuses 29 February.",
               if_any("createdDate", _on(_is_leap_day), *DATE_FIELDS), "ORD-01", "ORD-06"),
    too_strict("ord-01-thirty-days", "Refuses the 31st.",
               if_any("createdDate", _on(lambda instant: instant.day > _LONGEST_OF_ALL), *DATE_FIELDS), "ORD-01", "ORD-06"),
    too_strict("ord-01-year-end", "Refuses the last day of a year: it counts days from zero.",
               if_any("createdDate", _on(lambda instant: (instant.month, instant.day) == (12, 31)), *DATE_FIELDS),
               "ORD-01", "ORD-06"),
)  # fmt: skip

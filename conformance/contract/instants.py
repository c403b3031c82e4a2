"""Instants in text: what a request may send, what an answer may show, and when two of them are the same.

Both readers are our own and ask Python only for what all versions read alike: its `fromisoformat` takes other spellings from
one version to the next.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_SENT: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})T(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?"
    r"(?:Z|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))",
    re.ASCII,
)

_SHOWN: Final = re.compile(
    r"\+?(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})[Tt ](?P<hour>\d{2}):?(?P<minute>\d{2})"
    r"(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:[Zz]|(?P<sign>[+\u2212-])(?P<hours>\d{2})(?::?(?P<minutes>\d{2})(?::?(?P<seconds>\d{2}))?)?)",
    re.ASCII,
)
"""ISO 8601 in any of its forms: without separators, seconds or the minutes of the offset, with a comma, in lower case; and an
offset with seconds, as java.time and Python show what was before a zone's standard time (São Paulo until 1914: -03:06:28)."""

_LOCAL: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[T ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?)?"
    r"(?P<sign>(?P<hours>(?P<minutes>)))",
    re.ASCII,
)
"""A date, or a date and a time of day, without an offset."""

_COMMON: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.(?:\d{3}|\d{6}))?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
"""How most instants are sent. All versions of Python read these alike, and ten times as fast as what follows."""

_SECOND: Final = timedelta(seconds=1)
_MICROSECOND_DIGITS: Final = 6
_MIDNIGHT: Final = 24
_LAST_MINUTE: Final = 59


def parse_instant(text: str) -> datetime | None:
    """The aware datetime that a text in a request stands for, or None where it is none that a server must take or may be
    asked to: RFC 3339 with `Z` or an offset (its colon may be missing), up to nine digits of a second.

    A date without a time of day or without an offset names no instant. Digits past the microsecond are cut.
    """
    if _COMMON.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # no such day
            return None
    return _read(_SENT, text, end_of_day=False)


def read_instant(text: str) -> datetime | None:
    """The aware datetime that a text in an answer stands for: any ISO 8601 spelling of an instant, also 24:00 and any number
    of digits. None where it is none."""
    return _read(_SHOWN, text, end_of_day=True)


def parse_local(text: str) -> datetime | None:
    """What a date without an offset, perhaps without a time of day, stands for by the clock of UTC; None for any other text.

    It names no instant: another server takes it by another clock.
    """
    return _read(_LOCAL, text, end_of_day=False)


def is_shown_as(sent: datetime, shown: datetime) -> bool:
    """Whether an answer shows the instant that was sent: the same to the second where the second was sent whole; of a
    fraction no document says how much is kept, so that it may be cut or rounded by less than a second."""
    return abs(shown - sent) < _SECOND if sent.microsecond else shown == sent


def keeps_fraction(sent: datetime, shown: datetime) -> bool:
    """Whether the answer shows the fraction of a second too, to the millisecond."""
    return abs(shown - sent) < timedelta(milliseconds=1)


def _read(shape: re.Pattern[str], text: str, *, end_of_day: bool) -> datetime | None:
    found = shape.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, hours, minutes = (
        int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second", "hours", "minutes")
    )
    seconds = int(found.groupdict().get("seconds") or 0)
    if minutes > _LAST_MINUTE or seconds > _LAST_MINUTE:
        return None
    microsecond = int((found["fraction"] or "")[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    try:
        zone = timezone(offset if found["sign"] == "+" else -offset) if offset else UTC
        if end_of_day and hour == _MIDNIGHT and not (minute or second or microsecond):
            return datetime(year, month, day, tzinfo=zone) + timedelta(days=1)
        return datetime(year, month, day, hour, minute, second, microsecond, zone)
    except (ValueError, OverflowError):  # the shape of an instant, but no such day, hour or offset
        return None

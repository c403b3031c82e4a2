"""When an order begins: at any time of the days given, or on one of the days of a year that servers get wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from hypothesis import strategies as st

from strategies.packed import LARGEST_SIZE, packed
from strategies.scope import Days

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_NOON: Final = timedelta(hours=12)

_DECEMBER: Final = 12

_TURNS: Final = 3
"""One order in so many begins on a day of its own."""

_BYTES: Final = 3
"""So many tell when in the days an order begins, evenly: of an integer that large Hypothesis prefers the small ones, and nearly
every order would be of the first month."""


@cache
def starts(days: Days) -> st.SearchStrategy[datetime]:
    """When an order is created, to the second (UTC)."""
    groups = [group for group in _days_of_their_own(days) if group]

    def start(choices: tuple[int, ...]) -> datetime:
        turn, group, day, *fraction = choices
        if turn == _TURNS - 1 and groups:
            chosen = groups[group % len(groups)]
            return chosen[day * len(chosen) // LARGEST_SIZE]
        at = int.from_bytes(fraction) * days.seconds // LARGEST_SIZE**_BYTES
        return days.start + timedelta(seconds=at)

    return packed([_TURNS, *[LARGEST_SIZE] * (2 + _BYTES)]).map(start)


def _days_of_their_own(days: Days) -> tuple[list[datetime], ...]:
    """Noon of days whose week is of another year, and of leap days; the ends of months, and of years, to their last second."""
    first = datetime(days.start.year, days.start.month, days.start.day, tzinfo=UTC)
    end = days.start + timedelta(seconds=days.seconds)
    midnights = [first + n * _DAY for n in range((end - first).days + 1)]
    noons = [at + _NOON for at in midnights]
    last = [at for at in noons if (at + _DAY).day == 1]
    moments = (
        [at for at in noons if at.isocalendar().year != at.year],
        [at for at in noons if (at.month, at.day) == (2, 29)],
        last,
        [at + _NOON - _SECOND for at in last],
        [at + _NOON - _SECOND for at in last if at.month == _DECEMBER],
    )
    return tuple([at for at in some if days.start <= at <= end] for some in moments)

"""Periods of reconciliations: a stretch of time that is new at every sending, and instants relative to it.

A period is drawn as its length; where it lies is a hole, since the same example is sent several times when Hypothesis
shrinks and no period may be used twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from strategies.dates import printed
from strategies.holes import Hole

FIRST_DAY: Final = datetime(2001, 1, 1, tzinfo=UTC)
LAST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Periods lie between these: before any order of ours, as in S2's example."""

LENGTHS: Final = (2, 10, 60, 601)
"""Seconds that a period lasts; the shortest still has room for an instant between its ends."""

MONTH: Final = 31 * 86_400 + 3_601
"""Seconds of a period that takes more than a month, as those of real reconciliations do."""

PERIOD: Final = "period"
"""Name of the hole for the period at hand: the ISO 8601 instant at which it begins."""

EARLIER: Final = "earlier"
LATEST: Final = "latest"
"""Names of the holes for periods that were used before on the same account and channel, `latest` by the last."""

EARLIER_SECONDS: Final = 60
"""How long those last."""


def at(offset: timedelta, zone_minutes: int | None = None, *, milliseconds: bool = False, period: str = PERIOD) -> Hole:
    """The instant so long after a period's beginning, printed in that zone (None: Z)."""

    def change(init: str) -> str:
        return printed(datetime.fromisoformat(init) + offset, zone_minutes, milliseconds=milliseconds)

    return Hole(period, change, f"{offset.total_seconds():+g} s")


class Calendar:
    """Hands out beginnings of periods that overlap no other of the run, nor, very likely, of another run."""

    def __init__(self, run: int) -> None:
        """`run` is the run's number: runs begin far apart. Run 0 begins on the first day."""
        span = int((LAST_DAY - FIRST_DAY).total_seconds())
        # A large odd factor spreads neighbouring run numbers over the whole span.
        self._next = FIRST_DAY + timedelta(seconds=run * 48_271_163 % span)

    def allot(self, seconds: float) -> str:
        """The beginning of a free period of that length; on both of its sides as much again, or ten minutes, stays free."""
        margin = timedelta(seconds=min(seconds, 600) + 1)
        begins = self._next + margin
        ends = begins + timedelta(seconds=seconds) + margin
        if ends >= LAST_DAY:
            begins = FIRST_DAY + margin
            ends = begins + timedelta(seconds=seconds) + margin
        self._next = ends
        return printed(begins)

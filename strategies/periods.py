"""Periods of reconciliations: a stretch of time that is new at every sending, and instants relative to it.

A period is drawn as its length; where it lies is a placeholder, since the same example is sent several times when Hypothesis
shrinks and no period may be used twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from strategies.dates import printed
from strategies.placeholders import Placeholder

LENGTHS: Final = (2, 10, 60, 601)
"""Seconds that a period lasts; the shortest still has room for an instant between its ends."""

MONTH: Final = 31 * 86_400 + 3_601
"""Seconds of a period that takes more than a month, as those of real reconciliations do."""

PERIOD: Final = "period"
"""Name of the placeholder for the period at hand: the ISO 8601 instant at which it begins."""

EARLIER: Final = "earlier"
LATEST: Final = "latest"
LONG: Final = "long"
"""Names of the placeholders for periods that were used before on the same account and channel, `latest` by the last, and `long`
by the first that took a month."""

EARLIER_SECONDS: Final = 60
"""How long those last, and longer by what periods last at least where a target takes no short ones."""


def at(
    offset: timedelta, zone_minutes: int | None = None, *, milliseconds: bool = False, period: str = PERIOD
) -> Placeholder:
    """The instant so long after a period's beginning, printed in that zone (None: Z)."""

    def change(init: str) -> str:
        return printed(datetime.fromisoformat(init) + offset, zone_minutes, milliseconds=milliseconds)

    return Placeholder(period, change, f"{offset.total_seconds():+g} s")

"""A clock that a test can move: real time plus what was added, or standing still until moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""Where a clock that stands still begins, so that a run in process is the same every day."""


LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Far enough from the last instant there is for a token to be given still."""


class VirtualClock:
    """An instant in UTC that only ever moves forward."""

    def __init__(self, source: Callable[[], datetime] | None = None) -> None:
        """`source` gives the time that passes by itself; without one the clock stands still until it is moved."""
        self._source = source or (lambda: EPOCH)
        self._added = timedelta()

    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        return self._source() + self._added

    def advance(self, seconds: float) -> None:
        """Move it forward by that many seconds. Raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"a clock moves forward only, not by {seconds} s")
        try:
            added = self._added + timedelta(seconds=seconds)
            too_late = self._source() + added > LATEST
        except OverflowError:
            too_late = True
        if too_late:
            raise ValueError(f"a clock that shows no instant after {LATEST.year} can't be moved by {seconds} s")
        self._added = added


def ticking() -> VirtualClock:
    """A clock that follows real time, for a mock on a socket."""
    return VirtualClock(lambda: datetime.now(UTC))

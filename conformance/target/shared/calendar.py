"""Which periods reconciliations get: each overlaps no other, of this run or of any other of the integrator's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

FIRST_DAY: Final = datetime(2001, 1, 1, tzinfo=UTC)
LAST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Periods lie between these: before any order of ours, as in S2's example."""

LONG_SECONDS: Final = 12 * 3600
"""Periods that last at least so long lie apart from the shorter ones: there are only so many months."""


class Track(NamedTuple):
    """A stretch of time in which periods lie one after the other."""

    name: str
    first: datetime
    last: datetime
    run: timedelta
    """More than all periods of one run take."""

    @property
    def seconds(self) -> int:
        """How long it is."""
        return int((self.last - self.first).total_seconds())


_PARTED: Final = datetime(2019, 1, 1, tzinfo=UTC)
LONG: Final = Track("long", FIRST_DAY, _PARTED, timedelta(days=62))
SHORT: Final = Track("short", _PARTED, LAST_DAY, timedelta(days=1))

Tracks = tuple[Track, Track]
"""For long periods and for short ones."""

DEFAULT_TRACKS: Final[Tracks] = (LONG, SHORT)


def tracks(first: datetime, last: datetime) -> Tracks:
    """Two tracks of a stretch of time: three quarters for long periods. Their counters are the stretch's own."""
    parted = first + (last - first) * 3 / 4
    name = f"{first:%Y-%m-%d} {last:%Y-%m-%d}"
    return (
        Track(f"long {name}", first, parted, min(LONG.run, parted - first)),
        Track(f"short {name}", parted, last, SHORT.run),
    )


Claim = Callable[[str, int, int], int]
"""Claims so many numbers of a counter that nobody else gets and gives the first; a new counter begins at the number given."""

_GOLDEN: Final = 0.6180339887498949


class UsedUp(Exception):
    """Every period of that length was used by earlier runs. The message says so."""


class Calendar:
    """Hands out beginnings of periods that overlap no other of the run, nor of any that claims from the same counters.

    Counters that are new, since what kept them was lost, begin where `start` says, an instant in seconds: those of different
    seconds begin far apart (the multiples of the golden ratio are spread as evenly as can be).
    """

    def __init__(self, claim: Claim | None = None, start: float = 0.0, *, tracks: Tracks = DEFAULT_TRACKS) -> None:
        """`tracks` are where the periods lie."""
        self._long, self._short = tracks
        self._claim = claim or _own_counters()
        self._start = int(start)

    def allot(self, seconds: float) -> str:
        """The beginning of a free period of that length; on both of its sides as much again, or ten minutes, stays free.

        Raises UsedUp where earlier runs have left no room.
        """
        track = self._long if seconds >= LONG_SECONDS else self._short
        margin = int(min(seconds, 600)) + 1
        size = int(seconds) + 1 + 2 * margin
        begins = self._place(track, size)
        if begins + size > track.seconds:  # it would stand out: the next begins the track anew
            begins = self._place(track, size)
        return (track.first + timedelta(seconds=begins + margin)).isoformat().replace("+00:00", "Z")

    def elsewhere(self, seconds: float, *, beyond: float = 0.0) -> None:
        """Go on where another run that was here before did not come, and at least so many seconds on."""
        track = self._long if seconds >= LONG_SECONDS else self._short
        self._claim(track.name, self._first(track), int(max(track.run.total_seconds(), beyond)))

    def _place(self, track: Track, size: int) -> int:
        """Where in its track a period lies, margins included."""
        first = self._first(track)
        begun = self._claim(f"{track.name} begun", first, 0)
        place = self._claim(track.name, first, size)
        if place + size - begun > track.seconds:
            raise UsedUp(
                f"earlier runs have used up every period of this length from {track.first:%Y} to {track.last:%Y}"
            )
        return place % track.seconds

    def _first(self, track: Track) -> int:
        return int(self._start * _GOLDEN % 1 * track.seconds)


def _own_counters() -> Claim:
    """Counters that nobody else has."""
    counters: defaultdict[str, int] = defaultdict(int)
    known: set[str] = set()

    def claim(counter: str, first: int, size: int) -> int:
        if counter not in known:
            known.add(counter)
            counters[counter] = first
        begin = counters[counter]
        counters[counter] += size
        return begin

    return claim

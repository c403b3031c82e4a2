"""What the runs of one integrator share, whatever process or machine they are on: a small store of atomic operations.

SQLite by default, a file that is kept between runs; Redis where runs on several machines share one integrator. Every method
raises CannotRun where the store can't be reached or written, and StoreLost where it is another one than the run began with:
without it nothing may be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from pyrate_limiter import AbstractBucket

from conformance.errors import CannotRun, StoreLost

ERRORS: Final = "client-errors"
"""The window of the client errors that were spent, or that a request which is on its way may spend."""

MARGIN_SECONDS: Final = 1.0
"""How much longer than a documented minute or hour ours is: requests may take longer or shorter to arrive."""

ORIGIN: Final = "origin/"
"""Begins the record of the base URL at which a run creates things."""

BLOCKED_UNTIL: Final = "blocked-until"
"""The record of the instant until which nothing may be sent."""

KINDS: Final = "kinds/"
"""Begins the records of which kinds of faults were tried."""

TAKEN_FOR_DEAD: Final = (
    "this run stood still for so long that another took it for dead and cleared away what it had sent; run again"
)


@dataclass(frozen=True, slots=True)
class About:
    """What a store is: one that was lost and made anew is another."""

    identity: str
    made_at: float
    """By its own clock."""
    sequence: int
    """How many marks were ever entered: one that was set back to an earlier state has fewer."""


class Store(Protocol):
    """Atomic operations on what is shared. Instants are seconds by the clock that all who share it read: it begins as the
    time of day and then runs by itself, whatever becomes of anybody's clock."""

    lost: StoreLost | None
    """How the store that the run began with was lost, where another one has taken its place."""

    def about(self) -> About:
        """What the store is."""

    def start_anew(self, *, under_another_identity: bool = False) -> None:
        """Go on with what is there now, made anew where there is nothing. What it is then, nobody else may have begun with
        where it is to be `under_another_identity`."""

    def warnings(self) -> tuple[str, ...]:
        """What is to be said about how well it keeps things."""

    def doubted(self) -> int:
        """How many client errors are only taken for spent, since nobody knows what was spent before the store was made."""

    def now(self) -> float:
        """The instant by the shared clock."""

    def told(self) -> float:
        """The instant that the clock told last."""

    # -- marks in a rolling window --------------------------------------------------------------------------------

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float, record: str | None = None) -> float | None:
        """Enter a mark where fewer than `at_most` were entered within the last so many seconds: None. Else the seconds until
        one of those leaves the window. Raises CannotRun where that record, the run's own, is not there: another run took this
        one for dead."""

    def enter(self, window: str, ages: Mapping[str, float]) -> None:
        """Enter marks that are so many seconds old, or older ones anew that are there."""

    def renew(self, window: str, mark: str) -> None:
        """Let a mark count from now on."""

    def unmark(self, window: str, mark: str) -> None:
        """Take a mark back."""

    def marks(self, window: str, seconds: float) -> list[float]:
        """The instants of the marks of the last so many seconds, the oldest first."""

    # -- locks ------------------------------------------------------------------------------------------------------

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """Take a lock for so many seconds, or hold it for longer; False where another holds it."""

    def unlock(self, name: str, owner: str) -> None:
        """Let go of a lock, if it is the owner's."""

    def owner(self, name: str) -> str | None:
        """Who holds a lock now."""

    # -- counters and records -----------------------------------------------------------------------------------------

    def claim(self, counter: str, first: int, size: int) -> int:
        """Claim so many numbers that nobody else gets; returns the first. A counter that is not there begins at `first`."""

    def put(self, key: str, value: str) -> None:
        """Keep a record."""

    def drop(self, *keys: str) -> None:
        """Forget records."""

    def records(self, prefix: str) -> Mapping[str, str]:
        """The records whose keys begin so, in the order of their keys."""

    # -- rates --------------------------------------------------------------------------------------------------------

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """A pyrate-limiter bucket that lets so many pass in any such time."""

    def close(self) -> None:
        """Let go of the store."""


def by_wall_clock(store: Store, instant: float) -> datetime:
    """When an instant of the store is, as people tell the time."""
    return datetime.now(UTC) + timedelta(seconds=instant - store.now())


def lost(where: str, what: str) -> StoreLost:
    """What to raise of a store that is not the one that the run began with."""
    return StoreLost(
        f"{where}: {what} while this run was going on, and with it went what runs of this integrator share; nothing more is "
        "sent but to clear away what this run has left. What it spent is also kept elsewhere, so run again"
    )


@contextmanager
def or_cannot_run(where: str, *errors: type[Exception]) -> Iterator[None]:
    """Raises CannotRun with the remedy in place of these errors."""
    try:
        yield
    except errors as error:
        raise CannotRun(
            f"{where}: what the runs of this integrator share cannot be kept there ({error}); nothing is sent without it: "
            "make it reachable and writable, or name another place in `coordination`"
        ) from None

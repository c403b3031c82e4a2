"""What the runs of one integrator share, whatever process or machine they are on: a small store of atomic operations.

SQLite by default, a file that is kept between runs; Redis where runs on several machines share one integrator. Every method
raises CannotRun where the store can't be reached or written: without it nothing may be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pyrate_limiter import AbstractBucket

from conformance.errors import CannotRun
from conformance.target.config import Target


class Store(Protocol):
    """Atomic operations on what is shared. Instants are seconds since the epoch, by the clock that all who share it read."""

    def now(self) -> float:
        """The instant by the shared clock."""

    # -- marks in a rolling window --------------------------------------------------------------------------------

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float) -> float | None:
        """Enter a mark where fewer than `at_most` were entered within the last so many seconds: None. Else the seconds until
        one of those leaves the window."""

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


def key_of(target: Target) -> str:
    """What tells the stores of integrators apart."""
    return sha256(f"{target.base_url} {target.integrator}".encode()).hexdigest()[:16]


def store_path(target: Target) -> Path:
    """The file that a target's runs share, where they share one."""
    if target.coordination.startswith("sqlite:"):
        return Path(target.coordination.removeprefix("sqlite:")).expanduser()
    from platformdirs import user_state_path

    return user_state_path("koncili-conformance") / f"{key_of(target)}.sqlite"


def open_store(target: Target) -> Store:
    """The store that the target file names. Raises CannotRun where it can't be had."""
    if target.coordination.startswith("redis"):
        from conformance.target.store_redis import RedisStore

        return RedisStore(target.coordination, key_of(target))
    from conformance.target.store_sqlite import SQLiteStore

    shared = target.coordination.startswith("sqlite:")  # else the file is this integrator's alone
    return SQLiteStore(store_path(target), f"{key_of(target)}_" if shared else "")

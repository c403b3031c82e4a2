"""Who may have an active reconciliation: one run at a time on each channel, since Koncili allows a channel no second one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from conformance.target.shared.ledger import SETTLING
from conformance.target.shared.runs import Run, take
from conformance.target.waiting import Waiting

if TYPE_CHECKING:
    from conformance.target.shared.store_base import Store

POLL_SECONDS: Final = 0.5
GIVE_WAY_SECONDS: Final = 3 * POLL_SECONDS

_LOCK, _WANTED = "channel/", "wanted/"


class Channels:
    """The channels of an integrator, of which this run holds some."""

    def __init__(self, store: Store, run: Run, waiting: Waiting) -> None:
        self._store = store
        self._run = run
        self._waiting = waiting
        self._held: set[str] = set()

    def hold(self, channels: Collection[str]) -> bool:
        """Wait until no other run has a reconciliation on these channels, and keep others from them; whether any was not held
        before. Raises WaitTooLong where that takes longer than the user wants to wait."""
        missing = set(channels) - self._held
        # All runs take them in the same order: so no two wait for each other.
        for channel in sorted(missing):
            self._take(channel)
        return bool(missing)

    def _take(self, channel: str) -> None:
        self._give_way(channel)
        wait = self._waiting.begin(f"another run's reconciliation on channel {channel}")
        while not take(self._store, _LOCK + channel, self._run.id):
            self._store.put(_WANTED + channel, self._run.id)
            wait.poll(POLL_SECONDS)
        wait.end()
        if self._wanted_by(channel) == self._run.id:
            self._store.drop(_WANTED + channel)
        self._held.add(channel)
        self._run.locks.add(_LOCK + channel)

    def let_go(self, channel: str) -> None:
        """Let others have the channel."""
        self._held.discard(channel)
        self._run.locks.discard(_LOCK + channel)
        self._store.unlock(_LOCK + channel, self._run.id)

    def let_go_of_all(self) -> None:
        """Let others have every channel."""
        for channel in tuple(self._held):
            self.let_go(channel)

    def settles(self, channel: str, *, settling: bool) -> None:
        """Tell whoever comes next whether a reconciliation there may still be going on, all its releases being in."""
        if settling:
            self._store.put(SETTLING + channel, self._run.id)
        else:
            self._store.drop(SETTLING + channel)

    def is_settling(self, channel: str) -> bool:
        """Whether one may still be going on there."""
        return SETTLING + channel in self._store.records(SETTLING + channel)

    def _give_way(self, channel: str) -> None:
        """Whoever waits comes first: without this a run would take each time what it has just let go."""
        wanted_by = self._wanted_by(channel)
        if wanted_by not in {None, self._run.id}:
            self._waiting.begin(f"another run's turn on channel {channel}").poll(GIVE_WAY_SECONDS)
            if self._wanted_by(channel) == wanted_by:  # it did not come: dead, or no longer interested
                self._store.drop(_WANTED + channel)

    def _wanted_by(self, channel: str) -> str | None:
        return self._store.records(_WANTED + channel).get(_WANTED + channel)

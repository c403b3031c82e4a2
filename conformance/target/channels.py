"""Who may have an active reconciliation: one run at a time on each channel, since Koncili allows a channel no second one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetUnavailable
from conformance.target.runs import LIFE_SECONDS, Run, is_alive
from conformance.target.waiting import Waiting

if TYPE_CHECKING:
    from conformance.target.store import Store

POLL_SECONDS: Final = 0.5
GIVE_WAY_SECONDS: Final = 3 * POLL_SECONDS
PATIENCE_WITH_ONE_HELD: Final = 60.0
"""Seconds that a second channel is waited for while one is held: two runs might wait for each other."""

_LOCK, _WANTED, _SETTLING = "channel/", "wanted/", "settling/"


class Channels:
    """The channels of an integrator, of which this run holds some."""

    def __init__(self, store: Store, run: Run, waiting: Waiting, rescue: Callable[[str], None]) -> None:
        """`rescue` finishes what a dead run left, so that its channels become free."""
        self._store = store
        self._run = run
        self._waiting = waiting
        self._rescue = rescue
        self._held: set[str] = set()

    def hold(self, channel: str) -> None:
        """Wait until no other run has a reconciliation on the channel, and keep others from it.

        Raises WaitTooLong where that takes longer than the user wants to wait, TargetUnavailable where two runs wait for
        each other.
        """
        if channel in self._held:
            return
        self._give_way(channel)
        waited, dead = 0.0, None
        while not self._store.lock(_LOCK + channel, self._run.id, LIFE_SECONDS):
            owner = self._store.owner(_LOCK + channel)
            if owner is not None and not is_alive(self._store, owner):
                self._store.unlock(_LOCK + channel, owner)
                dead = owner
                continue
            if self._held and waited > PATIENCE_WITH_ONE_HELD:
                raise TargetUnavailable(f"another run holds channel {channel}, and waits perhaps for one of this run's")
            self._store.put(_WANTED + channel, self._run.id)
            self._waiting.poll(f"another run's reconciliation on channel {channel}", waited, POLL_SECONDS)
            waited += POLL_SECONDS
        if self._wanted_by(channel) == self._run.id:
            self._store.drop(_WANTED + channel)
        self._held.add(channel)
        self._run.locks.add(_LOCK + channel)
        if dead is not None:
            self._rescue(dead)

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
            self._store.put(_SETTLING + channel, self._run.id)
        else:
            self._store.drop(_SETTLING + channel)

    def is_settling(self, channel: str) -> bool:
        """Whether one may still be going on there."""
        return _SETTLING + channel in self._store.records(_SETTLING + channel)

    def _give_way(self, channel: str) -> None:
        """Whoever waits comes first: without this a run would take each time what it has just let go."""
        wanted_by = self._wanted_by(channel)
        if wanted_by not in {None, self._run.id}:
            self._waiting.wait("another run's turn", GIVE_WAY_SECONDS, always=True)
            if self._wanted_by(channel) == wanted_by:  # it did not come: dead, or no longer interested
                self._store.drop(_WANTED + channel)

    def _wanted_by(self, channel: str) -> str | None:
        return self._store.records(_WANTED + channel).get(_WANTED + channel)

"""How long a target takes to reconcile: as the target file says, as earlier runs of a store have seen, or as a run learns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from conformance.target.shared.store_base import Store

FIRST_LOOK: Final = 0.1
"""Seconds after which it is looked whether a reconciliation has ended, where nobody knows how long it takes."""

GROWTH: Final = ((4.0, 4.0), (12.0, 2.0), (math.inf, 1.3))
"""While less than so many seconds have passed, the next look is after so many times as long: one that is too early costs a client
error, one that is too late costs time."""

LONGER: Final = 1.1
"""How much longer is waited than a target is said to take."""

A_LITTLE_LONGER: Final = 1.05
"""How much longer than after what it was seen to have ended."""

STILL_LONGER: Final = 1.25
"""How much longer than known where it goes on all the same."""

SELDOM_SECONDS, SELDOM_PART = 1.0, 0.3
"""The looks at what is long over double up to this distance, where none takes any time they would come each tenth of a second;
from then on each comes after so much longer: what somebody else has active may stay for hours, and each look costs a client
error."""

NEAR_SECONDS, NEAR_PART = 2.0, 0.1
"""So near, in seconds or as a part of it, it need not be known better: a look too early costs a client error."""

HANDY_SECONDS: Final = 10.0
"""So long is waited for a look where all that is known is that one had ended much later: something else was done until then."""

_PREFIX: Final = "reconciles-in/"
"""Begins the records of how long targets take, by a digest of the base URL."""

_SHORT: Final = 16
"""How much of the digest tells targets apart."""


@dataclass(slots=True)
class Taking:
    """How long a target takes, where nothing notifies: longer than after what it was looked for in vain, and no longer than after
    what one was seen to have ended. Seconds from the last release on."""

    told: float = 0.0
    """As the target file or an earlier run says; 0 where neither does."""
    too_early: float = 0.0
    by_then: float | None = None
    varies: bool = False
    """Whether one went on for longer than another took."""

    @property
    def pause(self) -> float:
        """After how long it has ended, as far as is known: before what must not be too early. 0 where nothing is known."""
        return LONGER * self.told if self.by_then is None else A_LITTLE_LONGER * self.by_then

    @property
    def worth_a_look(self) -> float:
        """After how long a look is worth it where no more than a client error is lost if that is too early."""
        if self.by_then is None or self._is_known(self.too_early):
            return self.pause
        return self._between(self.too_early, self.by_then)

    @property
    def estimate(self) -> float:
        """About so long it takes."""
        return self.told if self.by_then is None else (self.too_early + self.by_then) / 2

    def next_look(self, passed: float) -> float:
        """After how long to look again where it goes on after `passed` seconds."""
        if self.by_then is None:
            if passed < self.told:
                return self.pause
            if passed < 2 * self.told:
                return max(FIRST_LOOK, STILL_LONGER * passed)
            return max(FIRST_LOOK, _grown(passed))
        if passed < self.by_then and not self._is_known(passed):
            return self._between(passed, self.by_then)
        if passed < self.pause:
            return self.pause
        # It is long over, as a rule: what is refused then may be refused for something else.
        seldom = max(min(passed, SELDOM_SECONDS), SELDOM_PART * passed)
        return passed + max(FIRST_LOOK, (STILL_LONGER - 1) * self.by_then, seldom)

    def learn(self, after: float, by_then: float) -> None:
        """One went on after so long, and had ended by then: that another took no longer than that, it does not show."""
        if by_then <= self.too_early:
            self.varies = True
        if self.by_then is None:
            self.by_then = by_then
        elif after >= self.by_then:
            self.varies, self.by_then = True, by_then
        elif not self.varies:
            self.by_then = min(self.by_then, by_then)
        self.too_early = max(self.too_early, after)

    def _between(self, too_early: float, by_then: float) -> float:
        """When to look between these: in the middle, or sooner where that is long after what is told or likely."""
        told = LONGER * self.told if too_early < LONGER * self.told else 0.0
        return min((too_early + by_then) / 2, max(HANDY_SECONDS, _grown(too_early), told))

    def _is_known(self, too_early: float) -> bool:
        """Whether it is known well enough where it takes longer than that."""
        if self.by_then is None:
            return False
        as_told = too_early > self.told / 2 and self.told <= self.by_then <= STILL_LONGER * self.told
        return as_told or self.varies or self.by_then - too_early <= max(NEAR_SECONDS, NEAR_PART * self.by_then)


def _grown(passed: float) -> float:
    return next(times for until, times in GROWTH if passed < until) * passed


def seconds_until_seen(takes: float) -> float:
    """After how many seconds a run sees the end of a reconciliation that is known to take so long, where nothing notifies."""
    return Taking(takes).pause


def note_reconciling(store: Store, base_url: str, seconds: float) -> None:
    """Keep that it took so long. Raises CannotRun where the store can't be written."""
    store.put(_key(base_url), f"{seconds:.1f}")


def seen_reconciling(store: Store, base_url: str) -> float | None:
    """The seconds that the last run saw it take, where one has waited for it. Raises CannotRun where the store can't be read."""
    text = store.records(_key(base_url)).get(_key(base_url))
    return float(text) if text is not None else None


def _key(base_url: str) -> str:
    return _PREFIX + sha256(base_url.encode()).hexdigest()[:_SHORT]

"""How long to wait where a target asks for time: after 429, 502 and 423, and how a run slows down by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from conformance.contract.limits import BLOCK_SECONDS, HOUR_SECONDS, MINUTE_SECONDS

LONGEST_BLOCK: Final = 24 * HOUR_SECONDS
"""Seconds that a block is taken to last at most, whatever the answer says: the documents know one hour, or for good."""

LONGEST_THROTTLE: Final = HOUR_SECONDS
"""Seconds that a 429 may ask for: the documented rates are of a minute, and nothing is counted for longer than an hour."""

PATIENCE: Final = 2 * MINUTE_SECONDS
"""Seconds after which a call that was throttled all the time is given up, once it has waited as long as it was told."""

BACKOFF: Final = (0.5, 1.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before each further try after a failure that passes: a minute in all."""

GARBLED_TRIES: Final = 2
"""How often a call is sent again after an answer that can't be read: a server makes the same of the same request."""

_AT_LEAST: Final = (0.05, 1.0, float(MINUTE_SECONDS))
"""Seconds before each further try of a call that was throttled, where the answer asks for less."""

_JITTER: Final = 0.25
_EPOCH_FROM: Final = 10**9
"""A number from here on is an instant (seconds of the epoch), from a thousand times that on one in milliseconds."""


def told_seconds(retry_after: str, now: datetime) -> float | None:
    """What a Retry-After asks for, in seconds, never below 0: a number, a date, or an instant. None where it can't be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Of a number that no time has, its length says enough.
        number = int(text[:20])
        for unit in (1, 1000):
            if _EPOCH_FROM <= number / unit < 10 * _EPOCH_FROM:
                return max(0.0, number / unit - now.timestamp())
        return float(number)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            instant = read(text)
            return max(0.0, (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() - now.timestamp())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def block_seconds(retry_after: str, now: datetime) -> float:
    """How long a block is taken to last: the documented hour at least, and a day at most."""
    return min(max(told_seconds(retry_after, now) or 0.0, float(BLOCK_SECONDS)), float(LONGEST_BLOCK))


@dataclass(slots=True)
class Patience:
    """How long one call is tried again."""

    failures: int = 0
    throttled: int = 0
    waited: float = 0.0
    """Seconds that were waited since it was throttled first."""

    def after_failure(self, tries: int = len(BACKOFF), at_least: float = 0.0) -> float | None:
        """Seconds before another try; None where there were that many."""
        if self.failures >= tries:
            return None
        self.failures += 1
        pause = BACKOFF[self.failures - 1] * random.uniform(1 - _JITTER, 1)  # noqa: S311 - so that not all come at once
        return max(pause, at_least)

    def after_throttling(self, told: float | None) -> float | None:
        """The same for a call that was throttled: as long as it was told, without that a minute."""
        if self.throttled >= len(_AT_LEAST) or self.waited >= PATIENCE:
            return None
        pause = max(MINUTE_SECONDS if told is None else told, _AT_LEAST[self.throttled])
        self.throttled += 1
        self.waited += pause
        return pause

    @property
    def tries(self) -> int:
        """How often it was sent."""
        return 1 + self.failures + self.throttled


@dataclass(slots=True)
class Slowdown:
    """Keeps the requests to one endpoint apart after it was throttled again and again, as long as that helps."""

    even: float
    """Seconds between two requests that are sent evenly at the documented rate."""
    clock: Callable[[], float] = time.monotonic
    interval: float = 0.0
    """Seconds between two requests now."""
    _last: float | None = None
    _first: float = 0.0
    """When the first was sent of those that are counted."""
    _sent: int = 0
    _throttled: int = 0
    _share: float = 0.0
    """Of how many requests one was throttled before."""
    _missed: int = field(default=0)

    def pause(self) -> float:
        """Seconds before the next request may be sent."""
        return 0.0 if self._last is None or not self.interval else max(0.0, self._last + self.interval - self.clock())

    def sent(self) -> None:
        """Take note that one is sent now."""
        self._last = self.clock()
        if not self._sent:
            self._first = self._last
        self._sent += 1
        if self.interval and not self._throttled and self._sent >= UNTROUBLED:
            self.interval = self.interval / 1.5 if self.interval > self.even / 20 else 0.0
            self._sent = self._missed = 0  # it helped

    @property
    def is_vain(self) -> bool:
        """Whether to be slower has made no difference."""
        return self._missed >= MISSES

    def give_up(self) -> None:
        """Be as fast as before, from now on."""
        self._missed, self.interval = MISSES, 0.0

    def throttled(self) -> None:
        """Take note that it was throttled. After a few: more slowly; where that makes no difference, as before."""
        self._throttled += 1
        if self._throttled < (AGAIN if self.interval else SOME) or self.is_vain:
            return
        share = self._throttled / max(self._sent, 1)
        if not self.interval:
            lasted = self.clock() - self._first
            self._share, self.interval = share, min(STEP * lasted / max(self._sent, 1), self.even)
        else:
            self._missed += share > self._share / 2
            self.interval = 0.0 if self.is_vain else min(self.interval * STEP, self.even * SLOWEST)
        self._sent = self._throttled = 0


SOME: Final = 3
"""So many times throttled are no accident."""

AGAIN: Final = 2
"""So many times more show whether it helped."""

UNTROUBLED: Final = 60
"""After so many requests none of which was throttled a run gets faster again."""

MISSES: Final = 2
"""So many times in vain, and throttling has nothing to do with how fast a run is."""

STEP: Final = 4
"""How many times slower each time, from the speed on at which it was throttled."""

SLOWEST: Final = 2
"""How many times slower than the documented rate a run gets."""

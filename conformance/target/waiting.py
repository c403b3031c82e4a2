"""Waits of a run: shown with the time that is left, and none of them longer than the user said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from conformance.errors import WaitTooLong

SHOWN_FROM: Final = 5.0
"""Seconds from which a wait is worth a line."""

STEP_SECONDS: Final = 1.0

LATE_SECONDS: Final = (0.5, 1.5, 3.5)
"""Seconds after which what reads an order is sent again where it was refused or showed what was before, one after the other: the
order may be seen late. From then on as long is waited for each: short steps cost a call more, once, and save seconds."""

UNKNOWN: Final = math.inf
"""What is told of a wait of which nobody knows how long it takes."""


def silently(what: str, left: float) -> None:
    """Tell nobody."""
    del what, left


def pause(seconds: float) -> None:
    """Let so much time pass."""
    time.sleep(seconds)


@dataclass(slots=True)
class Waiting:
    """How a run waits. `tell` gets what it waits for and the seconds that are left (UNKNOWN where nobody knows), once a
    second, and 0 at the end."""

    at_most: float | None = None
    """Seconds that one wait may take, all of its stretches together; None: as long as it takes."""
    tell: Callable[[str, float], None] = silently
    meanwhile: Callable[[], None] = lambda: None
    """What is to be done at least every few seconds, however long a wait is."""
    sleep: Callable[[float], None] = pause
    clock: Callable[[], float] = time.monotonic
    """Seconds that pass also while something else is done than sleeping: a look whether it is over takes time, too."""

    def wait(self, what: str, seconds: float) -> None:
        """Wait so long, and not again for the same thing. Raises WaitTooLong, at once, where that is more than the user
        wants to wait."""
        self.begin(what).on(seconds)

    def begin(self, what: str) -> Wait:
        """A wait that may have several stretches, none of which has begun yet."""
        return Wait(self, what)


@dataclass(slots=True)
class Wait:
    """One wait, for one thing. However often it is gone on with, all of it together takes no longer than the user said."""

    _waiting: Waiting
    what: str
    _began: float = field(init=False)
    _slept: float = 0.0
    _is_told: bool = False

    def __post_init__(self) -> None:
        self._began = self._waiting.clock()

    @property
    def waited(self) -> float:
        """The seconds since it began."""
        return max(self._slept, self._waiting.clock() - self._began)

    def on(self, seconds: float, look: Callable[[], None] = lambda: None) -> None:
        """Wait so much longer, with a `look` every second whether it is still worth it, which may raise. Raises WaitTooLong, at
        once, where that makes it longer than the user wants to wait."""
        at_most = self._waiting.at_most
        if at_most is not None and seconds > 0 and self.waited + seconds > at_most:
            takes = f"that takes another {shown(seconds)}"
            if self.waited >= STEP_SECONDS:
                takes = f"that takes another {shown(seconds)} after {shown(self.waited)}"
            raise WaitTooLong(f"{self.what}: {takes}, longer than --max-wait {shown(at_most)} allows")
        self._pass(seconds, look, is_known=True)

    def poll(self, seconds: float) -> None:
        """Wait so long before another look, where nobody knows how long it takes. Raises WaitTooLong where the user wants to
        wait no longer; the last stretch before that is as short as it has to be."""
        self._pass(self.allowed(seconds), lambda: None, is_known=False)

    def allowed(self, seconds: float) -> float:
        """How much of so many seconds more the user wants to wait: for those who wait by other means than sleeping. Raises
        WaitTooLong where that is nothing."""
        at_most = self._waiting.at_most
        if at_most is None:
            return seconds
        left = at_most - self.waited
        if left <= 0 < seconds:
            raise WaitTooLong(
                f"{self.what}: waited {shown(self.waited)}, and --max-wait {shown(at_most)} allows no more"
            )
        return min(seconds, left)

    def end(self) -> None:
        """It is over: nothing is told any more."""
        if self._is_told:
            self._is_told = False
            self._waiting.tell(self.what, 0.0)

    def _pass(self, seconds: float, look: Callable[[], None], *, is_known: bool) -> None:
        left = seconds
        while left > 0:
            if seconds >= SHOWN_FROM or (not is_known and self.waited >= SHOWN_FROM):
                self._is_told = True
                self._waiting.tell(self.what, left if is_known else UNKNOWN)
            self._waiting.meanwhile()
            look()
            step = min(left, STEP_SECONDS)
            self._waiting.sleep(step)
            self._slept += step
            left -= step
        if is_known:
            self.end()


def shown(seconds: float) -> str:
    """A time in words: 45 s, 3:20 min, 1:05 h."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"

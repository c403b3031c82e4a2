"""Waits before a request: shown with the time that is left, and never longer than the user said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conformance.errors import WaitTooLong

SHOWN_FROM: Final = 5.0
"""Seconds from which a wait is worth a line."""

STEP_SECONDS: Final = 1.0

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
    """Seconds that one wait may take; None: as long as it takes."""
    tell: Callable[[str, float], None] = silently
    meanwhile: Callable[[], None] = lambda: None
    """What is to be done at least every few seconds, however long a wait is."""
    sleep: Callable[[float], None] = pause

    def wait(self, what: str, seconds: float, *, always: bool = False) -> None:
        """Wait so long. Raises WaitTooLong, at once, where that is more than the user wants to wait, unless it is `always`
        waited for."""
        if not always and self.at_most is not None and seconds > self.at_most:
            raise WaitTooLong(
                f"{what}: that takes another {shown(seconds)}, longer than --max-wait {shown(self.at_most)} allows"
            )
        told, left = seconds >= SHOWN_FROM, seconds
        while left > 0:
            if told:
                self.tell(what, left)
            self.meanwhile()
            self.sleep(min(left, STEP_SECONDS))
            left -= STEP_SECONDS
        if told:
            self.tell(what, 0.0)

    def poll(self, what: str, waited: float, seconds: float) -> None:
        """Wait once more for what nobody knows the time of, after having waited so long. Raises WaitTooLong."""
        if self.at_most is not None and waited + seconds > self.at_most:
            raise WaitTooLong(f"{what}: waited {shown(waited)}, and --max-wait allows {shown(self.at_most)}")
        if waited >= SHOWN_FROM:
            self.tell(what, UNKNOWN)
        self.meanwhile()
        self.sleep(seconds)


def shown(seconds: float) -> str:
    """A time in words: 45 s, 3:20 min, 1:05 h."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"

"""How long notifications are listened for: as long as one is waited for, until one that was due did not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHORT_SECONDS: Final = 1.0
"""How long to listen at least where notifications are known not to come: others do, perhaps."""

TWICE_AS_LONG: Final = 2.0
"""Or so many times as long as the slowest took that came."""


@dataclass(slots=True)
class Hearing:
    """What is known of when notifications come."""

    slowest: float = 0.0
    """The most seconds that one was seen to take."""
    missed: bool = False
    """Whether one was waited for in vain. Ends are then seen by room for the next one, as on targets that notify of nothing: to
    wait for each that does not come takes a run an hour."""
    heard_out: bool = False
    """Whether one did not come either in the time that all have when their reconciliations are known to have ended."""

    def came(self, seconds: float) -> None:
        """One came after so long."""
        self.slowest = max(self.slowest, seconds)

    def worth(self, patience: float) -> float:
        """How many seconds to listen, of those that one and the same reconciliation is waited for."""
        return min(patience, max(SHORT_SECONDS, TWICE_AS_LONG * self.slowest)) if self.missed else patience

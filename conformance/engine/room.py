"""How long a target keeps the next reconciliation out after it has notified that the one before is completed: what
notifies and what creations ask may be two parts of it, of which one sees the end later. No document says which comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOOKS: Final = (0.5, 1.5, 4.0)
"""Seconds after which a creation that was refused just after a notification is sent again, one after the other."""

JUST_AFTER: Final = 10.0
"""For so many seconds after its notification a reconciliation may still be in the way of the next."""

IN_VAIN: Final = 2
"""After so many that were refused each time none is sent again: it costs client errors, and shows nothing."""

WITH_ROOM: Final = 1.25
"""So many times as long as was seen is waited from then on."""


@dataclass(slots=True)
class Room:
    """What is known of that."""

    after: float = 0.0
    """Seconds from a notification until a creation is sent there."""
    in_vain: int = 0
    """How many creations stayed refused."""

    def is_worth_a_look(self, since: float) -> bool:
        """Whether one that was refused so many seconds after the notification is sent again."""
        return since < JUST_AFTER and self.in_vain < IN_VAIN

    def came(self, since: float) -> None:
        """One was opened so many seconds after the notification that had been refused before."""
        self.in_vain = 0
        self.after = max(self.after, WITH_ROOM * since)

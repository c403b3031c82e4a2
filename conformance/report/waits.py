"""Shows what a run waits for: counting down where there is a terminal, else in a line of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.target.waiting import shown

ERASE_LINE = "\r\x1b[K"


@dataclass(slots=True)
class Waits:
    """Where waits are shown. `write` takes text as it is."""

    write: Callable[[str], None]
    is_terminal: bool
    _waiting_for: str = field(default="")

    def tell(self, what: str, left: float) -> None:
        """Show that so many seconds are left; none left: the wait is over."""
        if self.is_terminal:
            self.write(f"{ERASE_LINE}waiting {shown(left)} for {what}" if left > 0 else ERASE_LINE)
        elif left > 0 and not self._waiting_for:
            self.write(f"\nwaiting {shown(left)} for {what}\n")
        self._waiting_for = what if left > 0 else ""

"""Shows what a run waits for: counting down where there is a terminal, else in a line of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.escaping import line
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.target.waiting import UNKNOWN, shown

ERASE_LINE = "\r\x1b[K"


@dataclass(slots=True)
class Waits:
    """Where waits are shown. `write` takes text as it is; `before` goes before a line, where the last may not be ended."""

    write: Callable[[str], None]
    is_terminal: bool
    before: str = ""
    _waiting_for: str = field(default="")

    def tell(self, what: str, left: float) -> None:
        """Show that so many seconds are left; none left: the wait is over."""
        if self.is_terminal:
            self.write(ERASE_LINE + (words(what, left) if left > 0 else ""))
        elif left > 0 and not self._waiting_for:
            self.write(f"{self.before}{words(what, left)}\n")
        self._waiting_for = what if left > 0 else ""


def words(what: str, left: float) -> str:
    """What is waited for, and how long still if that is known."""
    what = line(said(what))
    if left == UNKNOWN:
        return tr("waiting for {what}", what=what)
    return tr("waiting {time} for {what}", time=shown(left), what=what)

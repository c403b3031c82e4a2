"""Time that passes, and calls that are sent again since an order may be seen late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.engine.acceptance import Accepting
from conformance.errors import Doubtful
from conformance.target.waiting import LATE_SECONDS
from conformance.target.wire.exchange import Exchange
from strategies.scope import Place

GREW_LATER: Final = 3
"""So often a target is taken to see orders still later than it was seen to."""


ASKED_IN_VAIN: Final = 3
"""After so many that were refused each time nothing is asked again: it costs client errors, and shows nothing."""


DELIVERED_TWICE: Final = 2
"""So many deletions in a row may seem to have come twice; then the target answers so by itself."""

NOT_FOUND: Final = 404


@dataclass
class SeenLate(Accepting):
    """Lets time pass, and learns how late the target sees an order."""

    late: float = 0.0
    """Seconds that the target was seen to take until a release or a deletion sees an order."""
    grew_later: int = 0
    """How often that turned out to be too short."""
    asked_in_vain: int = 0
    """How many refusals of lawful calls stayed when they were asked again later."""

    delivered_twice: int = 0
    """How many deletions in a row were refused though the order was there before, and was gone after."""

    def let_pass(self, what: str, seconds: float) -> None:
        """Let time pass, by moving the mock's clock or by waiting."""
        at_most = self.session.waiting.at_most
        if self.session.control is not None:
            self.session.control.advance(seconds)
        else:
            self.session.pause(what, seconds if at_most is None else min(seconds, at_most))

    def asked_again(self, send: Callable[[], Exchange]) -> Exchange:
        """The answer to a lawful call that reads an order. It may see the order, its change or its deletion late: a refusal
        counts where it comes again later."""
        exchange = send()
        if not exchange.is_refused or self.asked_in_vain >= ASKED_IN_VAIN:
            return exchange
        waited = 0.0
        for seconds in (*LATE_SECONDS, *((CONSOLIDATION_SECONDS,) if self.session.control is not None else ())):
            self.let_pass("an order to be seen", seconds)
            waited += seconds
            again = send()
            if again.is_refused:
                continue
            if self.grew_later >= GREW_LATER:  # it was waited for long enough before: nothing is late here
                return exchange
            self.late += waited
            self.grew_later += 1
            return again
        self.asked_in_vain += 1
        return again

    def let_be_seen(self, passed: float = 0.0) -> None:
        """Let so much time pass as the target was seen to take until whoever reads an order sees it, less the seconds since then,
        or since anything was changed."""
        passed = max(passed, self.unchanged)
        if self.late > passed:
            self.let_pass("an order to be seen", self.late - passed)

    def delete_lawfully(self, place: Place, code: str, note: str = "") -> Exchange:
        """DELETE /order for an order that is there, again where it may not be seen yet."""
        self.let_be_seen()
        return self.asked_again(lambda: self.delete(place, code, note))

    def delete_known(self, place: Place, code: str) -> Exchange:
        """The same for an order that was just sent, or shown.

        Raises Doubtful where it is refused as one that is not there, and is not there any more: gateways send a deletion again
        that they got no answer to, and give the second answer. Another order shows whether that comes each time.
        """
        deletion = self.delete_lawfully(place, code)
        if deletion.status != NOT_FOUND or self.session.control is not None:
            self.delivered_twice = 0
        elif self.delivered_twice < DELIVERED_TWICE and self._is_gone(place, code):
            self.delivered_twice += 1
            raise Doubtful(
                "DELETE /order: 404 for an order that was there, and is gone, perhaps delivered twice", deletion
            )
        return deletion

    def _is_gone(self, place: Place, code: str) -> bool:
        story = list(self.story)
        gone = self.query(place, code).status == NOT_FOUND
        self.story[:] = story
        return gone

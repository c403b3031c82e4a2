"""Shrinking on a live endpoint: only what spends no client error, and not for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conformance.engine.bench import Bench
from conformance.target.wire.journal import Spent
from conformance.verdict.violation import Violation

REQUESTS: Final = 100
"""So many more at most for one counterexample: a minute or so at the documented rates."""

LEFT_AT_LEAST: Final = 10
"""So many client errors must be left in the hour: each request reserves one, and nobody waits for them to shrink an example."""


@dataclass(slots=True)
class Frugal:
    """When shrinking has to end. `before` is what was spent before the failing law."""

    bench: Bench
    before: Spent

    @property
    def is_worth_it(self) -> bool:
        """Whether the failure was found on a live endpoint without a client error, so that it is likely to be so again."""
        session = self.bench.session
        worth_it = session.options.shrink and not session.in_process and not self.bench.slow and not self._has_spent()
        self.before = session.journal.spent()
        return worth_it

    def is_over(self) -> bool:
        """Whether a client error was spent, or so many requests that it is enough, or the budget is nearly spent."""
        if self._has_spent() or self.bench.slow:
            return True
        spent = self.bench.session.journal.spent() - self.before
        status = self.bench.session.budget.status()
        return sum(spent.requests.values()) >= REQUESTS or (status is not None and status.left < LEFT_AT_LEAST)

    def _has_spent(self) -> bool:
        return (self.bench.session.journal.spent() - self.before).client_errors > 0


def size_of(violation: Violation) -> tuple[int, int]:
    """How much there is to read in a counterexample: requests first, then what they hold."""
    return len(violation.story), sum(len(exchange.request_body) + len(exchange.url) for exchange in violation.story)

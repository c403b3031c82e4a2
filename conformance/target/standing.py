"""How a target's budget of client errors stands, for whoever plans a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a budget of client errors in a rolling hour is spent."""

    budget: int
    """How many of a rolling hour runs may spend."""
    spent: int = 0
    """How many the last hour had."""
    frees: tuple[float, ...] = ()
    """In how many seconds each of those leaves the hour, soonest first."""

    @property
    def left(self) -> int:
        """How many may be spent now."""
        return max(0, self.budget - self.spent)

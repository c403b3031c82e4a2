"""How a target's budget of client errors stands, for whoever plans a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SMALLER_BUDGET: Final = 400
"""An error budget that leaves something where a store is new, and suffices for a certification."""


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """How much of a budget of client errors in a rolling hour is spent."""

    budget: int
    """How many of a rolling hour runs may spend."""
    spent: int = 0
    """How many the last hour had."""
    frees: tuple[float, ...] = ()
    """In how many seconds each of those leaves the hour, soonest first."""
    doubted: int = 0
    """How many of them are only taken for spent, since the store is new and nobody knows what was spent before."""
    warnings: tuple[str, ...] = ()
    """What is to be said about how well all this is kept."""

    @property
    def left(self) -> int:
        """How many may be spent now."""
        return max(0, self.budget - self.spent)


def doubt_warnings(budget_status: BudgetStatus, error_budget: int, largest_budget: int) -> tuple[str, ...]:
    """What to say of an `error_budget` that is so near the largest one that a new store leaves nothing of it."""
    part, kept_back = largest_budget - error_budget, error_budget - budget_status.budget
    if not budget_status.doubted or part > kept_back:
        return ()
    return (
        f"the store is new, and others may have spent {error_budget} client errors of which nothing is known: until it is an hour"
        f" old only {part} may be spent, the rest of {largest_budget}, and these by clearing away alone; run again then (an "
        f"error_budget of {SMALLER_BUDGET} would have left {largest_budget - SMALLER_BUDGET})",
    )


def doubt_words(doubted: int) -> str:
    """What to add where it is told how many are spent; nothing where all of them are known."""
    if not doubted:
        return ""
    return f" ({doubted} of them only taken for spent: the store is new, and what was spent before is not known)"

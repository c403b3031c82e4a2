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
    doubted: int = 0
    """How many of them are only taken for spent, since the store is new and nobody knows what was spent before."""
    warnings: tuple[str, ...] = ()
    """What is to be said about how well all this is kept."""

    @property
    def left(self) -> int:
        """How many may be spent now."""
        return max(0, self.budget - self.spent)


def doubt_words(doubted: int) -> str:
    """What to add where it is told how many are spent; nothing where all of them are known."""
    if not doubted:
        return ""
    return f" ({doubted} of them only taken for spent: the store is new, and what was spent before is not known)"

"""What a law says of a creation alone, so that a reconciliation shows it which is opened for another scenario anyway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.rules import Rule
from conformance.engine.open_reconciliation import OpenReconciliation
from strategies.calls import Call
from strategies.periods import PERIOD
from strategies.reconciliations import Batch
from strategies.scope import Place

ROOM_SECONDS: Final = 600
"""On both sides of a period as much again stays free, or so much, and a second (conformance/target/shared/calendar.py)."""


@dataclass(slots=True)
class Earlier:
    """The period of an earlier reconciliation at a place, and whether what lies beside it is free still."""

    place: Place
    begins: datetime
    seconds: int
    is_free_before: bool = True
    is_free_after: bool = True
    is_over: bool = False
    """Whether it has all its releases: until then none is to lie beside it, nor have the same period elsewhere."""

    def room(self, *, after: bool) -> int:
        """How many seconds are free after it, or before it."""
        is_free = self.is_free_after if after else self.is_free_before
        return min(self.seconds, ROOM_SECONDS) + 1 if is_free and self.is_over else 0

    def is_of(self, opened: OpenReconciliation) -> bool:
        """Whether it is that one's."""
        return self.place == opened.place and self.begins == datetime.fromisoformat(opened.values[0][PERIOD])

    def is_free_at(self, place: Place, others: Sequence[Earlier]) -> bool:
        """Whether the same period touches none of these others at that place."""
        ends = self.begins + timedelta(seconds=self.seconds)
        there = [one for one in others if one.place == place]
        return all(ends < one.begins or one.begins + timedelta(seconds=one.seconds) < self.begins for one in there)

    def take(self, *, after: bool) -> None:
        """Something lies there now."""
        if after:
            self.is_free_after = False
        else:
            self.is_free_before = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """A batch as it shows the law: where its period is to lie beside an earlier one, where that is."""

    batch: Batch
    begins: datetime | None = None
    beside: Earlier | None = None
    after: bool = False


@dataclass(frozen=True, slots=True)
class CreationLaw:
    """A law of a scenario that says of creations alone that they are accepted, whatever comes of their reconciliations."""

    rule: Rule
    name: str
    strategy: st.SearchStrategy[Any]
    examples: int
    fitted: Callable[[Batch, Any, Sequence[Earlier]], Fitted | None]
    """The batch of another law as it shows an example of this one, too, after these earlier ones; None where it can't."""
    batch_of: Callable[[Any], Batch] = lambda example: example
    is_refused_before: bool = False
    """Whether the same creation is refused first, while the one before is active."""
    refused_first: Callable[[Batch, Any], tuple[Rule, Call]] | None = None
    """A broken copy of the creation that is sent before it, and the rule that says it is refused."""
    needs_earlier: bool = False
    """Whether it is about an earlier period: it can't be shown by each reconciliation."""
    only_at: Place | None = None
    """Where alone it can be shown, if that is said: there it comes before others."""
    while_active: Collection[tuple[Place, Place]] = ()
    """Where one of the same period must be active that long, and where it is opened then, if it is about that."""
    tells: tuple[str, str] | None = None
    """The reading that the target follows if it is accepted, and its value."""

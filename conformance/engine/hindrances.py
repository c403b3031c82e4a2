"""Lawful calls that a target refuses each time. What they have in common is sent ever less: each costs a client error and shows
nothing new, and what they should have shown stays undecided. Other calls that the law allows stand in for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from conformance.engine.traits import TELLING, Trait, in_words, lawful_in, traits_of
from strategies.calls import Call

MET_AT_MOST: Final = 3
"""So often in a row calls with a trait are refused, and no other is sent for now."""

LEFT_OUT_FIRST: Final = 8
"""So many are left out before the next one is sent all the same; each time that one is refused, twice as many."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is not to be sent, as it stood at a moment: drawing examples may hang on it."""

    traits: frozenset[Trait]
    seen: frozenset[Trait]
    """The traits of all lawful calls that were sent."""

    def against(self, example: object) -> set[Trait]:
        """The traits for which an example is not to be sent. Where a call has something that may be why others were refused,
        and that none had, it is: it tells which of them is to blame."""
        found: set[Trait] = set()
        for traits in map(traits_of, lawful_in(example) if self.traits else ()):
            if not any(trait[-2] in TELLING and trait not in self.seen for trait in traits if len(trait) > 1):
                found |= traits & self.traits
        return found


@dataclass(slots=True)
class Hindrances:
    """What lawful calls were refused for, as far as it shows. `in_a_row` counts refusals since the last acceptance, `explained`
    those of them that have something which was never accepted, as this one was: each of these counts half."""

    in_a_row: Counter[Trait] = field(default_factory=Counter)
    explained: Counter[Trait] = field(default_factory=Counter)
    accepted: set[Trait] = field(default_factory=set)
    left_out: Counter[Trait] = field(default_factory=Counter)
    seen: set[Trait] = field(default_factory=set)

    def note(self, call: Call, *, accepted: bool) -> None:
        """Take note of what became of a lawful call."""
        traits = traits_of(call)
        self.seen |= traits
        if accepted:
            self.accepted |= traits
        for trait in traits:
            if accepted:
                for counts in (self.in_a_row, self.explained, self.left_out):
                    counts.pop(trait, None)
            else:
                self.in_a_row[trait] += 1
                self.explained[trait] += trait in self.accepted and not traits <= self.accepted
                self.left_out[trait] = 0

    def blocked(self) -> Blocked:
        """What is not to be sent now."""
        rows = [(trait, row - self.explained[trait] // 2) for trait, row in self.in_a_row.items()]
        traits = frozenset(trait for trait, row in rows if row >= MET_AT_MOST and not self._is_due(trait, row))
        return Blocked(traits, frozenset(self.seen) if traits else frozenset())

    def why_not(self, example: object) -> str:
        """Why an example is not worth its client errors now; "" where it is. To be asked once for each that was to be sent."""
        against = self.blocked().against(example)
        for trait in against:
            self.left_out[trait] += 1
        return self.words(against) if against else ""

    def words(self, traits: Collection[Trait]) -> str:
        """What was refused each time, by the most general of these traits."""
        trait = min(traits, key=lambda one: (len(one), -self.in_a_row[one], one))
        times = f"refused {self.in_a_row[trait]} times in a row"
        return f"lawful calls were {times}, so no more of these were sent: {in_words(trait)}"

    def _is_due(self, trait: Trait, row: int) -> bool:
        return self.left_out[trait] >= LEFT_OUT_FIRST << (row - MET_AT_MOST)

"""Which plain reconciliations a target takes: one that refuses some that are lawful, for what they are, is known by those that it
opens instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from conformance.target.shared.calendar import LONG_SECONDS
from strategies.reconciliations import Batch


class Measures(NamedTuple):
    """What a plain reconciliation is like."""

    seconds: int
    """How long its period lasts."""
    entries: int
    """Of how many entries it is."""


PLAIN: Final = (Measures(60, 1), Measures(2 * 24 * 3600, 2))
"""The plainest ones: a server may be too strict about short ones or long ones, about one entry or several."""


@dataclass(slots=True)
class PlainOnes:
    """What is known of those that the target takes."""

    plainest: Measures = PLAIN[0]
    """The plainest that it is known to take."""
    refuses_some: bool = False
    """Whether a lawful creation was seen to be refused for itself, or for its period: since then it is first looked whether
    another is opened."""
    shortest: int = 0
    """Seconds that periods last at least that it takes; 0 where it takes short ones, for all that is known."""
    surely_refuses: bool = False
    """Whether it was refused in several periods: no other is tried since."""

    def all_but(self, opened: Batch, *, in_several_periods: bool) -> None:
        """One was refused for itself, as this one was opened each time: the plainest is like that from now on."""
        self.refuses_some = True
        self.plainest = Measures(opened.seconds, opened.creation["releasesQtd"])
        self.surely_refuses |= in_several_periods

    @property
    def by_likelihood(self) -> list[Measures]:
        """A short one and a long one, that first which it is known to take."""
        return sorted(PLAIN, key=lambda one: one != self.plainest)


def unlike(batch: Batch) -> list[Measures]:
    """What plain ones are like, least like that one first: where that is refused for itself, one of these is opened."""
    is_long, has_several = batch.seconds >= LONG_SECONDS, batch.creation["releasesQtd"] > 1
    short, long = PLAIN
    lengths = sorted((short.seconds, long.seconds), reverse=not is_long)
    sizes = sorted((short.entries, long.entries), reverse=not has_several)
    return [Measures(seconds, entries) for entries in sizes for seconds in lengths]

"""The requests that the mock answers at once: who is there, and who has looked but not written yet.

The mock answers one request at a time; a defect that looks and then writes without a lock lets the others in between. So that
it does so each time, and not by luck, a test says beforehand how many come at once: the mock then begins when all have come.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, RLock
from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach

BOUND_SECONDS: Final = 5.0
"""How long one waits for the others: they may never come."""

UNTOLD_SECONDS: Final = 0.02
"""The same where nobody said that others come, on a socket: as long as a server may take from looking to writing."""


@dataclass(eq=False, slots=True)
class Arrival:
    """One request, while it is answered."""

    request: Request
    number: int
    """The how manieth of those that came at once, from 0 on."""
    contends_for: Hashable = None
    has_looked: bool = False
    is_over: bool = False
    breaches: Sequence[Breach] = ()
    """Why it was refused."""


@dataclass(slots=True)
class InFlight:
    """The requests at once; all of it happens under the mock's lock, which is let go of while one waits."""

    lock: RLock
    alone_seconds: float = 0.0
    """How long one waits that has looked, where nobody said that others come."""
    crowds: int = 0
    """How often several came at once."""
    _changed: Condition = field(init=False)
    _announced: int = 0
    _here: list[Arrival] = field(default_factory=list)
    """Those that came since so many were announced, or else that are there now."""

    def __post_init__(self) -> None:
        self._changed = Condition(self.lock)

    def expect(self, requests: int) -> None:
        """So many requests come at once, next."""
        self._announced, self._here = requests, []

    @contextmanager
    def arriving(self, request: Request) -> Iterator[Arrival]:
        """One has come: it is answered when all have come that were announced."""
        arrival = Arrival(request, len(self._here))
        here = self._here
        here.append(arrival)
        self._changed.notify_all()
        if self._announced:
            self._changed.wait_for(lambda: len(here) >= self._announced, BOUND_SECONDS)
            before = here[: arrival.number]  # they are answered in the order in which they came
            self._changed.wait_for(lambda: all(other.has_looked or other.is_over for other in before), BOUND_SECONDS)
        try:
            yield arrival
        finally:
            arrival.is_over = True
            self._changed.notify_all()
            if all(other.is_over for other in here) and len(here) >= self._announced and here is self._here:
                self._announced, self._here = 0, []
                self.crowds += len(here) > 1

    @property
    def others(self) -> int:
        """How many others came at once with the one that is answered now."""
        return len(self._here) - 1

    def let_others_look(self, arrival: Arrival, contends_for: Hashable) -> None:
        """The request has looked: before it writes, let those look that contend for the same, as far as they are there."""
        arrival.contends_for, arrival.has_looked = contends_for, True
        self._changed.notify_all()
        here = self._here
        if self._announced:
            self._changed.wait_for(
                lambda: all(other.has_looked or other.is_over for other in here if _may_contend(other, contends_for)),
                BOUND_SECONDS,
            )
        elif self.alone_seconds:
            self._changed.wait(self.alone_seconds)

    def is_contended(self, arrival: Arrival) -> bool:
        """Whether another came at once that contends for the same, and has looked."""
        return any(
            other is not arrival and other.has_looked and other.contends_for == arrival.contends_for
            for other in self._here
        )

    def answer_after_others(self, arrival: Arrival) -> None:
        """Wait until all others that came at once are answered."""
        here = self._here
        arrival.has_looked = True
        self._changed.notify_all()
        if self._announced:
            self._changed.wait_for(
                lambda: all(other.is_over for other in here if other.number > arrival.number), BOUND_SECONDS
            )


def _may_contend(other: Arrival, contends_for: Hashable) -> bool:
    return not other.has_looked or other.contends_for == contends_for

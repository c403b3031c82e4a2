"""One open reconciliation for the tries of a scenario, each of which sends releases at once: where no clock can be moved each
reconciliation takes a target its time.

Each try takes orders of its own. The last order is released when all were tried: had any release been counted twice there would
be no room for it any more, and had one not been counted the reconciliation would not end. Where a try was not answered as some
order of the calls explains, or nobody knows what became of it, those after it get another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from conformance.concurrency.history import Operation, Outcome
from conformance.concurrency.model import Open, Opened, Release, World
from conformance.engine.at_once import Asking, Attempt
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.errors import TargetUnavailable
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call, release_of

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def name_of(order: int) -> str:
    """The name of an order of a reconciliation, by its number: A, B ... Z, A2 ..."""
    again, letter = divmod(order, len(_LETTERS))
    return _LETTERS[letter] + (str(again + 1) if again else "")


def asking_release(reconciliation: OpenReconciliation, order: int, call: Call | None = None) -> Asking:
    """To release an order of it: by its lawful release, or another."""
    name, entries = name_of(order), len(reconciliation.batch.orders[order]["extracts"])
    return Asking(
        call or release_of(reconciliation.batch, order),
        reconciliation.values[order],
        Release("it", name, entries),
        f"release {name}",
    )


def note_released(attempt: Attempt, reconciliation: OpenReconciliation) -> list[bool]:
    """Take note of what was accepted, and of what may have been; which of the orders, by number, are in."""
    numbers = _numbers(reconciliation)
    noted = {Outcome.ACCEPTED: reconciliation.released, Outcome.UNKNOWN: reconciliation.lost}
    for operation in attempt.operations:
        if isinstance(operation.call, Release) and operation.outcome in noted:
            noted[operation.outcome].add(numbers[operation.call.code])
    reconciliation.lost -= reconciliation.released
    return [order in reconciliation.released for order in numbers.values()]


def release_alone(attempt: Attempt, reconciliation: OpenReconciliation, asked: Asking) -> None:
    """Release an order of it by itself. Raises TargetUnavailable; it may be in then."""
    assert isinstance(asked.doing, Release)
    try:
        attempt.ask(asked)
    except TargetUnavailable:
        reconciliation.lost.add(_numbers(reconciliation)[asked.doing.code])
        raise


def _numbers(reconciliation: OpenReconciliation) -> dict[str, int]:
    return {name_of(order): order for order in range(len(reconciliation.batch.orders))}


def initial(reconciliation: OpenReconciliation) -> World:
    """It is open, its orders are there, and what was released is in."""
    entries = {name_of(order): len(one["extracts"]) for order, one in enumerate(reconciliation.batch.orders)}
    released = frozenset(name_of(order) for order in reconciliation.released)
    opened = Open("it", 0, 1, reconciliation.batch.creation["releasesQtd"])
    world = World(opened=(Opened(opened, released, sum(entries[name] for name in released)),))
    for name in entries:
        world = world.having(name, "v1")
    return world


@dataclass(slots=True)
class TriesInOne:
    """What the tries of a scenario have in common."""

    bench: Bench
    opened: Callable[[tuple[int, ...]], OpenReconciliation]
    """Opens one for orders of so many extracts. Raises Hindered."""
    each: tuple[int, ...]
    """How many extracts the orders of one try have."""
    last: int
    """How many the order has that is released last."""
    most: int
    """How many tries there are at most."""
    reconciliation: OpenReconciliation | None = None
    _tried: int = 0
    _operations: list[Operation] = field(default_factory=list)
    _exchanges: dict[int, Exchange] = field(default_factory=dict)
    _story: list[Exchange] = field(default_factory=list)

    def take(self, attempt: Attempt) -> tuple[OpenReconciliation, range]:
        """What is open for a try, and the numbers of the orders that it takes: by itself, unless the attempt shares it."""
        if not attempt.shares:
            alone = self.opened((*self.each, self.last))
            attempt.initial = initial(alone)
            return alone, range(len(self.each))
        if self.reconciliation is None:
            self._forget()
            self.reconciliation = self.opened((*self.each * self.most, self.last))
            self._story = list(self.bench.story)
        self.bench.story[:] = self._story
        attempt.initial = initial(self.reconciliation)
        first = self._tried * len(self.each)
        self._tried += 1
        return self.reconciliation, range(first, first + len(self.each))

    def give_back(self, attempt: Attempt, reconciliation: OpenReconciliation) -> None:
        """Complete what was open for a try by itself, and what is shared where the try did not go as it should."""
        unexplained = attempt.unexplained() is not None
        if attempt.shares and not unexplained and not attempt.undecided:
            before = len(self._operations)
            self._operations += attempt.operations
            self._exchanges |= {before + number: exchange for number, exchange in attempt.exchanges.items()}
            self._story = list(self.bench.story)
            return
        if unexplained:
            if reconciliation is self.reconciliation:
                self._release_the_rest(reconciliation)
            reconciliation.spoiled = True
        self.finish(reconciliation)

    def _release_the_rest(self, reconciliation: OpenReconciliation) -> None:
        """As long as it takes any: nobody knows how many entries it waits for, so that many at once may be too many."""
        story = list(self.bench.story)
        try:
            for order in range(len(reconciliation.batch.orders)):
                if order in reconciliation.released | reconciliation.lost:
                    continue
                if not self.bench.reconciliations.release(reconciliation, order).is_accepted:
                    return
        finally:
            self.bench.story[:] = story

    def begin_closing(self, attempt: Attempt) -> list[int]:
        """Let all that was tried be judged as a whole; the numbers of the orders still to be released, the last one last."""
        shared = self.reconciliation
        if shared is None:
            return []
        attempt.operations, attempt.exchanges = list(self._operations), dict(self._exchanges)
        attempt.initial = initial(replace(shared, released=set()))
        self.bench.story[:] = self._story
        return sorted(set(range(len(shared.batch.orders))) - shared.released)

    def finish(self, reconciliation: OpenReconciliation | None = None) -> None:
        """Complete it, or free the account: by default what is shared, where it is open still."""
        done = reconciliation or self.reconciliation
        if done is self.reconciliation:
            self.reconciliation = None
        if done is not None:
            self.bench.reconciliations.finish(done)

    def _forget(self) -> None:
        self._tried = 0
        self._operations.clear()
        self._exchanges.clear()

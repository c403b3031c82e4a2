"""The shelf: one open reconciliation for many scenarios, since each must be completed, which takes a target its time.

The first scenario that needs one has the examples of all the others tried too, each with orders of its own in a reconciliation
that has room for all of them: one for each account and channel. What an example shows is kept until its scenario's turn comes.
Only what went as it should is kept: where anything did not, or nobody knows, the example's scenario tries all of it by itself, in
reconciliations of its own, so that whom that blames is as if nothing had been on the shelf. Such an example has spoiled the
reconciliation that it was in: those after it get a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.engine.ahead import Ahead, Example, carry_out
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.release_turns import Comes
from conformance.engine.unfinished import Hindered, NotSeenYet, Spoiled
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.shared.calendar import LONG_SECONDS
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.orders import Order
from strategies.periods import LENGTHS, PERIOD
from strategies.reconciliations import Batch, total
from strategies.scope import Scope

MOST_ENTRIES: Final = 300
"""Of one such reconciliation: as many as WFL-02 has reconciled."""

MOST_EXTRACTS: Final = 50
"""Of one order that fills up what was not used: as many as are plainly lawful."""

LEFT_OVER: Final = 10
"""Entries of the order that is released last: until then nothing completes it, and there is room for one that is too many."""

SPOILED_AT_MOST: Final = 6
"""So many are opened in place of spoiled ones; after that the scenarios try everything by themselves."""

T = TypeVar("T")


def within_one_period(scope: Scope) -> tuple[Scope, int | None]:
    """Where what is about the ends of a period is opened, and for how many seconds, so that one serves all such examples; the
    length is None where each has its own anyway."""
    return replace(scope, opened_at=scope.opened_at[:1]), LENGTHS[-1] if scope.opened_at else None


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """A law of a scenario whose examples each need an open reconciliation with orders of their own, and care for no others in it.

    The law takes it by `reconciliations.open_for(batch)` and gives it back by `finish`, whether it is its own or the shelf's.
    """

    rule: Rule
    name: str
    strategy: st.SearchStrategy[T]
    law: Callable[[T], Waiting[None] | None]
    examples: int
    batch_of: Callable[[T], Batch]
    whole_period: bool = False
    """Whether it is about the ends of the period: that must be as long as the batch's."""
    needs_room: bool = False
    """Whether there must be room for more than its own entries: then it comes before others."""
    comes: Comes = Comes.BETWEEN
    """When in a reconciliation it is tried."""


Laws = Callable[[Bench, Rule], Sequence[Shared[Any]]]
"""What a scenario of this rule can have tried on the shelf."""


def prove_shared(bench: Bench, rule: Rule, laws: Laws) -> None:
    """Prove the laws of the running scenario, by what was seen on the shelf or else in reconciliations of their own."""
    for shared in laws(bench, rule):
        if not bench.shelf.counts(shared.name):
            prove(bench, shared.name, shared.strategy, shared.law, shared.examples)


@dataclass(slots=True)
class Shelf(Ahead[Shared[Any]]):
    """What was tried in common, in this run."""

    _spoiled: int = 0

    def _try_all(self, examples: list[Example[Shared[Any]]]) -> None:
        for some in in_common(examples):
            left = some
            while left and self._spoiled < SPOILED_AT_MOST:
                left = self._try_in_one(left)

    def _try_in_one(self, some: Sequence[Example[Shared[Any]]]) -> list[Example[Shared[Any]]]:
        """Try these in one reconciliation; returns those that need another. Raises TargetUnavailable."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        bench.story.clear()
        bench.passing.begin_example()
        try:
            whole, left = self._begin(some)
            is_open = bool(left) and reconciliations.create(whole, blame=False, elsewhere=True).is_accepted
        except (Hindered, Violation):
            is_open = False
        if not is_open and any(_is_long(one) for one in some):  # perhaps earlier runs have taken all of those
            return [one for one in some if not _is_long(one)]
        if not is_open:
            self._spoiled = SPOILED_AT_MOST  # perhaps since it is for so many: no other would be opened either
            return []
        try:
            while left and not whole.spoiled:
                one = left.pop(0)
                if one.law.comes is Comes.LAST and not left and not self._completes(one, whole):
                    break
                self._try(one, whole)
            self._spoiled += whole.spoiled
        finally:
            try:
                self._fill_up(whole)
            finally:
                reconciliations.finish(whole)
        return left

    def _begin(self, some: Sequence[Example[Shared[Any]]]) -> tuple[OpenReconciliation, list[Example[Shared[Any]]]]:
        """One that has room for them all, not open yet, and those whose orders were accepted. The longest period serves all."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        longest = max((one.batch for one in some), key=lambda batch: batch.seconds)
        filler = reconciliations.plain(longest.place, LEFT_OVER, seconds=longest.seconds)
        orders = [*filler.orders, *(order for one in some for order in one.batch.orders)]
        creation = {**longest.creation, "releasesQtd": entries_of(orders), "totalNetValue": total(bench.scope, orders)}
        whole = reconciliations.begin(replace(filler, creation=creation))
        whole.room = entries_of(orders) - LEFT_OVER
        submitted_unblamed(bench, whole)
        there = []
        for one in some:
            one.orders = OpenReconciliation(
                one.batch, reconciliations.values_for(one.batch, whole.values[0][PERIOD]), within=whole
            )
            with self._for(one):
                if submitted_unblamed(bench, one.orders):
                    there.append(one)
        bench.let_be_seen()
        return whole, there

    def _try(self, one: Example[Shared[Any]], whole: OpenReconciliation) -> None:
        """Try one example; what it has shown is kept where all went as it should."""
        bench, part = self.bench, one.orders
        assert part is not None
        # Where its period was used it was opened in another one.
        now = {name: whole.values[0][name] for name in (PERIOD, "reconciliation")}
        part.id, part.values = whole.id, tuple(values.having(**now) for values in part.values)
        with self._noted(one) as notes:
            bench.reconciliations.lent = part
            try:
                carry_out(bench, one.law.law(one.drawn))
            except (Spoiled, Violation, Hindered, NotSeenYet):
                part.spoiled = part.spoiled or (not part.is_complete and _released_something(bench))
                raise
            except TargetUnavailable:
                part.spoiled = not part.lost  # what is lost is in, as a rule
                raise
            finally:
                bench.reconciliations.lent = None
                self._take_back(part, whole)
        if not part.spoiled:
            self._keep(one, notes)

    def _take_back(self, part: OpenReconciliation, whole: OpenReconciliation) -> None:
        whole.spoiled = whole.spoiled or part.spoiled
        whole.after_refusal = whole.after_refusal or part.after_refusal
        whole.room -= entries_of([part.batch.orders[number] for number in part.released | part.lost])

    def _completes(self, one: Example[Shared[Any]], whole: OpenReconciliation) -> bool:
        """Whether all is in but this example's orders, so that their releases complete it."""
        reconciliations = self.bench.reconciliations
        with self.bench.keeping_faults() as faults:
            try:
                self._fill_up(whole, but=entries_of(one.batch.orders))
                reconciliations.release_all(whole)
            except Doubtful:  # it may be in: who refuses it when it is sent again is right
                whole.doubtful = True
            faults.clear()  # its scenario meets the same
        self.bench.story.clear()
        return whole.is_complete and not whole.spoiled and not whole.doubtful

    def _fill_up(self, whole: OpenReconciliation, but: int = 0) -> None:
        """Before it is completed: orders for the room that is left, `but` for so many entries."""
        bench, reconciliations, room = self.bench, self.bench.reconciliations, whole.room - but
        if whole.spoiled or room <= 0:
            return
        sizes = [MOST_EXTRACTS] * (room // MOST_EXTRACTS)
        sizes += [room % MOST_EXTRACTS] if room % MOST_EXTRACTS else []
        more = reconciliations.plain(whole.place, *sizes, seconds=whole.batch.seconds)
        period = {name: whole.values[0][name] for name in (PERIOD, "reconciliation")}
        rest = OpenReconciliation(more, tuple(one.having(**period) for one in reconciliations.values_for(more, "")))
        if not submitted_unblamed(bench, rest):
            whole.spoiled = True
            return
        bench.let_be_seen()
        both = (*whole.batch.orders, *more.orders), (*whole.batch.releases, *more.releases)
        whole.batch = replace(whole.batch, orders=both[0], releases=both[1])
        whole.values = (*whole.values, *rest.values)
        whole.room -= room


def in_common(examples: Sequence[Example[Shared[Any]]]) -> list[list[Example[Shared[Any]]]]:
    """What one reconciliation can hold of them: of one place, for a period that is long enough, with no more entries than
    another scenario has reconciled. What would be alone in one, and is all that its law needs, is none of them."""
    found = list[list[Example[Shared[Any]]]]()
    places = dict.fromkeys(one.batch.place for one in examples)
    for place in places:
        there = [one for one in examples if one.batch.place == place]
        longest = max(one.batch.seconds for one in there)
        lengths: defaultdict[int, list[Example[Shared[Any]]]] = defaultdict(list)
        for one in sorted(there, key=_when):
            lengths[one.batch.seconds if one.law.whole_period else longest].append(one)
        found += [some for alike in lengths.values() for some in _parted(alike)]
    return [some for some in found if len(some) > 1 or some[0].law.examples > 1]


def _when(one: Example[Shared[Any]]) -> tuple[bool, bool, bool]:
    comes = one.law.comes
    return comes is not Comes.FIRST, comes is Comes.LAST, not one.law.needs_room


def _is_long(one: Example[Shared[Any]]) -> bool:
    return one.batch.seconds >= LONG_SECONDS


def _parted(examples: Sequence[Example[Shared[Any]]]) -> Iterator[list[Example[Shared[Any]]]]:
    some, entries = list[Example[Shared[Any]]](), LEFT_OVER
    for one in examples:
        own = entries_of(one.batch.orders)
        if some and entries + own > MOST_ENTRIES:
            yield some
            some, entries = [], LEFT_OVER
        some, entries = [*some, one], entries + own
    if some:
        yield some


def entries_of(orders: Iterable[Order]) -> int:
    """How many release entries these orders have."""
    return sum(len(order["extracts"]) for order in orders)


def submitted_unblamed(bench: Bench, reconciliation: OpenReconciliation) -> bool:
    """Whether its orders were accepted; that one was not is told where its scenario sends it."""
    batch, values = reconciliation.batch, reconciliation.values
    orders = list(zip(batch.orders, values, strict=True))
    if batch.namesake is not None:
        orders.insert(0, (batch.namesake, values[0]))
    return all(_is_accepted(bench, order, one) for order, one in orders)


def _is_accepted(bench: Bench, order: Order, values: Values) -> bool:
    call = Call(Endpoint.SUBMIT_ORDER, body=order)
    with bench.keeping_faults() as faults:
        exchange = bench.send(call, values)
        faults.clear()
    bench.met(call, exchange)
    return exchange.is_accepted


def _released_something(bench: Bench) -> bool:
    return any(exchange.endpoint is Endpoint.SUBMIT_RELEASE for exchange in bench.story)

"""The shelf: one open reconciliation for many scenarios, since each must be completed, which takes a target its time.

The first scenario that needs one has the examples of all the others tried too, each with orders of its own in a reconciliation
that has room for all of them: one for each account and channel. What an example shows is kept until its scenario's turn comes.
Only what went as it should is kept: where anything did not, or nobody knows, the example's scenario tries all of it by itself, in
reconciliations of its own, so that whom that blames is as if nothing had been on the shelf. Such an example has spoiled the
reconciliation that it was in: those after it get a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Rule
from conformance.engine.bench import Bench, Hindered, NotSeenYet, Spoiled, Values, Waiting
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.orders import Order
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, total

MOST_ENTRIES: Final = 300
"""Of one such reconciliation: as many as WFL-02 has reconciled."""

MOST_EXTRACTS: Final = 50
"""Of one order that fills up what was not used: as many as are plainly lawful."""

LEFT_OVER: Final = 10
"""Entries of the order that is released last: until then nothing completes it, and there is room for one that is too many."""

SPOILED_AT_MOST: Final = 6
"""So many are opened in place of spoiled ones; after that the scenarios try everything by themselves."""

T = TypeVar("T")


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
    batch: Callable[[T], Batch]
    """The batch of an example."""
    whole_period: bool = False
    """Whether it is about the ends of the period: that must be as long as the batch's."""
    needs_room: bool = False
    """Whether there must be room for more than its own entries: then it comes before others."""


Laws = Callable[[Bench, Rule], Sequence[Shared[Any]]]
"""What a scenario of this rule can have tried on the shelf."""


def prove_shared(bench: Bench, rule: Rule, laws: Laws) -> None:
    """Prove the laws of the running scenario, by what was seen on the shelf or else in reconciliations of their own."""
    for shared in laws(bench, rule):
        if not bench.shelf.counts(shared.name):
            prove(bench, shared.name, shared.strategy, shared.law, shared.examples)


@dataclass(slots=True)
class _Example:
    """One example of a law."""

    scenario: str
    shared: Shared[Any]
    drawn: Any
    batch: Batch
    orders: OpenReconciliation | None = None
    """Its part of the reconciliation: its orders, as they were sent."""

    @property
    def rule(self) -> Rule:
        return self.shared.rule

    @property
    def key(self) -> tuple[str, str]:
        return self.scenario, self.shared.name


@dataclass(slots=True)
class _Kept:
    """What the examples of one law have shown."""

    wanted: int
    """How many examples the law has."""
    shown: list[list[Callable[[], None]]] = field(default_factory=list)
    """For each that went as it should, what is to be noted when the scenario's turn comes."""
    spent: Spent = field(default_factory=Spent)


@dataclass(slots=True)
class Shelf:
    """What was tried in common, in this run."""

    bench: Bench
    laws: Mapping[str, tuple[Rule, Laws]]
    """By scenario of the run, all that can be tried on the shelf."""
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _was_filled: bool = False
    _spoiled: int = 0

    def counts(self, name: str) -> bool:
        """Whether the running scenario has its evidence for that law; else it is to try it by itself."""
        scenario = self.bench.scenario
        if not self._was_filled and scenario in self.laws:
            self._was_filled = True
            self._fill()
        kept = self._kept.pop((scenario, name), None)
        if kept is None:
            return False
        self.bench.session.ahead -= kept.spent
        if len(kept.shown) < kept.wanted:
            return False
        for example in kept.shown:
            for note in example:
                note()
        return True

    def _fill(self) -> None:
        session = self.bench.session
        if session.resuming or not session.options.alone or session.profile.refusals_per_kind != 1:
            return
        try:
            for some in in_common(self._drawn()):
                left = some
                while left and self._spoiled < SPOILED_AT_MOST:
                    left = self._try_in_one(left)
        except WaitTooLong:
            raise
        except TargetUnavailable:
            pass  # so many calls in a row meet such a thing again: the scenarios see to it by themselves
        finally:
            self.bench.story.clear()

    # -- what is tried -----------------------------------------------------------------------------------------------

    def _drawn(self) -> list[_Example]:
        """The examples of all scenarios that were not run yet, as each draws them by itself."""
        bench, running, found = self.bench, self.bench.scenario, list[_Example]()
        for scenario, (rule, laws) in self.laws.items():
            evidence = bench.session.evidence.scenarios[scenario]
            if evidence.outcome is not Outcome.NOT_RUN or bench.session.missing_need(rule) is not None:
                continue
            bench.scenario = scenario
            try:
                for shared in laws(bench, rule):
                    found += self._drawn_by(shared)
            finally:
                bench.scenario = running
        return found

    def _drawn_by(self, shared: Shared[Any]) -> list[_Example]:
        bench, drawn = self.bench, list[Any]()
        evidence = bench.session.evidence.scenarios[bench.scenario]
        before = evidence.hindrance, evidence.hindered_by
        try:
            prove(bench, shared.name, shared.strategy, drawn.append, shared.examples)
            if (evidence.hindrance, evidence.hindered_by) != before:
                return []  # not all of them are worth sending: its scenario says so
        except TargetUnavailable:
            return []
        finally:
            evidence.hindrance, evidence.hindered_by = before
        self._kept[bench.scenario, shared.name] = _Kept(len(drawn))
        return [_Example(bench.scenario, shared, one, shared.batch(one)) for one in drawn]

    # -- in one reconciliation ---------------------------------------------------------------------------------------

    def _try_in_one(self, some: Sequence[_Example]) -> list[_Example]:
        """Try these in one reconciliation; returns those that need another. Raises TargetUnavailable."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        bench.story.clear()
        bench.passing.begin_example()
        try:
            whole, left = self._begin(some)
            is_open = bool(left) and reconciliations.create(whole, blame=False).is_accepted
        except (Hindered, Violation):
            is_open = False
        if not is_open:
            self._spoiled = SPOILED_AT_MOST  # perhaps since it is for so many: no other would be opened either
            return []
        try:
            while left and not whole.spoiled:
                self._try(left.pop(0), whole)
            self._spoiled += whole.spoiled
        finally:
            self._fill_up(whole)
            reconciliations.finish(whole)
        return left

    def _begin(self, some: Sequence[_Example]) -> tuple[OpenReconciliation, list[_Example]]:
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

    def _try(self, one: _Example, whole: OpenReconciliation) -> None:
        """Try one example; what it has shown is kept where all went as it should."""
        bench, part = self.bench, one.orders
        assert part is not None
        part.id, part.values = whole.id, tuple(values.having(reconciliation=str(whole.id)) for values in part.values)
        bench.story.clear()
        bench.passing.begin_try()
        late = bench.late
        with self._for(one), bench.keeping_faults() as faults, bench.keeping_notes() as noted:
            bench.reconciliations.lent = part
            try:
                _carry_out(bench, one.shared.law(one.drawn))
            except (Spoiled, Violation, Hindered, NotSeenYet):
                part.spoiled = part.spoiled or (not part.is_complete and _released_something(bench))
                noted.clear()
            except TargetUnavailable:
                part.spoiled = not part.lost  # what is lost is in, as a rule
                raise
            finally:
                bench.reconciliations.lent = None
                self._take_back(part, whole)
            if faults or part.spoiled or bench.late != late or bench.passing.leaves_doubt:
                noted.clear()  # its scenario meets the same, and says so
            faults.clear()
        if noted:
            self._kept[one.key].shown.append(noted)

    def _take_back(self, part: OpenReconciliation, whole: OpenReconciliation) -> None:
        whole.spoiled = whole.spoiled or part.spoiled
        whole.after_refusal = whole.after_refusal or part.after_refusal
        whole.room -= entries_of([part.batch.orders[number] for number in part.released | part.lost])

    @contextmanager
    def _for(self, one: _Example) -> Iterator[None]:
        """What is sent in here is for the example's scenario."""
        bench, session = self.bench, self.bench.session
        scenario, about, before = bench.scenario, session.journal.about, session.journal.spent()
        bench.scenario = one.scenario
        session.journal.about = f"{one.rule.id} {session.evidence.scenarios[one.scenario].name}"
        try:
            yield
        finally:
            bench.scenario, session.journal.about = scenario, about
            spent = session.journal.spent() - before
            session.ahead += spent
            self._kept[one.key].spent += spent

    def _fill_up(self, whole: OpenReconciliation) -> None:
        """Before it is completed: orders for the room that is left."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        if whole.spoiled or whole.room <= 0:
            return
        sizes = [MOST_EXTRACTS] * (whole.room // MOST_EXTRACTS)
        sizes += [whole.room % MOST_EXTRACTS] if whole.room % MOST_EXTRACTS else []
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


def in_common(examples: Sequence[_Example]) -> list[list[_Example]]:
    """What one reconciliation can hold of them: of one place, for a period that is long enough, with no more entries than
    another scenario has reconciled. What would be alone in one, and is all that its law needs, is none of them."""
    found = list[list[_Example]]()
    places = dict.fromkeys(one.batch.place for one in examples)
    for place in places:
        there = [one for one in examples if one.batch.place == place]
        longest = max((one.batch.seconds for one in there if not one.shared.whole_period), default=0)
        lengths: defaultdict[int, list[_Example]] = defaultdict(list)
        for one in sorted(there, key=lambda one: not one.shared.needs_room):
            lengths[one.batch.seconds if one.shared.whole_period else longest].append(one)
        found += [some for alike in lengths.values() for some in _parted(alike)]
    return [some for some in found if len(some) > 1 or some[0].shared.examples > 1]


def _parted(examples: Sequence[_Example]) -> Iterator[list[_Example]]:
    some, entries = list[_Example](), LEFT_OVER
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


def _carry_out(bench: Bench, rest: Waiting[None] | None) -> None:
    """Run a law to its end, by moving the clock where it lets time pass. Raises NotSeenYet where there is none to be moved."""
    if rest is None:
        return
    try:
        next(rest)
        while bench.session.control is not None:
            bench.session.control.advance(CONSOLIDATION_SECONDS)
            rest.send(True)  # noqa: FBT003 - a generator takes no keywords
    except StopIteration:
        return
    rest.close()
    raise NotSeenYet


def _released_something(bench: Bench) -> bool:
    return any(exchange.endpoint is Endpoint.SUBMIT_RELEASE for exchange in bench.story)

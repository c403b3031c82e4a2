"""Reconciliations one after the other, each of which shows that the one before has ended: where nothing notifies, another had to
be opened for that. The accounts take turns, so that one reconciles while the next is used. What is opened here also shows that
creations are accepted, each with an id of its own, and what laws say of creations alone (conformance/engine/creation_laws.py): of
any total, of a period beside that of an earlier one, of a second one while the first is active.

They are tried ahead of their scenarios' turns (conformance/engine/ahead.py): a scenario's law that does not go as it should is
tried again by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.ahead import Ahead, Example
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused
from conformance.engine.creations_seen import CreationLaw, Earlier, Fitted
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.unfinished import Spoiled
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.dates import printed
from strategies.periods import PERIOD
from strategies.reconciliations import Batch
from strategies.scope import Place


@dataclass(frozen=True, slots=True)
class Whole:
    """A law of a scenario each of whose examples needs a reconciliation to itself, from its opening to its end."""

    rule: Rule
    name: str
    strategy: st.SearchStrategy[Batch]
    go: Callable[[OpenReconciliation], bool]
    """Given it open: sends all its releases, the last one last; whether they are in. Raises a violation."""
    ended: Callable[[OpenReconciliation, Exchange, bool], None]
    """Given the reconciliation, the answer to its last release and whether there is room for the next one: says what became of
    it. Raises a violation."""
    examples: int

    def batch_of(self, example: Batch, /) -> Batch:
        """The example itself."""
        return example


Laws = Callable[[Bench, Rule], Sequence[Whole] | Sequence[CreationLaw]]
"""What a scenario of this rule can have tried in succession."""


def prove_whole(bench: Bench, rule: Rule, laws: Laws) -> None:
    """Prove the laws of the running scenario, by what was seen in the succession or else by themselves."""
    for whole in laws(bench, rule):
        if isinstance(whole, Whole) and not bench.succession.counts(whole.name):
            prove(bench, whole.name, whole.strategy, _by_itself(bench, whole), whole.examples)


def _by_itself(bench: Bench, whole: Whole) -> Callable[[Batch], None]:
    reconciliations = bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = reconciliations.open_for(batch)
        try:
            if not whole.go(reconciliation):
                return
            last, story = bench.story[-1], list(bench.story)
            is_free = bool(reconciliations.wait(reconciliation)) or reconciliations.is_free(reconciliation.place)
            reconciliation.ended = is_free
            bench.story[:] = story
            whole.ended(reconciliation, last, is_free)
        finally:
            reconciliations.finish(reconciliation)

    return law


class Created(NamedTuple):
    """A lawful creation that was accepted as it should be."""

    batch: Batch
    exchange: Exchange


Notes = list[Callable[[], None]]


@dataclass(slots=True)
class _Planned:
    """A reconciliation that is to be opened: for an example of a law, or only to see that the one before has ended."""

    batch: Batch
    example: Example[Any]
    """Whose it is, or for whom it is seen."""
    seen_besides: list[tuple[Example[Any], Notes]] = field(default_factory=list)
    """Examples of laws of creations that it shows too, with what is to be noted before its acceptance."""
    reconciliation: OpenReconciliation | None = None
    """With its orders sent, where that was done before its turn."""
    story: list[Exchange] = field(default_factory=list)
    """What was sent of it before its turn."""
    begins: str = ""
    """Where its period is to begin, beside an earlier one; empty where it lies anywhere."""


class _Ending(NamedTuple):
    """What has all its releases, and may be going on."""

    planned: _Planned
    reconciliation: OpenReconciliation
    story: list[Exchange]
    shown: list[tuple[Example[Any], Notes]]
    """What its creation has shown besides."""


@dataclass(slots=True)
class Succession(Ahead[Any]):
    """What was tried so, in this run."""

    created: list[Created] = field(default_factory=list)
    _ending: dict[Place, _Ending] = field(default_factory=dict)
    _over: set[Place] = field(default_factory=set)
    """Where something did not go as it should."""
    _besides: list[Example[Any]] = field(default_factory=list)
    """Examples of laws of creations that none has shown yet."""
    _earlier: list[Earlier] = field(default_factory=list)

    def shows_creations(self, examples: int, *, releases: int = 1) -> bool:
        """Whether the running scenario has its evidence: so many creations, each for so many releases at least, were accepted."""
        self.try_once()
        some = [one.exchange for one in self.created if one.batch.creation["releasesQtd"] >= releases]
        if len(some) < examples:
            return False
        for exchange in some:
            self.bench.saw(Side.ACCEPTED, exchange)
        return True

    def _try_all(self, examples: list[Example[Any]]) -> None:
        places: defaultdict[Place, list[_Planned]] = defaultdict(list)
        for one in examples:
            if isinstance(one.law, Whole):
                places[one.batch.place].append(_Planned(one.batch, one))
        self._besides = [one for one in examples if isinstance(one.law, CreationLaw)]
        while any(places.values()):
            for place, some in places.items():
                if some:
                    self._try(some.pop(0), some[0] if some else None)
                if place in self._over:
                    some.clear()
        for place in tuple(self._ending):
            self._look(place)

    def _look(self, place: Place) -> None:
        """See that the last one there has ended, by opening another: one that shows something besides, if there is anything."""
        ending, looked = self._ending[place], list[bool]()
        planned = _Planned(self.bench.reconciliations.plain(place, 1), ending.planned.example)
        self._prepare(planned)
        if planned.seen_besides and (opened := self._opened(planned)) is not None:
            self._see_end(place, is_free=place not in self.bench.reconciliations.endless)
            self._release_plainly(planned, opened)
            return
        with self._noted(ending.planned.example):
            looked.append(self.bench.reconciliations.is_free(place))
        if looked:
            self._see_end(place, is_free=looked[0])

    def _release_plainly(self, planned: _Planned, opened: OpenReconciliation) -> None:
        """Complete one that is no law's own; what its creation has shown is kept where that goes as it should."""
        reconciliations, shown = self.bench.reconciliations, list(planned.seen_besides)
        try:
            with self._noted(planned.example) as notes:
                if all(reconciliations.released(opened, order) for order in range(len(opened.batch.orders))):
                    notes.append(lambda: None)
        finally:
            reconciliations.finish(opened)
        received = reconciliations.notified(opened)
        done = received is not None and received.content["payload"].get("situation") == "CONCILIED"
        if notes and (done or self.bench.session.inbox is None):
            self._keep_besides(shown)

    def _try(self, planned: _Planned, then: _Planned | None) -> None:
        """Open it, by which the one before is known to have ended, and send its releases. The one that comes `then` is refused
        meanwhile, where a law is about that."""
        bench, reconciliations, place = self.bench, self.bench.reconciliations, planned.batch.place
        bench.passing.begin_example()
        self._prepare(planned)
        opened = self._opened(planned)
        if opened is None and planned.seen_besides:  # by itself it may be
            planned = _Planned(planned.example.batch, planned.example)
            opened = self._opened(planned)
        began, one, notes = list(bench.story), planned.example, Notes()
        if place in self._ending:
            self._see_end(place, is_free=opened is not None and place not in reconciliations.endless)
        if opened is None:
            self._over.add(place)
            return
        try:
            if then is not None:
                self._refuse_meanwhile(then, opened)
            if not opened.spoiled:
                with self._noted(one, began) as notes:
                    if one.law.go(opened):
                        notes.append(lambda: None)
        finally:
            story = list(bench.story)
            reconciliations.finish(opened)
        if not notes:
            self._over.add(place)
            return
        self._ending[place] = _Ending(planned, opened, story, planned.seen_besides)
        self._note_period(planned, opened)
        if reconciliations.notified(opened):
            self._see_end(place, is_free=True)

    # -- what creations show besides -------------------------------------------------------------------------------

    def _prepare(self, planned: _Planned) -> None:
        """Let it show examples of other laws, if it can: one that is about its body, and one about its period."""
        if planned.reconciliation is not None:
            return
        for needs_earlier in (False, True):
            for one in self._besides:
                if one.law.is_refused_before or one.law.needs_earlier != needs_earlier:
                    continue
                fitted = one.law.fitted(planned.batch, one.drawn, self._earlier)
                if fitted is not None:
                    self._take_up(planned, one, fitted)
                    break

    def _take_up(self, planned: _Planned, one: Example[Any], fitted: Fitted) -> None:
        self._besides.remove(one)
        planned.batch = fitted.batch
        planned.seen_besides.append((one, []))
        planned.begins = printed(fitted.begins) if fitted.begins is not None else ""
        if fitted.beside is not None:
            fitted.beside.take(after=fitted.after)

    def _refuse_meanwhile(self, then: _Planned, active: OpenReconciliation) -> None:
        """Send the creation of the next one, which must be refused while this one is active."""
        one = next((one for one in self._besides if one.law.is_refused_before), None)
        if one is None:
            return
        bench, reconciliations = self.bench, self.bench.reconciliations
        self._besides.remove(one)
        self._prepare(then)
        with self._noted(one) as notes:
            second = self._with_its_orders(then)
            refused = bench.send(creation_of(second.batch), second.values[0])
            if refused.is_accepted:
                reconciliations.stray(active)
            context = "while another is active on this account and channel"
            check_refused(rule=one.law.rule, exchange=refused, bench=bench, context=context)
            reconciliations.refused_at.add(second.place)
            bench.saw(Side.REFUSED, refused)
        then.story = list(bench.story)
        if notes:
            then.seen_besides.append((one, list(notes)))

    def _keep_besides(self, shown: Sequence[tuple[Example[Any], Notes]]) -> None:
        for one, notes in shown:
            self._keep(one, notes)

    def _note_period(self, planned: _Planned, opened: OpenReconciliation) -> None:
        """Others may lie beside its period, where nothing does yet."""
        if not planned.begins:
            begins = datetime.fromisoformat(opened.values[0][PERIOD])
            self._earlier.append(Earlier(opened.place, begins, opened.batch.seconds))

    # -- opening ---------------------------------------------------------------------------------------------------

    def _with_its_orders(self, planned: _Planned) -> OpenReconciliation:
        """It is begun and its orders are sent. Raises Spoiled where one is refused."""
        if planned.reconciliation is None:
            reconciliation = self.bench.reconciliations.begin(planned.batch)
            if planned.begins:
                now = {PERIOD: planned.begins}
                reconciliation.values = tuple(values.having(**now) for values in reconciliation.values)
            if not self.bench.reconciliations.submit_orders(reconciliation):
                raise Spoiled("an order for a reconciliation was refused")
            planned.reconciliation = reconciliation
        return planned.reconciliation

    def _opened(self, planned: _Planned) -> OpenReconciliation | None:
        """The reconciliation, open; None where it was not opened as it should be."""
        reconciliations, opened = self.bench.reconciliations, list[OpenReconciliation]()
        if self.bench.session.control is not None:
            reconciliations.endless.discard(planned.batch.place)
        with self._noted(planned.example, planned.story):
            self._with_its_orders(planned)
        reconciliation = planned.reconciliation
        if reconciliation is None or not self._refuses_first(planned, reconciliation):
            return None
        begins = reconciliation.values[0][PERIOD]
        with self._noted(planned.example, list(self.bench.story)) as notes:
            created = reconciliations.create(reconciliation, blame=False)
            if created.status // 100 == 2:
                opened.append(reconciliation)
            if created.status in catalogue()["REC-01"].accepted:
                notes.append(lambda: None)
        if opened and not notes:  # something else was not as it should be
            reconciliations.finish(opened[0])
        if not opened or not notes:
            return None
        if reconciliation.values[0][PERIOD] != begins:
            planned.seen_besides.clear()  # it was accepted for another period than the one that it is about
        if reconciliation.waited:  # what was refused may have been refused for the one before
            again = [one for one, _ in planned.seen_besides if one.law.refused_first is not None]
            self._besides += again
            planned.seen_besides = [one for one in planned.seen_besides if one[0] not in again]
        for _, others in planned.seen_besides:
            others.insert(0, partial(self.bench.saw, Side.ACCEPTED, created))
        self.created.append(Created(planned.batch, created))
        return opened[0]

    def _refuses_first(self, planned: _Planned, reconciliation: OpenReconciliation) -> bool:
        """Whether broken copies of its creation, where a law is about these, are refused as they should be."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        for one, others in planned.seen_besides:
            if one.law.refused_first is None:
                continue
            rule, broken = one.law.refused_first(planned.batch, one.drawn)
            with self._noted(one, list(bench.story)) as notes:
                reconciliations.refused_at.add(reconciliation.place)
                refused = reconciliations.send_broken(reconciliation, broken)
                if refused.is_accepted:
                    reconciliations.stray(reconciliation)
                check_refused(rule=rule, exchange=refused, bench=bench)
                bench.saw(Side.REFUSED, refused)
            if not notes:
                return False
            others.extend(notes)
        return True

    def _see_end(self, place: Place, *, is_free: bool) -> None:
        """Keep what became of the one that was last there. Where it did not end and no clock can be moved, nothing can be tried
        there again: what is seen now is all that its scenario will see."""
        bench, (planned, reconciliation, story, shown) = self.bench, self._ending.pop(place)
        reconciliation.ended, one = is_free, planned.example
        found = list[Violation]()
        with self._noted(one, story, for_itself=False) as notes:
            try:
                one.law.ended(reconciliation, story[-1], is_free)
            except Violation as violation:
                violation.story = tuple(story)
                found.append(violation)
                raise
        if found and place in bench.reconciliations.endless and bench.session.control is None:
            self._kept[one.key].violation = self._kept[one.key].violation or found[0]
        else:
            self._keep(one, notes)
            if notes:
                self._keep_besides(shown)

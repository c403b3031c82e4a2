"""Reconciliations one after the other, each of which shows that the one before has ended: where nothing notifies, another had to
be opened for that. The accounts take turns, so that one reconciles while the next is used. What is opened here also shows that
creations are accepted, each with an id of its own.

They are tried ahead of their scenarios' turns (conformance/engine/ahead.py): a scenario's law that does not go as it should is
tried again by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.ahead import Ahead, Example
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.unfinished import Spoiled
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
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


Laws = Callable[[Bench, Rule], Sequence[Whole]]
"""What a scenario of this rule can have tried in succession."""


def prove_whole(bench: Bench, rule: Rule, laws: Laws) -> None:
    """Prove the laws of the running scenario, by what was seen in the succession or else by themselves."""
    for whole in laws(bench, rule):
        if not bench.succession.counts(whole.name):
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


class _Ending(NamedTuple):
    """What has all its releases, and may be going on."""

    example: Example[Whole]
    reconciliation: OpenReconciliation
    story: list[Exchange]


@dataclass(slots=True)
class Succession(Ahead[Whole]):
    """What was tried so, in this run."""

    created: list[Created] = field(default_factory=list)
    _ending: dict[Place, _Ending] = field(default_factory=dict)
    _over: set[Place] = field(default_factory=set)
    """Where something did not go as it should."""

    def shows_creations(self, examples: int, *, releases: int = 1) -> bool:
        """Whether the running scenario has its evidence: so many creations, each for so many releases at least, were accepted."""
        self.try_once()
        some = [one.exchange for one in self.created if one.batch.creation["releasesQtd"] >= releases]
        if len(some) < examples:
            return False
        for exchange in some:
            self.bench.saw(Side.ACCEPTED, exchange)
        return True

    def _try_all(self, examples: list[Example[Whole]]) -> None:
        places: defaultdict[Place, list[Example[Whole]]] = defaultdict(list)
        for one in examples:
            places[one.batch.place].append(one)
        while any(places.values()):
            for place, some in places.items():
                if some:
                    self._try(some.pop(0))
                if place in self._over:
                    some.clear()
        for place, ending in tuple(self._ending.items()):
            looked = list[bool]()
            with self._noted(ending.example):
                looked.append(self.bench.reconciliations.is_free(place))
            if looked:
                self._see_end(place, is_free=looked[0])

    def _try(self, one: Example[Whole]) -> None:
        """Open it, by which the one before is known to have ended, and send its releases."""
        bench, reconciliations, place = self.bench, self.bench.reconciliations, one.batch.place
        bench.passing.begin_example()
        opened = self._opened(one)
        if place in self._ending:
            self._see_end(place, is_free=opened is not None and place not in reconciliations.endless)
        if opened is None:
            self._over.add(place)
            return
        try:
            with self._noted(one, bench.story) as notes:
                if one.law.go(opened):
                    notes.append(lambda: None)
        finally:
            story = list(bench.story)
            reconciliations.finish(opened)
        if not notes:
            self._over.add(place)
            return
        self._ending[place] = _Ending(one, opened, story)
        if reconciliations.notified(opened):
            self._see_end(place, is_free=True)

    def _opened(self, one: Example[Whole]) -> OpenReconciliation | None:
        """The reconciliation, open; None where it was not opened as it should be."""
        reconciliations, opened = self.bench.reconciliations, list[OpenReconciliation]()
        if self.bench.session.control is not None:
            reconciliations.endless.discard(one.batch.place)
        with self._noted(one) as notes:
            reconciliation = reconciliations.begin(one.batch)
            if not reconciliations.submit_orders(reconciliation):
                raise Spoiled("an order for a reconciliation was refused")
            created = reconciliations.create(reconciliation, blame=False)
            if created.status // 100 == 2:
                opened.append(reconciliation)
            if created.status in catalogue()["REC-01"].accepted:
                notes.append(lambda: None)
        if opened and not notes:  # something else was not as it should be
            reconciliations.finish(opened[0])
        if not opened or not notes:
            return None
        self.created.append(Created(one.batch, created))
        return opened[0]

    def _see_end(self, place: Place, *, is_free: bool) -> None:
        """Keep what became of the one that was last there. Where it did not end and no clock can be moved, nothing can be tried
        there again: what is seen now is all that its scenario will see."""
        bench, (one, reconciliation, story) = self.bench, self._ending.pop(place)
        reconciliation.ended = is_free
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

"""What scenarios have in common is tried ahead of their turns: here, how examples are drawn and what they show is kept.

Only what went as it should is kept. Where anything did not, or nobody knows, the example's scenario tries all of it by itself, in
reconciliations of its own, so that whom that blames is as if nothing had been tried ahead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from hypothesis import strategies as st

from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.spoiled_places import blame_for_spoiled_places
from conformance.engine.unfinished import Hindered, NotSeenYet, Spoiled
from conformance.engine.waiting import Waiting
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.reconciliations import Batch


class TriedAhead(Protocol):
    """A law whose examples can be tried ahead of their scenario's turn."""

    @property
    def rule(self) -> Rule:
        """The scenario's."""

    @property
    def name(self) -> str:
        """By which its examples are drawn."""

    @property
    def strategy(self) -> st.SearchStrategy[Any]:
        """Draws an example."""

    @property
    def examples(self) -> int:
        """How many are tried."""

    def batch_of(self, example: Any, /) -> Batch:
        """The batch of an example."""


L = TypeVar("L", bound=TriedAhead)


@dataclass(slots=True)
class Example(Generic[L]):
    """One example of a law."""

    scenario: str
    law: L
    drawn: Any
    batch: Batch
    orders: OpenReconciliation | None = None
    """Its part of a reconciliation: its orders, as they were sent."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells its law from all others of the run."""
        return self.scenario, self.law.name


@dataclass(slots=True)
class _Kept:
    """What the examples of one law have shown."""

    wanted: int
    """How many examples the law has."""
    shown: list[list[Callable[[], None]]] = field(default_factory=list)
    """For each that went as it should, what is to be noted when the scenario's turn comes."""
    violation: Violation | None = None
    """What can't be tried again."""
    contradicted: str = ""
    """What was accepted that must not be: should it be refused now, who knows what comes of it the next time."""
    spent: Spent = field(default_factory=Spent)


@dataclass(slots=True)
class Ahead(ABC, Generic[L]):
    """What was tried ahead of its turn, in this run."""

    bench: Bench
    laws: Mapping[str, tuple[Rule, Callable[[Bench, Rule], Sequence[L]]]]
    """By scenario of the run, all that can be."""
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _was_tried: bool = False
    _noted_as_spent: Spent = field(default_factory=Spent)
    """What is some example's: tried within another's, it is not that one's too."""

    @abstractmethod
    def _try_all(self, examples: list[Example[L]]) -> None:
        """Try these. Raises TargetUnavailable."""

    def counts(self, name: str) -> bool:
        """Whether the running scenario has its evidence for that law; else it is to try it by itself. Raises a violation that was
        seen and can't be tried again."""
        scenario = self.bench.scenario
        if scenario in self.laws:
            self.try_once()
        kept = self._kept.pop((scenario, name), None)
        if kept is None:
            return False
        self.bench.session.ahead -= kept.spent
        if kept.violation is not None:
            raise kept.violation
        if kept.contradicted:
            self.bench.withhold_refusals(kept.contradicted)
        if len(kept.shown) < kept.wanted:
            return False
        for example in kept.shown:
            for note in example:
                note()
        return True

    def try_once(self) -> None:
        """Try all that can be tried ahead, if that was not done yet."""
        session = self.bench.session
        if self._was_tried or session.resuming or not session.options.alone or session.profile.refusals_per_kind != 1:
            return
        self._was_tried = True
        try:
            self._try_all(self._drawn())
            blame_for_spoiled_places(self.bench.reconciliations)
        except WaitTooLong:
            raise
        except TargetUnavailable:
            pass  # so many calls in a row meet such a thing again: the scenarios see to it by themselves
        finally:
            self.bench.story.clear()

    def _drawn(self) -> list[Example[L]]:
        """The examples of all scenarios that were not run yet, as each draws them by itself."""
        bench, running, found = self.bench, self.bench.scenario, list[Example[L]]()
        for scenario, (rule, laws) in self.laws.items():
            evidence = bench.session.evidence.scenarios[scenario]
            is_left_out = scenario in bench.session.left_out or bench.session.missing_need(rule) is not None
            if evidence.outcome is not Outcome.NOT_RUN or is_left_out:
                continue
            bench.scenario = scenario
            try:
                for law in laws(bench, rule):
                    found += self._drawn_by(law)
            finally:
                bench.scenario = running
        return found

    def _drawn_by(self, law: L) -> list[Example[L]]:
        bench, drawn = self.bench, list[Any]()
        evidence = bench.session.evidence.scenarios[bench.scenario]
        before = evidence.hindrance, evidence.hindered_by
        try:
            prove(bench, law.name, law.strategy, drawn.append, law.examples, is_tried=False)
            if (evidence.hindrance, evidence.hindered_by) != before:
                return []  # not all of them are worth sending: its scenario says so
        except TargetUnavailable:
            return []
        finally:
            evidence.hindrance, evidence.hindered_by = before
        self._kept[bench.scenario, law.name] = _Kept(len(drawn))
        return [Example(bench.scenario, law, one, law.batch_of(one)) for one in drawn]

    @contextmanager
    def _noted(
        self, one: Example[L], story: Sequence[Exchange] = (), *, for_itself: bool = True
    ) -> Iterator[list[Callable[[], None]]]:
        """Try an example in here, or go on with it after that `story`: what it shows is noted when its scenario's turn comes;
        nothing, where it did not go as it should. `for_itself` is whether that can't be for what others have done. Raises
        TargetUnavailable."""
        bench = self.bench
        bench.story[:] = story
        bench.passing.begin_try()
        late = bench.late
        with self._for(one), bench.keeping_faults() as faults, bench.keeping_notes() as notes:
            try:
                yield notes
            except (Spoiled, Violation, Hindered, NotSeenYet) as reason:
                notes.clear()
                if for_itself:
                    self._remember(one, reason)
            if faults or bench.late != late or bench.passing.leaves_doubt:
                notes.clear()  # its scenario meets the same, and says so
            faults.clear()

    def _remember(self, one: Example[L], reason: Exception) -> None:
        """What was accepted that must not be is not forgotten where it is refused by itself."""
        if (
            isinstance(reason, Violation)
            and reason.rule == one.law.rule.id
            and Side.REFUSED in one.law.rule.sides_under(self.bench.session.readings)
            and reason.exchange is not None
            and reason.exchange.is_accepted
        ):
            self._kept[one.key].contradicted = f"beside others {reason.actual} ({reason.rule}), and not by itself"

    def _keep(self, one: Example[L], notes: list[Callable[[], None]]) -> None:
        if notes:
            self._kept[one.key].shown.append(notes)

    @contextmanager
    def _for(self, one: Example[L]) -> Iterator[None]:
        """What is sent in here is for the example's scenario."""
        bench, session = self.bench, self.bench.session
        scenario, about, before = bench.scenario, session.journal.about, session.journal.spent()
        noted_before = self._noted_as_spent
        bench.scenario = one.scenario
        session.journal.about = f"{one.law.rule.id} {session.evidence.scenarios[one.scenario].name}"
        try:
            yield
        finally:
            bench.scenario, session.journal.about = scenario, about
            all_spent = session.journal.spent() - before
            spent = all_spent - (self._noted_as_spent - noted_before)
            self._noted_as_spent = noted_before + all_spent
            session.ahead += spent
            self._kept[one.key].spent += spent


def carry_out(bench: Bench, rest: Waiting[None] | None) -> None:
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

"""The state machine: any sequence of calls, beside a reference model of what was accepted.

The model knows of each order what was last accepted, and from when on a query must show it. After every step the orders are
asked for and compared: what differs is blamed on what was done since the order was last seen as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar, Final

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from conformance.compat.hypothesis import SearchEnded
from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Side
from conformance.engine import machine_steps
from conformance.engine.bench import Bench
from conformance.engine.frugal import size_of
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import SHRINKING_EXAMPLES, TRIED_AGAIN, first_sight, quietly
from conformance.engine.reference_model import CODES, Model
from conformance.engine.unfinished import Hindered
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.verdict.violation import Violation
from strategies.faults import Kind
from strategies.orders import Order
from strategies.world import (
    BROKEN_CREATIONS,
    BROKEN_RELEASES,
    BrokenUpdate,
    batch_kinds,
    broken_updates,
    small_world,
    some_orders,
)

STEPS: Final = 20
BROKEN_EACH: Final = 2
"""How many calls that must be refused an example may send where client errors are counted."""

DELETED_EACH: Final = 1
"""How many orders an example may delete there: that each is gone is asked for at its end."""

OPENED_EACH: Final = 1
"""How many reconciliations an example may open where a run is to end within an hour: each takes a target its time."""

OPENED_IN_ALL: Final = 2
"""How many all examples of a run may open that does not shrink: where it does, an example that is tried again must go the same
way."""

SHRINKING_SEQUENCES: Final = 200
"""So many are run at most for the shortest one that fails. Each takes longer than the one before, since more orders lie about,
and Hypothesis goes on for five minutes by the clock."""


@dataclass(slots=True)
class _Run:
    """What all examples of the machine share."""

    bench: Bench
    found: list[Violation] = field(default_factory=list)
    stopped: list[Exception] = field(default_factory=list)
    """What stopped the run: after that nothing more is done."""
    opened: int = 0
    """How many reconciliations the examples have opened."""
    lost: int = 0
    """How many sequences ended early, since an answer was lost."""
    begun: int = 0
    """How many sequences were begun."""
    at_most: int | None = None
    """How many may be; None where Hypothesis knows."""
    blamed: dict[tuple[bool, bool], str] = field(default_factory=dict)
    """What was found out about refused releases, after broken ones or not: it takes long."""

    def begin(self) -> None:
        """Another sequence begins. Raises SearchEnded where that would be one too many."""
        if self.begun == self.at_most:
            raise SearchEnded
        self.begun += 1

    @property
    def examples(self) -> int:
        """How many sequences are tried."""
        return max(4, self.bench.session.profile.sequences + 2)

    def may_err(self, model: Model) -> bool:
        """Whether the example may send another call with a fault: in every example alike, since one that is tried again must go
        the same way."""
        return self.bench.session.profile.client_errors is None or len(model.refusals) < BROKEN_EACH

    def may_delete(self, model: Model) -> bool:
        """Whether the example may delete another order: in every example alike, too."""
        deleted = sum(known.dead for known in model.orders.values())
        return self.bench.session.profile.client_errors is None or deleted < DELETED_EACH

    def may_open(self, model: Model) -> bool:
        """Whether the example may open another reconciliation."""
        if self.bench.session.profile.client_errors is None:
            return True
        return model.opened < OPENED_EACH and (self.bench.session.shrinks or self.opened < OPENED_IN_ALL)


def prove_machine(bench: Bench) -> None:
    """Run the machine; raises the first violation, shrunk to the shortest sequence where the target allows."""
    if bench.session.resuming:
        return
    run, scenario = _Run(bench), bench.session.evidence.scenarios[bench.scenario]
    for again in range(1 + TRIED_AGAIN):
        run.lost = 0
        _prove_once(run, f"{bench.session.seed} machine{f' {again}' if again else ''}")
        if run.stopped:
            raise run.stopped[0]
        if not run.lost or all(scenario.count(side) for side in (Side.ACCEPTED, Side.REFUSED)):
            return


def _prove_once(run: _Run, seed: str) -> None:
    machine = hypothesis.seed(int.from_bytes(sha256(seed.encode()).digest()[:8]))(_machine(run))
    before = run.begun
    try:
        _try_sequences(machine, run.examples, [Phase.generate], run.found)
    except Violation as first:
        if not run.bench.session.shrinks:
            raise
        run.at_most = run.begun + (run.begun - before) + SHRINKING_SEQUENCES  # first the same ones again
        try:
            _try_sequences(machine, max(run.examples, SHRINKING_EXAMPLES), [Phase.generate, Phase.shrink], run.found)
        except (SearchEnded, Violation):  # Hypothesis may take an end for another way that the example went
            if run.begun != run.at_most:
                raise
            raise min((one for one in run.found if one.rule == first.rule), key=size_of) from None
        raise


def _try_sequences(
    machine: type[RuleBasedStateMachine], examples: int, phases: list[Phase], found: list[Violation]
) -> None:
    with first_sight(found):
        run_state_machine_as_test(machine, settings=quietly(examples, phases, STEPS))


class _Sequence(RuleBasedStateMachine):
    """One sequence of calls: how each is made, and what comes after the last, whatever they are."""

    run: ClassVar[_Run]

    def __init__(self) -> None:
        super().__init__()
        self.run.begin()
        self.run.bench.story.clear()
        self.model = Model(self.run.bench, self.run.blamed)
        self.failed = False

    def step(self, action: Any) -> None:
        """Do something, then see that everything is as the model says."""
        bench = self.run.bench
        if self.failed or self.run.stopped:
            return
        try:
            action()
            if bench.session.control is not None:
                self.model.check_all()
        except (WaitTooLong, CannotRun) as reason:
            self.run.stopped.append(reason)
        except (Hindered, TargetUnavailable) as reason:
            self.failed = True  # what became of the last call is not known: the model knows no more
            self.run.lost += isinstance(reason, TargetUnavailable)
            bench.hindered(str(reason))
        except Violation as violation:
            self.failed = True
            violation.story = violation.story or tuple(bench.story)
            self.run.found.append(violation)
            raise

    def teardown(self) -> None:
        """At the end everything is as the model says, also when half an hour has passed; open reconciliations are completed."""
        bench = self.run.bench
        try:
            if not self.failed and bench.session.control is not None:
                bench.session.control.advance(CONSOLIDATION_SECONDS)
            self.step(self.model.check_all)
            if not self.failed and not self.run.stopped and self.model.orders:
                bench.saw(Side.ACCEPTED, bench.story[-1])
                for exchange in self.model.refusals:
                    bench.saw(Side.REFUSED, exchange)
        finally:
            for reconciliation in self.model.reconciliations.values():
                self.complete(reconciliation)

    def complete(self, reconciliation: OpenReconciliation) -> None:
        """Complete a reconciliation; what can't be is cleared away when the scenario has ended."""
        bench = self.run.bench
        try:
            bench.reconciliations.finish(reconciliation)
        except (WaitTooLong, CannotRun) as reason:
            self.run.stopped.append(reason)
        except TargetUnavailable as reason:
            bench.hindered(str(reason))


def _machine(run: _Run) -> type[RuleBasedStateMachine]:
    """The machine with its rules: which calls there are, of what, and when each may come."""
    bench = run.bench
    scope = small_world(bench.reconciliations.scope)
    broken_creations = batch_kinds(scope, BROKEN_CREATIONS, Endpoint.CREATE_RECONCILIATION)
    broken_releases = batch_kinds(scope, BROKEN_RELEASES, Endpoint.SUBMIT_RELEASE)
    slots = st.integers(0, CODES - 1)

    class Machine(_Sequence):
        """The calls, as rules."""

        # -- orders ------------------------------------------------------------------------------------------------

        @rule(order=some_orders(scope), slot=slots)
        def submit(self, order: Order, slot: int) -> None:
            self.step(lambda: machine_steps.submit(self.model, order, slot))

        @precondition(lambda self: bool(self.model.orders) and run.may_err(self.model))
        @rule(update=broken_updates(scope), slot=slots)
        def submit_broken(self, update: BrokenUpdate, slot: int) -> None:
            self.step(lambda: machine_steps.submit_broken(self.model, update, slot))

        # Beside another, that must stay.
        @precondition(lambda self: len(self.model.alive()) > 1 and run.may_delete(self.model))
        @rule(pick=st.integers(0, 3))
        def delete(self, pick: int) -> None:
            self.step(lambda: machine_steps.delete(self.model, pick, refused=run.may_err(self.model)))

        @precondition(lambda self: bool(self.model.orders) and bench.session.control is None)
        @rule(pick=st.integers(0, 3))
        def ask(self, pick: int) -> None:
            # That one is gone costs a client error: it is asked for at the end, whatever is done to others until then.
            keys = self.model.alive() or list(self.model.orders)
            self.step(lambda: self.model.check(keys[pick % len(keys)]))

        @precondition(lambda self: bench.session.control is not None and bool(self.model.orders))
        @rule()
        def let_time_pass(self) -> None:
            assert bench.session.control is not None
            bench.session.control.advance(CONSOLIDATION_SECONDS)
            self.step(lambda: None)

        # -- reconciliations and releases --------------------------------------------------------------------------

        @precondition(lambda self: bool(self.model.places()) and run.may_open(self.model))
        @rule(pick=st.integers(0, 1), orders=st.integers(1, CODES), broken=st.none() | broken_creations, data=st.data())
        def reconcile(self, pick: int, orders: int, broken: Kind | None, data: st.DataObject) -> None:
            if broken is not None and run.may_err(self.model):  # its period is used right after
                self.step(lambda: machine_steps.reconcile_broken(self.model, pick, broken, data))
            before = self.model.opened
            self.step(lambda: machine_steps.reconcile(self.model, pick, orders))
            run.opened += self.model.opened - before

        @precondition(lambda self: bool(self.model.places()) and run.may_err(self.model) and run.may_open(self.model))
        @rule(pick=st.integers(0, 1), kind=broken_creations, data=st.data())
        def reconcile_broken(self, pick: int, kind: Kind, data: st.DataObject) -> None:
            self.step(lambda: machine_steps.reconcile_broken(self.model, pick, kind, data))

        @precondition(lambda self: bool(self.model.reconciliations))
        @rule(pick=st.integers(0, 1))
        def release(self, pick: int) -> None:
            self.step(lambda: machine_steps.release(self.model, pick))

        @precondition(lambda self: bool(self.model.reconciliations) and run.may_err(self.model))
        @rule(pick=st.integers(0, 1), kind=broken_releases, data=st.data())
        def release_broken(self, pick: int, kind: Kind, data: st.DataObject) -> None:
            self.step(lambda: machine_steps.release_broken(self.model, pick, kind, data))

    Machine.run = run
    return Machine

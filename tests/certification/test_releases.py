"""REL rules: a release mirrors its order's extracts exactly, once, within its reconciliation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pytest_bdd import given, scenarios, then

from conformance.contract.rules import Side
from conformance.engine import printed_workflow
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.printed_laws import BEFORE_THE_PERIOD, refused_as_printed
from conformance.engine.properties import once, prove
from conformance.engine.reconciled_laws import LaterLaw, dated_within_its_own_period, released_once
from conformance.target.wire.exchange import Exchange
from strategies.faults import FaultBatch, fault_batches, possible
from strategies.reconciliations import Batch
from tests.certification.conftest import Experiment

scenarios("releases.feature")

# -- in a reconciliation that scenarios share ---------------------------------------------------------------------


@then("every release is accepted with 2xx")
@then("with its entries in the sequence of the extracts it is accepted")
@then("with its entries in another sequence it is accepted, or refused and accepted in its own")
@then("dated at either end of the period it is answered as the reading says")
@then("for an order that was deleted it is refused with 4xx")
def shared_law_holds(experiment: Experiment) -> None:
    experiment.prove_shared()


# -- in reconciliations of their own -------------------------------------------------------------------------------


@then("every release is answered as the reading says")
def every_release_answered_as_the_reading_says(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    if bench.scope.readings["value-mismatch"] == "rejected":
        experiment.refuse()
        return

    def law(fault_batch: FaultBatch) -> None:
        ((_, edit),) = fault_batch.edits
        batch = fault_batch.lawful.batch
        assert batch is not None
        reconciliation = reconciliations.open_for(batch)
        try:
            released = reconciliations.release(reconciliation, 0, edit.apply(fault_batch.lawful))
            reconciliation.spoiled = released.status // 100 != 2
            check_accepted(rule=experiment.rule, exchange=released, context=f"changed in one place: {edit}")
            bench.saw(Side.ACCEPTED, released)
        finally:
            reconciliations.finish(reconciliation)

    for kind in experiment.kinds:
        if possible(kind, reconciliations.scope, experiment.endpoint):
            drawn = fault_batches(reconciliations.scope, experiment.endpoint, (kind,))
            prove(bench, f"{bench.scenario} {kind.name}", drawn, law, 1)


@then("with more entries than releasesQtd leaves it is refused with 4xx, and with as many accepted")
@then("after refused ones the right one is accepted, and counts once")
@then("after it another of the same order in the same reconciliation is refused with 4xx")
def whole_law_holds(experiment: Experiment) -> None:
    experiment.prove_whole()


@then("after it another of the same order in a later reconciliation is refused with 4xx")
def another_release_of_the_same_order_refused(experiment: Experiment) -> None:
    _refused_in_a_later_one(experiment, released_once(experiment.bench, experiment.rule))


@then("in a later reconciliation one that is dated within the period of an earlier one is refused with 4xx")
def release_dated_within_an_earlier_period_refused(experiment: Experiment) -> None:
    _refused_in_a_later_one(experiment, dated_within_its_own_period(experiment.bench, experiment.rule))


def _refused_in_a_later_one(experiment: Experiment, laws: Sequence[LaterLaw]) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(refused: Callable[[OpenReconciliation, OpenReconciliation], Exchange], drawn: Batch) -> None:
        earlier = reconciliations.run_through(drawn)
        later = reconciliations.open_for(
            reconciliations.plain(drawn.place, len(drawn.orders[0]["extracts"]), seconds=drawn.seconds)
        )
        try:
            again = refused(earlier, later)
            if reconciliations.released(later, 0):
                bench.saw(Side.ACCEPTED, bench.story[-1])
                bench.saw(Side.REFUSED, again)
        finally:
            reconciliations.finish(later)

    for one in laws:
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, partial(law, one.refused), one.examples)


# -- S2's own workflow ---------------------------------------------------------------------------------------------


@given("the order, reconciliation and release printed in S2")
def the_printed_release() -> None:
    """In `printed_workflow`."""


@then("the release is refused with 4xx as printed, and accepted with its date mended")
def printed_release_refused_and_accepted_when_mended(experiment: Experiment) -> None:
    bench = experiment.bench

    def law() -> None:
        reconciliation = printed_workflow.opened(bench, literally=True)
        try:
            reconciliation.after_refusal = True
            refused = bench.send(printed_workflow.release_as_printed(reconciliation), reconciliation.values[0])
            reconciliation.spoiled = refused.status // 100 == 2
            check_refused(rule=experiment.rule, exchange=refused, bench=bench, context=BEFORE_THE_PERIOD)
            if bench.reconciliations.released(reconciliation, 0):
                bench.saw(Side.ACCEPTED, bench.story[-1])
                bench.saw(Side.REFUSED, refused)
        finally:
            bench.reconciliations.finish(reconciliation)

    shown = [bench.succession.counts(one.name) for one in refused_as_printed(bench, experiment.rule)]
    if not all(shown):
        once(bench, law)

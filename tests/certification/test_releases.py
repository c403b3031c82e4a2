"""REL rules: a release mirrors its order's extracts exactly, once, within its reconciliation."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_bdd import given, scenarios, then

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side
from conformance.engine import printed_workflow
from conformance.engine.checks import check_accepted, check_refused, is_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import once, prove
from conformance.engine.release_laws import some
from conformance.engine.values import Values
from conformance.verdict.violation import Violation
from strategies.calls import Call, release_of
from strategies.faults import FAULTS, FaultBatch, Kind, fault_batches, possible
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, batches
from strategies.scope import Scope
from tests.certification.conftest import Experiment

scenarios("releases.feature")

DAY: Final = 86_400


# -- in a reconciliation that scenarios share ---------------------------------------------------------------------


@then("every release is accepted with 2xx")
@then("with its entries in the sequence of the extracts it is accepted")
@then("with its entries in another sequence it is accepted, or refused and accepted in its own")
@then("dated at either end of the period it is answered as the reading says")
@then("after it another of the same order in the same reconciliation is refused with 4xx")
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


# -- refused because of what came before ---------------------------------------------------------------------------


@then("after it another of the same order in a later reconciliation is refused with 4xx")
def another_release_of_the_same_order_refused(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(drawn: Batch) -> None:
        earlier = reconciliations.run_through(drawn)
        reconciliation = reconciliations.open_for(
            reconciliations.plain(drawn.place, len(drawn.orders[0]["extracts"]), seconds=drawn.seconds)
        )
        now = {name: reconciliation.values[0][name] for name in ("reconciliation", PERIOD)}
        try:
            reconciliation.after_refusal = True
            again = bench.send(release_of(drawn), earlier.values[0].having(**now))
            reconciliation.spoiled = again.status // 100 == 2
            context = "the order's release was accepted in an earlier reconciliation"
            check_refused(rule=experiment.rule, exchange=again, bench=bench, context=context)
            if reconciliations.released(reconciliation, 0):
                bench.saw(Side.ACCEPTED, bench.story[-1])
                bench.saw(Side.REFUSED, again)
        finally:
            reconciliations.finish(reconciliation)

    prove(bench, bench.scenario, batches(reconciliations.scope), law, max(1, some(bench) // 2))


@then("with more entries than releasesQtd leaves it is refused with 4xx, and with as many accepted")
def more_entries_than_are_left_refused(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(drawn: Batch) -> None:
        # Announced is one entry fewer than the order of this release has; a plain order fills exactly that.
        extracts = len(drawn.orders[0]["extracts"])
        batch = reconciliations.plain(drawn.place, 1, extracts - 1, seconds=drawn.seconds)
        values = bench.fresh(drawn.shape)
        order = Call(Endpoint.SUBMIT_ORDER, body=drawn.orders[0])
        if not bench.is_accepted(order, bench.send(order, values)):
            return
        reconciliation = reconciliations.open_for(batch)
        now = {name: reconciliation.values[0][name] for name in ("reconciliation", PERIOD)}
        try:
            if not reconciliations.released(reconciliation, 0):
                return
            _refused_beyond(experiment, drawn, values.having(**now), reconciliation, extracts - 1)
            if not reconciliations.released(reconciliation, 1):
                return
            bench.saw(Side.ACCEPTED, bench.story[-1])
            _refused_beyond(experiment, drawn, values.having(**now), reconciliation, 0)
            reconciliations.finish(reconciliation)
            _refused_beyond(experiment, drawn, values.having(**now), reconciliation, 0)
        finally:
            reconciliations.finish(reconciliation)

    prove(bench, bench.scenario, batches(reconciliations.scope, types=("COMISSION",)), law, max(1, some(bench) // 2))


def _refused_beyond(
    experiment: Experiment, drawn: Batch, values: Values, reconciliation: OpenReconciliation, left: int
) -> None:
    bench = experiment.bench
    reconciliation.after_refusal = True
    beyond = bench.send(release_of(drawn), values)
    reconciliation.spoiled = beyond.status // 100 == 2
    context = f"{len(drawn.orders[0]['extracts'])} entries where releasesQtd leaves {left}"
    check_refused(rule=experiment.rule, exchange=beyond, bench=bench, context=context)
    bench.saw(Side.REFUSED, beyond)


# -- no trace ------------------------------------------------------------------------------------------------------

_SEEN_BY_ITSELF = ("REL-03", "REL-04", "REL-06", "REL-10")
_SEEN_BESIDE_THE_ORDER = ("REL-07", "REL-09")
"""Rules whose faults nobody sees who has not looked at the order: what is written before that may stay."""


def _able(scope: Scope, rules: tuple[str, ...]) -> list[Kind]:
    kinds = [kind for rule in rules for fault in FAULTS[rule].values() for kind in fault if not kind.multiples]
    return [kind for kind in kinds if possible(kind, scope, Endpoint.SUBMIT_RELEASE)]


@st.composite
def _refused_before(draw: DrawFn, scope: Scope, at_most: int) -> FaultBatch:
    others = st.sampled_from(_able(scope, _SEEN_BY_ITSELF))
    others_drawn = draw(st.lists(others, max_size=at_most - 1, unique_by=lambda kind: kind.name))
    looked_up = draw(st.sampled_from(_able(scope, _SEEN_BESIDE_THE_ORDER)))
    fault_batch: FaultBatch = draw(fault_batches(scope, Endpoint.SUBMIT_RELEASE, (*others_drawn, looked_up)))
    return fault_batch


@then("after refused ones the right one is accepted, and counts once")
def right_one_accepted_after_refused_ones(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(fault_batch: FaultBatch) -> None:
        batch = fault_batch.lawful.batch
        assert batch is not None
        reconciliation = reconciliations.open_for(batch)
        try:
            reconciliation.after_refusal = True
            refused = []
            for kind, edit in fault_batch.edits:
                refused.append(bench.send(edit.apply(fault_batch.lawful), reconciliation.values[0]))
                if not is_refused(bench, kind, refused[-1], f"changed in one place: {edit}"):
                    reconciliation.spoiled = True
                    return
            if not reconciliations.released(reconciliation, 0):
                return
            accepted = bench.story[-1]
            _check_still_active(experiment, reconciliation, accepted)
            if not reconciliations.released(reconciliation, 1):
                return
            bench.saw(Side.ACCEPTED, accepted)
            for exchange in refused:
                bench.saw(Side.REFUSED, exchange)
        finally:
            reconciliations.finish(reconciliation)

    counted = bench.session.profile.client_errors is not None
    prove(bench, bench.scenario, _refused_before(reconciliations.scope, 2 if counted else 3), law, some(bench))


def _check_still_active(experiment: Experiment, reconciliation: OpenReconciliation, exchange: Any) -> None:
    """An order is still to be released: that the reconciliation is completed shows that refused entries were counted."""
    if experiment.bench.session.control is not None:
        experiment.bench.session.control.advance(3600)
    if experiment.bench.reconciliations.notified(reconciliation):
        reconciliation.spoiled = True
        raise Violation(
            rule=experiment.rule.id,
            expected="the reconciliation to wait for its last release",
            actual="it was completed",
            exchange=exchange,
            context="releases were refused before",
        )


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
            context = "the release printed in S2, four days before the period printed there"
            check_refused(rule=experiment.rule, exchange=refused, bench=bench, context=context)
            if bench.reconciliations.released(reconciliation, 0):
                bench.saw(Side.ACCEPTED, bench.story[-1])
                bench.saw(Side.REFUSED, refused)
        finally:
            bench.reconciliations.finish(reconciliation)

    once(bench, law)

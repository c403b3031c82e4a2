"""WFL rules: orders, reconciliation and releases together, and any sequence of calls."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from pytest_bdd import given, scenarios, then

from conformance.contract.rules import Side
from conformance.engine import printed_workflow
from conformance.engine.bench import Bench, Hindered, Waiting
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.machine import prove_machine
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import once, prove
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.reconciliations import Batch, batches
from tests.certification.conftest import Experiment

scenarios("workflow.feature")


MANY_ENTRIES: Final = 10

MORE_THAN_A_BYTE: Final = (*(50,) * 6, 1)
"""Extracts of each order, at most as many as are plainly lawful: more in all than a byte counts (TINYINT: 127 or 255), and than
Java keeps one object of for each (Integer compared by identity: wrong from 128 on)."""


def _has_many_entries(batch: Batch) -> bool:
    return sum(len(release["releases"]) for release in batch.releases) > MANY_ENTRIES


def _wanted(experiment: Experiment) -> int:
    return max(1, experiment.bench.session.profile.sequences // 2)


def _released_all(experiment: Experiment, reconciliation: OpenReconciliation, context: str = "") -> None:
    """Release every order of the reconciliation; an exact release that is refused breaks the scenario's rule."""
    for order in range(len(reconciliation.batch.orders)):
        released = experiment.bench.reconciliations.release(reconciliation, order)
        if released.status // 100 != 2:
            reconciliation.spoiled = True
            # Alone in its reconciliation it may be refused too: then it is no matter of the workflow.
            rule = experiment.bench.reconciliations.why_refused(reconciliation)
            raise Violation(
                rule="REL-01" if rule == "REL-01" else experiment.rule.id,
                expected="every release to be accepted",
                actual=f"it answered {released.status}",
                exchange=released,
                context=context,
            )


def _check_reconciled(experiment: Experiment, reconciliation: OpenReconciliation) -> None:
    """The reconciliation is finished, as far as the target tells: by its notification, or by room for the next one."""
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    last, story = bench.story[-1], list(bench.story)
    notified = reconciliations.wait(reconciliation)
    free = notified or reconciliations.is_free(reconciliation.place)
    reconciliation.ended = free
    bench.story[:] = story
    received: Any = reconciliations.notified(reconciliation)
    situation = received.content["payload"].get("situation") if received else None
    if not free or situation not in {None, "CONCILIED"}:
        raise Violation(
            rule=experiment.rule.id,
            expected="the reconciliation to end with situation CONCILIED once all releases are in",
            actual=f"it ended with {situation}" if situation else "it did not end",
            exchange=last,
        )


@then("with its releases it ends reconciled")
def ends_reconciled(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = _opened(bench, batch)
        try:
            _released_all(experiment, reconciliation)
            last = bench.story[-1]
            _check_reconciled(experiment, reconciliation)
            bench.saw(Side.ACCEPTED, last)
        finally:
            reconciliations.finish(reconciliation)

    least, most = experiment.orders
    prove(bench, bench.scenario, batches(reconciliations.scope, at_least=least, at_most=most), law, _wanted(experiment))
    if most > 1:
        long = batches(reconciliations.scope, at_least=most, at_most=most).filter(_has_many_entries)
        prove(bench, f"{bench.scenario} of many entries", long, law, 1)
        most_entries = reconciliations.plain(reconciliations.scope.places[0], *MORE_THAN_A_BYTE)
        prove(bench, f"{bench.scenario} of more entries than a byte counts", st.just(most_entries), law, 1)


def _opened(bench: Bench, batch: Batch) -> OpenReconciliation:
    reconciliation = bench.reconciliations.begin(batch)
    if (
        not bench.reconciliations.submit_orders(reconciliation)
        or bench.reconciliations.create(reconciliation).status // 100 != 2
    ):
        raise Hindered("an order or a reconciliation was refused")
    return reconciliation


@then("it stays active until the last release is in, and completes then")
def stays_active_until_the_last_release(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = _opened(bench, batch)
        try:
            for order in range(len(batch.orders)):
                _check_active(experiment, reconciliation, order)
                if not reconciliations.released(reconciliation, order):
                    return
            last = bench.story[-1]
            _check_reconciled(experiment, reconciliation)
            bench.saw(Side.ACCEPTED, last)
        finally:
            reconciliations.finish(reconciliation)

    least, most = experiment.orders
    prove(bench, bench.scenario, batches(reconciliations.scope, at_least=least, at_most=most), law, _wanted(experiment))


def _check_active(experiment: Experiment, reconciliation: OpenReconciliation, received: int) -> None:
    """It is not completed yet: nothing notifies that it is, and a second one is refused."""
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    if bench.session.control is not None:
        bench.session.control.advance(3600)
    orders = len(reconciliation.batch.orders)
    context = f"the releases of {received} of its {orders} orders are in"
    if reconciliations.notified(reconciliation):
        reconciliation.spoiled = True
        raise Violation(
            rule=experiment.rule.id,
            expected="the reconciliation to wait for all of its releases",
            actual="it was completed",
            exchange=bench.story[-1],
            context=context,
        )
    if bench.session.inbox is None and received == orders - 1:
        other = reconciliations.begin(reconciliations.plain(reconciliation.place, 1))
        second = bench.send(creation_of(other.batch), other.values[0])
        if second.status // 100 == 2:
            reconciliations.stray(reconciliation)
        check_refused(rule=experiment.rule, exchange=second, bench=bench, context=context)


@given("the order, reconciliation and release printed in S2")
def the_printed_workflow() -> None:
    """In `printed_workflow`."""


@then("with the date mended it ends reconciled, and the order can't be deleted")
def printed_workflow_ends_reconciled(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law() -> Waiting[None]:
        reconciliation = printed_workflow.opened(bench, literally=False)
        try:
            released = reconciliations.release(reconciliation, 0)
            reconciliation.spoiled = released.status // 100 != 2
            check_accepted(
                rule=experiment.rule, exchange=released, context="the release printed in S2, its date mended"
            )
            _check_reconciled(experiment, reconciliation)
        finally:
            reconciliations.finish(reconciliation)
        code = reconciliation.values[0]["code"]
        refused = bench.delete(reconciliation.place, code)
        if refused.status // 100 == 2:
            raise Violation(
                rule="DEL-04",
                expected="the deletion of a reconciled order to be refused",
                actual=f"it answered {refused.status}",
                exchange=refused,
            )
        yield from bench.settled(
            "DEL-04",
            reconciliation.batch.orders[0],
            reconciliation.values[0],
            reconciliation.place,
            context="it is reconciled",
        )
        bench.saw(Side.ACCEPTED, released)

    once(bench, law)


@given("a model of what was accepted")
def a_model_of_what_was_accepted() -> None:
    """In `machine`."""


@then("whatever is called in whatever sequence, the endpoint agrees with it")
def endpoint_agrees_with_the_model(experiment: Experiment) -> None:
    prove_machine(experiment.bench)

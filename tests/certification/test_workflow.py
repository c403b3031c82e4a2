"""WFL rules: orders, reconciliation and releases together, and any sequence of calls."""

from __future__ import annotations

from typing import Any

from pytest_bdd import given, scenarios, then

from conformance.contract.rules import Side
from conformance.engine import printed_workflow
from conformance.engine.checks import check_accepted
from conformance.engine.kept_open import check_no_refused_one_keeps_it
from conformance.engine.machine import prove_machine
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.printed_laws import MENDED, ends_and_stays, stays_undeleted
from conformance.engine.properties import once
from conformance.engine.waiting import Waiting
from conformance.verdict.violation import Violation
from tests.certification.conftest import Experiment

scenarios("workflow.feature")


def _check_reconciled(experiment: Experiment, reconciliation: OpenReconciliation) -> None:
    """The reconciliation is finished, as far as the target tells: by its notification, or by room for the next one."""
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    last, story = bench.story[-1], list(bench.story)
    notified = reconciliations.wait(reconciliation)
    free = notified or reconciliations.is_free(reconciliation.place)
    reconciliation.ended = free
    bench.story[:] = story
    if not free:
        check_no_refused_one_keeps_it(bench, reconciliation)
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
@then("it stays active until the last release is in, and completes then")
def whole_law_holds(experiment: Experiment) -> None:
    experiment.prove_whole()


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
            check_accepted(rule=experiment.rule, exchange=released, context=MENDED)
            _check_reconciled(experiment, reconciliation)
        finally:
            reconciliations.finish(reconciliation)
        yield from stays_undeleted(bench, reconciliation)
        bench.saw(Side.ACCEPTED, released)

    shown = [bench.succession.counts(one.name) for one in ends_and_stays(bench, experiment.rule)]
    if not all(shown):
        once(bench, law)


@given("a model of what was accepted")
def a_model_of_what_was_accepted() -> None:
    """In `machine`."""


@then("whatever is called in whatever sequence, the endpoint agrees with it")
def endpoint_agrees_with_the_model(experiment: Experiment) -> None:
    prove_machine(experiment.bench)

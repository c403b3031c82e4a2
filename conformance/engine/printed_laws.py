"""The laws of the workflow that S2 prints, as one reconciliation shows them that comes in succession with others: its release is
refused as printed, with its date mended it is accepted, it ends, and its order is reconciled. By the Then step that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.bounds import shown
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.printed_workflow import as_printed, is_printed, printed_batch, release_as_printed
from conformance.engine.reconciled_laws import Beside, ReconciledLaw
from conformance.engine.waiting import Waiting
from conformance.engine.whole import Meanwhile, Whole
from conformance.engine.workflow_laws import ended
from conformance.verdict.violation import Violation
from strategies.reconciliations import Batch

BEFORE_THE_PERIOD: Final = "the release printed in S2, four days before the period printed there"
MENDED: Final = "the release printed in S2, its date mended"


def refused_as_printed(bench: Bench, rule: Rule) -> list[Whole]:
    """Its release is refused with the printed date, and accepted with one within the period."""
    reconciliations = bench.reconciliations

    def go(reconciliation: OpenReconciliation, _: Batch, meanwhile: Meanwhile) -> bool:
        reconciliation.after_refusal = True
        refused = bench.send(release_as_printed(reconciliation), reconciliation.values[0])
        reconciliation.spoiled = refused.status // 100 == 2
        check_refused(rule=rule, exchange=refused, bench=bench, context=BEFORE_THE_PERIOD)
        meanwhile(reconciliation, 0)
        if not reconciliations.released(reconciliation, 0):
            return False
        bench.saw(Side.ACCEPTED, bench.story[-1])
        bench.saw(Side.REFUSED, refused)
        return True

    drawn, name = st.just(printed_batch(bench)), f"{bench.scenario} in succession"
    return [Whole(rule, name, drawn, go, 1, begun=partial(as_printed, reconciliations))]


def ends_and_stays(bench: Bench, rule: Rule) -> list[Whole | ReconciledLaw]:
    """It ends reconciled, and then the deletion of its order is refused, and it stays as it was sent."""

    def go(reconciliation: OpenReconciliation, _: Batch, meanwhile: Meanwhile) -> bool:
        meanwhile(reconciliation, 0)
        released = bench.reconciliations.release(reconciliation, 0)
        reconciliation.spoiled = released.status // 100 != 2
        check_accepted(rule=rule, exchange=released, context=MENDED)
        return True

    def stays(reconciliation: OpenReconciliation, _: Beside) -> Waiting[None]:
        bench.saw(Side.ACCEPTED, (yield from stays_undeleted(bench, reconciliation)))

    drawn = st.just(printed_batch(bench))
    return [
        Whole(rule, f"{bench.scenario} in succession", drawn, go, 1, ended(bench, rule), is_shown_by=is_printed),
        ReconciledLaw(rule, f"{bench.scenario} reconciled", drawn, 1, 1, lambda _: (), stays, is_shown_by=is_printed),
    ]


def stays_undeleted(bench: Bench, reconciliation: OpenReconciliation) -> Waiting[Any]:
    """The deletion of its order, which is reconciled, is refused; returns how it is shown after, as it was sent. Raises a
    violation of DEL-04."""
    order, values = reconciliation.batch.orders[0], reconciliation.values[0]
    refused = bench.delete(reconciliation.place, values["code"])
    if refused.status // 100 == 2:
        raise Violation(
            rule="DEL-04",
            expected="the deletion of a reconciled order to be refused",
            actual=f"it answered {refused.status}",
            exchange=refused,
        )
    return (yield from shown(bench, catalogue()["DEL-04"], order, values, order, "it is reconciled"))


PRINTED_LAWS: Final[Mapping[str, Callable[[Bench, Rule], Sequence[Any]]]] = MappingProxyType(
    {
        "the release is refused with 4xx as printed, and accepted with its date mended": refused_as_printed,
        "with the date mended it ends reconciled, and the order can't be deleted": ends_and_stays,
    }
)
"""What can be tried in succession, by the Then step that says it."""

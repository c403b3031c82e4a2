"""The creation of an active reconciliation, sent again as it was: whoever answers it as before has opened no other, and yet takes
a second one."""

from __future__ import annotations

from conformance.contract.rules import Rule
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from strategies.calls import creation_of


def refuse_the_same(bench: Bench, rule: Rule, active: OpenReconciliation) -> None:
    """Once in a run: it is refused like any other. Raises a violation of the rule where it is not."""
    reconciliations = bench.reconciliations
    if reconciliations.refused_the_same:
        return
    again = bench.send(creation_of(active.batch), active.values[0])
    if again.is_accepted:
        reconciliations.stray(active)
    context = "the same as the one that is active on this account and channel"
    check_refused(rule=rule, exchange=again, bench=bench, context=context)
    reconciliations.refused_the_same = True

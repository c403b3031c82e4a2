"""The release of an order under a code of which another account's order was released before: codes are an account's own (QRY-05),
and who knows releases by the code alone refuses the second."""

from __future__ import annotations

from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.shelf import Shared
from strategies.calls import Call
from strategies.reconciliations import Batch, batches
from strategies.scope import Place

_ELSEWHERE: Final = "an order of the same code was released on account {account} before"


def accepted_under_a_code(bench: Bench, rule: Rule) -> list[Shared[Batch]]:
    """The law of the scenario that says that releases are accepted, where there are two accounts: on the last one, before which
    the shelf was on others."""
    reconciliations = bench.reconciliations
    scope = reconciliations.shared_scope
    place = scope.places[-1]
    if all(other.account == place.account for other in scope.places):
        return []

    def law(batch: Batch) -> None:
        earlier = _released_elsewhere(bench, batch.place)
        reconciliation, context, is_in = reconciliations.open_for(batch), "", False
        own, order = reconciliation.values, Call(Endpoint.SUBMIT_ORDER, body=batch.orders[0])
        try:
            if earlier is not None:
                values = own[0].having(code=earlier.values[0]["code"])
                if not bench.is_accepted(order, bench.send(order, values)):
                    return
                bench.let_be_seen()
                reconciliation.values, context = (values,), _ELSEWHERE.format(account=earlier.place.account)
            is_in = True  # for all that is known, where its answer is lost
            released = reconciliations.release(reconciliation, 0)
            is_in = released.status // 100 == 2
            check_accepted(rule=rule, exchange=released, context=context)
            bench.saw(Side.ACCEPTED, released)
        finally:
            if not is_in:  # its entries are to come all the same
                reconciliation.values = own
                with bench.keeping_faults():
                    reconciliation.spoiled = reconciliations.release(reconciliation, 0).status // 100 != 2
            reconciliations.finish(reconciliation)

    drawn = batches(scope, places=(place,))
    return [Shared(rule, f"{bench.scenario} under a code", drawn, law, 1, lambda batch: batch)]


def _released_elsewhere(bench: Bench, place: Place) -> OpenReconciliation | None:
    """A reconciliation of another account whose first order was released, and has no namesake: one that was on the shelf; by
    itself a new one."""
    reconciliations = bench.reconciliations
    if reconciliations.lent is None:
        other = next(one for one in reconciliations.scope.places if one.account != place.account)
        return reconciliations.run_through(reconciliations.plain(other, 1))
    others = [one for one in reconciliations.ids.values() if one.place.account != place.account]
    return next((one for one in others if one.has_parts and 0 in one.released and not one.spoiled), None)

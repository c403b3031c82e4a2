"""Whether refused releases have kept a place from taking lawful ones, and block it for good: nothing can be tried there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.unfinished import Hindered
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.reconciliations import Batch, at_place

if TYPE_CHECKING:
    from conformance.engine.reconciliations import Reconciliations


def note_spoiled(reconciliations: Reconciliations, reconciliation: OpenReconciliation, refusal: Exchange) -> None:
    """Remember that a lawful release was refused ahead of its scenario's turn, where releases were refused before."""
    whole = reconciliation.within or reconciliation
    after_refusal = reconciliation.after_refusal or whole.after_refusal
    if after_refusal and not (reconciliation.doubtful or whole.doubtful):
        spoiled = (reconciliation, refusal, tuple(reconciliations.bench.story))
        reconciliations.spoiled_at.setdefault(reconciliation.place, spoiled)


def blame_refused_releases(reconciliations: Reconciliations) -> None:
    """Note against REL-18 what was remembered of places that are blocked since. Where one was freed its scenario tries the same
    again, and sees by itself whom to blame."""
    bench = reconciliations.bench
    spoiled_at, reconciliations.spoiled_at = reconciliations.spoiled_at, {}
    reconciliations.look_again()
    for place, (reconciliation, refusal, story) in spoiled_at.items():
        is_blocked = place in reconciliations.blocked and bench.session.control is None
        if not is_blocked or "REL-18" in bench.session.evidence.observed:
            continue
        if _is_taken_without_refused_ones(reconciliations, reconciliation.batch):
            bench.story[:] = story
            actual, context = f"it answered {refusal.status}", "releases were refused before"
            bench.observe("REL-18", "the release to be accepted", actual, refusal, context)


def _is_taken_without_refused_ones(reconciliations: Reconciliations, batch: Batch) -> bool:
    """Whether the same is carried out at another place; where none is free, whether one of as many orders was seen to be."""
    others = [
        place
        for place in reconciliations.scope.places
        if place not in reconciliations.blocked | reconciliations.endless
    ]
    if not others:
        like = [one for one in reconciliations.ids.values() if len(one.batch.orders) >= len(batch.orders)]
        return any(one.is_complete and not one.spoiled and not one.after_refusal for one in like)
    again = reconciliations.begin(at_place(batch, others[-1]))
    try:
        if not reconciliations.submit_orders(again):
            return False
        if not reconciliations.create(again, blame=False).is_accepted:
            return False
        accepted = [reconciliations.release(again, order).is_accepted for order in range(len(again.batch.orders))]
    except (Hindered, Violation):
        return False
    again.spoiled = not all(accepted)
    reconciliations.finish(again)
    return all(accepted)

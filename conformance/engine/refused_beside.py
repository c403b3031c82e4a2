"""Whether a creation that was refused while another was open changed that one: its period, or what it counts. Then lawful
releases are refused, or it ends too soon or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.unfinished import Hindered
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.reconciliations import Batch, at_place

if TYPE_CHECKING:
    from conformance.engine.reconciliations import Reconciliations

EXPECTED: Final = "a refused creation to leave the active reconciliation as it is"
_CONTEXT: Final = "a second one was refused while it was open, and without that all goes well"

_REFUSED_BEFORE: Final = 2
"""Before as many releases a second one is refused: before any is in, and since one is."""


def refuse_beside(reconciliations: Reconciliations, active: OpenReconciliation, other: OpenReconciliation) -> Exchange:
    """Send the creation of the other one, which must be refused while this one is active; that it was is remembered."""
    refused = reconciliations.bench.send(creation_of(other.batch), other.values[0])
    if refused.is_accepted:
        reconciliations.stray(active)
    elif refused.is_refused:
        active.refused_beside = other.batch
        reconciliations.note_refused(other.place)
        reconciliations.keep_refused(other)
    return refused


def blame_for_a_change(reconciliations: Reconciliations, active: OpenReconciliation) -> bool:
    """Whether a second creation that was refused is to blame for what became of this one; that is noted against REC-09."""
    evidence = reconciliations.bench.session.evidence
    if active.refused_beside is None or active.doubtful:
        return False
    if "REC-09" in evidence.observed:
        return True
    changed = _change(reconciliations, active, active.refused_beside)
    if changed is not None:
        evidence.observe(changed, reconciliations.bench.session.redactor)
    return changed is not None


def _change(reconciliations: Reconciliations, active: OpenReconciliation, beside: Batch) -> Violation | None:
    """REC-09 broken, found by doing all anew: without a second one all goes well, and with it not. None where that is not so, or
    nobody knows."""
    bench = reconciliations.bench
    if bench.session.control is not None or not active.is_complete:
        reconciliations.free(active.place)
    try:
        with bench.aside(), bench.keeping_faults() as faults:
            if _failed(reconciliations, active.batch, None) is not None:
                return None
            bench.story.clear()
            failed = _failed(reconciliations, active.batch, beside)
            if failed is None or _ended_late(reconciliations, active):
                return None
            faults.clear()  # they are what it has left
            actual, exchange = failed
            violation = Violation(rule="REC-09", expected=EXPECTED, actual=actual, exchange=exchange, context=_CONTEXT)
            violation.story = tuple(bench.story)
            return violation
    except (Hindered, Violation):
        return None


def _ended_late(reconciliations: Reconciliations, active: OpenReconciliation) -> bool:
    """Whether one that was not seen to end has ended by now: then the target only takes longer now and then."""
    if reconciliations.bench.session.control is not None or not active.is_complete:
        return False
    return reconciliations.opens_now(reconciliations.plainest(active.place))


def _failed(reconciliations: Reconciliations, batch: Batch, beside: Batch | None) -> tuple[str, Exchange] | None:
    """What did not go as it should with such a one, and the call that says it; None where all did. Raises Hindered where it
    can't be had, or nobody knows."""
    there = where_it_is_free(reconciliations, batch)
    if there is None:
        raise Hindered("nothing is free to try it anew")
    active, place = reconciliations.begin(there), there.place
    if not reconciliations.submit_orders(active) or not reconciliations.create(active, blame=False).is_accepted:
        raise Hindered("it can't be had anew")
    try:
        for order in range(len(active.batch.orders)):
            if beside is not None and order < _REFUSED_BEFORE:
                second = reconciliations.begin(at_place(beside, place))
                if not refuse_beside(reconciliations, active, second).is_refused:
                    raise Hindered("a second reconciliation was not refused")
            last = reconciliations.release(active, order)
            if not last.is_accepted:
                active.spoiled = True
                return f"a lawful release got {last.status}", last
    finally:
        reconciliations.finish(active)
    if reconciliations.notified(active) is None and not reconciliations.is_free(place):
        return "it did not end with all of its releases", last
    return None


def where_it_is_free(reconciliations: Reconciliations, batch: Batch) -> Batch | None:
    """The batch at its own place, or where that is blocked at another; None where no place is free."""
    not_free = reconciliations.blocked | reconciliations.endless
    if batch.place not in not_free:
        return batch
    free = [place for place in reconciliations.scope.places if place not in not_free]
    return at_place(batch, free[-1]) if free else None

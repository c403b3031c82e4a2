"""A reconciliation that does not end, as far as can be seen: for itself, or since a creation that was refused while it was open
is active in its stead. Where nothing notifies, each look whether it has ended may be such a creation."""

from __future__ import annotations

from typing import Final

from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.stays_active import broken_by_what_stays, taken_by
from conformance.engine.unfinished import Hindered
from conformance.target.wire.exchange import Exchange
from strategies.calls import creation_of
from strategies.periods import PERIOD
from strategies.scope import Place

LATE_SECONDS: Final = 30.0
"""After so long, or five times as long as the target was seen to take, a place is looked at where it matters not to be too early:
once, since a look that is too early is one of the refused creations that are asked about."""

SURELY_SECONDS: Final = 150.0
"""After so long in all where nobody knows how long the target takes: five times as long as those before took at most, so that it
does not only vary."""

_STUCK: Final = "REC-09: nothing is opened since a creation was refused"
_SLOW: Final = "a reconciliation did not end, or takes far longer than others"


class _MayBeSlow(Hindered):
    """What does not end may only take longer than others."""


def check_no_refused_one_keeps_it(bench: Bench, reconciliation: OpenReconciliation) -> None:
    """Raises Hindered where it is not known to go on by itself: a creation that was refused since it was opened takes releases,
    or so it is on another account too, where one ended before any was refused. That is noted against REC-09."""
    reconciliations, place = bench.reconciliations, reconciliation.place
    refused = reconciliations.refused_since.get(place)
    if bench.session.control is not None or refused is None:
        return
    if "REC-09" in bench.session.evidence.observed:
        raise Hindered(_STUCK)
    with bench.aside(), bench.keeping_faults() as faults:
        try:
            reconciliations.submit_orders(refused)  # not all that is refused had its orders sent
            if (taken := taken_by(bench, refused)) is not None:
                context = "it was refused, and none was opened there since"
                violation = broken_by_what_stays(bench, taken, "it takes the releases of its orders", context)
            elif (stuck := _stuck_elsewhere(bench, place)) is not None:
                context = "one ended there before, and the one during which one was refused has all its releases"
                violation = broken_by_what_stays(bench, stuck, f"it answered {stuck.status}", context)
            else:
                return
        except _MayBeSlow:
            raise
        except Hindered:  # not even that can be had there
            return
        finally:
            faults.clear()
        bench.session.evidence.observe(violation, bench.session.redactor)
    raise Hindered(_STUCK)


def _stuck_elsewhere(bench: Bench, place: Place) -> Exchange | None:
    """The refusal of a lawful creation on another account, where one ended as long as none was refused, and none ends any more
    since one was refused while another was open. None where that is not so, or can't be tried. Raises Hindered."""
    reconciliations = bench.reconciliations
    out_of_use = {place, *reconciliations.endless, *reconciliations.blocked, *reconciliations.strayed}
    for there in [other for other in bench.scope.places if other not in out_of_use]:
        nothing_refused = there not in reconciliations.refused_since
        if (first := _opened_late(bench, there)).id is not None:
            stuck = _stuck_at(bench, first) if _completed(bench, first) else None
            if stuck is not None and reconciliations.opens_now(reconciliations.plainest(place)):
                raise _MayBeSlow(_SLOW)
            return stuck
        if nothing_refused:  # it does not end there either
            return None
    return None


def _stuck_at(bench: Bench, first: OpenReconciliation) -> Exchange | None:
    """The same where the first one has all its releases."""
    reconciliations, there = bench.reconciliations, first.place
    bench.story.clear()
    second = _opened_late(bench, there)
    if second.id is None:
        return None
    over = reconciliations.begin(reconciliations.plainest(there))
    over.values = tuple(one.having(**{PERIOD: second.values[0][PERIOD]}) for one in over.values)
    if bench.send(creation_of(over.batch), over.values[0]).is_accepted:
        reconciliations.stray(second)
        return None
    reconciliations.note_refused(there)
    if not _completed(bench, second):
        return None
    known = reconciliations.pause
    last = _opened_late(bench, there)
    if last.id is None and not known:
        at_most, more = bench.session.waiting.at_most, SURELY_SECONDS - LATE_SECONDS
        if at_most is not None and at_most < more:
            raise _MayBeSlow(_SLOW)
        last = _opened_late(bench, there, more)
    if last.id is not None:
        _completed(bench, last)
        return None
    return bench.story[-1]


def _completed(bench: Bench, one: OpenReconciliation) -> bool:
    released = all(bench.reconciliations.release(one, order).is_accepted for order in range(len(one.batch.orders)))
    bench.reconciliations.finish(one)
    return released


def _opened_late(bench: Bench, place: Place, seconds: float = LATE_SECONDS) -> OpenReconciliation:
    """The plainest one, sent once when the one before must have ended, after so many seconds at least; without an id where it was
    refused. Raises Hindered."""
    reconciliations = bench.reconciliations
    one = reconciliations.begin(reconciliations.plainest(place))
    if not reconciliations.submit_orders(one):
        raise Hindered("an order for a reconciliation was refused")
    if place in reconciliations.settling:
        bench.let_pass("a reconciliation to be finished", max(seconds, 5 * reconciliations.pause))
    if not reconciliations.create_once(one).is_accepted:
        reconciliations.endless.add(place)
    return one

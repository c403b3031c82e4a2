"""Whether a creation that was refused is active all the same: then nothing can be opened there any more."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Final

from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.errors import TargetUnavailable
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import creation_of, release_of
from strategies.scope import Place

if TYPE_CHECKING:
    from conformance.engine.reconciliation_calls import ReconciliationCalls
    from conformance.engine.reconciliations import Reconciliations

IDS_TRIED: Final = 3
"""Of so many ids that are not known, after the last one there, the one that was refused has one, if ids follow each other."""

ASKED_AT_MOST: Final = 2
"""So many of those that were refused at a place are looked for: each costs a client error for each id."""


_EXPECTED: Final = "a refused creation to leave nothing behind"
_ENDED: Final = "the one before has ended, as its notification says, and the one after it was refused"

NO_ACCIDENT: Final = 5
"""So often nobody else has one active just after a creation was refused, and at no other time: then it is not theirs."""

SEVERAL: Final = 2
"""On so many channels nobody else has one active at once, and for minutes."""


def check_nothing_stays_active(bench: Bench) -> None:
    """Where a creation was refused and none is opened since, it may be active, or the one before may take so long, or somebody
    else may have one there: what is seen elsewhere does not tell. It is the refused one if it takes the releases of that one; and
    where nobody else is, if the one before has ended, as its notification says.

    Raises a violation, or TargetUnavailable where nobody knows."""
    reconciliations = bench.reconciliations
    for place in reconciliations.endless & reconciliations.refused_at:
        bench.story.clear()
        again = reconciliations.begin(reconciliations.plainest(place))
        if reconciliations.submit_orders(again):
            asked = reconciliations.send_creation(again, creation_of(again.batch))
            if asked.is_accepted:  # it took so long
                reconciliations.opened(again, asked)
                reconciliations.endless.discard(place)
                reconciliations.finish(again)
                continue
            if asked.is_refused:
                _check_not_there(bench, place, asked)
        raise TargetUnavailable(
            f"since a creation was refused on account {place.account} none is opened there: it may be active"
        )


def note_stuck(reconciliations: ReconciliationCalls, refusal: Exchange) -> None:
    """Note against REC-09 that several channels are blocked since a creation was refused there, and no other is: on one of them
    somebody else may have one active. `refusal` is the answer to a lawful creation on the last of them."""
    bench = reconciliations.bench
    if "REC-09" in bench.session.evidence.observed:  # to ask again costs a client error at each place
        return
    stuck = _stuck(reconciliations)
    is_opened_again = any(len(_opened_at(reconciliations, place)) > 1 for place in stuck)
    if len({place.channel for place in stuck}) < SEVERAL or reconciliations.endless - stuck or not is_opened_again:
        return
    if not any(reconciliations.opens_now(reconciliations.plainest(place)) for place in stuck):
        violation = broken_by_what_stays(bench, refusal, _also_after_minutes(refusal), f"{_ENDED}; so on every channel")
        bench.session.evidence.observe(violation, bench.session.redactor)


def note_blocked_for_a_time(reconciliations: Reconciliations, place: Place) -> None:
    """Note against REC-09 that refused creations block their places for a time, seen so often, and never without one: nobody else
    comes each time after one."""
    times, refusal = reconciliations.blocked_for_a_time[True], reconciliations.not_opened.get(place)
    if refusal is None or not is_blocked_for_a_time(reconciliations):
        return
    actual = f"it answered {refusal.status}, and not some time later, after {times} refused ones"
    violation = broken_by_what_stays(reconciliations.bench, refusal, actual, "never where none was refused before")
    reconciliations.bench.session.evidence.observe(violation, reconciliations.bench.session.redactor)


def is_blocked_for_a_time(reconciliations: Reconciliations) -> bool:
    """Whether that was seen so often after refused creations, and never else, that they are to blame for it."""
    times = reconciliations.blocked_for_a_time
    return times[True] >= NO_ACCIDENT and not times[False]


def _stuck(reconciliations: ReconciliationCalls) -> set[Place]:
    """Where nothing is opened since a creation was refused, though the one before has ended, as its notification says."""
    found = set[Place]()
    for place in reconciliations.endless & reconciliations.refused_at:
        there = _opened_at(reconciliations, place)
        if there and reconciliations.notified(there[-1]) is not None:
            found.add(place)
    return found


def _opened_at(reconciliations: ReconciliationCalls, place: Place) -> list[OpenReconciliation]:
    return [one for one in reconciliations.ids.values() if one.place == place]


def _also_after_minutes(refusal: Exchange) -> str:
    return f"it answered {refusal.status}, also after minutes"


def _check_not_there(bench: Bench, place: Place, asked: Exchange) -> None:
    """Raises a violation where a refused creation is known to be active there, since `asked`, a lawful one, was refused."""
    reconciliations = bench.reconciliations
    for refused in reconciliations.refused_creations.get(place, ())[:ASKED_AT_MOST]:
        if (taken := taken_by(bench, refused)) is not None:
            actual = "it takes the releases of its orders"
            raise broken_by_what_stays(bench, taken, actual, "it was refused, and none was opened there since")
    beside = [one for one in reconciliations.endless if one != place and one.channel == place.channel]
    alone = bench.session.target.environment == "mock"
    if alone and place in _stuck(reconciliations) and len(_opened_at(reconciliations, place)) > 1 and not beside:
        raise broken_by_what_stays(bench, asked, _also_after_minutes(asked), _ENDED)


def taken_by(bench: Bench, refused: OpenReconciliation) -> Exchange | None:
    """The release of an order of a refused creation that was accepted, under the likeliest ids; all others are released, too, so
    that it ends. None where it takes none."""
    reconciliations = bench.reconciliations
    there = [known for known, one in reconciliations.ids.items() if one.place == refused.place]
    last = max(there or reconciliations.all_ids, default=0)
    unknown = (number for number in count(last + 1) if number not in reconciliations.all_ids)
    for number in islice(unknown, IDS_TRIED):
        taken: Exchange | None = None
        for order, values in enumerate(refused.values):
            exchange = bench.send(release_of(refused.batch, order), values.having(reconciliation=str(number)))
            if not exchange.is_accepted:
                break
            taken = taken or exchange
        if taken is not None:
            return taken
    return None


def broken_by_what_stays(bench: Bench, exchange: Exchange, actual: str, context: str) -> Violation:
    """REC-09 seen broken, with what the running example has sent."""
    violation = Violation(rule="REC-09", expected=_EXPECTED, actual=actual, exchange=exchange, context=context)
    violation.story = tuple(bench.story)
    return violation

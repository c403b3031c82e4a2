"""Whether a target refuses long periods for their length. That earlier runs, of which nobody knows any more, have used them would
look the same: but then not all of such a period is free, and if it is, those are accepted of which it consists."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.target.wire.exchange import Exchange
from strategies.dates import printed
from strategies.periods import PERIOD
from strategies.scope import Place

if TYPE_CHECKING:
    from conformance.engine.reconciliation_calls import ReconciliationCalls

HALVINGS: Final = 6
"""So often a refused period is halved until its half is accepted: a month, down to half a day."""


def are_refused_for_their_length(calls: ReconciliationCalls, refused: OpenReconciliation) -> bool:
    """Whether one is refused as the last one was, and its two halves are accepted; and the same once more elsewhere, since what
    was refused first may have been refused for one that was going on. What is opened is completed, and in no counterexample's
    story; it costs up to four reconciliations and eight client errors."""
    place, begins, seconds = refused.place, refused.values[0][PERIOD], refused.batch.seconds
    for _ in range(HALVINGS):
        half = _asked_for(calls, place, begins, seconds // 2)
        if half is None or not half.is_refused:
            break
        seconds //= 2
    if half is None or not half.is_accepted:
        return False
    if not _second_half_is_opened(calls, place, begins, seconds):
        return False
    again = calls.begin(calls.plain(place, calls.takes_plain.plainest.entries, seconds=seconds))
    begins = again.values[0][PERIOD]
    whole = _asked_for(calls, place, begins, seconds)
    return (
        whole is not None
        and whole.is_refused
        and _is_opened(calls, place, begins, seconds // 2)
        and _second_half_is_opened(calls, place, begins, seconds)
    )


def _second_half_is_opened(calls: ReconciliationCalls, place: Place, begins: str, seconds: int) -> bool:
    first = seconds // 2 + 1  # where one begins as another ends, that may be refused
    later = printed(datetime.fromisoformat(begins) + timedelta(seconds=first))
    return _is_opened(calls, place, later, seconds - first)


def _is_opened(calls: ReconciliationCalls, place: Place, begins: str, seconds: int) -> bool:
    exchange = _asked_for(calls, place, begins, seconds)
    return exchange is not None and exchange.is_accepted


def _asked_for(calls: ReconciliationCalls, place: Place, begins: str, seconds: int) -> Exchange | None:
    """The answer to a plain one of this period, sent once those before it have ended as far as is known; None where an order of
    it was refused."""
    batch = calls.plain(place, calls.takes_plain.plainest.entries, seconds=seconds)
    calls.let_end(place)
    return calls.asked_for(OpenReconciliation(batch, calls.values_for(batch, begins)))

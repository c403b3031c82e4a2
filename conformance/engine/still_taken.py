"""Whether the periods that were taken long ago and last are taken still. A server may compare a period with a page of the others:
with the last twenty, or with the first ten."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from conformance.contract.rules import Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from strategies.calls import creation_of
from strategies.periods import PERIOD

MORE_THAN_A_PAGE: Final = 11
"""So many reconciliations of an account at least: kinds of faults are about one of fewer anyway."""


def check_still_taken(bench: Bench) -> None:
    """A creation is refused for the period of the first that was opened on an account where there are many, and so is that of the
    last, sent again as it was: a client error each. What is accepted is noted against REC-04, whose own scenario may come
    before there are many."""
    if opened := _many(bench):
        prove(bench, f"{bench.scenario} still taken", st.none(), lambda _: _law(bench, opened), 1)


def _many(bench: Bench) -> list[OpenReconciliation]:
    """All that were completed on an account (a mock forgets others); none where there are few, or where a place is not free."""
    reconciliations, place = bench.reconciliations, bench.reconciliations.scope.places[0]
    says_nothing = reconciliations.strayed | reconciliations.endless | reconciliations.blocked
    known = [one for one in reconciliations.ids.values() if one.place == place]
    opened = [one for one in known if one.is_complete and not one.spoiled]
    if bench.session.replayed is not None or place in says_nothing or len(opened) < MORE_THAN_A_PAGE:
        return []
    return opened


def _law(bench: Bench, opened: list[OpenReconciliation]) -> None:
    count, first, last = len(opened), opened[0], opened[-1]
    batch = bench.reconciliations.plain(first.place, 1, seconds=first.batch.seconds)
    again = OpenReconciliation(batch, bench.reconciliations.values_for(batch, first.values[0][PERIOD]))
    _check(bench, again, f"the period of the first of {count} reconciliations")
    # Whoever takes a creation for a repetition answers it with the id of what has ended, and nothing is opened.
    again = OpenReconciliation(last.batch, last.values)
    _check(bench, again, f"the same as that of the last of {count} reconciliations, which has ended")


def _check(bench: Bench, again: OpenReconciliation, context: str) -> None:
    reconciliations, rule = bench.reconciliations, catalogue()["REC-04"]
    bench.story.clear()
    reconciliations.let_end(again.place)
    reconciliations.note_refused(again.place)
    exchange = bench.send(creation_of(again.batch), again.values[0])
    if exchange.is_accepted:
        actual = f"it answered {exchange.status}"
        bench.observe(rule.id, f"it to be refused with {rule.refused}", actual, exchange, context)
        reconciliations.stray(again)
    else:
        bench.saw(Side.CHECKED, exchange)

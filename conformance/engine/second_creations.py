"""A second creation that is accepted before the first one has all its releases: the first was over too soon (WFL-03), or the
target opens a second one at any time (REC-06). One of which no release is in is surely active, and tells which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.rules import Side
from conformance.engine.bench import Bench
from conformance.engine.refused_beside import refuse_beside
from conformance.engine.unfinished import Hindered
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.scope import Place

_OPENED: Final = "REC-06: a second reconciliation was opened while one was active"
_NOBODY_KNOWS: Final = (
    "a second reconciliation was opened before all releases of the first were in, and no account is free to find out whether one "
    "is opened at any time: the first may have been active still"
)

ENTRIES: Final = 2
"""Entries of the one that is surely active: with none of two in, no counting of releases takes it for complete."""


def check_second_ones_are_refused(bench: Bench, place: Place, strayed: set[Place]) -> None:
    """A second creation was accepted at a place; `strayed` are those that had before. Raises Hindered where the target takes any,
    which is noted against REC-06, and where nobody knows."""
    reconciliations, evidence = bench.reconciliations, bench.session.evidence
    scenarios = [one for one in evidence.scenarios.values() if one.rule == "REC-06"]
    if "REC-06" in evidence.observed or any(one.outcome is Outcome.FAILED for one in scenarios):
        raise Hindered(_OPENED)
    if reconciliations.refuses_second or any(one.count(Side.REFUSED) for one in scenarios):
        return
    for there in _free(bench, place, strayed):
        with bench.keeping_faults() as faults:
            try:
                with bench.aside():
                    reconciliations.refuses_second = _is_second_refused(bench, there)
            except Violation as violation:
                if violation.rule != "REC-06":
                    continue
                evidence.observe(violation, bench.session.redactor)
                raise Hindered(_OPENED) from None
            except Hindered:
                continue
            finally:
                faults.clear()
        if reconciliations.refuses_second:
            return
    raise Hindered(_NOBODY_KNOWS)


def _free(bench: Bench, place: Place, strayed: set[Place]) -> Iterator[Place]:
    """Where nothing is in the way of one more: other places first, and the same one where what is active there was completed."""
    reconciliations = bench.reconciliations
    for there in [*(other for other in bench.scope.places if other != place), place]:
        if there not in reconciliations.blocked | reconciliations.endless | strayed:
            yield there


def _is_second_refused(bench: Bench, place: Place) -> bool:
    """Whether a second one is refused there while a first has none of its releases; False where the first can't be had.

    Raises Hindered, and a violation of REC-06 where the second one is opened.
    """
    reconciliations = bench.reconciliations
    first = reconciliations.begin(reconciliations.plain(place, ENTRIES))
    second = reconciliations.begin(reconciliations.plainest(place))
    if not (reconciliations.submit_orders(first) and reconciliations.submit_orders(second)):
        return False
    if not reconciliations.create(first, blame=False).is_accepted:
        return False
    exchange = refuse_beside(reconciliations, first, second)
    if exchange.is_accepted:
        raise Violation(
            rule="REC-06",
            expected="a second reconciliation to be refused while one is active",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context="none of the releases of the first are in",
        )
    reconciliations.finish(first)
    return exchange.is_refused

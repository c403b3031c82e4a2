"""Reconciliations as the scenarios handle them: what is known of their end."""

from __future__ import annotations

from contextlib import closing

import pytest

from conformance.engine.bench import Bench
from conformance.engine.reconciliations import Reconciliations
from conformance.run.session import Options, open_session

SIZES = {"of few entries": (1, 1), "of many entries": (6, 6)}


def run_through(reconciliations: Reconciliations, sizes: tuple[int, ...]) -> bool:
    """Whether the place is free after one with orders of so many entries."""
    place = reconciliations.scope.places[0]
    reconciliations.run(reconciliations.begin(reconciliations.plain(place, *sizes)))
    return reconciliations.is_free(place)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("defect", "ending"),
    [("", (2, 12)), ("wfl-03-never-completes", ()), ("wfl-03-never-of-many", ()), ("wfl-03-never-above-ten", (2,))],
)
def test_a_place_is_free_where_its_reconciliation_ends_and_only_there(
    defect: str, ending: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    """The mock is told to forget what does not end: what is opened then says nothing of that."""
    with closing(open_session(Options(defects=(defect,) if defect else ()))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "WFL-03", "a scenario")
        assert run_through(bench.reconciliations, sizes) is (sum(sizes) in ending)

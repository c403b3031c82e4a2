"""Whether the periods of the first and of the last of many reconciliations are still taken is asked for, and of few it is not."""

from __future__ import annotations

import pytest

from conformance.engine.still_taken import MORE_THAN_A_PAGE, check_still_taken
from tests.suite.support.in_succession import bench_for

OPENED = {"of few": MORE_THAN_A_PAGE - 1, "of many": MORE_THAN_A_PAGE}


@pytest.mark.parametrize(
    "defect",
    [
        "",
        "rec-04-with-the-last-twelve",
        "rec-04-only-the-last-period",
        "rec-04-only-the-first-period",
        "rec-04-the-same-again",
    ],
)
@pytest.mark.parametrize("opened", OPENED.values(), ids=OPENED)
def test_of_many_the_first_and_the_last_are_asked_for(opened: int, defect: str) -> None:
    with bench_for("REC-01", defects=(defect,) if defect else (), shrink=False) as bench:
        bench.scenario, place = "REC-01", bench.reconciliations.scope.places[0]
        for _ in range(opened):
            bench.reconciliations.run_through(bench.reconciliations.plainest(place))
        before = bench.session.journal.spent().client_errors
        check_still_taken(bench)
        is_caught = opened == OPENED["of many"] and defect in {
            "rec-04-only-the-last-period",
            "rec-04-only-the-first-period",
            "rec-04-the-same-again",
        }
        assert set(bench.session.evidence.observed) == ({"REC-04"} if is_caught else set())
        if not defect:
            asked = 2 if opened == OPENED["of many"] else 0
            assert bench.session.journal.spent().client_errors - before == asked

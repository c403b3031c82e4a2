"""A second creation that is refused and changes the active reconciliation all the same: that is REC-09's, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from conformance.engine import refused_beside
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.refused_beside import blame_for_a_change, refuse_beside
from conformance.engine.refused_release import rule_to_blame
from conformance.mock.defects.second_creations import SECOND_CREATIONS
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation

SCENARIO = "a scenario"

CHANGED = [one.name for one in SECOND_CREATIONS if one.name not in ("rec-09-active-grown", "rec-09-second-kept")]
"""All that keep what is lawful from being accepted, or from its end."""


@contextmanager
def bench_for(*defects: str) -> Iterator[Bench]:
    with closing(open_session(Options(defects=defects, shrink=False))) as session:
        session.evidence.expect(SCENARIO, "REL-01", SCENARIO)
        yield Bench(session, SCENARIO)


def opened(bench: Bench, *, refused: bool = True) -> OpenReconciliation:
    """One of two orders that is open, during which a larger one was `refused`."""
    reconciliations = bench.reconciliations
    place = reconciliations.scope.places[0]
    active = reconciliations.begin(reconciliations.plain(place, 5, 1))
    assert reconciliations.submit_orders(active)
    assert reconciliations.create(active).is_accepted
    if refused:
        second = reconciliations.begin(reconciliations.plain(place, 7))
        assert refuse_beside(reconciliations, active, second).is_refused
    return active


@pytest.mark.parametrize("defect", CHANGED)
def test_what_a_refused_one_changes_is_its_own_fault(defect: str) -> None:
    with bench_for(defect) as bench:
        assert blame_for_a_change(bench.reconciliations, opened(bench))
        found = bench.session.evidence.observed["REC-09"]
        assert found.curl.count("/reconciliation") >= 2, "the counterexample has the one that was refused"
        assert blame_for_a_change(bench.reconciliations, opened(bench)), "it need not be proven again"


@pytest.mark.parametrize("defect", ["", "rel-01-many-entries-refused", "wfl-02-one-order-only"])
def test_where_the_same_goes_wrong_without_it_it_is_not(defect: str) -> None:
    with bench_for(*filter(None, [defect])) as bench:
        assert not blame_for_a_change(bench.reconciliations, opened(bench))
        assert not bench.session.evidence.observed


@pytest.mark.usefixtures("without_a_clock")
def test_what_only_ended_late_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a target that takes longer now and then: the second time it is not waited for long enough."""
    with bench_for() as bench:
        reconciliations, active = bench.reconciliations, opened(bench)
        last = [reconciliations.release(active, order) for order in range(2)][-1]
        bench.let_pass("it to end", 60.0)
        failed = iter([None, ("it did not end with all of its releases", last)])
        monkeypatch.setattr(refused_beside, "_failed", lambda *_: next(failed))
        assert not blame_for_a_change(reconciliations, active)
        assert not bench.session.evidence.observed


def test_nothing_was_refused_beside_it() -> None:
    with bench_for("rec-09-active-moved") as bench:
        assert not blame_for_a_change(bench.reconciliations, opened(bench, refused=False))


def test_of_releases_that_were_refused_before_and_a_creation_the_right_one_is_blamed() -> None:
    for defect, rule in (("rec-09-active-moved", "REC-09"), ("rel-18-refused-counted", "REL-18")):
        with bench_for(defect) as bench:
            active = opened(bench)
            active.after_refusal = True
            assert rule_to_blame(bench.reconciliations, active, 0) == rule


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("defect", ["rec-09-second-kept", ""])
def test_the_period_of_a_second_one_is_kept_where_that_of_another_second_one_is(
    defect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a live target it was taken for that of an earlier run: one that is refused for itself leaves its period free."""
    with bench_for(*filter(None, [defect])) as bench:
        reconciliations, active = bench.reconciliations, opened(bench, refused=False)
        monkeypatch.setattr(type(bench.session), "in_process", False)
        second = reconciliations.begin(reconciliations.plain(active.place, 1))
        assert reconciliations.submit_orders(second)
        assert refuse_beside(reconciliations, active, second).is_refused
        reconciliations.finish(active)
        if not defect:
            assert reconciliations.create_after_refusal(second, while_active=True).is_accepted
            return
        with pytest.raises(Violation, match="REC-09"):
            reconciliations.create_after_refusal(second, while_active=True)

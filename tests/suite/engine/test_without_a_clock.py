"""A target whose clock can't be moved: what may only be late is blamed on no rule that has nothing to do with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench
from conformance.engine.machine import prove_machine
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.workflow_laws import stays_active
from conformance.run.session import Options, Session, open_session
from conformance.verdict.violation import Violation
from strategies.dates import printed
from strategies.periods import PERIOD


@pytest.mark.parametrize("seed", range(4))
def test_a_release_is_not_blamed_for_an_update_that_may_still_be_to_come(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody sees within half an hour that it ignores updates; its releases mirror the order as it was.
    options = Options(defects=("ord-15-first-write-wins",), variants=("reconciles-at-once",), seed=seed)
    with closing(open_session(options)) as session:
        bench = Bench(session, "machine")
        session.evidence.expect("machine", "WFL-04", "a scenario")
        assert bench.reconciliations.scope
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)
        prove_machine(bench)  # raises no violation
        assert (session.evidence.observed, session.evidence.scenarios["machine"].hindrance) == ({}, "")


def test_what_is_finished_too_soon_is_seen_though_that_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one that is sent with the release before the last finds the first still active, whatever comes of it."""
    with closing(open_session(Options(defects=("wfl-03-at-the-first-release",)))) as session:
        bench, control = Bench(session, "workflow"), session.control
        assert control is not None
        session.evidence.expect("workflow", "WFL-03", "a scenario")
        reconciliations = bench.reconciliations
        reconciliation = reconciliations.begin(reconciliations.plain(reconciliations.scope.places[0], 1, 1))
        assert reconciliations.submit_orders(reconciliation)
        assert reconciliations.create(reconciliation).is_accepted
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        monkeypatch.setattr(Session, "inbox", None)
        assert reconciliations.released(reconciliation, 0)
        reconciliations.takes.told = 3600.0  # so long the target was seen to take
        law = stays_active((2, 2), bench, catalogue()["WFL-03"])[0]
        assert law.meanwhile is not None
        with pytest.raises(Violation, match="WFL-03"):
            law.meanwhile(reconciliation, 1)


def test_what_is_opened_to_see_that_one_has_ended_is_used_by_the_next_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such look opened and completed a reconciliation of its own: twice as many as were needed."""
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "CON-03", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)

        def alike(*sizes: int) -> OpenReconciliation:
            batch = reconciliations.plain(place, *sizes)
            return reconciliations.take_spare(batch) or reconciliations.open_for(batch)

        first = alike(2, 1)
        assert all(reconciliations.released(first, order) for order in range(2))
        assert reconciliations.is_free(place, first.batch)
        second = alike(2, 1)
        assert len(reconciliations.ids) == 2
        assert all(reconciliations.released(second, order) for order in range(2))
        assert reconciliations.is_free(place, second.batch)
        third = alike(1, 1)  # another: what was opened for one like the others is completed before
        assert len(reconciliations.ids) == 4
        assert all(reconciliations.released(third, order) for order in range(2))
        assert reconciliations.is_free(place, third.batch)
        reconciliations.finish_spare()
        assert reconciliations.is_free(place)


def test_one_for_fewer_entries_than_its_orders_have_is_completed_by_what_fits() -> None:
    """The release of the next order was refused, three times and some seconds later."""
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "CON-03", "a scenario")
        reconciliations = bench.reconciliations
        two = reconciliations.plain(reconciliations.scope.places[0], 2, 2)
        opened = reconciliations.open_for(replace(two, creation={**two.creation, "releasesQtd": 2}))
        reconciliations.finish(opened)
        assert opened.is_complete
        assert opened.released == {0}
        assert session.journal.traffic.client_errors == 0


def test_an_earlier_period_is_used_again_where_nothing_lies_beside_it() -> None:
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "REC-04", "a scenario")
        reconciliations = bench.reconciliations
        place, other = reconciliations.scope.places[:2]
        assert reconciliations.lying_alone(place, 60) is None
        first = reconciliations.run_through(reconciliations.plain(place, 1, seconds=60))
        assert [reconciliations.lying_alone(*some) for some in ((place, 60), (place, 61), (other, 60))] == [
            first,
            None,
            None,
        ]
        beside = reconciliations.begin(reconciliations.plain(place, 1, seconds=10))
        ends = datetime.fromisoformat(first.values[0][PERIOD]) + timedelta(seconds=60)
        beside.values = (beside.values[0].having(**{PERIOD: printed(ends)}),)
        reconciliations.run(beside)
        assert reconciliations.lying_alone(place, 60) is None


def test_how_long_one_takes_is_not_reckoned_from_the_end_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that came between was taken for the time of one, and waited for each time from then on."""
    with closing(open_session(Options())) as session:
        control, now = session.control, 0.0
        assert control is not None
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "WFL-01", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)

        def pass_by(seconds: float) -> None:
            nonlocal now
            now += seconds
            control.advance(seconds)

        monkeypatch.setattr(session.waiting, "sleep", pass_by)
        monkeypatch.setattr(session.waiting, "clock", lambda: now)
        reconciliations.run(reconciliations.begin(reconciliations.plain(place, 1)))
        second = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(second)
        assert reconciliations.create(second).is_accepted
        learnt = reconciliations.pause
        pass_by(1000)
        assert reconciliations.released(second, 0)  # by whatever way it is completed, nobody put off the next
        reconciliations.settling.add(place)
        reconciliations.run(reconciliations.begin(reconciliations.plain(place, 1)))
        assert 0 < learnt <= reconciliations.pause < 60

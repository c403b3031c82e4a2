"""A target of which earlier runs, of whom nobody knows any more, have used the periods: no rule is blamed for that."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Final

import pytest

from conformance.engine.hindrances import Hindrances
from conformance.engine.places import PATIENCE_SECONDS
from conformance.engine.unfinished import Hindered
from conformance.errors import NotTried
from conformance.mock.koncili import Koncili
from conformance.mock.world import Reconciliation
from conformance.target.shared.calendar import LONG, SHORT, Track
from strategies.periods import MONTH, PERIOD
from strategies.scope import Place
from tests.suite.support.in_succession import WHOLE, bench_for, run

RULES: Final = (*WHOLE, "REC-06", "REC-10")

TAKES: Final = [0, 2, 20, 60, 200]
"""Seconds that the target takes to reconcile; the last is more than is waited for where nothing is known."""


def _used(place: Place, first: datetime, days: float, ids: count[int]) -> Reconciliation:
    """What an earlier run has opened there and completed."""
    ends = first + timedelta(days=days)
    return Reconciliation(next(ids), place.account, place.channel, first, ends, 1, situation="CONCILIED")


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("seconds", TAKES)
@pytest.mark.parametrize("tracks", [(SHORT,), (LONG,), (SHORT, LONG)], ids=["short", "long", "short and long"])
def test_no_rule_is_blamed_where_earlier_runs_have_used_the_first_periods(
    seconds: int, tracks: tuple[Track, ...], mocks: list[Koncili], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the one before may be going on a refusal may be for that, and then for the period: where another was opened at
    once it was waited for all the same, in the same period, and the scenario left undecided."""
    monkeypatch.setattr("conformance.mock.koncili.RECONCILES_IN", timedelta(seconds=seconds))
    broken, ids = set[str](), count(7_000_001)
    with bench_for(*RULES) as bench:
        bench.session.in_process, bench.hindrances = False, Hindrances()
        for place in bench.scope.places:
            for track in tracks:
                days = track.run / timedelta(days=2)
                mocks[0].world.all_reconciliations.append(_used(place, track.first, days, ids))
        for rule in WHOLE:
            with suppress(NotTried):
                broken.add(run(bench, rule))
        assert broken | set(bench.session.evidence.observed) <= {""}
        hindered = {rule: bench.session.evidence.scenarios[rule].hindrance for rule in WHOLE}
        assert seconds > PATIENCE_SECONDS or not any(hindered.values()), hindered


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("seconds", [0, 20])
@pytest.mark.parametrize(
    ("defects", "all_used", "blamed"),
    [
        pytest.param(("strict-reconciliation-long-period",), False, {"REC-01"}, id="refused for their length"),
        pytest.param((), True, set[str](), id="used by earlier runs"),
        pytest.param((), False, set[str](), id="taken"),
    ],
)
def test_a_long_period_that_is_refused_though_all_of_it_is_free_is_refused_for_its_length(
    defects: tuple[str, ...],
    all_used: bool,
    blamed: set[str],
    seconds: int,
    mocks: list[Koncili],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a target that takes no period of more than a day it was said each time that earlier runs had taken them, perhaps."""
    monkeypatch.setattr("conformance.mock.koncili.RECONCILES_IN", timedelta(seconds=seconds))
    ids = count(7_000_001)
    with bench_for("WFL-02", defects=defects) as bench:
        bench.session.in_process, reconciliations, bench.scenario = False, bench.reconciliations, "WFL-02"
        place = bench.scope.places[0]
        if all_used:
            days = (LONG.last - LONG.first) / timedelta(days=1)
            mocks[0].world.all_reconciliations.append(_used(place, LONG.first, days, ids))
        reconciliations.run_through(reconciliations.plain(place, 2))
        month = reconciliations.begin(reconciliations.plain(place, 1, seconds=MONTH))
        assert reconciliations.submit_orders(month)
        with pytest.raises(Hindered) if all_used else nullcontext():
            assert reconciliations.create(month).is_accepted is not bool(defects)
        assert {one.rule for one in bench.session.evidence.observed.values()} == blamed
        assert ("both halves" in month.refused_for) is bool(blamed)
        reconciliations.finish(month)
        reconciliations.run_through(reconciliations.plain(place, 1))


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("strayed", [True, False])
def test_what_a_stray_one_lies_over_says_nothing_of_how_long_periods_must_be(
    *, strayed: bool, mocks: list[Koncili]
) -> None:
    """A month around an earlier period was accepted; short ones were refused from then on at its place, and long ones, which lie
    elsewhere, taken for the only ones that are accepted, everywhere."""
    with bench_for("REC-10") as bench:
        bench.scenario, reconciliations = "REC-10", bench.reconciliations
        place = reconciliations.scope.places[0]
        first = reconciliations.run_through(reconciliations.plain(place, 1))
        begins = datetime.fromisoformat(first.values[0][PERIOD])
        stray = _used(place, begins - timedelta(days=16), 32, count(7_000_001))
        mocks[0].world.all_reconciliations.append(stray)
        if strayed:
            reconciliations.strayed.add(place)
        reconciliations.create(reconciliations.begin(reconciliations.plain(place, 1)), blame=False)
        assert (reconciliations.scope.shortest == 0) == strayed

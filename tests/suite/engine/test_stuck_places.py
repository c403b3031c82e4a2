"""A place where somebody else has a reconciliation open: it is looked at ever more seldom, and soon seen to be free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest

from conformance.engine.bench import Bench
from conformance.engine.hindrances import Hindrances
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.unfinished import Hindered
from strategies.calls import creation_of, release_of
from tests.suite.support.in_succession import bench_for

AT_MOST: Final = 35
"""Client errors that a place may cost that stays blocked: once it was 205."""


@pytest.fixture
def bench(without_a_clock: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Of a target that reconciles at once, where one was seen to end."""
    del without_a_clock
    monkeypatch.setattr("conformance.mock.koncili.RECONCILES_IN", timedelta())
    with bench_for("WFL-01") as bench:
        bench.session.in_process, bench.hindrances = False, Hindrances()
        bench.scenario = "WFL-01"
        for _ in range(2):
            bench.reconciliations.run_through(bench.reconciliations.plainest(bench.scope.places[0]))
        yield bench


def begun(bench: Bench) -> OpenReconciliation:
    reconciliations = bench.reconciliations
    one = reconciliations.begin(reconciliations.plainest(bench.scope.places[0]))
    assert reconciliations.submit_orders(one)
    return one


def opened_by_hand(bench: Bench) -> OpenReconciliation:
    """What the run knows nothing of."""
    theirs = begun(bench)
    bench.reconciliations.let_end(theirs.place)
    exchange = bench.send(creation_of(theirs.batch), theirs.values[0])
    assert isinstance(exchange.json, dict)
    theirs.values = tuple(values.having(reconciliation=str(exchange.json["id"])) for values in theirs.values)
    return theirs


def test_one_that_stays_costs_few_client_errors(bench: Bench) -> None:
    opened_by_hand(bench)
    mine, before = begun(bench), bench.session.journal.spent().client_errors
    for _ in range(3):
        with pytest.raises(Hindered, match=r"is still reconciling|was still reconciling"):
            bench.reconciliations.create(mine)
    assert 0 < bench.session.journal.spent().client_errors - before <= AT_MOST


@pytest.mark.parametrize("seconds", [1.0, 4.0, 12.0, 40.0])
def test_one_that_is_soon_completed_is_not_waited_for_long(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    theirs, waiting = opened_by_hand(bench), bench.session.waiting
    mine, began, pass_by = begun(bench), bench.clock, waiting.sleep

    def sleep(left: float) -> None:
        pass_by(left)
        if theirs.id is None and bench.clock - began >= seconds:
            theirs.id = 0
            story = list(bench.story)
            assert bench.send(release_of(theirs.batch, 0), theirs.values[0]).is_accepted
            bench.story[:] = story

    monkeypatch.setattr(waiting, "sleep", sleep)
    assert bench.reconciliations.create(mine).is_accepted
    assert bench.clock - began <= 1.4 * seconds + 3


@pytest.mark.parametrize("lost", [set(), {1}], ids=["plain", "another lost"])
def test_a_release_refused_beside_one_of_which_nobody_knows_is_no_breach(bench: Bench, lost: set[int]) -> None:
    """Of two at once one got 502 and was in; REL-01 was blamed, since the other was refused when it was completed."""
    reconciliations = bench.reconciliations
    place = bench.scope.places[0]
    one = reconciliations.begin(reconciliations.plain(place, 1, 1))
    assert reconciliations.submit_orders(one)
    assert reconciliations.create(one).is_accepted
    for order in range(2):  # both are in, and the run knows of neither
        assert bench.send(release_of(one.batch, order), one.values[order]).is_accepted
    one.lost |= lost
    reconciliations.release_all(one)
    assert (place in reconciliations.spoiled_at) == (not lost)

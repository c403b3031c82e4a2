"""What a killed run left is cleared away, at whatever request it was killed, and as far as there is a budget for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.mock.koncili import Koncili
from conformance.mock.variants import VARIANTS
from conformance.run.recovery_client import ERRORS_AT_MOST
from tests.suite.support.live_runs import Killed, OneRun, left, one_run, rescue

CREATE, RELEASE, SUBMIT, DELETE = (
    Endpoint.CREATE_RECONCILIATION,
    Endpoint.SUBMIT_RELEASE,
    Endpoint.SUBMIT_ORDER,
    Endpoint.DELETE_ORDER,
)

A, B = "701-0000000-0000001", "701-0000000-0000002"

WITHIN: Final = "2024-03-01T12:00:00Z"
"""Within the period of the second reconciliation."""


def killed_at(endpoint: Endpoint, when: str, *, turn: int = 1) -> Callable[[OneRun], None]:
    """One reconciliation is run through, then another in which the run is killed at a request to the endpoint."""

    def run(dead: OneRun) -> None:
        dead.submit(A)
        dead.release(A, dead.create())
        dead.live.waiting.sleep(5)
        dead.upset(endpoint, *[None] * (turn - 1), when)
        for code in (B, f"{B}-2"):
            dead.submit(code)
        number = dead.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z", releasesQtd=6)
        for code in (B, f"{B}-2"):
            accepted = dead.release(code, number, createdDate=WITHIN, releasedDate=WITHIN).is_accepted
            assert accepted

    return run


MOMENTS: Final = {
    f"{when} {endpoint.label} {turn}": killed_at(endpoint, when, turn=turn)
    for when in ("killed before", "killed after")
    for endpoint, turns in ((SUBMIT, (1, 2)), (CREATE, (1,)), (RELEASE, (1, 2)))
    for turn in turns
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_whatever_a_killed_run_left_is_cleared_away(
    moment: str, koncili: Koncili, dead: OneRun, rescuer: OneRun
) -> None:
    with pytest.raises(Killed):
        MOMENTS[moment](dead)
    rescue(dead, rescuer)
    assert left(koncili) == ([], [])
    assert rescuer.live.recovery.report.undone == []
    assert rescuer.live.dead_runs == []
    assert not any(rescuer.live.ledger.left)


@pytest.mark.parametrize("moment", MOMENTS)
def test_so_it_is_where_the_run_itself_clears_away(moment: str, koncili: Koncili, dead: OneRun) -> None:
    """It was interrupted, not killed."""
    with pytest.raises(Killed):
        MOMENTS[moment](dead)
    dead.live.finish()
    assert left(koncili) == ([], [])
    assert dead.live.recovery.report.undone == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_so_it_is_where_the_rescuer_is_killed_too(
    moment: str, koncili: Koncili, dead: OneRun, rescuer: OneRun, shared: Path
) -> None:
    """At its first release, else at its first deletion."""
    with pytest.raises(Killed):
        MOMENTS[moment](dead)
    rescuer.upset(RELEASE, "killed after")
    rescuer.upset(DELETE, "killed after")
    with pytest.raises(Killed):
        rescue(dead, rescuer)
    rescuer.die()
    with one_run(koncili, shared) as another:
        another.live.rescue_all()
        assert left(koncili) == ([], [])
        assert another.live.dead_runs == []


def test_two_answers_lost_one_after_the_other(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    """That of the last release, and that of the creation after it: as long as the second is active nobody can see that the
    first is not."""
    dead.submit(A)
    dead.release(A, dead.create())
    dead.live.waiting.sleep(5)
    dead.submit(B)
    second = dead.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z")
    dead.upset(RELEASE, "killed after")
    with pytest.raises(Killed):
        dead.release(B, second, createdDate=WITHIN, releasedDate=WITHIN)
    dead.live.waiting.sleep(5)
    dead.upset(CREATE, "killed after")
    with pytest.raises(Killed):
        dead.create(periodInitDate="2024-04-01T00:00:00Z", periodEndDate="2024-04-02T00:00:00Z")
    rescue(dead, rescuer)
    assert left(koncili) == ([], [])
    assert rescuer.live.recovery.report.undone == []
    assert rescuer.live.dead_runs == []


def test_what_stays_is_named_with_its_reason(dead: OneRun, rescuer: OneRun) -> None:
    dead.submit(A)
    dead.submit(B)
    dead.release(A, dead.create())
    report = rescue(dead, rescuer).live.recovery.report
    assert report.deleted == 1
    assert report.kept == [
        f"order {A} of account 19055 on CHANNEL_NAME: it is reconciled, and such orders cannot be deleted"
    ]


@pytest.mark.parametrize(
    ("left_of_the_hour", "spent_on_recovery", "reason"),
    [
        (0, 0, "the budget of client errors is spent"),
        (100, ERRORS_AT_MOST, f"{ERRORS_AT_MOST} client errors were spent on what was left"),
    ],
    ids=["that of the hour", "that of a run"],
)
def test_what_there_is_no_budget_for_is_left_to_the_next_run(
    left_of_the_hour: int,
    spent_on_recovery: int,
    reason: str,
    koncili: Koncili,
    dead: OneRun,
    rescuer: OneRun,
    shared: Path,
) -> None:
    dead.submit(A)
    dead.create()
    recovery = rescuer.live.recovery.client
    recovery.errors_left, recovery.spent = (lambda: left_of_the_hour), spent_on_recovery
    report = rescue(dead, rescuer).live.recovery.report
    assert [reason in undone for undone in report.undone] == [True]
    assert CREATE not in rescuer.way.sent
    assert RELEASE not in rescuer.way.sent
    with one_run(koncili, shared) as another:
        another.live.rescue_all()
        assert another.live.recovery.report.undone == []
    assert left(koncili) == ([], [])


@pytest.mark.parametrize(("lag", "learnt"), [(0.2, 0.5), (1.5, 2.0), (3.5, 5.5), (5.0, 5.5)])
def test_orders_that_are_seen_late_fill_up_what_was_left(
    lag: float, learnt: float, koncili: Koncili, dead: OneRun, rescuer: OneRun
) -> None:
    """The release of one that was just sent got a 404, and the reconciliation blocked its channel for all that came after: so it
    was, last, where scenarios wait for longer than what clears away did."""
    koncili.switch([replace(VARIANTS["orders-seen-late"], shows_at=lambda instant: instant + timedelta(seconds=lag))])
    dead.create()
    rescue(dead, rescuer)
    assert left(koncili) == ([], [])
    assert rescuer.live.recovery.report.undone == []
    assert rescuer.live.recovery.client.late == learnt


def test_an_order_is_waited_for_no_longer_than_allowed(koncili: Koncili, dead: OneRun, shared: Path) -> None:
    """The wait that was too long ended all clearing away."""
    koncili.switch([VARIANTS["orders-seen-late"]])
    number = dead.create()
    dead.die()
    with one_run(koncili, shared, at_most=0.3) as rescuer:
        rescuer.live.rescue_all()
        (words,) = rescuer.live.recovery.report.undone
        assert words.startswith(f"reconciliation {number} of account 19055 on CHANNEL_NAME may still be active")

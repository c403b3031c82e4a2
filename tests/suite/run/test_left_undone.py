"""What can't be cleared away is named with its reason, and tried again where that may help."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import OneRun, left, rescue

RELEASE, SUBMIT, DELETE = Endpoint.SUBMIT_RELEASE, Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER

A: Final = "701-0000000-0000001"


def test_a_reconciliation_that_waits_for_too_much_is_left_alone(dead: OneRun, rescuer: OneRun) -> None:
    number = dead.create(releasesQtd=1_000_000)
    report = rescue(dead, rescuer).live.recovery.report
    assert SUBMIT not in rescuer.way.sent
    assert report.undone == [
        f"reconciliation {number} of account 19055 on CHANNEL_NAME may still be active: it waits for 1000000 release "
        "entries, and no more than 1000 are ever sent; ask Koncili to close it"
    ]
    assert rescuer.live.dead_runs == [dead.live.run.id]


def test_what_takes_no_releases_is_tried_once_and_at_the_end(dead: OneRun, rescuer: OneRun) -> None:
    dead.create(releasesQtd=1_000_000)
    rescue(dead, rescuer)
    sent = len(rescuer.way.sent)
    rescuer.live.rescue_all()
    assert len(rescuer.way.sent) == sent
    rescuer.live.recovery.try_all_again()
    rescuer.live.rescue_all()
    assert len(rescuer.way.sent) > sent


def test_an_order_whose_deletion_is_refused_stays(dead: OneRun, rescuer: OneRun) -> None:
    dead.submit(A)
    rescuer.upset(DELETE, 400)
    report = rescue(dead, rescuer).live.recovery.report
    assert report.kept == [f"order {A} of account 19055 on CHANNEL_NAME: its deletion is refused with 400 UPSET"]
    assert rescuer.live.dead_runs == []


@pytest.mark.parametrize("status", [401, 405, 407, 408, 451])
def test_an_order_whose_deletion_is_refused_for_who_asks_is_left_to_cleanup(
    status: int, koncili: Koncili, dead: OneRun, rescuer: OneRun
) -> None:
    """It was told to stay for good, and nobody tried again."""
    dead.submit(A)
    dead.upset(DELETE, *[status] * 9)
    dead.live.finish()
    report = dead.live.recovery.report
    assert (report.kept, len(dead.live.ledger.left.orders)) == ([], 1)
    assert any(
        f"order {A} of account 19055 on CHANNEL_NAME: its deletion got {status}" in line for line in report.undone
    )
    rescue(dead, rescuer)
    assert left(koncili) == ([], [])


def test_an_order_that_is_gone_is_not_counted(dead: OneRun, rescuer: OneRun) -> None:
    dead.submit(A)
    rescuer.upset(DELETE, 404)
    report = rescue(dead, rescuer).live.recovery.report
    assert (report.deleted, report.kept, report.undone) == (0, [], [])


def test_an_order_whose_deletion_fails_is_tried_again(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    dead.submit(A)
    rescuer.upset(DELETE, *[500] * 3)  # one that came again is no passing one
    report = rescue(dead, rescuer).live.recovery.report
    assert report.undone == [f"order {A} of account 19055 on CHANNEL_NAME: its deletion got 500 UPSET"]
    assert rescuer.live.dead_runs == [dead.live.run.id]
    rescuer.live.rescue_all()
    assert left(koncili) == ([], [])


def test_a_server_that_fails_leaves_it_for_later(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    dead.create()
    rescuer.upset(RELEASE, 500)
    rescue(dead, rescuer)
    rescuer.live.recovery.try_all_again()
    rescuer.live.rescue_all()
    assert left(koncili) == ([], [])

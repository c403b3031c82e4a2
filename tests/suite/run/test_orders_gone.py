"""Orders that are gone already when they are to be cleared away, or arrive after that."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import Doubtful
from conformance.mock.koncili import Koncili
from conformance.run.recovery import GONE_AT_MOST, GONE_AT_THE_END
from tests.suite.support.live_runs import OneRun, left, one_run

SUBMIT, DELETE = Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER

A: Final = "701-0000000-0000001"


def codes(some: range) -> list[str]:
    return [f"701-0000000-{number:07}" for number in some]


def wipe(koncili: Koncili, *some: str) -> None:
    """As a server does that wrongly deletes."""
    for key in [key for key in koncili.world.orders if key[2] in some]:
        koncili.world.put(key, None)


def errors(run: OneRun) -> int:
    return run.client.journal.spent().client_errors


@pytest.mark.parametrize("before", [[], ["submit"]], ids=["new", "an update"])
@pytest.mark.parametrize("after", [[], ["submit"], ["delete"], ["submit", "delete"]], ids=" then ".join)
@pytest.mark.parametrize("answer", ["late", "504 late"])
def test_an_order_that_arrives_after_its_deletion_is_deleted_once_more(
    before: list[str], after: list[str], answer: str, koncili: Koncili, dead: OneRun
) -> None:
    """A queue on the way delivers it when the client waits no longer: it was left behind, and nobody was told."""
    calls = {
        "submit": lambda: dead.submit(A),
        "delete": lambda: dead.client.call(
            DELETE, query={"marketplaceCode": A, "channelName": "CHANNEL_NAME", "accountId": "19055"}
        ),
    }
    for call in before:
        calls[call]()
    dead.upset(SUBMIT, answer)
    if answer == "late":
        with pytest.raises(Doubtful):
            dead.submit(A)
    else:
        dead.submit(A)  # is asked again
    for call in after:
        calls[call]()
    dead.live.tidy()
    assert not dead.live.ledger.left.orders, "no scenario after it spends anything on it"
    spent = dead.client.journal.traffic.client_errors
    dead.live.tidy()
    assert dead.client.journal.traffic.client_errors == spent
    dead.way.deliver()
    dead.live.finish()
    assert left(koncili) == ([], [])
    assert not any(dead.live.ledger.left)
    assert dead.live.recovery.report.undone == []


def test_orders_that_are_gone_spend_little_while_rules_may_need_it(koncili: Koncili, dead: OneRun) -> None:
    there, gone = codes(range(1, 11)), codes(range(11, 61))
    for code in (*there, *gone):
        assert dead.submit(code).is_accepted
    for code in gone:  # the update is refused, and a faulty server deletes the order for that
        refused = dead.submit(code, status="NO SUCH")
        dead.live.refused(refused.request_body)
    wipe(koncili, *gone)
    before = errors(dead)
    dead.live.tidy()
    dead.live.tidy()
    assert errors(dead) - before == GONE_AT_MOST
    assert left(koncili)[1] == [], "those that are there are deleted as ever"
    dead.live.finish()
    assert errors(dead) - before == GONE_AT_MOST + GONE_AT_THE_END
    (words,) = dead.live.recovery.report.undone
    rest = len(gone) - GONE_AT_MOST - GONE_AT_THE_END
    assert (
        words
        == f"{rest} orders of this run, gone already like the {GONE_AT_THE_END} last ones that were to be deleted, perhaps"
    )


def test_nor_do_they_where_nobody_knows_why(koncili: Koncili, dead: OneRun) -> None:
    gone = codes(range(1, 21))
    for code in gone:
        assert dead.submit(code).is_accepted
    wipe(koncili, *gone)
    dead.live.tidy()
    assert errors(dead) == GONE_AT_MOST


def test_for_orders_that_are_gone_no_budget_is_waited_for(koncili: Koncili, shared: Path) -> None:
    with one_run(koncili, shared, at_most=0.0, error_budget=GONE_AT_MOST + 4) as run:
        gone = codes(range(1, 21))
        for code in gone:
            assert run.submit(code).is_accepted
        wipe(koncili, *gone)
        run.live.finish()
        assert errors(run) == GONE_AT_MOST + 4
        assert "16 of 20" not in run.live.recovery.report.undone


def test_cleanup_goes_on_with_them(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    gone = codes(range(1, 41))
    for code in gone:
        assert dead.submit(code).is_accepted
    wipe(koncili, *gone)
    dead.die()
    rescuer.live.rescue_all()
    assert errors(rescuer) == GONE_AT_THE_END
    assert rescuer.live.dead_runs
    rescuer.live.rescue_all()
    assert errors(rescuer) == len(gone)
    assert not rescuer.live.dead_runs

"""Releases of which nobody knows whether they were taken, and what becomes of their orders and reconciliations."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import Doubtful
from conformance.mock.defects import DEFECTS
from conformance.mock.koncili import Koncili
from conformance.mock.variants import VARIANTS
from conformance.run.recovery_client import ERRORS_AT_MOST
from conformance.target.shared.ledger import Ledger
from conformance.target.waiting import LATE_SECONDS
from tests.suite.support.bodies import release
from tests.suite.support.live_runs import Killed, OneRun, left, one_run, rescue
from tests.suite.support.stage.etiquette import active

CREATE, RELEASE, SUBMIT = Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE, Endpoint.SUBMIT_ORDER

A, B = "701-0000000-0000001", "701-0000000-0000002"


def test_a_release_in_doubt_is_not_taken_for_accepted(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    """The target takes no order when the releases are to be sent."""
    dead.submit(A)
    dead.upset(RELEASE, "killed before")
    with pytest.raises(Killed):
        dead.release(A, dead.create())
    rescuer.upset(SUBMIT, *[500] * 20)
    rescue(dead, rescuer)
    assert len(left(koncili)[0]) == 1
    assert rescuer.live.dead_runs == [dead.live.run.id]
    rescuer.upset(SUBMIT)
    rescuer.live.recovery.try_all_again()
    rescuer.live.rescue_all()
    assert left(koncili) == ([], [])


@pytest.mark.parametrize("failures", range(3, 16))
@pytest.mark.parametrize("failure", [500, "500 after"])
def test_a_release_that_fails_is_not_taken_for_refused(
    koncili: Koncili, dead: OneRun, rescuer: OneRun, failures: int, failure: int | str
) -> None:
    """Two of three orders, and then what is to fill up the rest, each get a server error, as often as that comes: it says
    neither that there is room for so much nor that there is none."""
    codes = [B, f"{B}-2", f"{B}-3"]
    for code in codes:
        dead.submit(code)
    number = dead.create(releasesQtd=9)
    dead.release(codes[0], number)
    dead.upset(RELEASE, *[failure] * failures)
    for code in codes[1:]:
        with suppress(Doubtful):
            dead.release(code, number)
    planned = dead.way.plans[RELEASE]
    rescuer.upset(RELEASE, *planned)
    rescue(dead, rescuer)
    if left(koncili)[0]:
        assert rescuer.live.recovery.report.undone, "what stays is told"
        assert rescuer.live.dead_runs == [dead.live.run.id]
        rescuer.live.recovery.try_all_again()
        rescuer.live.rescue_all()
    assert left(koncili) == ([], [])


@pytest.mark.parametrize("taken", range(3))
def test_of_several_releases_in_doubt_only_what_was_taken_is_taken_for_reconciled(
    taken: int, koncili: Koncili, dead: OneRun
) -> None:
    """The answers to all three were lost, and one was carried out: the orders of the others were taken for reconciled too, stayed
    at the target, and nobody was told."""
    codes = [A, B, f"{B}-2"]
    for code in codes:
        dead.submit(code)
    number = dead.create(releasesQtd=9)
    dead.upset(RELEASE, *["lost after" if at == taken else "lost before" for at in range(len(codes))])
    for code in codes:
        with pytest.raises(Doubtful):
            dead.release(code, number)
    dead.live.finish()
    assert left(koncili) == ([], [])
    kept = [line.split()[1] for line in dead.live.recovery.report.kept]
    assert kept == [codes[taken]], "nobody but the target knows which it was"
    assert dead.live.recovery.report.undone == []


def test_an_order_that_may_be_in_what_is_not_complete_is_deleted_after_that_is(
    koncili: Koncili, dead: OneRun, rescuer: OneRun
) -> None:
    """The run could not complete it and deleted the order: then nobody could, which `cleanup` took for done."""
    dead.submit(A)
    dead.submit(B)
    number = dead.create(releasesQtd=6)
    dead.upset(RELEASE, "lost after")
    with pytest.raises(Doubtful):
        dead.release(A, number)
    dead.live.recovery.client.spent = ERRORS_AT_MOST
    dead.live.finish()
    report = dead.live.recovery.report
    assert any(line.startswith(f"reconciliation {number} of account 19055") for line in report.undone)
    assert dead.live.ledger.left.orders[:1] == [(19055, "CHANNEL_NAME", A)]
    rescue(dead, rescuer)
    assert left(koncili) == ([], [])
    assert rescuer.live.recovery.report.undone == []


def test_what_fills_up_is_not_taken_for_reconciled_where_its_own_answer_was_lost(
    koncili: Koncili, dead: OneRun
) -> None:
    """There was no room for so much: by how much there was, it was the one before that had been taken."""
    dead.submit(A)
    number = dead.create(releasesQtd=6)
    dead.upset(RELEASE, "lost after")
    with pytest.raises(Doubtful):
        dead.release(A, number)
    dead.upset(RELEASE, "lost before")
    dead.live.finish()
    assert left(koncili) == ([], [])
    assert dead.live.recovery.report.kept == [], "its deletion would be a client error for nothing"
    assert dead.live.recovery.report.undone == []


@pytest.mark.parametrize(
    "answers", [["lost after"], ["lost before"], ["lost before", "lost after"], [500], ["500 after"]]
)
def test_what_is_opened_to_see_what_is_free_is_completed(
    answers: list[int | str], koncili: Koncili, dead: OneRun
) -> None:
    """Its release gets no answer, or a server error: nothing else can be opened there until it is complete."""
    dead.submit(A)
    dead.release(A, dead.create())
    dead.live.waiting.sleep(5)
    dead.upset(CREATE, "lost before")
    with pytest.raises(Doubtful):
        dead.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z")
    dead.upset(RELEASE, *answers)
    dead.live.free("CHANNEL_NAME")
    assert dead.live.recovery.report.undone == []
    assert not dead.live.ledger.left.opened
    assert left(koncili)[0] == []


@pytest.mark.parametrize("lag", [1, 5])
def test_a_release_refused_after_one_in_doubt_shows_not_that_it_is_full(
    lag: int, koncili: Koncili, dead: OneRun
) -> None:
    """What was opened to see what is free lost its release, which was not carried out; the next was refused, since its order was
    seen late. It was taken for complete, and blocked its channel, of which nobody was told."""
    late = replace(VARIANTS["orders-seen-late"], shows_at=lambda instant: instant + timedelta(seconds=lag))
    dead.submit(A)
    dead.release(A, dead.create())
    dead.live.waiting.sleep(5)
    dead.upset(CREATE, "lost before")
    with pytest.raises(Doubtful):
        dead.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z")
    koncili.switch([late])
    dead.upset(RELEASE, "lost before")
    dead.live.free("CHANNEL_NAME")
    waits = left(koncili)[0]
    assert waits == [one.id for one in dead.live.ledger.left.opened if one.id is not None]
    assert bool(dead.live.recovery.report.undone) == bool(waits)


@pytest.mark.parametrize("quantity", [0, -3])
def test_what_was_opened_for_nothing_is_not_taken_for_complete(quantity: int, dead: OneRun, rescuer: OneRun) -> None:
    """A server that accepts that is wrong; whether such a one is active only another creation shows."""
    dead.upset(CREATE, "killed before")
    with pytest.raises(Killed):
        dead.create(releasesQtd=quantity)
    rescue(dead, rescuer)
    assert rescuer.way.sent.count(CREATE) == 1
    assert rescuer.live.dead_runs == []


@pytest.mark.parametrize("refused", range(1, 4))
def test_one_that_has_counted_what_it_refused_is_filled_up(refused: int, koncili: Koncili, dead: OneRun) -> None:
    """Its channel was blocked for good: there is room for fewer entries than it was opened for."""
    koncili.switch([DEFECTS["rel-18-mismatch-counted"]])
    dead.submit(A)
    number = dead.create(releasesQtd=7)
    entries = release(A)["releases"]
    mismatched = [{**entries[0], "value": 1} for _ in range(refused)]
    assert dead.release(A, number, releases=mismatched).is_refused
    assert dead.live.free("CHANNEL_NAME")
    assert left(koncili)[0] == []


@pytest.mark.parametrize("learnt", [False, True])
def test_a_release_that_is_refused_for_something_else_says_nothing_of_that(
    learnt: bool, koncili: Koncili, dead: OneRun, rescuer: OneRun
) -> None:
    """From then on no order was waited for, and whatever was left stayed."""
    koncili.switch([VARIANTS["orders-seen-late"]])
    recovery = rescuer.live.recovery
    recovery.client.late = 0.5 if learnt else 0.0
    dead.create()
    rescuer.upset(RELEASE, *[400] * (1 + len(LATE_SECONDS)))
    rescue(dead, rescuer)
    assert recovery.report.undone
    recovery.try_all_again()
    rescuer.live.rescue_all()
    assert left(koncili) == ([], [])
    assert recovery.client.late == 0.5


def test_a_release_that_was_plainly_refused_leaves_no_doubt(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    """It did where the budget was spent before the release could be sent again."""
    koncili.switch([VARIANTS["orders-seen-late"]])
    dead.create()
    rescuer.live.recovery.client.spent = ERRORS_AT_MOST - 1
    rescue(dead, rescuer)
    (opened,) = Ledger.of(rescuer.store, dead.live.run.id).left.opened
    assert opened.doubts == []


@pytest.mark.parametrize("defect", ["rel-11-answered-again", "rel-11-in-the-same-reconciliation"])
@pytest.mark.parametrize("quantity", [6, 7, 9])
def test_what_took_a_release_twice_is_completed_whether_it_counted_it_once_or_twice(
    defect: str, quantity: int, tmp_path: Path
) -> None:
    koncili = Koncili(quirks=[DEFECTS[defect]])
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        run.submit(A)
        number = run.create(releasesQtd=quantity)
        assert [run.release(A, number).status for _ in range(2)] == [200, 200]
        run.live.finish()
        koncili.clock.advance(60)
        assert active(dict(koncili.state())) == []
        assert run.live.recovery.report.undone == []

"""What a killed run left is cleared away, at whatever request it was killed; what can't be is named with its reason."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import Doubtful
from conformance.mock.defects import DEFECTS
from conformance.mock.koncili import Koncili
from conformance.mock.variants import VARIANTS
from conformance.run.recovery import GONE_AT_MOST, GONE_AT_THE_END
from conformance.run.recovery_client import ERRORS_AT_MOST
from conformance.target.shared.ledger import Ledger
from conformance.target.waiting import LATE_SECONDS
from tests.suite.support.bodies import release
from tests.suite.support.live_runs import Killed, OneRun, left, one_run
from tests.suite.support.stage.etiquette import active

CREATE, RELEASE, SUBMIT, DELETE = (
    Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE, Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER,
)  # fmt: skip

A, B = "701-0000000-0000001", "701-0000000-0000002"

WITHIN: Final = "2024-03-01T12:00:00Z"
"""Within the period of the second reconciliation."""


def rescue(dead: OneRun, rescuer: OneRun) -> OneRun:
    dead.die()
    rescuer.live.rescue_all()
    return rescuer


# -- a run that is killed at a request ---------------------------------------------------------------------------------


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


# -- what can't be done ------------------------------------------------------------------------------------------------


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


def test_a_server_that_fails_leaves_it_for_later(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    dead.create()
    rescuer.upset(RELEASE, 500)
    rescue(dead, rescuer)
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


# -- orders that are gone already ----------------------------------------------------------------------------------


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


# -- without the budget for it -----------------------------------------------------------------------------------------


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


def test_an_order_is_waited_for_no_longer_than_allowed(koncili: Koncili, dead: OneRun, shared: Path) -> None:
    """The wait that was too long ended all clearing away."""
    koncili.switch([VARIANTS["orders-seen-late"]])
    number = dead.create()
    dead.die()
    with one_run(koncili, shared, at_most=0.3) as rescuer:
        rescuer.live.rescue_all()
        (words,) = rescuer.live.recovery.report.undone
        assert words.startswith(f"reconciliation {number} of account 19055 on CHANNEL_NAME may still be active")


def test_a_release_that_was_plainly_refused_leaves_no_doubt(koncili: Koncili, dead: OneRun, rescuer: OneRun) -> None:
    """It did where the budget was spent before the release could be sent again."""
    koncili.switch([VARIANTS["orders-seen-late"]])
    dead.create()
    rescuer.live.recovery.client.spent = ERRORS_AT_MOST - 1
    rescue(dead, rescuer)
    (opened,) = Ledger.of(rescuer.store, dead.live.run.id).left.opened
    assert opened.doubts == []


# -- a release that is taken for a repetition --------------------------------------------------------------------------


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

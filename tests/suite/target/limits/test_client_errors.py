"""The budget of client errors holds across runs and processes."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.shared.budget import KEPT_BACK, DocumentedLimits
from conformance.target.shared.store_base import ERRORS, MARGIN_SECONDS
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting
from tests.suite.support.limits import HOUR, Limits, Time


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 423, 429, 499])
def test_a_client_error_is_counted(limits: Limits, status: int) -> None:
    limits.answer(None, status)
    assert limits.spent() == 1


@pytest.mark.parametrize("status", [100, 200, 201, 204, 302, 399, 500, 502, 599])
def test_any_other_answer_gives_back_what_was_reserved(limits: Limits, status: int) -> None:
    limits.answer(None, status)
    assert limits.spent() == 0


def test_a_request_without_an_answer_stays_counted(limits: Limits) -> None:
    limits.before(None)
    assert limits.spent() == 1


def test_a_request_that_was_never_sent_is_not_counted(limits: Limits) -> None:
    limits.after(limits.before(None), None)
    assert limits.spent() == 0


def test_nothing_is_sent_once_the_budget_is_spent(store: Path, time: Time) -> None:
    with closing(Limits(store, 3 + KEPT_BACK, time)) as limits:
        for status in (400, 404, 200, 429):
            limits.answer(Endpoint.SUBMIT_ORDER, status)
        for endpoint in (*Endpoint, None):
            with pytest.raises(
                WaitTooLong, match=r"^the budget of client errors: .*at 500 .* takes another 1:00 h, .* 0 s allows$"
            ):
                limits.before(endpoint)
        assert limits.spent() == 3
        time.now += HOUR + 2
        limits.before(Endpoint.SUBMIT_ORDER)


def test_a_reservation_is_given_back_where_the_wait_for_the_rate_is_ended(store: Path, time: Time) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with closing(Limits(store, 400, time, at_most=None)) as limits:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        limits._waiting.sleep = interrupt
        with pytest.raises(KeyboardInterrupt):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0


def test_a_spent_budget_is_waited_for(store: Path, time: Time) -> None:
    told: list[tuple[str, float]] = []
    with closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits:
        limits._waiting.tell = lambda what, left: told.append((what, round(left)))
        limits.answer(None, 400)
        start = time.now
        limits.answer(None, 400)
    assert HOUR < time.now - start < HOUR + 5
    assert [left for _, left in told][:2] == [3601, 3600]
    assert told[-1][1] == 0


def test_waiting_gives_signs_of_life(store: Path, time: Time) -> None:
    signs: list[float] = []
    with closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits:
        limits._waiting.meanwhile = lambda: signs.append(time.now)
        limits.answer(None, 400)
        limits.answer(None, 400)
    assert max(later - earlier for earlier, later in pairwise(signs)) <= 2


def test_only_clearing_away_spends_what_is_kept_back(store: Path, time: Time) -> None:
    with closing(Limits(store, 20, time)) as limits:
        for _ in range(20 - KEPT_BACK):
            limits.answer(None, 400)
        with pytest.raises(WaitTooLong):
            limits.before(None)
        with limits.clearing_away():
            for _ in range(KEPT_BACK):
                limits.answer(None, 400)
            with pytest.raises(WaitTooLong):
                limits.before(None)
        assert limits.spent() == 20


def test_of_a_small_budget_one_is_left_to_spend(store: Path, time: Time) -> None:
    with closing(Limits(store, 3, time)) as limits:
        limits.answer(None, 400)
        with pytest.raises(WaitTooLong, match="1 an hour are spent, 2 more are kept"):
            limits.before(None)


def test_the_pace_is_a_wait_like_any_other(store: Path, time: Time) -> None:
    """And what was reserved for a request that was not sent is given back."""
    with closing(Limits(store, 400, time, at_most=59.0)) as limits:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        with pytest.raises(
            WaitTooLong, match=r"^the documented rate of GET /order, .* 1:01 min, .*--max-wait 59 s allows$"
        ):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0
        time.now += 3.0
        limits.before(Endpoint.GET_ORDER)


def test_a_budget_that_others_take_again_is_waited_for_once(store: Path, time: Time) -> None:
    """However often another run takes what has just left the hour, all of that is one wait."""
    with (
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=1.5 * HOUR)) as limits,
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as others,
    ):
        others.answer(None, 400)
        start = time.now

        def sleep(seconds: float) -> None:
            time.now += seconds
            if time.now >= start + HOUR + MARGIN_SECONDS and others.spent() == 0:
                others.answer(None, 400)

        limits._waiting.sleep = sleep
        with pytest.raises(
            WaitTooLong, match=r"takes another 1:00 h after 1:00 h, longer than --max-wait 1:30 h allows$"
        ):
            limits.before(None)
        assert time.now - start < HOUR + 5


@pytest.mark.parametrize(
    ("endpoint", "rate", "words"),
    [
        (Endpoint.SUBMIT_ORDER, 300, "the documented rate of POST /order, 300 a minute"),
        (None, 90, "the documented rate of undocumented paths, 90 a minute"),
    ],
)
def test_a_wait_for_the_pace_says_for_which(
    endpoint: Endpoint | None, rate: int, words: str, store: Path, time: Time
) -> None:
    told: set[str] = set()
    with closing(SQLiteStore(store)) as kept:
        limits = DocumentedLimits(kept, 400, Waiting(tell=lambda what, _: told.add(what), sleep=time.sleep))
        for _ in range(rate + 1):
            limits.after(limits.before(endpoint), 200)
        limits.close()
    assert told == {words}


def test_a_spent_budget_is_no_verdict() -> None:
    assert issubclass(WaitTooLong, TargetUnavailable)


def test_an_error_is_forgotten_an_hour_after_its_answer(limits: Limits, time: Time) -> None:
    reservation = limits.before(None)
    time.now += 30
    limits.after(reservation, 400)
    time.now += HOUR / 2
    limits.answer(None, 400)
    time.now += HOUR / 2 + 0.75
    assert limits.spent() == 2
    assert limits.status().frees[0] == pytest.approx(0.25, abs=0.1)
    time.now += 2
    assert limits.spent() == 1


def test_the_largest_budget_that_a_target_may_have_is_kept(store: Path, time: Time) -> None:
    with closing(Limits(store, 450, time, paced=False)) as limits:
        for _ in range(450 - KEPT_BACK):
            limits.answer(Endpoint.SUBMIT_ORDER, 400)
        with pytest.raises(WaitTooLong):
            limits.before(Endpoint.SUBMIT_ORDER)
        assert limits.status().left == 0


def test_errors_are_counted_across_runs(store: Path, time: Time) -> None:
    for _ in range(3):
        with closing(Limits(store, 6 + KEPT_BACK, time)) as limits:
            limits.answer(Endpoint.GET_ORDER, 400)
            limits.answer(Endpoint.GET_ORDER, 400)
    with closing(Limits(store, 6 + KEPT_BACK, time)) as limits, pytest.raises(WaitTooLong):
        limits.before(Endpoint.GET_ORDER)


def test_what_several_runs_are_about_to_send_is_counted_together(limits: Limits, others: Limits) -> None:
    for _ in range((400 - KEPT_BACK) // 2):
        limits.before(None if limits.spent() % 2 else Endpoint.SUBMIT_ORDER)
        others.before(Endpoint.DELETE_ORDER)
    for run in (limits, others):
        with pytest.raises(WaitTooLong):
            run.before(Endpoint.GET_ORDER)


def spend(store: str, tries: int) -> None:
    """What another process does."""
    with closing(Limits(Path(store), 20 + KEPT_BACK, paced=False)) as limits:
        for _ in range(tries):
            try:
                limits.answer(Endpoint.SUBMIT_ORDER, 400)
            except WaitTooLong:
                continue


def test_processes_together_spend_the_budget_and_no_more(store: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=spend, args=(str(store), 15)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with closing(SQLiteStore(store)) as kept:
        assert len(kept.marks(ERRORS, HOUR)) == 20

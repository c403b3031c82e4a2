"""A block stops every run until it ends, and no longer."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import tzset

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun
from conformance.target.shared.budget import KEPT_BACK
from conformance.target.shared.store_base import BLOCKED_UNTIL
from tests.suite.support.limits import HOUR, Limits, Time

BLOCKED = (
    "Koncili has blocked this integrator (423) until {:%Y-%m-%d %H:%M} UTC: nothing is sent before that, since 1,000 calls "
    "during the block make it permanent; run again then"
)
DAY = 24 * HOUR


def lasts(until: datetime) -> float:
    """For how many seconds from now a block lasts."""
    return (until - datetime.now(UTC)).total_seconds()


def test_a_block_stops_every_run_until_it_ends(limits: Limits, others: Limits, time: Time) -> None:
    until = limits.blocked()
    assert lasts(until) == pytest.approx(HOUR, abs=30)
    assert until.tzinfo is UTC
    for run in (limits, others):
        with pytest.raises(CannotRun, match=rf"^{re.escape(BLOCKED.format(until))}$"):
            run.before(Endpoint.GET_ORDER)
    time.now += HOUR + 1
    others.before(Endpoint.GET_ORDER)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (0, HOUR),
        (1, HOUR),
        (-5, HOUR),
        (HOUR, HOUR),
        (7200, 7200),
        (DAY, DAY),
        (99_999_999_999_999, DAY),
        (float("9" * 400), DAY),
        (float("nan"), HOUR),
        (float("-inf"), HOUR),
    ],
)
def test_a_block_lasts_as_long_as_the_target_says_an_hour_at_least_and_a_day_at_most(
    limits: Limits, time: Time, told: float, seconds: float
) -> None:
    assert lasts(limits.blocked(told)) == pytest.approx(seconds, abs=30)
    time.now += seconds - 1
    with pytest.raises(CannotRun):
        limits.before(None)
    time.now += 1
    limits.before(None)


def test_a_block_is_not_made_shorter(limits: Limits, others: Limits, time: Time) -> None:
    limits.blocked(5 * HOUR)
    others.blocked(60)
    time.now += 5 * HOUR - 1
    with pytest.raises(CannotRun):
        others.before(None)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("nan", HOUR),
        ("", HOUR),
        ("tomorrow", HOUR),
        ("{}", HOUR),
        ("\x00\ud7ff", HOUR),
        ("inf", DAY),
        ("1e400", DAY),
        ("9" * 400, DAY),
        ("3000000000", DAY),
        ("-inf", 0),
        ("12", 0),
    ],
)
def test_whatever_was_written_a_block_ends_within_a_day(
    limits: Limits, time: Time, written: str, seconds: float
) -> None:
    """What can't be read is a block as it is documented."""
    limits.kept.put(BLOCKED_UNTIL, written)
    for _ in range(2):  # looking again puts nothing off
        if seconds:
            with pytest.raises(
                CannotRun, match=r"^Koncili has blocked this integrator \(423\) until 20\d\d-\d\d-\d\d "
            ):
                limits.before(None)
        time.now += seconds / 2
    limits.before(None)


def test_what_waits_for_the_budget_looks_whether_there_is_a_block_by_now(store: Path, time: Time) -> None:
    with (
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits,
        closing(Limits(store, 400, time)) as other,
    ):
        limits.answer(None, 400)
        limits._waiting.meanwhile = once(lambda: other.blocked(2 * HOUR), after=3)
        with pytest.raises(CannotRun, match="blocked"):
            limits.before(None)


def test_what_waits_for_the_rate_looks_whether_there_is_a_block_by_now(store: Path, time: Time) -> None:
    with closing(Limits(store, 400, time, at_most=None)) as limits, closing(Limits(store, 400, time)) as other:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        limits._waiting.meanwhile = once(other.blocked, after=3)
        with pytest.raises(CannotRun, match="blocked"):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0


def once(action: Callable[[], object], *, after: int) -> Callable[[], None]:
    """Does it at one call, after so many others."""
    calls = count()

    def called() -> None:
        if next(calls) == after:
            action()

    return called


def test_its_end_is_told_in_utc_wherever_the_machine_is(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        tzset()
        until = limits.blocked()
        with pytest.raises(CannotRun, match=f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"):
            limits.check_block()
    tzset()
